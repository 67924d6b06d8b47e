"""How a job ends, and for what reason: the rules of its last facts.

Silence is no end: only the keeper's last word, or the absence of every process, is one.
"""

from __future__ import annotations

from datetime import datetime
from signal import SIGKILL, Signals

from msgspec.structs import replace

from mlops_jupyter.core import events, facts
from mlops_jupyter.core.consequences import Consequence, Publish, Register, Step
from mlops_jupyter.core.facts import moment
from mlops_jupyter.core.jobs import Job, Reason, Resources, SavedModel, Status
from mlops_jupyter.core.models import Model, Provenance


def worker_ended(job: Job, fact: facts.WorkerEnded) -> Step:
    job = replace(
        job,
        resources=Resources(cpu_seconds=fact.cpu_seconds, peak_memory_bytes=fact.peak_memory_bytes),
        log_tail=fact.log_tail,
        signal=fact.signal,
        exit_code=fact.exit_code,
    )
    if job.outcome == "finished":
        return _completed(job, fact)
    if fact.timed_out:
        return failed(replace(job, error="The job took longer than its timeout."), fact, "timeout")
    if fact.orphaned:
        return cancelled(replace(job, stopped_by="orphan_ttl"), fact)
    if job.stopped_by is not None or fact.stopped:
        return cancelled(job, fact)
    if job.outcome == "failed":
        return failed(replace(job, hint=job.hint or _memory_hint(fact)), fact, "error")
    where = f" in stage {job.current_stage}" if job.current_stage else ""
    if fact.signal == SIGKILL and fact.oom_kills:
        error = f"Out of memory{where}: the kernel killed the worker (signal 9).{_evidence(fact)}"
        job = replace(job, error=error)
        return failed(job, fact, "oom_killed")
    if fact.signal is not None:
        job = replace(job, error=f"The worker was killed by {_named(fact.signal)}{where}.")
        return failed(job, fact, "signal")
    job = replace(job, error=f"The worker ended itself with exit code {fact.exit_code}{where}.")
    return failed(job, fact, "exited_early")


def _evidence(fact: facts.WorkerEnded) -> str:
    """What the job had used of what there is, as far as that was seen: the last leap is often too quick."""
    if fact.peak_memory_bytes is None or fact.memory_limit_bytes is None:
        return ""
    return f" It had used {_size(fact.peak_memory_bytes)} of {_size(fact.memory_limit_bytes)}."


def _memory_hint(fact: facts.WorkerEnded) -> str | None:
    """A worker whose own processes were killed fails with whatever its libraries make of that."""
    if not fact.oom_kills:
        return None
    return f"Meanwhile memory ran out here: the kernel killed {fact.oom_kills} of the container's processes."


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _named(number: int) -> str:
    """A signal as people look it up."""
    try:
        return f"signal {number} ({Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def vanished(job: Job, fact: facts.JobVanished) -> Step:
    job = replace(job, error=f"The job is lost: {fact.why}", log_tail=fact.log_tail)
    return failed(job, fact, "lost", status="lost")


def _completed(job: Job, fact: facts.Fact) -> Step:
    job = replace(_end(job, fact, "completed", "done"), progress=100.0, message="Completed")
    consequences: list[Consequence] = []
    if job.model_file is not None:
        model = model_of(job, job.model_file, moment(fact))
        job, consequences = replace(job, model_id=model.model_id), [Register(model)]
    event = events.TrainingCompleted(
        time=moment(fact),
        job_id=job.job_id,
        status=job.status,
        final_accuracy=job.final_accuracy,
        metric=job.metric,
        final_score=job.final_score,
        metrics=job.metrics,
        model_id=job.model_id,
        elapsed_time=job.elapsed_time,
        job=job,
    )
    return job, [*consequences, Publish(event)]


def model_of(job: Job, file: SavedModel, created: datetime) -> Model:
    """The record of the model a job has made, before it is registered."""
    return Model(
        model_id="m-" + job.job_id.removeprefix("j-"),
        name=job.name,
        created=created,
        estimator=job.estimator,
        parameters=job.parameters,
        task=job.task,
        target=job.target,
        metric=job.metric,
        score=job.final_score,
        metrics=job.metrics,
        signature=file.signature,
        environment=job.versions,
        provenance=Provenance(
            job_id=job.job_id, submitted_by=job.submitted_by, dataset=job.dataset, pipeline=job.pipeline
        ),
        sha256=file.sha256,
        size=file.bytes,
    )


def failed(job: Job, fact: facts.Fact, reason: Reason, status: Status = "failed") -> Step:
    job = replace(_end(job, fact, status, "failed"), reason=reason, message=job.error or "Failed")
    event = events.TrainingFailed(
        time=moment(fact),
        job_id=job.job_id,
        status=job.status,
        reason=reason,
        error=job.error,
        traceback=job.traceback,
        log_lines=job.log_tail,
        stage=job.current_stage,
        job=job,
    )
    return job, [Publish(event)]


def cancelled(job: Job, fact: facts.Fact) -> Step:
    by = job.stopped_by or "unknown"
    job = replace(
        _end(job, fact, "cancelled", "cancelled"),
        reason="cancelled",
        error=None,
        message=f"Cancelled by {by}",
    )
    event = events.TrainingCancelled(time=moment(fact), job_id=job.job_id, status=job.status, by=by, job=job)
    return job, [Publish(event)]


def _end(job: Job, fact: facts.Fact, status: Status, open_stage: str) -> Job:
    stages = tuple(
        replace(stage, state=open_stage, elapsed=max(fact.elapsed - (stage.started or 0.0), 0.0))
        if stage.state == "running"
        else stage
        for stage in job.stages
    )
    return replace(
        job,
        status=status,
        stages=stages,
        end_time=moment(fact),
        estimated_remaining=None,
        unresponsive=False,
    )
