"""What clients see: one frozen struct an event, flat JSON on the wire.

The tag is the event's ``type``. ``seq``, ``time`` and ``priority`` stand beside it; the store
gives ``seq``. ``labextension/src/protocol.ts`` is generated from this module.
Classes: A is stored, replayed and never merged; B is stored and may be merged for a slow client;
C is newest only and has no ``seq``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from mlops_jupyter.core.facts import Point, snake_case
from mlops_jupyter.core.jobs import Best, Candidate, Job
from mlops_jupyter.core.stages import Stage

Priority = Literal["high", "medium", "low"]
Health = Literal["healthy", "warning", "critical"]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=snake_case):
    """``seq`` orders all events of one store; ``time`` is UTC."""

    delivery = "A"

    time: datetime
    seq: int | None = None
    priority: Priority = "low"


# --- the seventeen ------------------------------------------------------------------------


class TrainingProgress(Event, frozen=True, kw_only=True):
    """A job moved: on each change of stage, else at most four a second a job.

    ``stage`` is the stage that moved. ``job`` is the whole record on a change of stage or status,
    null otherwise: a ten-hour job must not store its record ten thousand times."""

    delivery = "B"

    job_id: str
    status: str
    progress: float | None
    current_stage: str | None
    message: str
    elapsed_time: float | None
    estimated_remaining: float | None
    estimated_total_time: float | None
    live_metrics: dict[str, float | None]
    live_accuracy: float | None
    best: Best | None
    stages_completed: int
    predictions_processed: int
    stage: Stage | None
    job: Job | None


class TrainingCompleted(Event, frozen=True, kw_only=True):
    """A job came to its end and its numbers are final."""

    job_id: str
    status: str
    final_accuracy: float | None
    metric: str | None
    final_score: float | None
    metrics: dict[str, float | None]
    model_id: str | None
    elapsed_time: float | None
    job: Job
    priority: Priority = "medium"


class TrainingFailed(Event, frozen=True, kw_only=True):
    """A job ended without a result: ``failed``, or ``lost`` when its processes vanished."""

    job_id: str
    status: str
    reason: str | None
    error: str | None
    traceback: str | None
    log_lines: tuple[str, ...]
    stage: str | None
    job: Job
    priority: Priority = "high"


class SystemMetrics(Event, frozen=True, kw_only=True):
    """One sample of the machine; numbers not measured are null."""

    delivery = "C"

    cpu_percent: float | None
    memory_percent: float | None
    memory_used: int | None
    memory_limit: int | None
    memory_scope: Literal["host", "container"]
    disk_percent: float | None
    active_connections: int | None
    network: dict[str, float] | None
    process_count: int | None
    uptime: float | None
    load_average: tuple[float, float, float] | None
    api_response_ms: float | None
    ws_response_ms: float | None
    gpu: tuple[dict[str, Any], ...]


class HealthChange(Event, frozen=True, kw_only=True):
    """The machine's health changed; ``cause`` names the figure that did it."""

    previous_health: Health
    current_health: Health
    metrics: dict[str, float | None]
    cause: str


class UploadProgress(Event, frozen=True, kw_only=True):
    """Bytes of an upload have arrived."""

    delivery = "C"

    upload_id: str
    filename: str
    bytes_sent: int
    bytes_total: int
    percent: float


class UploadCompleted(Event, frozen=True, kw_only=True):
    """An upload is a dataset now."""

    upload_id: str
    filename: str
    dataset_id: str
    rows: int
    columns: int


class UploadFailed(Event, frozen=True, kw_only=True):
    """An upload could not be read; ``line`` where that is known."""

    upload_id: str
    filename: str
    error: str
    line: int | None
    priority: Priority = "high"


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the activity feed."""

    id: str
    title: str
    description: str
    status: str
    timestamp: datetime


class ActivityUpdate(Event, frozen=True, kw_only=True):
    """Something a person may care about happened."""

    activity: Activity


class ModelStatus(Event, frozen=True, kw_only=True):
    """A model changed its status."""

    model_id: str
    previous: str | None
    status: Literal["registered", "deploying", "deployed", "failed", "retired"]


class ModelDeployed(Event, frozen=True, kw_only=True):
    """A deployed model's endpoint answered for the first time."""

    model_id: str
    model_name: str
    model_accuracy: float | None
    endpoint: str
    priority: Priority = "high"


class PredictionVolume(Event, frozen=True, kw_only=True):
    """How much a deployed model predicts; ``milestone`` when one was crossed."""

    delivery = "B"

    model_id: str
    total_predictions: int
    rate: float | None
    milestone: int | None


