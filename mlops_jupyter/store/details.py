"""The points of a job from one step to another, as many as a chart shows: what a part looks like from near.

Where steps rise, which they do but for loops of people's own, no more is read than is sent and two runs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from operator import attrgetter

from mlops_jupyter.core.series import Point, Series
from mlops_jupyter.store.levels import (
    SHORTEST,
    Measured,
    kept,
    longest,
    measured,
    stretch,
    telling,
    with_ends,
)

_step = attrgetter("step")


def details(db: sqlite3.Connection, job_id: str, buckets: int, steps: tuple[int, int]) -> dict[str, Series]:
    """Of every metric the points between two steps, both included; more than twice ``buckets`` of them are
    reduced to what tells of runs of equally many, and the first and the last: no spike is lost."""
    return {
        of.name: (_rising if of.rising else _any_order)(db, of, buckets, steps) for of in measured(db, job_id)
    }


def _rising(db: sqlite3.Connection, of: Measured, buckets: int, steps: tuple[int, int]) -> Series:
    start, end = _before(db, of, steps[0]), _before(db, of, steps[1] + 1)
    count = end - start
    if count <= 2 * buckets:
        return Series(count=count, points=tuple(stretch(db, of, start, end)))
    told = list(_told(db, of, start, end, longest(count, buckets)))
    (first,), (last,) = stretch(db, of, start, start + 1), stretch(db, of, end - 1, end)
    return Series(count=count, points=tuple(with_ends(told, first, last)))


def _any_order(db: sqlite3.Connection, of: Measured, buckets: int, steps: tuple[int, int]) -> Series:
    points = [point for point in stretch(db, of, 0, of.length) if steps[0] <= point.step <= steps[1]]
    count, by_step = len(points), sorted(points, key=_step)
    if count <= 2 * buckets:
        return Series(count=count, points=tuple(by_step))
    length = longest(count, buckets)
    told = [point for at in range(0, count, length) for point in telling(points[at : at + length])]
    return Series(count=count, points=tuple(with_ends(sorted(told, key=_step), by_step[0], by_step[-1])))


def _told(db: sqlite3.Connection, of: Measured, start: int, end: int, length: int) -> Iterator[Point]:
    """What tells of the runs of ``length`` points between two places, and of what is left on either side."""
    if length < SHORTEST:
        points = stretch(db, of, start, end)
        for at in range(0, len(points), length):
            yield from telling(points[at : at + length])
        return
    first, last = -(-start // length), end // length
    yield from telling(stretch(db, of, start, first * length))
    yield from kept(db, of.number, of.name, (length // SHORTEST).bit_length() - 1, first, last)
    yield from telling(stretch(db, of, last * length, end))


def _before(db: sqlite3.Connection, of: Measured, step: int) -> int:
    """How many points come before ``step``."""
    low, high = 0, of.length
    while low < high:
        middle = (low + high) // 2
        (point,) = stretch(db, of, middle, middle + 1)
        low, high = (middle + 1, high) if point.step < step else (low, middle)
    return low
