"""What clients see: one frozen struct an event, flat JSON on the wire.

The tag is the event's ``type``. ``seq``, ``time`` and ``priority`` stand beside it; the store
gives ``seq``. Here are the events of jobs and of the machine; those of datasets, pipelines and
models are in ``assets``, which there are and what the stream says of itself in ``stream``.
Classes: A is stored, replayed and never merged; B is stored and may be merged for a slow client;
C is newest only and has no ``seq``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from mlops_jupyter.core.jobs import Best, Candidate, Job
from mlops_jupyter.core.series import Point
from mlops_jupyter.core.stages import Stage
from mlops_jupyter.core.wire import snake_case

Priority = Literal["high", "medium", "low"]
Health = Literal["healthy", "warning", "critical"]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=snake_case):
    """``seq`` orders all events of one store; ``time`` is UTC."""

    delivery = "A"

    time: datetime
    seq: int | None = None
    priority: Priority = "low"


# --- of the seventeen ------------------------------------------------------------------------


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


class TrainingFollowed(Event, frozen=True, kw_only=True):
    """A job was run again, whatever became of it: its record names the next attempt."""

    job_id: str
    followed_by: str
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
