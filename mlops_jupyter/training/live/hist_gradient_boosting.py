"""Histogram gradient boosting, which has no hooks: a thread looks at the growing ensemble.

Only new trees are scored, in this thread and outside the interpreter's lock, so the fit does not wait.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from mlops_jupyter.training.live.meter import Array, Meter

UNIT = "tree"
#: Seconds between two looks: a hundredth of the time one may take to be seen, and no cost to speak of.
LOOK_EVERY = 0.01


def knows(estimator: Any) -> bool:
    return isinstance(estimator, HistGradientBoostingClassifier | HistGradientBoostingRegressor) and all(
        hasattr(estimator, name) for name in ("_preprocess_X", "_is_fitted", "_get_loss")
    )


@contextmanager
def watch(estimator: Any, meter: Meter) -> Iterator[dict[str, Any]]:
    meter.begin(UNIT, estimator.max_iter)
    over = threading.Event()
    observer = Observer(estimator, meter)
    thread = threading.Thread(target=observer.look_until, args=(over,), name="mlops-watch", daemon=True)
    thread.start()
    try:
        yield {}
    finally:
        over.set()
        thread.join()
    with meter.border:
        observer.look()


class Observer:
    """What the thread knows of the ensemble: how many iterations it has added up, and their sums."""

    def __init__(self, estimator: Any, meter: Meter) -> None:
        self._estimator = estimator
        self._meter = meter
        self._rows: list[Array] = []
        self._raw: list[Array] = []
        self._added = 0
        self._step = 0

    def look_until(self, over: threading.Event) -> None:
        while not over.wait(LOOK_EVERY) and not self._meter.border.crossed:
            with self._meter.border:
                self.look()

    def look(self) -> None:
        predictors = getattr(self._estimator, "_predictors", None)
        if not predictors:
            return
        # The newest iteration may still lack trees of some classes.
        whole = len(predictors[-1]) == self._estimator.n_trees_per_iteration_
        step = len(predictors) if whole else len(predictors) - 1
        if step <= self._step:
            return
        self._step = step
        self._meter.reached(step)
        pending = step - self._added
        if self._meter.affordable(step, pending):
            if not self._raw:
                self._start()
            self._meter.measure(step, self._predict, pending)
            self._added = step

    def _start(self) -> None:
        baseline = self._estimator._baseline_prediction
        self._rows = self._meter.prepared(lambda X: np.asarray(self._estimator._preprocess_X(X, reset=False)))
        self._raw = [np.repeat(baseline, len(rows), axis=0) for rows in self._rows]

    def _predict(self, index: int) -> Array:
        estimator, raw, rows = self._estimator, self._raw[index], self._rows[index]
        bitsets, positions = estimator._bin_mapper.make_known_categories_bitsets()
        for iteration in estimator._predictors[self._added : self._step]:
            for output, predictor in enumerate(iteration):
                # One thread: a second team of OpenMP threads would take cores from the fit.
                raw[:, output] += predictor.predict(rows, bitsets, positions, 1)
        loss = estimator._loss
        found: Array = loss.predict_proba(raw) if is_classifier(estimator) else loss.link.inverse(raw[:, 0])
        return found
