"""``mlops.train``, ``mlops.get``, ``mlops.jobs`` …: this process's one session, made at first use."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from IPython import get_ipython
from msgspec import structs

from mlops_jupyter.client import dataset_words
from mlops_jupyter.client import pipelines as recipes
from mlops_jupyter.client.dataset import Dataset
from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.job import Job
from mlops_jupyter.client.links import Link
from mlops_jupyter.client.model import Model
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.system import System
from mlops_jupyter.client.terminal import TerminalView
from mlops_jupyter.client.view import View
from mlops_jupyter.core.errors import MlopsError, ModelNotFoundError, OptionError
from mlops_jupyter.core.limits import CHUNK
from mlops_jupyter.notebook import marimo
from mlops_jupyter.notebook.board import Machine, in_kernel
from mlops_jupyter.notebook.cards import ModelCard
from mlops_jupyter.notebook.display import NotebookView
from mlops_jupyter.notebook.marimo import MarimoView
from mlops_jupyter.notebook.pipelines import PipelineCard
from mlops_jupyter.notebook.preview import DatasetLineage, DatasetPreview, ShownDataset, shown

if TYPE_CHECKING:
    import pandas as pd


def train(  # noqa: PLR0913 - options of one thing, all by keyword
    data: str | Path | pd.DataFrame | tuple[Any, Any],
    target: str | None = None,
    *,
    model: str | Any = None,
    params: Mapping[str, Any] | None = None,
    grid: Mapping[str, Sequence[Any]] | None = None,
    split: str = "random",
    test: str | Path | pd.DataFrame | None = None,
    test_size: float = 0.2,
    metric: str | None = None,
    drop: Sequence[str] = (),
    cv: int = 5,
    refit: bool = False,
    n_jobs: int = 1,
    name: str | None = None,
    timeout: float | None = None,
    priority: int = 0,
    seed: int = 0,
    task: Literal["classification", "regression"] | None = None,
    target_na: Literal["error", "drop"] = "error",
) -> Job:
    """Train a model on a table, in a process of its own; shows the job and returns at once.

    Parameters
    ----------
    data
        Path of a CSV or Parquet file, a DataFrame of shape (rows, columns), or ``(X, y)`` with X of shape
        (rows, features) and y of shape (rows,).
    target
        The column to predict; with ``(X, y)`` only a name for y.
    model
        A short name (``"rf"``, ``"logistic"``, …, ``"auto"`` compares several) or any scikit-learn
        estimator or Pipeline object. Default: ``"hist_gradient_boosting"``.
    params
        Parameters of the estimator, or of steps as ``step__name``.
    grid
        Lists of values by parameter; every combination is compared by cross-validation.
    split
        ``"random"`` (stratified for classes), ``"group:<column>"`` or ``"time:<column>"``.
    test
        A table of your own to score the model on, instead of ``test_size`` of the rows.
    test_size
        Share of the rows held out, 0–1; the same share of the rest is for validation.
    metric
        A scikit-learn scorer; ``"accuracy"`` or ``"r2"`` by default.
    drop
        Columns to leave out.
    cv
        Folds of the cross-validation; 0 skips it.
    refit
        Fit the saved model again on training and validation rows.
    n_jobs
        Cores to use, -1 for all.
    name
        What to call the job.
    timeout
        Seconds after which the job is ended.
    priority
        Of jobs that wait, the one with the higher starts first; of equal ones the oldest.
    seed
        Of splits and estimator.
    task
        ``"classification"`` or ``"regression"``; found out from the target by default.
    target_na
        ``"drop"`` leaves out rows without a target instead of refusing them.

    Returns
    -------
    Job
        ``job.wait()`` waits for its end, ``job.model`` is the fitted pipeline.

    Raises
    ------
    ColumnNotFoundError, DatasetNotFoundError, DataError, TargetError, OptionError
        What stands against the job, before it is queued; ``SubmissionError`` holds several of them.
    ServerUnreachable, VersionMismatch
    """
    options = Options(
        model=model,
        params=params,
        grid=grid,
        split=split,
        test=test,
        test_size=test_size,
        metric=metric,
        drop=drop,
        cv=cv,
        refit=refit,
        n_jobs=n_jobs,
        name=name,
        timeout=timeout,
        priority=priority,
        seed=seed,
        task=task,
        target_na=target_na,
        data_name=_variable(data),
    )
    job = session().train(data, target, options)
    job.show()
    return job


def get(job_id: str) -> Job:
    """The job of this id, or of any unique beginning of it (``"j-7f3a"``).

    Raises ``JobNotFoundError``, or ``AmbiguousIdError`` when several begin like that."""
    return session().get(job_id)


def jobs(limit: int = 50) -> pd.DataFrame:
    """The newest jobs, one a row, indexed by their ids; times in seconds."""
    from mlops_jupyter.notebook.listing import frame  # noqa: PLC0415 - it imports pandas

    return frame(session().jobs(limit))


class Datasets:
    """``mlops.datasets()`` lists them; ``mlops.datasets.upload("customers.csv")`` adds one, or a version."""

    def __call__(self) -> pd.DataFrame:
        """The datasets, one a row, the newest first, indexed by what ``mlops.train`` takes."""
        from mlops_jupyter.notebook import listing  # noqa: PLC0415 - it imports pandas

        return listing.datasets(session().datasets())

    def upload(self, data: str | os.PathLike[str] | pd.DataFrame, name: str | None = None) -> ShownDataset:
        """Send a CSV or Parquet file, or a DataFrame, to the server: a new dataset, or the next version of
        the one called ``name`` (that of the file by default). The same content again is no new one."""
        if isinstance(data, str | os.PathLike):
            return _shown(dataset_words.sent(session(), os.fspath(data), name, _sent))
        from mlops_jupyter.client import tables  # noqa: PLC0415 - it imports pandas

        if name is None:
            raise OptionError(
                "what is the DataFrame to be called?", None, 'mlops.datasets.upload(df, name="…")'
            )
        body = tables.parquet(data)
        return _shown(session().upload(io.BytesIO(body), f"{name[:200]}.parquet", name, _sent))

    def get(self, ref: str) -> ShownDataset:
        """By ``"customers"`` (the newest version), ``"customers@3"``, its id or a unique beginning of it."""
        return _shown(session().dataset(ref))

    def preview(self, ref: str) -> DatasetPreview:
        """What is in it, shown: what is suspicious, what each column holds, the first rows."""
        return self.get(ref).preview()

    def lineage(self, ref: str) -> DatasetLineage:
        """The jobs that used it and the models they made, shown."""
        return self.get(ref).lineage()

    def register(self, path: str | os.PathLike[str], name: str | None = None) -> ShownDataset:
        """A file below the server's folder, where it is: no byte of it is copied. Or one of an address
        (``"s3://bucket/customers.csv"``), which the server copies, if its administrator allows it."""
        return _shown(session().register(os.fspath(path), name))


def _shown(dataset: Dataset) -> ShownDataset:
    return shown(dataset, session())


def _sent(there: int, size: int) -> None:
    """One line below the cell, written over; a file that is sent at once needs none."""
    if size > CHUNK and get_ipython() is not None:
        print(f"\r{100 * there / size:3.0f} % sent", end="" if there < size else "\n", flush=True)  # noqa: T201


datasets = Datasets()


def models(name: str | None = None, limit: int = 200) -> pd.DataFrame:
    """The newest models, one a row, indexed by what ``mlops.model`` takes (``"churn@3"``); with ``name`` its
    versions."""
    from mlops_jupyter.notebook import listing  # noqa: PLC0415 - it imports pandas

    return listing.models(session().models(limit, name))


def model(ref: str | Job) -> Model:
    """A registered model, by ``"churn@3"``, ``"churn@champion"``, its id or a unique beginning of it, or the
    job that made it. ``"churn"`` is the newest version that is not retired.

    Raises ``ModelNotFoundError``, or ``AmbiguousIdError`` when several ids begin like that."""
    if isinstance(ref, Job):
        record = ref.wait().record
        if record.model_id is None:
            why = record.model_missing_reason or "it was not saved"
            raise ModelNotFoundError(
                f"{record.name} {ref.id} has no model: {why}", code="List: mlops.models()"
            )
        ref = record.model_id
    found = session().model(ref)
    return ModelCard(found.record, session())


def pipelines() -> pd.DataFrame:
    """Named recipes of jobs, one a row, by name; indexed by their names."""
    from mlops_jupyter.notebook import listing  # noqa: PLC0415 - it imports pandas

    return listing.pipelines(session().pipelines())


def pipeline(ref: str) -> PipelineCard:
    """The pipeline of this name (``"churn"``; ``"churn@2"`` as it was in version 2) or id. Displayed, it is
    edited and run below the cell.

    Raises ``PipelineNotFoundError``."""
    return PipelineCard(recipes.find(ref, session()).record, session())


def save_pipeline(name: str, what: Job | str | Mapping[str, Any]) -> PipelineCard:
    """Keep what a job was asked for as a pipeline: a new one, or the next version of the one of this name.

    ``what`` is a job, its id, or options of ``train`` with ``data`` (a file) and ``target``. What was sent
    from memory, a DataFrame or an estimator object, is refused: a recipe is for others, too."""
    return PipelineCard(recipes.save(name, what, session()).record, session())


def activity(limit: int = 50) -> pd.DataFrame:
    """What happened, one row each, the newest first (200 at most); ``subject`` is whom it is about, by id.
    Displayed, it is a feed that moves."""
    from mlops_jupyter.notebook import listing  # noqa: PLC0415 - it imports pandas

    return listing.activity(session().activity(limit))


def health() -> System:
    """The machine Jupyter's server lives in: its CPUs, memory and disk, and what jobs and kernels take of
    them; the container's where one has limits. ``health().health`` is healthy, warning or critical.
    Displayed, it is a strip that moves."""
    return Machine(**structs.asdict(session().health()))


def open(job: Job | str | None = None) -> Link:  # noqa: A001 - mlops.open(job)
    """A link to the page of ``jupyter mlops``: a job on it, or all of them. In a notebook it can be clicked;
    in JupyterLab the job opens in a tab then, and without a job the panel.

    Raises ``ServerUnreachable`` where only a private server runs: it listens on a unix socket."""
    return session().link(job.id if isinstance(job, Job) else job)


def set(*, debug: bool) -> None:  # noqa: A001 - mlops.set(debug=True)
    """``debug``: show errors with their whole traceback instead of their words only."""
    MlopsError.whole_traceback = debug


@cache
def session() -> Session:
    """Made when it is first needed: importing opens nothing."""
    view: View = MarimoView() if marimo.running() else NotebookView() if in_kernel() else TerminalView()
    return Session(Finder.of_this_process(), view)


def _variable(data: Any) -> str | None:
    """What the user calls the table, so that messages can."""
    shell = get_ipython()
    names = [] if shell is None else [name for name, value in shell.user_ns.items() if value is data]
    return next((name for name in names if not name.startswith("_")), None)
