"""What a rule found: one sentence, and the numbers and steps it saw. Not here: the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mlops_jupyter.core.jobs import Job, Seen
from mlops_jupyter.core.series import Point

_WORDS = {"nan": "NaN", "+inf": "+∞", "-inf": "−∞", None: "unknown"}


class Found(NamedTuple):
    """``metric`` is null where it is none; ``evidence`` is flat."""

    message: str
    evidence: Mapping[str, Seen]
    metric: str | None = None


def unit(job: Job) -> str:
    """What the steps of a fit are called."""
    stage = next((stage for stage in job.stages if stage.name == job.current_stage), None)
    return "step" if stage is None or stage.unit is None else stage.unit


def told(point: Point) -> str:
    """Four digits; what is no number by its name."""
    return _WORDS[point.nf] if point.value is None else f"{point.value:.4g}"


def span(seconds: float) -> str:
    """``0:40``, ``2:10``, ``1:02:10``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: float) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
