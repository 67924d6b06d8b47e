"""What clients see: one frozen struct an event, flat JSON on the wire.

The tag is the event's ``type``. ``seq``, ``time`` and ``priority`` stand beside it; the store
gives ``seq``. Here are the events of jobs and of the machine; those of datasets, pipelines and
models are in ``assets``, which there are and what the stream says of itself in ``stream``.
Classes: A is stored, replayed and never merged; B is stored and may be merged for a slow client;
C is newest only and has no ``seq``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from mlops_jupyter.core.jobs import Best, Candidate, Job, Seen
from mlops_jupyter.core.series import Point
from mlops_jupyter.core.stages import Stage
from mlops_jupyter.core.wire import snake_case

Priority = Literal["high", "medium", "low"]
Health = Literal["healthy", "warning", "critical"]
#: What a row of the feed is about, and how good the news is.
ActivityKind = Literal["job", "dataset", "model", "pipeline", "machine"]
ActivityStatus = Literal["info", "success", "warning", "error"]
#: Whose a figure is.
Scope = Literal["host", "container"]


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


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """The whole machine, whoever else uses it; ``cpus`` counts its CPUs, memory is in bytes."""

    cpu_percent: float | None
    cpus: int | None
    memory_percent: float | None
    memory_used: int | None
    memory_limit: int | None


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes a second, all interfaces but the loopback together."""

    received: float
    sent: float


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One NVIDIA device as its driver tells; memory in bytes."""

    name: str
    percent: float | None
    memory_used: int | None
    memory_limit: int | None


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What a job or a kernel takes, with all processes below it; null where it cannot be seen.

    ``cpu_percent`` is of one CPU, so that two at work are 200. ``memory`` is in bytes: of several
    processes each one's share of its pages, of a single one all that it has in memory, also what it shares
    with others; ``peak`` the most of it in any sample."""

    id: str
    cpu_percent: float | None
    memory: int | None
    peak: int | None
    processes: int


class SystemMetrics(Event, frozen=True, kw_only=True):
    """One sample of what Jupyter's server lives in; numbers not measured are null.

    ``cpu_percent`` is of the ``cpus`` that may be used, memory of what may be taken: the container's where
    one has a limit, which the scopes tell; ``host`` is the machine. ``levels`` says which figures make
    the ``health`` what it is. Sizes are in bytes, ``uptime`` is the
    machine's in seconds. ``api_response_ms`` and ``ws_response_ms`` are medians of the last minute."""

    delivery = "C"

    cpu_percent: float | None
    cpus: float | None
    cpu_scope: Scope
    memory_percent: float | None
    memory_used: int | None
    memory_limit: int | None
    memory_scope: Scope
    host: Host
    health: Health
    levels: dict[str, Health]
    disk_percent: float | None
    disk_used: int | None
    disk_limit: int | None
    active_connections: int | None
    network: Network | None
    process_count: int | None
    uptime: float | None
    load_average: tuple[float, float, float] | None
    api_response_ms: float | None
    ws_response_ms: float | None
    gpu: tuple[Gpu, ...]
    jobs: tuple[Use, ...]
    kernels: tuple[Use, ...]


class HealthChange(Event, frozen=True, kw_only=True):
    """The machine's health changed; ``cause`` names the figure that did it, ``machine`` the host: several may
    share a store."""

    machine: str
    previous_health: Health
    current_health: Health
    metrics: dict[str, float | None]
    cause: str


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the activity feed; ``subject`` is the id of what it is about, null for the machine."""

    id: str
    kind: ActivityKind
    subject: str | None
    title: str
    description: str
    status: ActivityStatus
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


class AlertRaised(Event, frozen=True, kw_only=True):
    """A rule found something in what a job measures or takes: once a rule, metric and job.

    ``message`` is one sentence, ``evidence`` the numbers and steps behind it; ``metric`` is null where it is
    about none."""

    job_id: str
    rule: str
    metric: str | None
    message: str
    evidence: dict[str, Seen]
    job: Job
    priority: Priority = "medium"


class AlertMuted(Event, frozen=True, kw_only=True):
    """Somebody wants to hear no more of a rule about this job (``muted``), or again."""

    job_id: str
    rule: str
    muted: bool
    by: str
    job: Job


class JobDeleted(Event, frozen=True, kw_only=True):
    """A job that had ended is gone, with its metrics and its log. ``model_id`` is the model that it made and
    that stays, null where there is none; ``status`` is how the job had ended."""

    job_id: str
    name: str
    status: str
    attempt: int
    model_id: str | None
    by: str


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
