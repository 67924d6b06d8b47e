"""Jobs, models, and what happened, as DataFrames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from mlops_jupyter.client import sentences
from mlops_jupyter.core.datasets import RegisteredDataset
from mlops_jupyter.core.events import ActivityUpdate
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.models import Model
from mlops_jupyter.core.pipelines import Pipeline
from mlops_jupyter.notebook import board, marimo

#: Rows of the table that stays in a file.
MOST_ROWS = 20


def frame(jobs: Sequence[Job]) -> pd.DataFrame:
    """One job a row, the newest first, indexed by the shortest id that tells it apart."""
    ids = [job.job_id for job in jobs]
    rows = [
        {
            "name": job.name,
            "status": job.status,
            "progress": job.progress,
            "target": job.target,
            "estimator": job.estimator,
            "metric": job.metric,
            "score": job.final_score,
            "seconds": job.elapsed_time,
            # To the second: a table of times to the millionth is read by nobody.
            "started": job.start_time and job.start_time.replace(microsecond=0),
            "model_id": job.model_id,
        }
        for job in jobs
    ]
    index = pd.Index([sentences.short(job_id, ids) for job_id in ids], name="job_id")
    columns = ["name", "status", "progress", "target", "estimator", "metric", "score", "seconds", "started"]
    frame = pd.DataFrame(rows, index=index, columns=[*columns, "model_id"])
    return frame.astype({"progress": float, "score": float, "seconds": float})


def datasets(found: Sequence[RegisteredDataset]) -> pd.DataFrame:
    """One dataset a row, as its newest version, indexed by what ``mlops.train`` takes."""
    rows = [
        {
            "name": each.name,
            "version": each.newest.version,
            "rows": each.newest.rows,
            "columns": each.newest.columns,
            "bytes": each.newest.bytes,
            "sha256": each.newest.sha256,
            "created": each.newest.created.replace(microsecond=0),
            "id": each.id,
        }
        for each in found
    ]
    index = pd.Index([f"{each.name}@{each.newest.version}" for each in found], name="dataset")
    columns = ["name", "version", "rows", "columns", "bytes", "sha256", "created", "id"]
    return pd.DataFrame(rows, index=index, columns=columns)


def models(found: Sequence[Model]) -> pd.DataFrame:
    """One model a row, the newest first, indexed by what ``mlops.model`` takes."""
    rows = [
        {
            "name": model.name,
            "version": model.version,
            "aliases": ", ".join(model.aliases),
            "status": model.status,
            "estimator": model.estimator,
            "target": model.target,
            "metric": model.metric,
            "score": model.score,
            "data": None if model.provenance.dataset is None else model.provenance.dataset.name,
            "bytes": model.size,
            "created": model.created.replace(microsecond=0),
            "model_id": model.model_id,
            "job_id": model.job_id,
        }
        for model in found
    ]
    index = pd.Index([f"{model.name}@{model.version}" for model in found], name="model")
    columns = ["name", "version", "aliases", "status", "estimator", "target", "metric", "score", "data"]
    frame = pd.DataFrame(rows, index=index, columns=[*columns, "bytes", "created", "model_id", "job_id"])
    return frame.astype({"score": float, "version": int, "bytes": int})


def pipelines(listed: Sequence[Pipeline]) -> pd.DataFrame:
    """One pipeline a row, by name."""
    rows = [
        {
            "version": record.version,
            "data": record.recipe.data.name or record.recipe.data.path,
            "target": record.recipe.target,
            "model": record.recipe.model,
            "by": record.by,
            "updated": record.updated.replace(microsecond=0),
            "id": record.id,
        }
        for record in listed
    ]
    index = pd.Index([record.name for record in listed], name="name")
    return pd.DataFrame(
        rows, index=index, columns=["version", "data", "target", "model", "by", "updated", "id"]
    )


class Activity(pd.DataFrame):
    """What ``mlops.activity()`` returns, shown as a feed that moves; what is made of it is plain."""

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return board.bundle("activity", self.head(MOST_ROWS).to_html(index=False), repr(self))

    def _display_(self) -> object:
        return marimo.element(board.widget("activity"))


def activity(updates: Sequence[ActivityUpdate]) -> Activity:
    """One row each, the newest first."""
    names = ("timestamp", "title", "description", "status", "kind", "subject")
    rows = [{name: getattr(update.activity, name) for name in names} for update in updates]
    return Activity(rows, columns=list(names))
