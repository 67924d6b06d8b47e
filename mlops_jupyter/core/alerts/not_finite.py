"""A metric is no number any more, or infinite."""

from __future__ import annotations

from mlops_jupyter.core.alerts.curve import Curve
from mlops_jupyter.core.alerts.found import Found, told, unit
from mlops_jupyter.core.jobs import Job


def check(curve: Curve, job: Job) -> Found | None:
    """Of the first such point."""
    point, before = curve.not_finite, curve.before
    if point is None:
        return None
    was = "" if before is None else f"; it was {told(before)} at {unit(job)} {before.step}"
    evidence = {
        "step": point.step,
        "value": point.nf,
        "step_before": None if before is None else before.step,
        "value_before": None if before is None else before.value,
    }
    return Found(f"{point.name} is {told(point)} at {unit(job)} {point.step}{was}.", evidence, point.name)
