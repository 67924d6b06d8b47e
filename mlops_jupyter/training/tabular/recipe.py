"""The eight stages of training on a table, strung together. ``train`` is what a worker runs.

Importing this module imports all a job needs: a worker does it before it has a job.
"""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

import mlops_jupyter
import mlops_jupyter.training.tabular.ready  # what its model is made of
from mlops_jupyter.core.facts import TaskChosen
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.core.stages import STAGES
from mlops_jupyter.training.run import Run
from mlops_jupyter.training.tabular import (
    catalogue,
    cleaning,
    evaluation,
    examination,
    fitting,
    model,
    preparation,
    reference,
    selection,
    validation,
)
from mlops_jupyter.training.tabular.candidates import Candidate, candidates, differing, named
from mlops_jupyter.training.tabular.cleaning import Parts
from mlops_jupyter.training.tabular.examination import Examined
from mlops_jupyter.training.tabular.selection import Chosen

PACKAGES = ("scikit-learn", "skrub", "skops", "pandas", "numpy")


def train(run: Run, spec: JobSpec, folder: Path, estimator: Any = None) -> None:
    """Train what ``spec`` asks for and leave the model in ``folder/model``.

    ``spec.data`` and ``spec.test`` are paths by now; ``estimator`` is the estimator or Pipeline object,
    where one was sent. Raises ``MlopsError`` for data and options that cannot be trained with.
    """
    with warnings.catch_warnings():
        # Rows to predict have values no training row had: that is what they are for, and skrub's
        # preprocessing would say it for each column and each time.
        warnings.filterwarnings("ignore", "Found unknown categories", UserWarning)
        _train(run, spec, folder, estimator)


def _train(run: Run, spec: JobSpec, folder: Path, estimator: Any) -> None:
    with run.stage(STAGES[0]) as stage:
        examined = examination.examine(run, stage, spec, estimator)
        _tell_task(run, examined, *named(spec, estimator, examined.task))
    small = len(examined.frame) <= catalogue.ONE_THREAD
    with threadpool_limits(1, user_api="openmp") if small else nullcontext():
        _learn(run, spec, folder, estimator, examined)


def _learn(run: Run, spec: JobSpec, folder: Path, estimator: Any, examined: Examined) -> None:
    with run.stage(STAGES[1]) as stage:
        parts = cleaning.clean_and_split(run, stage, spec, examined)
    if not parts.folds:
        # As soon as it is known: the time that is left is reckoned without it.
        run.skip(STAGES[5], "cv=0: no folds were asked for" if spec.cv == 0 else "Too few rows for two folds")
    metric = examined.metric
    with run.stage(STAGES[2]) as stage:
        compared = candidates(run, spec, estimator, examined.task, *parts.train)
        pipelines = {each.label: each.pipeline for each in compared}
        prepared = preparation.prepare_all(stage, pipelines, *parts.train)
    if len(compared) == 1:
        run.skip(STAGES[3], f"One candidate: {compared[0].label}")
        chosen = Chosen(compared[0], None)
    else:
        with run.stage(STAGES[3]) as stage:
            chosen = selection.select(run, stage, compared, parts, metric, spec.n_jobs)
        _tell_task(run, examined, *_described(chosen.candidate))
    with run.stage(STAGES[4]) as stage:
        fitted = fitting.fit(run, stage, chosen.candidate.pipeline, parts, metric, spec.seed, prepared)
        pipeline = fitting.refit(stage, fitted.pipeline, parts) if spec.refit else fitted.pipeline
    scores = dict(fitted.scores)
    if parts.folds:
        with run.stage(STAGES[5]) as stage:
            train_score = scores[f"train_{metric.name}"]
            scores |= validation.validate(run, stage, chosen, parts, metric, train_score, spec.n_jobs)
    with run.stage(STAGES[6]) as stage:
        scores |= evaluation.evaluate(run, stage, pipeline, parts, metric, spec.seed)
    with run.stage(STAGES[7]) as stage:
        signature = model.signature(parts.train.X, spec.target, examined.classes)
        meta = _meta(spec, examined, parts, chosen.candidate, scores)
        model.save(run, stage, pipeline, folder, parts.test.X, signature, meta)


def _tell_task(run: Run, examined: Examined, estimator: str, parameters: dict[str, Any]) -> None:
    classes = examined.classes
    run.tell(
        TaskChosen,
        task=examined.task,
        estimator=estimator,
        parameters=parameters,
        metric=examined.metric.name,
        greater_is_better=examined.metric.greater_is_better,
        classes=None if classes is None else tuple(str(label) for label in classes),
    )


def _described(candidate: Candidate) -> tuple[str, dict[str, Any]]:
    return type(candidate.final).__name__, differing(candidate.final) | candidate.parameters


def _meta(
    spec: JobSpec, examined: Examined, parts: Parts, candidate: Candidate, scores: dict[str, float]
) -> dict[str, Any]:
    """What a model file needs beside it to be understood without the store."""
    table = examined.table
    return {
        "name": spec.name,
        "task": examined.task,
        "target": spec.target,
        "estimator": type(candidate.final).__name__,
        "parameters": candidate.final.get_params(deep=False),
        "steps": [type(step).__name__ for _, step in candidate.pipeline.steps],
        "data": {"name": table.name, "sha256": table.sha256, "rows": len(table.frame)},
        "rows": {
            "train": len(parts.train.y),
            "validation": len(parts.validation.y),
            "test": len(parts.test.y),
        },
        "reference": reference.references(parts.train.X),
        "example": model.example(parts.train.X),
        "split": spec.split,
        "test_size": spec.test_size,
        "seed": spec.seed,
        "refit": spec.refit,
        "metric": examined.metric.name,
        "metrics": scores,
        "versions": {"mlops_jupyter": mlops_jupyter.__version__} | {each: version(each) for each in PACKAGES},
    }
