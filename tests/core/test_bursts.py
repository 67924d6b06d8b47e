"""What was told in quick succession is taken in together and changes nothing."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mlops_jupyter.core import facts
from mlops_jupyter.core.bursts import joined
from mlops_jupyter.core.consequences import Publish
from mlops_jupyter.core.events import MetricPoints
from mlops_jupyter.core.facts import Fact
from mlops_jupyter.core.series import Point
from mlops_jupyter.core.transitions import advance
from tests.core.builders import a_running_job, at


def logged(second: float, step: int, **values: float | None) -> Any:
    points = tuple(Point(name=n, step=step, value=v, elapsed=second) for n, v in values.items())
    return at(facts.PointsLogged, second, points=points)


STORY = [
    at(facts.StageStarted, 1.0, stage="Training model", total=9, unit="trees"),
    logged(2.0, 1, train_loss=0.9),
    logged(3.0, 2, train_loss=0.8, val_accuracy=0.75),
    logged(4.0, 3, val_accuracy=0.5),
    at(facts.StageAdvanced, 4.5, stage="Training model", done=3, total=9),
    logged(5.0, 4, val_accuracy=None),
    at(facts.WorkerPaused, 6.0),
    at(facts.WorkerResumed, 16.0, paused_for=10.0),
    logged(17.0, 5, train_loss=0.4),
    logged(18.0, 6, train_loss=0.3),
]


def lived(story: list[Fact]) -> tuple[Any, list[Point]]:
    """The record at its end, and every point that was sent."""
    job = a_running_job()
    points: list[Point] = []
    for fact in story:
        job, consequences = advance(job, fact)
        for consequence in consequences:
            if isinstance(consequence, Publish) and isinstance(consequence.event, MetricPoints):
                points += consequence.event.points
    return job, points


def test_points_logged_one_after_the_other_become_one_fact_of_the_moment_of_the_last() -> None:
    first, second, third = STORY[1:4]
    whole = replace(third, points=first.points + second.points + third.points)
    assert joined(STORY) == [
        STORY[0],
        whole,
        *STORY[4:8],
        replace(STORY[9], points=STORY[8].points + STORY[9].points),
    ]


def test_a_job_that_is_told_of_points_together_becomes_what_it_would_have_become() -> None:
    assert lived(joined(STORY)) == lived(STORY)