class PipelineCreated(Event, frozen=True, kw_only=True):
    """A pipeline was created."""

    id: str
    name: str
    version: int
    actor: str


class PipelineUpdated(Event, frozen=True, kw_only=True):
    """A pipeline has a new version."""

    id: str
    name: str
    version: int
    actor: str
    changed_fields: tuple[str, ...]


class PipelineDeleted(Event, frozen=True, kw_only=True):
    """A pipeline was deleted."""

    id: str
    name: str
    version: int
    actor: str


class DatasetCreated(Event, frozen=True, kw_only=True):
    """A dataset was created."""

    id: str
    name: str
    rows: int
    columns: int
    hash: str


class DatasetUpdated(Event, frozen=True, kw_only=True):
    """A dataset has a new version."""

    id: str
    name: str
    rows: int
    columns: int
    hash: str


# --- extensions ---------------------------------------------------------------------------


class TrainingQueued(Event, frozen=True, kw_only=True):
    """A job was accepted and waits for its place."""

    job_id: str
    ahead: int
    job: Job


class TrainingStarted(Event, frozen=True, kw_only=True):
    """A job left the queue, or its worker began the user's code."""

    job_id: str
    job: Job


class TrainingPaused(Event, frozen=True, kw_only=True):
    """Every process of a job is suspended; it keeps its place and its memory."""

    job_id: str
    by: str
    job: Job


class TrainingResumed(Event, frozen=True, kw_only=True):
    """A paused job goes on. No duration in its record counts the pause."""

    job_id: str
    job: Job


class TrainingCancelled(Event, frozen=True, kw_only=True):
    """A job was stopped by somebody; what it measured is kept."""

    job_id: str
    status: str
    by: str
    job: Job
    priority: Priority = "medium"


class MetricPoints(Event, frozen=True, kw_only=True):
    """Measured values, in the order they were measured."""

    delivery = "B"

    job_id: str
    points: tuple[Point, ...]


class CandidateScores(Event, frozen=True, kw_only=True):
    """Folds of candidates were scored; each entry is a candidate's whole state."""

    delivery = "B"

    job_id: str
    candidates: tuple[Candidate, ...]


class LogLines(Event, frozen=True, kw_only=True):
    """Lines a job wrote to stdout or stderr; ``first`` is the number of the first, from 0."""

    delivery = "B"

    job_id: str
    first: int
    lines: tuple[str, ...]


# --- the stream's own ---------------------------------------------------------------------


class Hello(Event, frozen=True, kw_only=True):
    """First message of a stream."""

    delivery = "C"

    epoch: str
    head: int
    server_time: datetime
    heartbeat: float
    version: str


class Snapshot(Event, frozen=True, kw_only=True):
    """The jobs as of ``head``: all that live, and the newest that ended."""

    delivery = "C"

    head: int
    jobs: tuple[Job, ...]


class Reset(Event, frozen=True, kw_only=True):
    """The cursor cannot be resumed from; drop what is known, a snapshot follows."""

    delivery = "C"

    epoch: str
    why: str


class Ping(Event, frozen=True, kw_only=True):
    """The server's heartbeat; answer at once with ``{"type": "pong", "nonce": …}``.

    ``rtt`` is the round trip the server measured with the pong before, in seconds."""

    delivery = "C"

    nonce: int
    rtt: float | None


SEVENTEEN = (
    TrainingProgress,
    TrainingCompleted,
    TrainingFailed,
    SystemMetrics,
    HealthChange,
    UploadProgress,
    UploadCompleted,
    UploadFailed,
    ActivityUpdate,
    ModelStatus,
    ModelDeployed,
    PredictionVolume,
    PipelineCreated,
    PipelineUpdated,
    PipelineDeleted,
    DatasetCreated,
    DatasetUpdated,
)
EXTENSIONS = (
    TrainingQueued,
    TrainingStarted,
    TrainingPaused,
    TrainingResumed,
    TrainingCancelled,
    MetricPoints,
    CandidateScores,
    LogLines,
)
STREAM = (Hello, Snapshot, Reset, Ping)

#: The class of each type that is stored.
DELIVERY: dict[str, str] = {snake_case(kind.__name__): kind.delivery for kind in (*SEVENTEEN, *EXTENSIONS)}

#: Spellings of older documents, accepted in filters and never sent.
ALIASES = {
    "training_complete": "training_completed",
    "training_error": "training_failed",
    "system_stats": "system_metrics",
    "upload_complete": "upload_completed",
    "upload_error": "upload_failed",
}
