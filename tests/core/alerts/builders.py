"""Curves as a job logs them, and what the rules say of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mlops_jupyter.core import facts
from mlops_jupyter.core.alerts.watch import Watch
from mlops_jupyter.core.jobs import Alert, Job
from mlops_jupyter.core.series import Point
from mlops_jupyter.core.transitions import advance
from mlops_jupyter.training.run import point
from tests.core.builders import a_running_job, at

FITTING = at(facts.StageStarted, stage="Training model", total=1000, unit="epoch")


def a_fit(**changes: Any) -> Job:
    """A job in its fit."""
    job = a_running_job(**{"greater_is_better": True, **changes})
    return advance(job, FITTING)[0]


def raised(job: Job, points: Iterable[Point], watch: Watch | None = None) -> tuple[Alert, ...]:
    """The alerts of ``job`` once all ``points`` were logged, one at a time."""
    watch = watch or Watch()
    for each in points:
        fact = at(facts.PointsLogged, each.elapsed, points=(each,))
        job, _ = advance(job, fact)
        for found in watch.take(job, fact):
            job, _ = advance(job, found)
    return job.alerts


def curves(pace: float = 0.1, **values: Sequence[float]) -> list[Point]:
    """Values by metric, one a step from 1 on, each ``pace`` seconds after the one before."""
    steps = range(max(map(len, values.values())))
    return [
        point(name, step + 1, of[step], pace * (step + 1))
        for step in steps
        for name, of in values.items()
        if step < len(of)
    ]


def said(alerts: Iterable[Alert]) -> list[tuple[str, str | None]]:
    return [(alert.rule, alert.metric) for alert in alerts]
