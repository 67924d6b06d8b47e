"""Remaining time: unknown until there is a basis, never zero while running."""

from __future__ import annotations

import msgspec

from mlops_jupyter.core.eta import remaining
from mlops_jupyter.core.stages import STAGES, Stage, fresh_stages


def running(name: str, **changes) -> tuple[Stage, ...]:
    """Stages before ``name`` took a second each; ``name`` runs since then."""
    at = STAGES.index(name)
    replace = msgspec.structs.replace
    return tuple(
        replace(stage, state="done", started=float(i), elapsed=1.0)
        if i < at
        else replace(stage, state="running", started=float(at), **changes)
        if i == at
        else stage
        for i, stage in enumerate(fresh_stages([1] * 8))
    )


def test_nothing_is_known_before_there_is_a_basis() -> None:
    stages = running("Training model", done=2, total=10)
    assert remaining(stages, elapsed=4.5, earlier={}) is None


def test_three_units_are_a_basis() -> None:
    stages = running("Training model", done=5, total=10)
    # 5 units took 1 s: 1 s for the rest; each of the three stages left has the same share: 6 s / 5.
    assert remaining(stages, elapsed=5.0, earlier={}) == 1.0 + 3 * 6.0 / 5


def test_a_skipped_stage_says_nothing_of_the_pace() -> None:
    stages = list(running("Training model", done=5, total=10))
    stages[3] = msgspec.structs.replace(stages[3], state="skipped", started=None, elapsed=None)
    # Three stages of a second and one of two: five seconds for four equal shares.
    assert remaining(stages, elapsed=5.0, earlier={}) == 1.0 + 3 * 5.0 / 4


def test_one_unit_after_five_seconds_is_a_basis() -> None:
    stages = running("Finalizing model", done=1, total=2)
    assert remaining(stages, elapsed=13.0, earlier={}) == 6.0


def test_earlier_jobs_are_a_basis_from_the_start() -> None:
    earlier = dict.fromkeys(STAGES, 10.0)
    assert remaining(running("Data validation"), elapsed=2.0, earlier=earlier) == 78.0


def test_a_running_job_always_has_something_left() -> None:
    stages = running("Finalizing model", done=3, total=3)
    assert remaining(stages, elapsed=8.0, earlier={}) == 1.0


def test_a_stage_that_takes_longer_than_ever_has_no_known_rest() -> None:
    earlier = dict.fromkeys(STAGES, 1.0)
    assert remaining(running("Finalizing model"), elapsed=70.0, earlier=earlier) is None


def test_a_job_between_stages_says_nothing() -> None:
    assert remaining(fresh_stages(), elapsed=3.0, earlier={}) is None
