"""1,000,000 points of a metric reduced for a chart by the levels of the store, beside the same by numpy in
memory and by SQLite in all points. Run: ``python benchmarks/metrics_buckets.py``.

Warm ones take turns. A cold one is a new process that opens a database whose pages the system was asked to
drop; what it then read from the disk is told, since the system need not do so.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from mlops_jupyter.core.events import MetricPoints
from mlops_jupyter.core.series import Point, encode
from mlops_jupyter.store import Store, levels
from tests.desk import JOB

POINTS, BATCH, SPIKE = 1_000_000, 500, 654_321
#: 977 runs of 1,024 points: two points each.
BUCKETS, RUN = 750, 1024
TURNS, COLD = 200, 9
SCAN = "SELECT min(value), max(value) FROM measured WHERE series=1 GROUP BY n / ?"


def fill(path: Path, values: np.ndarray) -> None:
    """As the intake keeps them, with the events they come in."""
    store = Store(path, lambda _: None)
    now = datetime.now(UTC)
    for start in range(0, POINTS, BATCH):
        points = tuple(
            Point(name="train_loss", step=n + 1, value=value, elapsed=n / 1000)
            for n, value in enumerate(values[start : start + BATCH].tolist(), start)
        )
        event = MetricPoints(time=now, job_id=JOB, points=points)
        store.write(lambda tx, event=event: tx.append(event))
    store.write(lambda _: None).result()
    store.close()


def in_memory(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest of each run, with their steps."""
    full = POINTS // RUN
    runs = values[: full * RUN].reshape(full, RUN)
    rest = values[full * RUN :]
    offsets = np.arange(full) * RUN
    kept = np.concatenate([offsets + runs.argmin(1), offsets + runs.argmax(1)])
    kept = np.concatenate([kept, full * RUN + np.array([rest.argmin(), rest.argmax()]), [0, POINTS - 1]])
    kept.sort()
    return steps[kept], values[kept]


def connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def once(way: str, path: str) -> None:
    """What a new process does; it tells milliseconds, and bytes that came from the disk."""

    def read() -> None:
        db = connect(path)
        if way == "levels":
            levels.series(db, JOB, BUCKETS)
        else:
            db.execute(SCAN, (RUN,)).fetchall()

    before = from_disk()
    print(timed(read), from_disk() - before)


def from_disk() -> int:
    told = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(told["read_bytes"])


def cold(way: str, path: Path) -> tuple[float, int]:
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)
    said = subprocess.run([sys.executable, __file__, way, path], check=True, capture_output=True, text=True)
    took, read = said.stdout.split()
    return float(took), int(read)


def main(folder: Path) -> None:
    path = folder / "store.sqlite"
    chance = np.random.default_rng(0)
    values = 1 / np.sqrt(np.arange(1, POINTS + 1)) + chance.normal(0, 0.01, POINTS)
    values[SPIKE] = 99.0
    steps = np.arange(1, POINTS + 1)
    fill(path, values)
    for way in ("levels", "scan"):
        turns = [cold(way, path) for _ in range(COLD)]
        took, read = (statistics.median(each) for each in zip(*turns, strict=True))
        print(f"cold, {way}: {took:.2f} ms, {read / 1024:,.0f} KiB from the disk")

    store = Store(path, lambda _: None)
    db = connect(str(path))
    answer = store.read(lambda reading: reading.series(JOB, BUCKETS))["train_loss"].points
    same = zip(*(each.tolist() for each in in_memory(steps, values)), strict=True)
    assert [(point.step, point.value) for point in answer] == list(dict.fromkeys(same))
    assert any(point.value == 99.0 for point in answer)
    ways: dict[str, Callable[[], object]] = {
        "in memory": lambda: in_memory(steps, values),
        "levels": lambda: store.read(lambda reading: reading.series(JOB, BUCKETS)),
        "levels, with JSON": lambda: encode(
            store.read(lambda reading: reading.series(JOB, BUCKETS))["train_loss"].points
        ),
    }
    turns = [[timed(work) for work in ways.values()] for _ in range(TURNS)]
    found = dict(zip(ways, map(statistics.median, zip(*turns, strict=True)), strict=True))
    found["scan"] = statistics.median(timed(lambda: db.execute(SCAN, (RUN,)).fetchall()) for _ in range(COLD))
    for way, took in found.items():
        print(f"warm, {way}: {took:.2f} ms, {took / found['in memory']:.2f} × in memory")
    print(f"{len(answer)} points")
    db.close()
    store.close()


if __name__ == "__main__":
    if sys.argv[1:]:
        once(*sys.argv[1:])
    else:
        with tempfile.TemporaryDirectory() as place:
            main(Path(place))
