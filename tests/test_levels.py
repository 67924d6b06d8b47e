"""However points come, a reduced series is what the points themselves would give."""

from __future__ import annotations

import itertools
import random
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.core.series import Point, Series
from mlops_jupyter.store import Store, levels, migrations
from mlops_jupyter.store.details import details
from mlops_jupyter.training.run import point

JOB = "j-7f3a00000000"
VALUES = (0.5, 0.5, 0.25, -0.0, 0.0, 1e300, -1e300, float("nan"), float("inf"), float("-inf"))


def reduced(points: Sequence[Point], buckets: int) -> Series:
    """As docs/API.md has it, straight from all points of one series in the order they were measured."""
    count = len(points)
    by_step = sorted(range(count), key=lambda n: points[n].step)
    kept = set(range(count))
    if count > 2 * buckets:
        length = next(2**k for k in range(40) if count // 2 ** (k + 1) < buckets)
        kept = {by_step[0], by_step[-1]}
        for start in range(0, count, length):
            run = range(start, min(start + length, count))
            finite = [n for n in run if points[n].value is not None]
            kept |= {choose(finite, key=lambda n: points[n].value) for choose in (min, max) if finite}
            kept |= {next((n for n in run if points[n].value is None), start)} - set(finite)
    return Series(count=count, points=tuple(points[n] for n in by_step if n in kept))


def near(points: Sequence[Point], buckets: int, low: int, high: int) -> tuple[Point, ...]:
    """The same of the points from one step to another; long runs begin where those of all points do."""
    inside = [n for n, p in enumerate(points) if low <= p.step <= high]
    by_step = sorted(inside, key=lambda n: points[n].step)
    if len(inside) <= 2 * buckets:
        return tuple(points[n] for n in by_step)
    length = next(2**k for k in range(40) if len(inside) // 2 ** (k + 1) < buckets)
    rising = all(one.step <= other.step for one, other in itertools.pairwise(points))
    kept = {by_step[0], by_step[-1]}
    for _, group in itertools.groupby(
        enumerate(inside),
        key=lambda at: (at[1] if rising and length >= levels.SHORTEST else at[0]) // length,
    ):
        run = [n for _, n in group]
        finite = [n for n in run if points[n].value is not None]
        kept |= {choose(finite, key=lambda n: points[n].value) for choose in (min, max) if finite}
        kept |= {next((n for n in run if points[n].value is None), run[0])} - set(finite)
    return tuple(points[n] for n in by_step if n in kept)


def measured(seed: int, count: int, names: int, order: str) -> list[Point]:
    chance = random.Random(seed)
    steps = {
        "rising": lambda n: n + 1,
        "repeated": lambda n: n // 3,
        "sparse": lambda n: 1000 * n + chance.randrange(900),
        "rewound": lambda n: n % 70,
        "anyhow": lambda _: chance.randrange(2**53),
    }[order]
    values = VALUES if seed % 2 else [chance.random() for _ in range(50)]
    return [
        point(f"m{chance.randrange(names)}", steps(n), chance.choice(values), n / 8) for n in range(count)
    ]


def database() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrations.migrate(db, epoch="e")
    return db


def add(db: sqlite3.Connection, points: Sequence[Point], job_id: str = JOB) -> None:
    levels.add(db, job_id, points)


def of(points: Sequence[Point], name: str) -> list[Point]:
    return [p for p in points if p.name == name]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    batches=st.lists(st.one_of(st.integers(1, 5), st.integers(1, 300)), min_size=1, max_size=12),
    names=st.integers(1, 3),
    order=st.sampled_from(["rising", "repeated", "sparse", "rewound", "anyhow"]),
    buckets=st.one_of(st.integers(1, 40), st.just(1000)),
)
def test_a_reduced_series_is_what_all_its_points_give(
    seed: int, batches: list[int], names: int, order: str, buckets: int
) -> None:
    points = measured(seed, sum(batches), names, order)
    db = database()
    start = 0
    for size in batches:
        add(db, points[start : start + size])
        add(db, points[start : start + size // 2], "j-another00000")
        start += size
    answer = levels.series(db, JOB, buckets)
    assert answer == {name: reduced(of(points, name), buckets) for name in {p.name for p in points}}
    whole = levels.series(db, JOB, None)
    assert {name: list(one.points) for name, one in whole.items()} == {
        name: sorted(of(points, name), key=lambda p: p.step) for name in whole
    }


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 1500),
    order=st.sampled_from(["rising", "repeated", "sparse", "rewound", "anyhow"]),
    buckets=st.one_of(st.integers(1, 40), st.just(1000)),
    ends=st.tuples(st.floats(-0.1, 1.1), st.floats(-0.1, 1.1)),
)
def test_a_part_loses_no_spike_and_is_as_near_as_it_is_long(
    seed: int, count: int, order: str, buckets: int, ends: tuple[float, float]
) -> None:
    points = measured(seed, count, 1, order)
    db = database()
    add(db, points)
    highest = max(p.step for p in points)
    low, high = sorted(int(highest * end) for end in ends)
    part = details(db, JOB, buckets, (low, high))["m0"]
    assert part.count == sum(low <= p.step <= high for p in points)
    assert part.points == near(points, buckets, low, high)


def test_how_long_a_part_takes_to_read_depends_on_the_part_alone() -> None:
    """In instructions of SQLite, of which a search among all points would take many."""
    spent = {}
    for count in (4_000, 40_000):
        db = database()
        add(db, measured(1, count, 1, "rising"))
        ticks: list[None] = []
        db.set_progress_handler(lambda ticks=ticks: ticks.append(None), 10)
        for steps in ((1001, 3000), (count - 1999, count)):
            assert details(db, JOB, 50, steps)["m0"].count == 2000
        spent[count] = len(ticks)
    assert spent[40_000] < 1.3 * spent[4_000]


def test_a_long_series_is_reduced_without_a_look_at_its_points() -> None:
    points = measured(1, 5000, 1, "rising")
    db = database()
    for start in range(0, 5000, 7):
        add(db, points[start : start + 7])
    # But for those of the run that is not full, and both ends.
    db.execute("DELETE FROM measured WHERE n > 0 AND n < ?", (5000 - 5000 % levels.SHORTEST,))
    assert levels.series(db, JOB, 20)["m0"] == reduced(points, 20)


def test_points_that_are_brought_back_replace_all_that_was_known_of_them() -> None:
    points, others = (measured(seed, 1000, 1, "rising") for seed in (1, 2))
    db = database()
    add(db, others, "j-another00000")
    add(db, points)
    levels.forget(db, JOB)
    assert levels.series(db, JOB, 10) == {}
    add(db, points[:900])
    assert levels.series(db, JOB, 10)["m0"] == reduced(points[:900], 10)
    assert levels.series(db, "j-another00000", 10)["m0"] == reduced(others, 10)


def test_a_database_that_knew_no_levels_gets_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "STRIDE", 100)
    points = {job: measured(seed, 1000, 3, "rewound") for seed, job in enumerate((JOB, "j-another00000"))}
    path = tmp_path / "store.sqlite"
    db = sqlite3.connect(path, isolation_level=None)
    with monkeypatch.context() as before:
        before.setattr(migrations, "STEPS", migrations.STEPS[:3])
        migrations.migrate(db, epoch="e")
    mixed = [pair for each in zip(*points.values(), strict=True) for pair in zip(points, each, strict=True)]
    rows = [(job, p.name, p.step, p.value, p.nf, p.elapsed) for job, p in mixed]
    db.execute("BEGIN")
    db.executemany("INSERT INTO points VALUES (?,?,?,?,?,?)", rows)
    db.execute("COMMIT")
    db.close()
    store = Store(path, lambda stored: None)
    for job, kept in points.items():
        for buckets in (None, 10):
            answer = store.read(lambda reading, job=job, buckets=buckets: reading.series(job, buckets))
            expected = {f"m{n}": reduced(of(kept, f"m{n}"), buckets or 10_000) for n in range(3)}
            assert answer == expected
    assert store.epoch == "e"
    store.close()


def test_what_was_undone_leaves_no_run_and_readers_see_whole_ones(tmp_path: Path) -> None:
    """P1: and whoever reads while points come sees all of them up to some moment."""
    points = measured(3, 3000, 1, "rising")
    store = Store(tmp_path / "store.sqlite", lambda stored: None)
    seen: list[Series] = []
    written = threading.Event()

    def read() -> None:
        while not written.is_set():
            seen.extend(store.read(lambda reading: reading.series(JOB, 10)).values())

    reader = threading.Thread(target=read)
    reader.start()

    def write(tx: Any, part: Sequence[Point], *, fail: bool) -> None:
        levels.add(tx._db, JOB, part)
        if fail:
            raise KeyError

    for start in range(0, 3000, 100):
        part = points[start : start + 100]
        with pytest.raises(KeyError):
            store.write(lambda tx, part=part: write(tx, part, fail=True)).result(10)
        store.write(lambda tx, part=part: write(tx, part, fail=False)).result(10)
    written.set()
    reader.join()
    seen.extend(store.read(lambda reading: reading.series(JOB, 10)).values())
    store.close()
    assert len({one.count for one in seen}) > 2
    assert all(one == reduced(points[: one.count], 10) for one in seen)
    assert seen[-1].count == 3000
