"""The rows of the activity feed: of which events a person may care, and what they are told. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mlops_jupyter.core import alerts, assets, events
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


def _model_status(event: assets.ModelStatus) -> _Row | None:
    """What was registered is in the row of its job's end."""
    if event.status == "retired":
        return _of_model(event, "Model retired")
    if event.status == "failed":
        return _Row(
            "model", event.model_id, "Model failed", f"{event.name} v{event.version}: {event.why}", "error"
        )
    if event.status == "registered" and event.previous == "deployed":
        return _of_model(event, "Model no longer deployed")
    return _of_model(event, "Model no longer retired") if event.previous == "retired" else None


def _model_aliased(event: assets.ModelAliased) -> _Row:
    if event.model_id is None:
        what = f'{event.name}: nothing is "{event.alias}" any more'
    else:
        what = f'{event.name} v{event.version} is now "{event.alias}"'
    return _Row("model", event.model_id or event.previous, "Alias moved", f"{what}, by {event.by}", "info")


def _deployed(event: assets.ModelDeployed) -> _Row:
    score = "" if event.model_accuracy is None else f", accuracy {event.model_accuracy:.1%}"
    what = f"{event.model_name} v{event.version} is live{score}"
    return _Row("model", event.model_id, "Model deployed", what, "success")


def _volume(event: assets.PredictionVolume) -> _Row | None:
    if event.milestone is None:
        return None
    what = f"{event.milestone:,} predictions by {event.name} v{event.version}"
    return _Row("model", event.model_id, "Milestone", what, "success")


def _drift(event: assets.DriftRaised) -> _Row:
    status: ActivityStatus = "error" if event.level == "drift" else "warning"
    return _Row("model", event.model_id, "Input drift", event.message, status)


def _of_model(event: assets.ModelStatus | assets.ModelDeleted, title: str) -> _Row:
    by = f", by {event.by}" if event.by else ""
    return _Row("model", event.model_id, title, f"{event.name} v{event.version}{by}", "info")


def _of_dataset(event: assets.DatasetCreated | assets.DatasetUpdated, title: str) -> _Row:
    size = f"v{event.version}, {_counted(event.rows, 'row')} × {_counted(event.columns, 'column')}"
    return _Row("dataset", event.id, title, f"{event.name}: {size}", "success")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}".replace(",", " ")


def _upload_failed(event: assets.UploadFailed) -> _Row:
    why = event.error.partition("\n")[0]
    return _Row("dataset", event.upload_id, "Upload failed", f"{event.filename}: {why}", "error")


def _of_pipeline(
    event: assets.PipelineCreated | assets.PipelineUpdated | assets.PipelineDeleted, title: str, more: str
) -> _Row:
    return _Row("pipeline", event.id, title, f"{event.name}{more}, by {event.actor}", "info")


def _pipeline_created(event: assets.PipelineCreated) -> _Row:
    return _of_pipeline(event, "Pipeline restored" if event.restored else "Pipeline created", "")


def _pipeline_updated(event: assets.PipelineUpdated) -> _Row:
    fields = ", ".join(event.changed_fields)
    return _of_pipeline(event, "Pipeline updated", f" v{event.version}: {fields}")


_TOLD: dict[type[Event], Callable[[Any], _Row | None]] = {
    events.TrainingQueued: _queued,
    events.TrainingStarted: _started,
    events.TrainingPaused: lambda event: _of_job(event.job, "Training paused", f", by {event.by}"),
    events.TrainingResumed: lambda event: _of_job(event.job, "Training resumed"),
    events.TrainingCompleted: _completed,
    events.TrainingFailed: _failed,
    events.TrainingCancelled: lambda event: _of_job(event.job, "Training cancelled", f", by {event.by}"),
    events.JobDeleted: lambda event: _Row(
        "job", event.job_id, "Job deleted", f"{event.name}, by {event.by}", "info"
    ),
    events.AlertRaised: _alert,
    events.HealthChange: _health,
    assets.ModelStatus: _model_status,
    assets.ModelDeployed: _deployed,
    assets.PredictionVolume: _volume,
    assets.DriftRaised: _drift,
    assets.ModelAliased: _model_aliased,
    assets.ModelDeleted: lambda event: _of_model(event, "Model deleted"),
    assets.DatasetCreated: lambda event: _of_dataset(event, "Dataset created"),
    assets.DatasetUpdated: lambda event: _of_dataset(event, "Dataset updated"),
    assets.DatasetDeleted: lambda event: _Row(
        "dataset", event.id, "Dataset deleted", f"{event.name}, by {event.by}", "info"
    ),
    assets.UploadFailed: _upload_failed,
    assets.UploadCancelled: lambda event: _Row(
        "dataset", event.upload_id, "Upload cancelled", f"{event.filename}, by {event.by}", "info"
    ),
    assets.PipelineCreated: _pipeline_created,
    assets.PipelineUpdated: _pipeline_updated,
    assets.PipelineDeleted: lambda event: _of_pipeline(event, "Pipeline deleted", ""),
}
