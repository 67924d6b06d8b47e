"""The stream of events: which there are, and what it says of itself.

The stream's own messages are newest only; they have no ``seq``.
"""

from __future__ import annotations

from datetime import datetime

from mlops_jupyter.core.assets import (
    DatasetCreated,
    DatasetDeleted,
    DatasetUpdated,
    DriftRaised,
    ModelAliased,
    ModelDeleted,
    ModelDeployed,
    ModelStatus,
    PipelineCreated,
    PipelineDeleted,
    PipelineUpdated,
    PredictionVolume,
    UploadCancelled,
    UploadCompleted,
    UploadFailed,
    UploadProgress,
)
from mlops_jupyter.core.events import (
    ActivityUpdate,
    AlertMuted,
    AlertRaised,
    CandidateScores,
    Event,
    HealthChange,
    JobDeleted,
    LogLines,
    MetricPoints,
    SystemMetrics,
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingFollowed,
    TrainingPaused,
    TrainingProgress,
    TrainingQueued,
    TrainingResumed,
    TrainingStarted,
)
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.wire import snake_case


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
    DriftRaised,
    TrainingQueued,
    TrainingStarted,
    TrainingPaused,
    TrainingResumed,
    TrainingFollowed,
    TrainingCancelled,
    JobDeleted,
    AlertRaised,
    AlertMuted,
    MetricPoints,
    CandidateScores,
    LogLines,
    ModelAliased,
    ModelDeleted,
    UploadCancelled,
    DatasetDeleted,
)
STREAM = (Hello, Snapshot, Reset, Ping)

#: The class of each type that is stored.
DELIVERY: dict[str, str] = {snake_case(kind.__name__): kind.delivery for kind in (*SEVENTEEN, *EXTENSIONS)}
