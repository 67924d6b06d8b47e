"""A fit that moved has stood still for minutes, though its processes run."""

from __future__ import annotations

from mlops_jupyter.core.alerts.found import Found, span, unit
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.stages import STAGES

#: Seconds without a unit or a value, and how many times the longest pause so far that must be. How long a
#: pause may be, nobody knows before there were some.
SECONDS, TIMES, PAUSES = 120.0, 10.0, 5


def check(job: Job, quiet: float, pauses: int, longest: float) -> Found | None:
    """``quiet`` seconds after the last move; before it there were ``pauses``, the ``longest`` of so many
    seconds. Only of the fit itself: elsewhere one unit is not like another."""
    if job.status != "running" or job.unresponsive or job.current_stage != STAGES[4] or job.metrics:
        return None
    stage = next(stage for stage in job.stages if stage.name == STAGES[4])
    whole = stage.total is not None and (stage.done or 0) >= stage.total
    if whole or pauses < PAUSES or quiet < max(SECONDS, TIMES * longest):
        return None
    of = "" if stage.total is None else f" of {stage.total}"
    evidence = {
        "seconds": round(quiet, 1),
        "longest_before": round(longest, 3),
        "done": stage.done,
        "total": stage.total,
    }
    return Found(
        f"Nothing has moved for {span(quiet)} at {unit(job)} {stage.done or 0}{of}; the longest pause before "
        f"took {longest:.2g} s.",
        evidence,
    )
