"""The rows of the activity feed: of which events a person may care, and what they are told. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mlops_jupyter.core import alerts, events
from mlops_jupyter.core.events import Activity, ActivityKind, ActivityStatus, ActivityUpdate, Event
from mlops_jupyter.core.jobs import Job


class _Row(NamedTuple):
    kind: ActivityKind
    subject: str | None
    title: str
    description: str
    status: ActivityStatus


def row(event: Event) -> ActivityUpdate | None:
    """What the feed says of ``event``; None when it says nothing. ``event`` is stored, with its number."""
    tell = _TOLD.get(type(event))
    told = None if tell is None else tell(event)
    if told is None:
        return None
    activity = Activity(id=f"a-{event.seq}", timestamp=event.time, **told._asdict())
    return ActivityUpdate(time=event.time, activity=activity)


def _of_job(job: Job, title: str, more: str = "", status: ActivityStatus = "info") -> _Row:
    return _Row("job", job.job_id, title, f"{job.name}{more}", status)


def _queued(event: events.TrainingQueued) -> _Row:
    again = f", attempt {event.job.attempt}" if event.job.attempt > 1 else ""
    return _of_job(event.job, "Training queued", again)


def _started(event: events.TrainingStarted) -> _Row | None:
    """Told twice: once when the job left the queue, and once when it is at work."""
    return _of_job(event.job, "Training started") if event.job.status == "running" else None


def _completed(event: events.TrainingCompleted) -> _Row:
    job = event.job
    score = "" if job.final_score is None else f": {job.metric or 'score'} {job.final_score:.4g}"
    return _of_job(job, "Training finished", score, "success")


def _failed(event: events.TrainingFailed) -> _Row:
    why = (event.error or event.reason or "").partition("\n")[0]
    return _of_job(event.job, f"Training {event.status}", why and f": {why}", "error")


def _alert(event: events.AlertRaised) -> _Row:
    return _of_job(event.job, alerts.TITLES[event.rule], f": {event.message}", "warning")


def _health(event: events.HealthChange) -> _Row:
    level: ActivityStatus = "success"
    if event.current_health != "healthy":
        level = "error" if event.priority == "high" else "warning"
    return _Row(
        "machine", None, f"Machine {event.current_health}", f"{event.cause}, on {event.machine}", level
    )


_TOLD: dict[type[Event], Callable[[Any], _Row | None]] = {
    events.TrainingQueued: _queued,
    events.TrainingStarted: _started,
    events.TrainingPaused: lambda event: _of_job(event.job, "Training paused", f", by {event.by}"),
    events.TrainingResumed: lambda event: _of_job(event.job, "Training resumed"),
    events.TrainingCompleted: _completed,
    events.TrainingFailed: _failed,
    events.TrainingCancelled: lambda event: _of_job(event.job, "Training cancelled", f", by {event.by}"),
    events.AlertRaised: _alert,
    events.HealthChange: _health,
}
