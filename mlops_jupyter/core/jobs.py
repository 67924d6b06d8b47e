"""A job's record and what was asked of it.

Not here: how a job changes (``core.transitions``), is run (``executors``) or kept (``store``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from mlops_jupyter.core.stages import Stage, fresh_stages
from mlops_jupyter.core.wire import EXACT_INTEGER

Status = Literal[
    "queued", "starting", "running", "paused", "stopping", "completed", "failed", "cancelled", "lost"
]
TERMINAL: frozenset[str] = frozenset({"completed", "failed", "cancelled", "lost"})
Reason = Literal[
    "error", "signal", "oom_killed", "timeout", "cancelled", "exited_early", "lost", "not_started"
]
#: What JSON has as a number, wherever it is read; larger ones leave us as text.
Whole = Annotated[int, msgspec.Meta(ge=-EXACT_INTEGER, le=EXACT_INTEGER)]


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a table is: a file's absolute path, the id of an input sent before, or that of a dataset.

    ``name`` is what people call it (the file's name, or the DataFrame's). Of a dataset ``version`` is the
    newest unless it is given; its path and ``sha256`` are the server's to say."""

    path: str | None = None
    input_id: str | None = None
    name: str | None = None
    dataset: str | None = None
    version: int | None = None
    sha256: str | None = None


class JobSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked: the body of ``POST jobs``. Names are those of ``mlops.train``.

    ``estimator_input`` is the id of a cloudpickled estimator sent before (unpickled in the worker
    only). ``interpreter`` and ``cwd`` are the submitter's; null takes the server's. ``version`` is
    the submitter's mlops_jupyter. ``timeout`` is in seconds. Of jobs that wait, those of the higher
    ``priority`` start first, of equal ones the oldest.
    """

    data: Source
    target: str
    task: Literal["classification", "regression"] | None = None
    model: str | None = None
    estimator_input: str | None = None
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    grid: dict[str, list[Any]] | None = None
    split: str = "random"
    test: Source | None = None
    test_size: float = 0.2
    metric: str | None = None
    drop: tuple[str, ...] = ()
    cv: Whole = 5
    refit: bool = False
    n_jobs: Whole = 1
    seed: Whole = 0
    timeout: float | None = None
    priority: Whole = 0
    target_na: Literal["error", "drop"] = "error"
    name: str | None = None
    interpreter: str | None = None
    cwd: str | None = None
    version: str | None = None


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """The data a job uses; ``id`` is null for a table that is no registered dataset."""

    name: str
    id: str | None = None
    version: int | None = None
    hash: str | None = None
    rows: int | None = None
    columns: int | None = None


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """Of the worker's whole process tree: CPU seconds, and the highest memory seen, in bytes."""

    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None


class Finding(msgspec.Struct, frozen=True):
    """What a person should know of the data, or of what became of the job; ``fatal`` ones stopped it."""

    code: str
    message: str
    severity: Literal["info", "warning", "fatal"] = "warning"
    column: str | None = None


#: What a rule has seen: a number, a word, or nothing.
Seen = float | int | str | None


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What a ``rule`` found of the job, in one sentence, and its ``evidence``: the numbers and steps it saw.

    ``metric`` is null where it is about none."""

    rule: str
    message: str
    time: datetime
    metric: str | None = None
    evidence: dict[str, Seen] = msgspec.field(default_factory=dict)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration compared in stage 4, or the chosen one over the folds of stage 6.

    ``scores`` has one entry a fold (null: not scored yet, or failed)."""

    index: int
    label: str
    stage: str
    parameters: dict[str, Any]
    scores: tuple[float | None, ...]
    mean: float | None = None
    spread: float | None = None
    seconds: float = 0.0
    chosen: bool = False
    error: str | None = None


