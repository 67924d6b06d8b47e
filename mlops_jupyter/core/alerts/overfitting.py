"""The job's own metric gets worse on validation rows while it gets better on training rows."""

from __future__ import annotations

from mlops_jupyter.core.alerts.curve import LATEST, Curve, value
from mlops_jupyter.core.alerts.found import Found, told, unit
from mlops_jupyter.core.jobs import Job

#: Rows that must have changed sides where a metric counts them: fewer are chance.
ROWS = 10


def check(curve: Curve, job: Job, train: Curve | None) -> Found | None:
    """For half of the fit no value came near the best, and the newest gave half of what was gained back:
    much of the gap to the training rows.

    Of the job's metric alone: the loss of a classifier that is sure of itself rises long before it is wrong
    more often. A gap that was there from the start, as forests have it, is none."""
    first, best = curve.first, curve.best
    if curve.title != job.metric or curve.role != "val" or train is None or not train.latest:
        return None
    if first is None or best is None or curve.beside is None or len(curve.latest) < LATEST:
        return None
    last, fitted = curve.latest[-1], train.latest[-1]
    if best.step > last.step / 2 or train.worse(curve.beside, fitted) <= 0:
        return None
    gap = curve.worse(last, fitted)
    margin = max(curve.worse(first, best) / 2, ROWS * curve.grain, gap / 4)
    if any(curve.worse(point, best) < margin for point in curve.latest):
        return None
    evidence = {
        "best_step": best.step,
        "best_value": best.value,
        "step": last.step,
        "value": last.value,
        "train_metric": fitted.name,
        "train_value_at_best": value(curve.beside),
        "train_value": fitted.value,
    }
    return Found(
        f"{last.name} was best at {unit(job)} {best.step} ({told(best)}) and is {told(last)} at {unit(job)} "
        f"{last.step}, while {fitted.name} went on from {told(curve.beside)} to {told(fitted)}.",
        evidence,
        last.name,
    )
