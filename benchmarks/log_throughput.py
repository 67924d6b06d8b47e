"""What a ``log()`` costs beside a bare ``write(2)``, and how many points a second get from journals into
the store beside SQLite's own batches of the same rows. Run: ``python benchmarks/log_throughput.py``.
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

from mlops_jupyter.training import journal
from mlops_jupyter.training.journal import Writer
from mlops_jupyter.training.run import Run
from tests.desk import JOB, Desk

CALLS, ROUNDS, BATCH = 50_000, 5, 1000


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def logs(folder: Path) -> None:
    ours, bare = [], []
    for number in range(ROUNDS):
        writer = Writer(folder / f"journal-{number}")
        run = Run(writer)

        def log(run: Run = run) -> None:
            for step in range(1, CALLS + 1):
                run.log(step, {"train_loss": 0.5})

        ours.append(timed(log) / CALLS)
        writer.close()
        record = journal.frame(journal.read(folder / f"journal-{number}", 0).payloads[0])
        file = os.open(folder / f"bare-{number}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def write(file: int = file, record: bytes = record) -> None:
            for _ in range(CALLS):
                os.write(file, record)

        bare.append(timed(write) / CALLS)
        os.close(file)
    one, other = (statistics.median(each) * 1e6 for each in (ours, bare))
    print(f"log(): {one:.1f} µs, write(2) of its record: {other:.1f} µs, {one / other:.1f} ×")


def intake(folder: Path) -> None:
    ours, bare = [], []
    for number in range(ROUNDS):
        desk = Desk(folder / f"desk-{number}")
        for step in range(1, CALLS + 1):
            desk.run.log(step, {"train_loss": 0.5})
        ours.append(CALLS / timed(lambda desk=desk: desk.read_all(JOB)))
        assert len(desk.steps()) == CALLS
        desk.close()
        db = sqlite3.connect(folder / f"bare-{number}.sqlite", isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute(
            "CREATE TABLE points (job_id TEXT, name TEXT, step INTEGER, value REAL, nf TEXT, elapsed REAL)"
        )
        db.execute("CREATE INDEX by_series ON points (job_id, name, step)")
        rows = [(JOB, "train_loss", step, 0.5, None, 0.1) for step in range(1, CALLS + 1)]

        def insert(db: sqlite3.Connection = db, rows: list[tuple[object, ...]] = rows) -> None:
            for start in range(0, CALLS, BATCH):
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT INTO points VALUES (?,?,?,?,?,?)", rows[start : start + BATCH])
                db.execute("COMMIT")

        bare.append(CALLS / timed(insert))
        db.close()
    one, other = statistics.median(ours), statistics.median(bare)
    print(f"journal → store: {one:,.0f} points/s, SQLite's batches: {other:,.0f}, {one / other:.2f} ×")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        logs(Path(place))
        intake(Path(place))
