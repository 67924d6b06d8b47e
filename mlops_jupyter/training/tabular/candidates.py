"""The configurations of a job: one, or those that ``auto`` or ``grid`` compare.

Every one is a whole pipeline, preprocessing included. Not here: the comparison (``selection``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline

from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.run import Run
from mlops_jupyter.training.tabular import catalogue, estimators, options, parameters, preparation
from mlops_jupyter.training.tabular.catalogue import Task


class Candidate(NamedTuple):
    """``parameters`` are those that were asked for, by the names people use; ``pipeline`` is unfitted."""

    label: str
    parameters: dict[str, Any]
    pipeline: Pipeline

    @property
    def final(self) -> Any:
        return self.pipeline.steps[-1][1]


def named(spec: JobSpec, estimator: Any, task: Task) -> tuple[str, dict[str, Any]]:
    """Name and parameters of the model before anything is compared."""
    if estimator is None and options.model_name(spec) == catalogue.AUTO:
        return catalogue.AUTO, {}
    model = estimator if estimator is not None else _built(spec, options.model_name(spec), task)
    final = model.steps[-1][1] if isinstance(model, Pipeline) else model
    return type(final).__name__, differing(final) | spec.params


def candidates(
    run: Run, spec: JobSpec, estimator: Any, task: Task, X: pd.DataFrame, y: Array
) -> list[Candidate]:
    """``X`` and ``y``: training rows, by which it is decided what preprocessing an estimator needs."""
    if estimator is None and options.model_name(spec) == catalogue.AUTO:
        return [
            Candidate(name, {}, preparation.around(_built(spec, name, task), X, y, spec.seed)[0])
            for name in catalogue.CANDIDATES[task]
        ]
    label = type(estimator).__name__ if estimator is not None else options.model_name(spec)
    model = clone(estimator) if estimator is not None else _built(spec, label, task)
    pipeline, remark = preparation.around(model, X, y, spec.seed)
    if remark:
        run.finding("preprocessing_added", remark, "info")
    _set(pipeline, parameters.with_labels(spec.params, y))
    if spec.grid is None:
        return [Candidate(label, spec.params, pipeline)]
    return [_candidate(pipeline, spec, point, y) for point in ParameterGrid(spec.grid)]


def differing(estimator: Any) -> dict[str, Any]:
    """Parameters that are not the class's own defaults."""
    own = estimator.get_params(deep=False)
    try:
        default = type(estimator)().get_params(deep=False)
    except TypeError:
        # It cannot be made without arguments.
        return dict(own)
    return {name: value for name, value in own.items() if repr(value) != repr(default[name])}


def _candidate(pipeline: Pipeline, spec: JobSpec, point: dict[str, Any], y: Array) -> Candidate:
    label = ", ".join(f"{name}={value}" for name, value in point.items())
    copy = clone(pipeline)
    _set(copy, parameters.with_labels(point, y))
    return Candidate(label, spec.params | point, copy)


def _built(spec: JobSpec, name: str, task: Task) -> Any:
    return estimators.build(name, task, spec.seed, spec.n_jobs)


def _set(pipeline: Pipeline, given: dict[str, Any]) -> None:
    pipeline.set_params(**parameters.full_names(pipeline, given))