class SavedModel(msgspec.Struct, frozen=True, kw_only=True):
    """The model file a job wrote, and what it takes and gives (``signature``)."""

    sha256: str
    bytes: int
    signature: dict[str, Any]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """In what an attempt differs from the one it repeats: an option, or a parameter by its own name."""

    name: str
    before: Any
    after: Any


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The pipeline a job was run from, and which version of it."""

    id: str
    name: str
    version: int


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """Identity of a keeper: a pid alone proves nothing, since pids are reused."""

    pid: int
    ticks: int
    boot_id: str
    pid_namespace: str


class Best(msgspec.Struct, frozen=True, kw_only=True):
    """The best live value of the main metric on validation rows, and its step."""

    name: str
    value: float
    step: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """The job's record: body of ``GET jobs/{id}`` and state of the card. Unknown is null.

    Times of day are UTC, durations are seconds, ``progress`` is 0–100 and null while nothing is
    known. ``live_accuracy`` is measured on up to 1,000 validation rows while fitting,
    ``final_accuracy`` on the hold-out; both null for regression. ``live_metrics`` holds the last
    value of each live metric. ``model_id`` is null until the model is saved. ``outcome`` is what the
    worker said of itself before it ended, ``expected_seconds`` what the stages of earlier jobs with
    the same estimator took. ``paused_by`` asked for the last pause, ``paused_time`` is how long all
    pauses took that are over; no other duration counts them. ``attempt`` counts the reruns of a job:
    ``rerun_of`` is the one this repeats, with ``changes``; ``followed_by`` is the next attempt. Of a job that
    was run from a ``pipeline``, ``changes`` are those made to its recipe.
    ``unresponsive``: no process of the job has run for 30 s; whatever that means, ``status`` stays as it is.
    ``alerts``: each rule speaks once of a metric; those of ``muted_rules`` say no more, and what they said is
    not shown.
    ``unreadable``: of this record only id and status are known; it is damaged, or of another version.
    """

    job_id: str
    name: str
    status: Status = "queued"
    reason: Reason | None = None
    progress: float | None = None
    current_stage: str | None = None
    stages: tuple[Stage, ...] = msgspec.field(default_factory=fresh_stages)
    stages_completed: int = 0
    submitted_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    estimated_total_time: float | None = None
    elapsed_time: float | None = None
    estimated_remaining: float | None = None
    live_accuracy: float | None = None
    live_metrics: dict[str, float | None] = msgspec.field(default_factory=dict)
    best: Best | None = None
    final_accuracy: float | None = None
    final_score: float | None = None
    metrics: dict[str, float | None] = msgspec.field(default_factory=dict)
    report: dict[str, Any] = msgspec.field(default_factory=dict)
    predictions_processed: int = 0
    message: str = ""
    error: str | None = None
    hint: str | None = None
    traceback: str | None = None
    signal: int | None = None
    exit_code: int | None = None
    log_tail: tuple[str, ...] = ()
    log_lines: int = 0
    model_id: str | None = None
    model_file: SavedModel | None = None
    model_missing_reason: str | None = None
    dataset: Dataset | None = None
    target: str | None = None
    task: str | None = None
    metric: str | None = None
    greater_is_better: bool | None = None
    classes: tuple[str, ...] | None = None
    estimator: str | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()
    findings: tuple[Finding, ...] = ()
    alerts: tuple[Alert, ...] = ()
    muted_rules: tuple[str, ...] = ()
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    resources: Resources = Resources()
    priority: int = 0
    ahead: int | None = None
    waiting_for: Literal["place", "memory"] | None = None
    attempt: int = 1
    rerun_of: str | None = None
    changes: tuple[Change, ...] = ()
    followed_by: str | None = None
    pipeline: Origin | None = None
    outcome: Literal["finished", "failed"] | None = None
    expected_seconds: dict[str, float] = msgspec.field(default_factory=dict)
    unresponsive: bool = False
    unreadable: bool = False
    submitted_by: str | None = None
    stopped_by: str | None = None
    paused_by: str | None = None
    paused_time: float = 0.0
    owner: str | None = None
    process: Process | None = None

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL
