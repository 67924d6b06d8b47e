"""How long a job still takes: seconds, or ``None`` while there is no basis to say.

The basis is the measured rate of the running stage, or what the same stages took in earlier jobs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_jupyter.core.stages import Stage

#: A rate is believed after this many units, or after this many seconds and one unit.
UNITS_FOR_A_RATE = 3
SECONDS_FOR_A_RATE = 5.0
#: A running job never has less than this left: a zero would say it is over.
LEAST = 1.0


def remaining(stages: Sequence[Stage], elapsed: float, earlier: Mapping[str, float]) -> float | None:
    """Seconds left at ``elapsed`` seconds into the job.

    ``earlier`` maps stage names to seconds in earlier jobs; stages it does not know are reckoned by
    their share at the pace of this job. ``None``: no rate and no earlier job, or overdue.
    """
    running = next((stage for stage in stages if stage.state == "running"), None)
    if running is None:
        return None
    in_stage = elapsed - (running.started or 0.0)
    here = _left_by_rate(running, in_stage)
    if here is None:
        here = _left_by_history(running, in_stage, earlier)
    if here is None:
        return None
    past = sum(stage.elapsed or 0.0 for stage in stages if stage.over) + in_stage + here
    share = sum(stage.share for stage in stages if stage.state == "done") + running.share
    pace = past / share if share else 0.0
    later = sum(earlier.get(stage.name, stage.share * pace) for stage in stages if stage.state == "pending")
    return max(here + later, LEAST)


def _left_by_rate(stage: Stage, in_stage: float) -> float | None:
    if not stage.done or not stage.total or in_stage <= 0:
        return None
    if stage.done < UNITS_FOR_A_RATE and in_stage < SECONDS_FOR_A_RATE:
        return None
    return max(stage.total - stage.done, 0) * in_stage / stage.done


def _left_by_history(stage: Stage, in_stage: float, earlier: Mapping[str, float]) -> float | None:
    if stage.name not in earlier or in_stage > earlier[stage.name] + LEAST:
        return None
    return max(earlier[stage.name] - in_stage, 0.0)
