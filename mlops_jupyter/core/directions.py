"""Which way a metric is better, and of which rows it was measured, by its name. Pure.

``labextension/src/state/charts.ts`` has the same rules for what charts say.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from mlops_jupyter.core.jobs import Job

Role = Literal["train", "val", "test", "only"]
Direction = Literal["up", "down"]

_BEFORE = re.compile(r"(train|val|test)_(.+)")
_BEHIND = re.compile(r"(.+)/(train|val|test)")
_DOWN = re.compile(r"loss|error|deviance|mse|mae|mape|brier|perplexity")
_UP = re.compile(r"accuracy|f1|auc|precision|recall|(^|_)r2$|score|kappa|explained_variance")


class Measured(NamedTuple):
    """``loss`` of the rows ``train``; ``only`` where the name says nothing of rows."""

    title: str
    role: Role


def measured(name: str) -> Measured:
    """What ``train_loss`` or ``loss/train`` is."""
    if (before := _BEFORE.fullmatch(name)) is not None:
        return Measured(before[2], before[1])  # type: ignore[arg-type]
    if (behind := _BEHIND.fullmatch(name)) is not None:
        return Measured(behind[1], behind[2])  # type: ignore[arg-type]
    return Measured(name, "only")


def better(title: str, job: Job) -> Direction | None:
    """Null where neither the job nor the name says it."""
    if title == job.metric and job.greater_is_better is not None:
        return "up" if job.greater_is_better else "down"
    if _DOWN.search(title):
        return "down"
    return "up" if _UP.search(title) else None
