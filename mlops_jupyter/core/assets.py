"""Events of what is kept: uploads, datasets, pipelines, models and what is predicted with them.

Not here: the events of jobs and of the machine (``events``).
"""

from __future__ import annotations

from typing import Literal

from mlops_jupyter.core.events import Event, Priority
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.models import ModelState


class UploadProgress(Event, frozen=True, kw_only=True):
    """Bytes of an upload have arrived."""

    delivery = "C"

    upload_id: str
    filename: str
    bytes_sent: int
    bytes_total: int
    percent: float


class UploadCompleted(Event, frozen=True, kw_only=True):
    """An upload is a version of a dataset now."""

    upload_id: str
    filename: str
    dataset_id: str
    version: int
    rows: int
    columns: int


class UploadFailed(Event, frozen=True, kw_only=True):
    """An upload could not be read; ``line`` where that is known."""

    upload_id: str
    filename: str
    error: str
    line: int | None
    priority: Priority = "high"


class UploadCancelled(Event, frozen=True, kw_only=True):
    """An upload was cancelled, and nothing of it stays."""

    upload_id: str
    filename: str
    by: str


class ModelStatus(Event, frozen=True, kw_only=True):
    """A model changed its status; ``previous`` is null when it was registered. ``by`` is null where nobody
    asked for it, ``why`` is told of one that failed."""

    model_id: str
    name: str
    version: int
    previous: str | None
    status: ModelState
    by: str | None = None
    why: str | None = None


class ModelAliased(Event, frozen=True, kw_only=True):
    """An alias of a name belongs to another version: from now on to ``model_id``, null when to none any more;
    before to ``previous``, null when to none."""

    name: str
    alias: str
    model_id: str | None
    version: int | None
    previous: str | None
    by: str


class ModelDeleted(Event, frozen=True, kw_only=True):
    """A model and its file are gone; its version is never given again. The job's record says so; it is null
    when that was deleted before."""

    model_id: str
    name: str
    version: int
    by: str
    job_id: str
    job: Job | None


class ModelDeployed(Event, frozen=True, kw_only=True):
    """A deployed model's endpoint answered for the first time; ``endpoint`` is where, below ``base_url``."""

    model_id: str
    model_name: str
    version: int
    model_accuracy: float | None
    endpoint: str
    endpoint_id: str
    priority: Priority = "high"


class PredictionVolume(Event, frozen=True, kw_only=True):
    """How much a deployed model predicts, in all and a minute (``rate``, of one server); ``milestone`` when
    one was come to, which is merged with nothing."""

    delivery = "B"

    model_id: str
    name: str
    version: int
    total_predictions: int
    rate: float | None
    milestone: int | None


class DriftRaised(Event, frozen=True, kw_only=True):
    """What a model is asked is not like what it was trained on: once a column, level and version while it
    lasts.

    ``message`` is one sentence; ``rows`` were predicted in the last 24 hours."""

    model_id: str
    name: str
    version: int
    column: str
    level: Literal["warning", "drift"]
    psi: float
    ks: float | None
    rows: int
    message: str
    priority: Priority = "medium"


class PipelineCreated(Event, frozen=True, kw_only=True):
    """A pipeline was created, or is there again after it was deleted (``restored``)."""

    id: str
    name: str
    version: int
    actor: str
    restored: bool = False


class PipelineUpdated(Event, frozen=True, kw_only=True):
    """A pipeline has a new version."""

    id: str
    name: str
    version: int
    actor: str
    changed_fields: tuple[str, ...]


class PipelineDeleted(Event, frozen=True, kw_only=True):
    """A pipeline was deleted; for a day it can be restored."""

    id: str
    name: str
    version: int
    actor: str


class DatasetCreated(Event, frozen=True, kw_only=True):
    """A dataset was created."""

    id: str
    name: str
    version: int
    rows: int
    columns: int
    hash: str


class DatasetUpdated(Event, frozen=True, kw_only=True):
    """A dataset has a new version."""

    id: str
    name: str
    version: int
    rows: int
    columns: int
    hash: str


class DatasetDeleted(Event, frozen=True, kw_only=True):
    """A dataset and all of its versions are gone."""

    id: str
    name: str
    by: str
