"""What a fit should make better gets worse than it was at its beginning, and stays so."""

from __future__ import annotations

from mlops_jupyter.core.alerts.curve import LATEST, Curve, value
from mlops_jupyter.core.alerts.found import Found, told, unit
from mlops_jupyter.core.jobs import Job

#: What begins there was learned before it was measured, as the first tree of a forest knows its rows by
#: heart: it can only get worse.
PERFECT = 1e-6


def check(curve: Curve, job: Job) -> Found | None:
    """Each of the newest points is worse than the first by all that was ever gained, and by half of what the
    first was: what swings, or only begins badly, is none of it. On rows that are not trained on that is
    overfitting, if anything."""
    first, best = curve.first, curve.best
    if curve.role not in ("train", "only") or first is None or best is None or len(curve.latest) < LATEST:
        return None
    if abs(value(first)) < PERFECT:
        return None
    margin = max(curve.worse(first, best), abs(value(first)) / 2)
    if any(curve.worse(point, first) < margin for point in curve.latest):
        return None
    last = curve.latest[-1]
    evidence = {
        "first_step": first.step,
        "first_value": first.value,
        "best_step": best.step,
        "best_value": best.value,
        "step": last.step,
        "value": last.value,
    }
    at_best = "" if best is first else f" and {told(best)} at its best"
    return Found(
        f"{last.name} is {told(last)} at {unit(job)} {last.step}: it was {told(first)} at {unit(job)} "
        f"{first.step}{at_best}.",
        evidence,
        last.name,
    )
