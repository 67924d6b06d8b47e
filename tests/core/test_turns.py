"""Whose turn it is."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.stages import STAGES
from mlops_jupyter.core.turns import Turn, turn
from tests.core.builders import a_job

SIZES = {"j-wide": 4}
FLOOR = 100


def job(name: str, **fields: Any) -> Job:
    return a_job(job_id=f"j-{name}", **fields)


def whose(queued: list[Job], running: list[Job], *, places: int = 2, free: int = FLOOR) -> Turn:
    size = lambda job: SIZES.get(job.job_id, 1)  # noqa: E731
    return turn(queued, running, size, places=places, free=free, floor=FLOOR)


OLD, NEW, URGENT, WIDE, RUNS = (
    job("old"),
    job("new"),
    job("urgent", priority=1),
    job("wide"),
    job("runs", current_stage="Training model"),
)


def test_the_higher_priority_starts_first_and_of_equal_ones_the_oldest() -> None:
    assert whose([OLD, NEW, URGENT], []) == Turn(URGENT, [OLD, NEW], None)
    assert whose([job("low", priority=-1), OLD, NEW], []).first == OLD


def test_without_a_place_the_first_waits_and_nobody_overtakes_it() -> None:
    assert whose([OLD], [RUNS, RUNS]) == Turn(None, [OLD], "place")
    assert whose([WIDE, OLD], [RUNS]) == Turn(None, [WIDE, OLD], "place")


def test_without_memory_a_job_waits_unless_it_is_alone() -> None:
    assert whose([OLD, NEW], [RUNS], free=FLOOR - 1) == Turn(None, [OLD, NEW], "memory")
    assert whose([OLD, NEW], [], free=FLOOR - 1) == Turn(OLD, [NEW], None)


@pytest.mark.parametrize("stage", [None, *STAGES])
def test_a_job_that_does_not_fit_yet_is_left_the_memory_it_may_take(stage: str | None) -> None:
    begun = job("begun", current_stage=stage)
    fits = stage in STAGES[3:]
    for beside, needed in ([begun], 1 + (not fits)), ([begun, begun], 1 + 2 * (not fits)):
        assert whose([NEW], beside, places=9, free=needed * FLOOR).first == NEW
        assert whose([NEW], beside, places=9, free=needed * FLOOR - 1).lacking == "memory"


def test_of_many_started_at_once_as_many_start_as_there_is_memory_for() -> None:
    waiting, running = [job(f"{number}") for number in range(10)], [RUNS]
    while (now := whose(waiting, running, places=99, free=3 * FLOOR)).first is not None:
        waiting, running = [*now.waiting], [*running, now.first]
    assert (len(running), len(waiting), now.lacking) == (4, 7, "memory")


def test_a_job_of_more_places_than_there_are_starts_where_nothing_runs() -> None:
    assert whose([WIDE], []).first == WIDE
