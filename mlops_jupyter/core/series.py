"""A metric's measured points, and fewer of them without losing a spike."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mlops_jupyter.core.facts import Point


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of a job: ``count`` points were measured, ``points`` are those sent."""

    count: int
    points: tuple[Point, ...]


def extremes(points: Sequence[Point], most: int) -> Series:
    """At most ``most`` (≥ 4) of ``points``, which are in order of their steps: the first and the last,
    and the lowest and highest of equal ranges of steps. One that is not finite stands for its range's
    lowest.
    """
    if len(points) <= most:
        return Series(count=len(points), points=tuple(points))
    buckets = (most - 2) // 2
    first, last = points[0].step, points[-1].step
    width = (last - first) // buckets + 1
    low: dict[int, int] = {}
    high: dict[int, int] = {}
    for index, point in enumerate(points):
        bucket = (point.step - first) // width
        if _height(point) < _height(points[low.setdefault(bucket, index)]):
            low[bucket] = index
        if point.value is not None and _height(point) > _height(points[high.setdefault(bucket, index)]):
            high[bucket] = index
    kept = sorted({0, len(points) - 1, *low.values(), *high.values()})
    return Series(count=len(points), points=tuple(points[index] for index in kept))


def _height(point: Point) -> float:
    return float("-inf") if point.value is None else point.value
