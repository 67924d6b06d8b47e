"""What a ``log()`` costs beside a bare ``write(2)``, and how many points a second get from journals into
the store beside SQLite's own batches of the same rows. Run: ``python benchmarks/log_throughput.py``.

Ours and the other take turns. A ``log()`` is measured by the CPU time of its thread, which counts nothing
of what other programs do meanwhile; the store by the clock, since much of its time belongs to the disk.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mlops_jupyter.store import migrations
from mlops_jupyter.training import journal
from mlops_jupyter.training.journal import Writer
from mlops_jupyter.training.run import Run
from tests.desk import JOB, Desk

CALLS, TURNS = 200, 500
POINTS, ROUNDS = 50_000, 9


def timed(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    work()
    return clock() - began


def logs(folder: Path) -> None:
    writer = Writer(folder / "journal")
    run = Run(writer)

    def log() -> None:
        for step in range(1, CALLS + 1):
            run.log(step, {"train_loss": 0.5})

    log()
    record = journal.frame(journal.read(folder / "journal", 0).payloads[0])
    file = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write() -> None:
        for _ in range(CALLS):
            os.write(file, record)

    turns = [(timed(log, time.thread_time), timed(write, time.thread_time)) for _ in range(TURNS)]
    one, other = (statistics.median(each) / CALLS * 1e6 for each in zip(*turns, strict=True))
    print(f"log(): {one:.1f} µs, write(2) of its record: {other:.1f} µs, {one / other:.1f} ×")
    os.close(file)
    writer.close()


def taken_in(folder: Path) -> float:
    """Points a second from a journal into the store."""
    desk = Desk(folder)
    for step in range(1, POINTS + 1):
        desk.run.log(step, {"train_loss": 0.5})
    desk.end()

    def take_in() -> None:
        desk.intake.watch(JOB, desk.folder)
        desk.wait()

    rate = POINTS / timed(take_in)
    assert len(desk.steps()) == POINTS
    desk.close()
    return rate


def inserted(path: Path, batch: int) -> float:
    """Rows a second into a table like the store's, as many a transaction as the store takes at once."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.executescript(migrations.LEVELS)
    rows = [(1, n, n + 1, 0.5, None, 0.1 * n) for n in range(POINTS)]

    def insert() -> None:
        for start in range(0, POINTS, batch):
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO measured VALUES (?,?,?,?,?,?)", rows[start : start + batch])
            db.execute("COMMIT")

    rate = POINTS / timed(insert)
    db.close()
    return rate


def intake(folder: Path) -> None:
    batch = (1 << 20) // len((folder / "journal").read_bytes().splitlines()[0])
    turns = [
        (taken_in(folder / f"desk-{number}"), inserted(folder / f"bare-{number}.sqlite", batch))
        for number in range(ROUNDS)
    ]
    one, other = (statistics.median(each) for each in zip(*turns, strict=True))
    print(f"journal → store: {one:,.0f} points/s, SQLite's batches: {other:,.0f}, {one / other:.2f} ×")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        logs(Path(place))
        intake(Path(place))
