"""A fit that stands still far longer than it ever did is told; elsewhere, or before one can know, not."""

from __future__ import annotations

import pytest

from mlops_jupyter.core import facts
from mlops_jupyter.core.alerts.watch import Watch
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.transitions import advance
from tests.core.builders import WALL, a_running_job, at

FIT = "Training model"


def moved(*times: float, stage: str = FIT, then: tuple[facts.Fact, ...] = ()) -> tuple[Watch, Job]:
    """A job that reached a unit of ten at each of these seconds."""
    watch, job = Watch(), a_running_job()
    began = at(facts.StageStarted, times[0], stage=stage, total=10, unit="tree")
    units = [
        at(facts.StageAdvanced, t, stage=stage, done=n, total=10, unit="tree") for n, t in enumerate(times)
    ]
    for fact in (began, *units, *then):
        job, _ = advance(job, fact)
        assert list(watch.take(job, fact)) == []
    return watch, job


def after(quiet: float, watch: Watch, job: Job) -> list[facts.AlertFound]:
    return list(watch.stands_still(job, WALL, quiet))


def test_a_fit_that_stands_still_is_told_with_the_longest_pause_before() -> None:
    watch, job = moved(1, 2, 5, 6, 7, 8)
    assert after(119.0, watch, job) == []
    (found,) = after(130.0, watch, job)
    assert found.message == "Nothing has moved for 2:10 at tree 5 of 10; the longest pause before took 3 s."
    assert found.evidence == {"seconds": 130.0, "longest_before": 3.0, "done": 5, "total": 10}
    job, _ = advance(job, found)
    assert after(200.0, watch, job) == []


@pytest.mark.parametrize(
    ("quiet", "moves"),
    [
        pytest.param(900.0, moved(1, 2, 5, 6), id="too few pauses to know how long one is"),
        pytest.param(900.0, moved(1, 100, 200, 300, 400, 500), id="ten times the longest is more"),
        pytest.param(900.0, moved(*range(11)), id="the last unit is done"),
        pytest.param(900.0, moved(1, 2, 3, 4, 5, 6, stage="Model selection"), id="no fit, but many"),
        pytest.param(
            900.0,
            moved(1, 2, 3, 4, 5, 6, then=(at(facts.Evaluated, metrics={"val_r2": 0.5}),)),
            id="it is fitted",
        ),
        pytest.param(900.0, moved(1, 2, 3, 4, 5, 6, then=(at(facts.WorkerPaused),)), id="it is paused"),
        pytest.param(
            900.0, moved(1, 2, 3, 4, 5, 6, then=(at(facts.WorkerSilent),)), id="that is said already"
        ),
    ],
)
def test_what_is_no_stall(quiet: float, moves: tuple[Watch, Job]) -> None:
    assert after(quiet, *moves) == []


def test_pauses_of_the_stage_before_count_for_nothing() -> None:
    watch, job = moved(1, 2, 3, 4, 5, 6, stage="Model selection")
    began = at(facts.StageStarted, 7.0, stage=FIT, total=10, unit="tree")
    job, _ = advance(job, began)
    list(watch.take(job, began))
    assert after(900.0, watch, job) == []
