"""``Watch``: the rules at work on one job while it is followed. Bounded, and O(1) work a point.

Not here: that nothing is told twice (``core.transitions``), and what is measured of the machine (``memory``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mlops_jupyter.core import directions, facts
from mlops_jupyter.core.alerts import diverging, is_settled, not_finite, overfitting, plateau, stalled
from mlops_jupyter.core.alerts.curve import Curve
from mlops_jupyter.core.alerts.found import Found
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.series import Point, Series

#: Metrics of one job that are looked at; those that come later are not.
MOST_CURVES = 200


class Watch:
    """``muted``: rules nobody wants to hear of on this server."""

    def __init__(self, muted: frozenset[str] = frozenset()) -> None:
        self._muted = muted
        self._curves: dict[str, Curve] = {}
        self._training: dict[str, Curve] = {}
        self._moved: float | None = None
        self._pauses = 0
        self._longest = 0.0

    def catch_up(self, job: Job, measured: Mapping[str, Series]) -> None:
        """What was measured before this watched, perhaps fewer points of it: nothing is said of it."""
        for series in measured.values():
            for point in series.points:
                self._taken(job, point)

    def take(self, job: Job, fact: facts.Fact) -> Iterator[facts.AlertFound]:
        """What ``fact`` gives to say of ``job``, which is as it was left by it."""
        match fact:
            case facts.StageStarted():
                self._moved, self._pauses, self._longest = None, 0, 0.0
            case facts.StageAdvanced():
                self._move(job)
            case facts.PointsLogged(points=points):
                self._move(job)
                for point in points:
                    for rule, found in self._found(job, point):
                        yield found_in(rule, found, fact.time)

    def stands_still(self, job: Job, now: float, quiet: float) -> Iterator[facts.AlertFound]:
        """Nothing came for ``quiet`` seconds; ``now`` is the time of day."""
        found = stalled.check(job, quiet, self._pauses, self._longest)
        if found is not None and self._open(job, "stalled", None):
            yield found_in("stalled", found, now)

    def _found(self, job: Job, point: Point) -> Iterable[tuple[str, Found]]:
        curve = self._taken(job, point)
        if curve is None:
            return
        if point.value is None:
            found = {"not_finite": not_finite.check(curve, job)}
        else:
            found = {
                "diverging": diverging.check(curve, job),
                "overfitting": overfitting.check(curve, job, self._training.get(curve.title)),
                "plateau": plateau.check(curve, job),
            }
        for rule, one in found.items():
            if one is not None and self._open(job, rule, point.name):
                yield rule, one

    def _taken(self, job: Job, point: Point) -> Curve | None:
        curve = self._curves.get(point.name)
        if curve is None:
            if len(self._curves) >= MOST_CURVES:
                return None
            measured = directions.measured(point.name)
            curve = self._curves[point.name] = Curve(measured, directions.better(measured.title, job))
            if curve.role == "train":
                self._training[curve.title] = curve
        curve.take(point, self._training.get(curve.title))
        return curve

    def _open(self, job: Job, rule: str, metric: str | None) -> bool:
        return rule not in self._muted and not is_settled(job, rule, metric)

    def _move(self, job: Job) -> None:
        elapsed = job.elapsed_time or 0.0
        if self._moved is not None and elapsed > self._moved:
            self._pauses += 1
            self._longest = max(self._longest, elapsed - self._moved)
        self._moved = elapsed


def found_in(rule: str, found: Found, time: float) -> facts.AlertFound:
    """As a fact of the job's."""
    message, evidence, metric = found
    return facts.AlertFound(time=time, rule=rule, message=message, evidence=dict(evidence), metric=metric)
