"""A fit goes on for minutes, and nothing gets better any more."""

from __future__ import annotations

from mlops_jupyter.core.alerts.curve import Curve
from mlops_jupyter.core.alerts.found import Found, span, told, unit
from mlops_jupyter.core.jobs import Job

#: Points a curve has before anybody can tell, and seconds that must have passed since it last got better, and
#: be left as far as is known: what costs nobody time is not worth a word.
POINTS, SECONDS = 20, 300.0


def check(curve: Curve, job: Job) -> Found | None:
    """Less than a hundredth of all that was gained came in the last half of the fit. Of validation rows where
    there are any."""
    since, last = curve.mark, curve.latest[-1] if curve.latest else None
    if curve.title != job.metric or curve.role not in ("val", "only") or curve.count < POINTS:
        return None
    if since is None or last is None or since.step > last.step / 2:
        return None
    waited, left = last.elapsed - since.elapsed, job.estimated_remaining
    if waited < SECONDS or (left is not None and left < SECONDS):
        return None
    rest = "" if left is None else f"; about {span(left)} are left"
    evidence = {
        "since_step": since.step,
        "since_value": since.value,
        "step": last.step,
        "value": last.value,
        "seconds": round(waited, 1),
        "seconds_left": None if left is None else round(left, 1),
    }
    return Found(
        f"{last.name} is no better than at {unit(job)} {since.step} ({told(since)}), {span(waited)} and "
        f"{last.step - since.step} {unit(job)}s ago{rest}.",
        evidence,
        last.name,
    )
