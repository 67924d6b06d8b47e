"""Whose turn it is: which of the jobs that wait starts next, or what it waits for.

Not here: starting it, and measuring what is free (``supervisor``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.stages import STAGES

Lacking = Literal["place", "memory"]

#: From here on a job fits: its table is in memory, and counted in what is not free.
FITS = STAGES.index("Model selection")


class Turn(NamedTuple):
    """``waiting`` are the others, in their order; ``lacking`` is what keeps the first of them."""

    first: Job | None
    waiting: Sequence[Job]
    lacking: Lacking | None


def turn(
    queued: Sequence[Job],
    running: Sequence[Job],
    places_of: Callable[[Job], int],
    *,
    places: int,
    free: int,
    floor: int,
) -> Turn:
    """The higher priority first, of equal ones the oldest; ``queued`` is by age. Nobody overtakes, or a
    job of many places would never get them. Where nothing runs one may always start.

    A job needs ``floor`` bytes free, and as much again for each that has not yet shown what it takes: of
    those started at the same moment each would find the same memory free."""
    waiting = sorted(queued, key=lambda job: -job.priority)
    if not waiting:
        return Turn(None, waiting, None)
    if running and sum(map(places_of, (*running, waiting[0]))) > places:
        return Turn(None, waiting, "place")
    if running and free < floor * (1 + sum(map(_unshown, running))):
        return Turn(None, waiting, "memory")
    return Turn(waiting[0], waiting[1:], None)


def _unshown(job: Job) -> bool:
    return job.current_stage not in STAGES or STAGES.index(job.current_stage) < FITS
