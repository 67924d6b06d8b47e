"""What a job told in quick succession, as few facts that say the same.

A job may log thousands of points between two looks at its journal: taken in one by one, each would reckon the
job's progress anew. Not here: what a fact does to a job (``transitions``).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from msgspec.structs import replace

from mlops_jupyter.core.facts import Fact, PointsLogged


def joined(happened: Iterable[Fact]) -> list[Fact]:
    """``happened``, with points logged one after the other as one fact, of the moment of the last."""
    facts: list[Fact] = []
    for kind, burst in groupby(happened, type):
        if kind is PointsLogged:
            *_, last = logged = [fact for fact in burst if isinstance(fact, PointsLogged)]
            points = tuple(point for fact in logged for point in fact.points)
            facts.append(replace(last, points=points))
        else:
            facts += burst
    return facts
