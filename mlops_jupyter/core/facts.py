"""What happens to a job: one frozen struct a fact, in the past tense.

A job's own processes write facts to its journal; the server adds those of users and of the
processes it watches. ``core.transitions.advance`` turns a fact into a new job and its consequences.
Not here: what clients see (``core.events``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from mlops_jupyter.core.jobs import Seen
from mlops_jupyter.core.series import Point
from mlops_jupyter.core.wire import snake_case


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="fact", tag=snake_case):
    """``time``: seconds since the epoch, UTC, for display only. ``elapsed``: seconds since the
    job's keeper started, from a monotonic clock and with its pauses; what durations are made of."""

    time: float
    elapsed: float = 0.0


def moment(fact: Fact) -> datetime:
    """The fact's time of day, UTC, as precise as the wire is."""
    return datetime.fromtimestamp(round(fact.time, 3), UTC)


# From the keeper: the first and the last fact of a journal, pauses and silences.


class KeeperStarted(Fact, frozen=True, kw_only=True):
    """The keeper opened the journal; identity by which a later server knows the process."""

    pid: int
    ticks: int
    boot_id: str
    pid_namespace: str


class WorkerPaused(Fact, frozen=True, kw_only=True):
    """Every process of the job is suspended."""


class WorkerResumed(Fact, frozen=True, kw_only=True):
    """They are about to go on, after ``paused_for`` seconds."""

    paused_for: float


class WorkerSilent(Fact, frozen=True, kw_only=True):
    """No process of the job has run for half a minute. It may be stopped, stuck, or wait for something."""


class WorkerHeard(Fact, frozen=True, kw_only=True):
    """After a silence, something of the job ran again."""


class WorkerEnded(Fact, frozen=True, kw_only=True):
    """The worker is gone, in whatever way. Written last, by the keeper that waited for it.

    Exactly one of ``exit_code`` and ``signal`` is set. ``cpu_seconds`` and ``peak_memory_bytes``
    are those of the whole process tree; null where they could not be read. ``memory_limit_bytes``: what
    all processes of the container may use. ``paused_for``: seconds of a pause it ended in. ``stopped``: the
    keeper had been asked to stop it, by whom it does not know.
    """

    exit_code: int | None = None
    signal: int | None = None
    oom_kills: int = 0
    timed_out: bool = False
    orphaned: bool = False
    stopped: bool = False
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    log_tail: tuple[str, ...] = ()
    paused_for: float = 0.0


# From the worker.


class WorkStarted(Fact, frozen=True, kw_only=True):
    """The worker is about to run the user's code."""

    pid: int
    versions: dict[str, str]


class DataDescribed(Fact, frozen=True, kw_only=True):
    """The data were read. ``sha256`` is that of the file's bytes."""

    rows: int
    columns: int
    sha256: str
    name: str


class TaskChosen(Fact, frozen=True, kw_only=True):
    """Task, estimator and main metric are settled (given, or derived from the target)."""

    task: Literal["classification", "regression"]
    estimator: str
    parameters: dict[str, Any]
    metric: str
    greater_is_better: bool
    classes: tuple[str, ...] | None = None


class FindingMade(Fact, frozen=True, kw_only=True):
    """Something about the data a person should know; ``fatal`` ones stop the job."""

    code: str
    severity: Literal["info", "warning", "fatal"]
    message: str
    column: str | None = None


class StageStarted(Fact, frozen=True, kw_only=True):
    stage: str
    total: int | None = None
    unit: str | None = None


class StageAdvanced(Fact, frozen=True, kw_only=True):
    """``done`` of ``total`` units are finished (``total`` null: length unknown)."""

    stage: str
    done: int
    total: int | None = None
    unit: str | None = None
    detail: str | None = None


class StageEnded(Fact, frozen=True, kw_only=True):
    stage: str
    detail: str | None = None


class StageSkipped(Fact, frozen=True, kw_only=True):
    stage: str
    reason: str


class PointsLogged(Fact, frozen=True, kw_only=True):
    points: tuple[Point, ...]


class CandidateScored(Fact, frozen=True, kw_only=True):
    """One fold of one candidate (stage 4) or of the chosen configuration (stage 6).

    ``candidate`` and ``fold`` count from 0. ``score`` is that of the job's main metric, in its
    own direction; null with ``error`` set when the fit of that fold failed.
    """

    stage: str
    candidate: int
    candidates: int
    label: str
    parameters: dict[str, Any]
    fold: int
    folds: int
    score: float | None
    seconds: float
    error: str | None = None


