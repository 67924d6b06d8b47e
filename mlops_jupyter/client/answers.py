"""What the server answers (docs/API.md), as the client reads it: fields a newer one adds are ignored."""

from __future__ import annotations

from typing import Literal

import msgspec

from mlops_jupyter.core.datasets import DatasetVersion, RegisteredDataset
from mlops_jupyter.core.errors import Problem, VersionMismatch
from mlops_jupyter.core.events import ActivityUpdate
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.limits import READING_SECONDS
from mlops_jupyter.core.models import Model
from mlops_jupyter.core.pipelines import Pipeline
from mlops_jupyter.core.series import Series
from mlops_jupyter.core.stream import Reset, Snapshot


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says of itself; ``jobs`` counts those queued and running, ``reading_seconds`` is how long
    it may take to read a table."""

    version: str
    epoch: str
    head: int
    pid: int
    private: bool
    root_dir: str
    jobs: dict[str, int]
    data_dir: str | None = None
    reading_seconds: float = READING_SECONDS


class Input(msgspec.Struct, frozen=True, kw_only=True):
    input_id: str


class JobAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A job as of event ``head`` of the store named ``epoch``."""

    epoch: str
    head: int
    job: Job


class JobsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    epoch: str
    head: int
    jobs: tuple[Job, ...]


class ModelsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    epoch: str
    head: int
    models: tuple[Model, ...]


class PipelinesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    epoch: str
    head: int
    pipelines: tuple[Pipeline, ...]


class DatasetAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset, and the version of it that was asked for."""

    id: str
    name: str
    current: DatasetVersion
    versions: tuple[DatasetVersion, ...]


class DatasetsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    datasets: tuple[RegisteredDataset, ...]


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """An upload that may begin; ``chunk`` is how many bytes to send at once."""

    upload_id: str
    chunk: int


class Offset(msgspec.Struct, frozen=True, kw_only=True):
    """How many bytes of an upload are there."""

    offset: int


class Same(msgspec.Struct, frozen=True, kw_only=True):
    """The version that has this content already."""

    dataset: str
    version: int


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """An upload is whole; null when its content is to be read now."""

    duplicate_of: Same | None = None


UsedAs = Literal["training", "test"]


class UsedBy(msgspec.Struct, frozen=True, kw_only=True):
    """A job that used a dataset, to train on it or as the table it was tested on."""

    job_id: str
    name: str
    status: str
    dataset_version: int | None
    used_as: UsedAs


class MadeOf(msgspec.Struct, frozen=True, kw_only=True):
    """A model that such a job made."""

    model_id: str
    name: str
    version: int
    status: str
    job_id: str
    dataset_version: int | None
    used_as: UsedAs


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """What was made of a dataset."""

    jobs: tuple[UsedBy, ...]
    models: tuple[MadeOf, ...]


class ActivityAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the feed, the newest first."""

    epoch: str
    head: int
    activity: tuple[ActivityUpdate, ...]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a channel took a message."""

    channel: str
    well: bool


class Notified(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message by each channel of the server, and what keeps others from being used."""

    channels: tuple[Tried, ...]
    problem: str | None


class Logs(msgspec.Struct, frozen=True, kw_only=True):
    """``lines`` from number ``first`` on, of ``total``."""

    job_id: str
    total: int
    first: int
    lines: tuple[str, ...]


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """Every point of every metric as of event ``head``."""

    job_id: str
    epoch: str
    head: int
    series: dict[str, Series]


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """Events after ``prev``, each still as its bytes: a client reads those of its own jobs only. ``latest``
    are those of which only the newest of a kind matters."""

    epoch: str
    head: int
    prev: int
    events: tuple[msgspec.Raw, ...]
    snapshot: Snapshot | None = None
    reset: Reset | None = None
    latest: dict[str, msgspec.Raw] = {}
    rev: int = 0


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every answer that is an error."""

    message: str
    reason: str | None = None
    problems: tuple[Problem, ...] = ()


def not_understood(error: msgspec.DecodeError) -> VersionMismatch:
    """What is said of an answer that cannot be read."""
    return VersionMismatch(
        f"the server's answer is not understood: {error}",
        "Install the same mlops_jupyter in kernel and server, then restart both.",
    )
