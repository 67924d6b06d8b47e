"""How far a job is: the rules of its stages, and the event that says so.

Not here: what a stage's share of the whole is (``stages``), and how much time is left (``eta``).
"""

from __future__ import annotations

from math import floor
from typing import Any

from msgspec.structs import replace

from mlops_jupyter.core import eta, events, facts
from mlops_jupyter.core.consequences import Publish, Step
from mlops_jupyter.core.errors import InvalidTransition
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.stages import Stage, overall_progress


def stage_started(job: Job, fact: facts.StageStarted) -> Step:
    job = _stage(
        job,
        fact.stage,
        state="running",
        started=fact.elapsed,
        total=fact.total,
        unit=fact.unit,
        done=None if fact.total is None else 0,
    )
    return moved(replace(job, current_stage=fact.stage), fact, whole=True)


def stage_advanced(job: Job, fact: facts.StageAdvanced) -> Step:
    job = _stage(job, fact.stage, done=fact.done, total=fact.total, unit=fact.unit, detail=fact.detail)
    return moved(job, fact)


def stage_ended(job: Job, fact: facts.StageEnded) -> Step:
    started = next((s.started for s in job.stages if s.name == fact.stage), None)
    elapsed = fact.elapsed - (fact.elapsed if started is None else started)
    job = _stage(job, fact.stage, state="done", elapsed=elapsed, detail=fact.detail)
    return moved(_count(job), fact, whole=True)


def stage_skipped(job: Job, fact: facts.StageSkipped) -> Step:
    job = _stage(job, fact.stage, state="skipped", skipped_reason=fact.reason)
    return moved(_count(job), fact, whole=True)


def _stage(job: Job, name: str, **changes: Any) -> Job:
    if name not in {stage.name for stage in job.stages}:
        raise InvalidTransition(f'{job.job_id} has no stage "{name}"')
    stages = tuple(replace(stage, **changes) if stage.name == name else stage for stage in job.stages)
    return replace(job, stages=stages)


def _count(job: Job) -> Job:
    return replace(job, stages_completed=sum(stage.over for stage in job.stages))


def moved(job: Job, fact: facts.Fact, *, whole: bool = False) -> Step:
    """The job moved: reckon anew how far it is, and say so. ``whole`` sends the whole record."""
    progress = overall_progress(job.stages, job.progress or 0.0)
    elapsed = job.elapsed_time or 0.0
    left = eta.remaining(job.stages, elapsed, job.expected_seconds)
    message = job.message
    if job.status in ("starting", "running") and job.current_stage:
        # Not rounded up: what is at 99.9 has not come to its end.
        message = f"{job.current_stage} - {floor(progress)}% complete"
    job = replace(
        job,
        progress=progress,
        estimated_remaining=left,
        estimated_total_time=job.estimated_total_time if left is None else elapsed + left,
        message=message,
    )
    stage: Stage | None = next((s for s in job.stages if s.name == job.current_stage), None)
    event = events.TrainingProgress(
        time=facts.moment(fact),
        job_id=job.job_id,
        status=job.status,
        progress=job.progress,
        current_stage=job.current_stage,
        message=job.message,
        elapsed_time=job.elapsed_time,
        estimated_remaining=job.estimated_remaining,
        estimated_total_time=job.estimated_total_time,
        live_metrics=job.live_metrics,
        live_accuracy=job.live_accuracy,
        best=job.best,
        stages_completed=job.stages_completed,
        predictions_processed=job.predictions_processed,
        stage=stage,
        job=job if whole else None,
    )
    return job, [Publish(event, tick=not whole)]
