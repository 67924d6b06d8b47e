"""Whose turn it is."""

from __future__ import annotations

from typing import Any

from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.turns import Turn, turn
from tests.core.builders import a_job

SIZES = {"j-wide": 4}


def job(name: str, **fields: Any) -> Job:
    return a_job(job_id=f"j-{name}", **fields)


def whose(queued: list[Job], running: list[Job], *, places: int = 2, enough_memory: bool = True) -> Turn:
    size = lambda job: SIZES.get(job.job_id, 1)  # noqa: E731
    return turn(queued, running, size, places=places, enough_memory=enough_memory)


OLD, NEW, URGENT, WIDE, RUNS = job("old"), job("new"), job("urgent", priority=1), job("wide"), job("runs")


def test_the_higher_priority_starts_first_and_of_equal_ones_the_oldest() -> None:
    assert whose([OLD, NEW, URGENT], []) == Turn(URGENT, [OLD, NEW], None)
    assert whose([job("low", priority=-1), OLD, NEW], []).first == OLD


def test_without_a_place_the_first_waits_and_nobody_overtakes_it() -> None:
    assert whose([OLD], [RUNS, RUNS]) == Turn(None, [OLD], "place")
    assert whose([WIDE, OLD], [RUNS]) == Turn(None, [WIDE, OLD], "place")


def test_without_memory_a_job_waits_unless_it_is_alone() -> None:
    assert whose([OLD, NEW], [RUNS], enough_memory=False) == Turn(None, [OLD, NEW], "memory")
    assert whose([OLD, NEW], [], enough_memory=False) == Turn(OLD, [NEW], None)


def test_a_job_of_more_places_than_there_are_starts_where_nothing_runs() -> None:
    assert whose([WIDE], []).first == WIDE
