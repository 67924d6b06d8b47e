"""Events of what is kept: uploads, datasets, pipelines, models and what is predicted with them.

Not here: the events of jobs and of the machine (``events``).
"""

from __future__ import annotations

from typing import Literal

from mlops_jupyter.core.events import Event, Priority


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
