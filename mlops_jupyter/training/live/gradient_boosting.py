"""Gradient boosting, by the ``monitor`` that its ``fit`` takes. Only new trees are added to a score."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.base import is_classifier
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from mlops_jupyter.training.live.meter import Array, Meter
from mlops_jupyter.training.live.trees import as_trees_take

UNIT = "tree"


def knows(estimator: Any) -> bool:
    return isinstance(estimator, GradientBoostingClassifier | GradientBoostingRegressor)


@contextmanager
def watch(estimator: Any, meter: Meter) -> Iterator[dict[str, Any]]:
    meter.begin(UNIT, estimator.n_estimators)
    yield {"monitor": Monitor(meter)}


class Monitor:
    """Called after each stage with its index, the estimator and the local variables of the fit."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._rows = meter.prepared(as_trees_take)
        self._raw: list[Array] = []
        self._added = 0

    def __call__(self, stage: int, estimator: Any, local_variables: Any) -> bool:
        with self._meter.border:
            step = stage + 1
            self._meter.reached(step)
            pending = step - self._added
            if self._meter.affordable(step, pending):
                self._meter.measure(step, lambda index: self._predict(estimator, index, step), pending)
                self._added = step
        # True would end the fit.
        return False

    def _predict(self, estimator: Any, index: int, step: int) -> Array:
        if not self._raw:
            self._raw = [estimator._raw_predict_init(rows) for rows in self._rows]
        raw, rows = self._raw[index], self._rows[index]
        for stage in range(self._added, step):
            for output, tree in enumerate(estimator.estimators_[stage]):
                raw[:, output] += estimator.learning_rate * tree.tree_.predict(rows)[:, 0]
        found: Array = estimator._loss.predict_proba(raw) if is_classifier(estimator) else raw[:, 0]
        return found
