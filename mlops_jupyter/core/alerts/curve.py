"""What the rules know of one metric: a bounded part of it, and O(1) work a point. Not here: the rules."""

from __future__ import annotations

from collections import deque

from mlops_jupyter.core.directions import Direction, Measured
from mlops_jupyter.core.series import Point

#: Newest finite points that are kept.
LATEST = 5


class Curve:
    """``better``: the direction of the metric; without one nothing is its best."""

    def __init__(self, measured: Measured, better: Direction | None) -> None:
        self.title, self.role = measured
        self.better = better
        self.count = 0
        self.first: Point | None = None
        self.best: Point | None = None
        self.latest: deque[Point] = deque(maxlen=LATEST)
        #: The last that was better than the one before by more than a hundredth of all that was gained.
        self.mark: Point | None = None
        #: The first that is not finite, and the one before it.
        self.not_finite: Point | None = None
        self.before: Point | None = None
        #: The smallest step between neighbours: where rows are counted it is one of them.
        self.grain = float("inf")
        #: What the same metric was on training rows when this one was at its best.
        self.beside: Point | None = None

    def take(self, point: Point, beside: Curve | None) -> None:
        """One more point; ``beside`` is the curve of the training rows."""
        if point.value is None:
            if self.not_finite is None:
                self.not_finite = point
                self.before = self.latest[-1] if self.latest else None
            return
        self.count += 1
        if self.first is None:
            self.first = point
        elif (step := abs(point.value - value(self.latest[-1]))) > 0:
            self.grain = min(self.grain, step)
        self.latest.append(point)
        if self.better is not None:
            self._compare(self.first, point, beside)

    def _compare(self, first: Point, point: Point, beside: Curve | None) -> None:
        if self.best is None or self.worse(self.best, point) > 0:
            self.best = point
            self.beside = beside.latest[-1] if beside is not None and beside.latest else None
        if self.mark is None or self.worse(self.mark, point) > self.worse(first, self.best) / 100:
            self.mark = point

    def worse(self, point: Point, than: Point) -> float:
        """By how much ``point`` is worse; less than 0 where it is better."""
        by = value(point) - value(than)
        return by if self.better == "down" else -by


def value(point: Point) -> float:
    """Of a point that is finite, as all are that a curve keeps in ``first``, ``best`` and ``latest``."""
    assert point.value is not None
    return point.value