class CandidateChosen(Fact, frozen=True, kw_only=True):
    candidate: int
    label: str
    parameters: dict[str, Any]


class RowsPredicted(Fact, frozen=True, kw_only=True):
    """``rows`` more rows have been predicted inside this job."""

    rows: int


class Evaluated(Fact, frozen=True, kw_only=True):
    """Final numbers. ``metrics`` names carry their split: ``test_accuracy``, ``val_f1``,
    ``train_r2``, ``cv_mean``, ``cv_std``, ``baseline`` … ``report`` holds what is no number
    (confusion matrix, curves, importances; null entries come with ``<name>_reason``)."""

    metrics: dict[str, float | None]
    report: dict[str, Any] = msgspec.field(default_factory=dict)
    final_score: float | None = None


class ModelSaved(Fact, frozen=True, kw_only=True):
    """The model file was written, reloaded and predicts the same."""

    sha256: str
    bytes: int
    signature: dict[str, Any]


class ModelNotSaved(Fact, frozen=True, kw_only=True):
    """The fit is done, but the model holds types that cannot be kept safely."""

    reason: str


class WorkFinished(Fact, frozen=True, kw_only=True):
    """The recipe came to its end. Only this makes a job ``completed``."""


class WorkFailed(Fact, frozen=True, kw_only=True):
    """The recipe raised. ``error`` is one sentence, ``hint`` the fix as code or a sentence."""

    error: str
    hint: str | None = None
    traceback: str | None = None


# From the server.


class JobSubmitted(Fact, frozen=True, kw_only=True):
    by: str


class QueueMoved(Fact, frozen=True, kw_only=True):
    """``ahead`` jobs will start before this one; ``waiting_for`` is what keeps the first of them."""

    ahead: int
    waiting_for: Literal["place", "memory"] | None = None


class JobStarted(Fact, frozen=True, kw_only=True):
    """The queue gave the job a place; its keeper is being started by ``owner`` (null: nobody knows)."""

    owner: str | None


class JobAdopted(Fact, frozen=True, kw_only=True):
    """The server that cared for the job is gone; ``owner`` cares for it now."""

    owner: str


class StopAsked(Fact, frozen=True, kw_only=True):
    by: str


class PauseAsked(Fact, frozen=True, kw_only=True):
    by: str


class ResumeAsked(Fact, frozen=True, kw_only=True):
    by: str


class JobFollowed(Fact, frozen=True, kw_only=True):
    """The job was run again: ``followed_by`` is the next attempt."""

    followed_by: str


class AlertFound(Fact, frozen=True, kw_only=True):
    """A rule (``core.alerts``) found something in what the job measured or takes."""

    rule: str
    message: str
    evidence: dict[str, Seen]
    metric: str | None = None


class RuleMuted(Fact, frozen=True, kw_only=True):
    """Somebody wants to hear no more of this rule about this job; with ``muted`` false again."""

    rule: str
    by: str
    muted: bool = True


class StartFailed(Fact, frozen=True, kw_only=True):
    """No worker could be started (interpreter missing, versions differ …)."""

    error: str
    hint: str | None = None


class StartWithdrawn(Fact, frozen=True, kw_only=True):
    """The server stopped before a keeper had begun the job, and none will: it waits again."""


class JobVanished(Fact, frozen=True, kw_only=True):
    """Keeper and worker are gone and left no word of their end."""

    why: str
    log_tail: tuple[str, ...] = ()


AnyFact = (
    KeeperStarted
    | WorkerPaused
    | WorkerResumed
    | WorkerSilent
    | WorkerHeard
    | WorkerEnded
    | WorkStarted
    | DataDescribed
    | TaskChosen
    | FindingMade
    | StageStarted
    | StageAdvanced
    | StageEnded
    | StageSkipped
    | PointsLogged
    | CandidateScored
    | CandidateChosen
    | RowsPredicted
    | Evaluated
    | ModelSaved
    | ModelNotSaved
    | WorkFinished
    | WorkFailed
    | JobSubmitted
    | QueueMoved
    | JobStarted
    | JobAdopted
    | StopAsked
    | PauseAsked
    | ResumeAsked
    | JobFollowed
    | AlertFound
    | RuleMuted
    | StartFailed
    | StartWithdrawn
    | JobVanished
)

_decoder = msgspec.json.Decoder(AnyFact)


def decode(payload: bytes) -> Fact:
    """A record of a journal as the fact it is; ``msgspec.DecodeError`` when it is none."""
    fact: Fact = _decoder.decode(payload)
    return fact
