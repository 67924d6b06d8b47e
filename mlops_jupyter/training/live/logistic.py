"""Logistic regression, by scikit-learn's own callbacks: a pair of hooks an iteration of L-BFGS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_array
from sklearn.utils.extmath import softmax

from mlops_jupyter.training.live.meter import Array, Meter

UNIT = "iteration"
_ITERATION = "lbfgs-iter"


def knows(estimator: Any) -> bool:
    """Only this solver calls back. Its end is when it has converged, so nobody knows the length."""
    return isinstance(estimator, LogisticRegression) and (
        estimator.solver == "lbfgs" and hasattr(estimator, "set_callbacks")
    )


@contextmanager
def watch(estimator: Any, meter: Meter) -> Iterator[dict[str, Any]]:
    meter.begin(UNIT, None)
    # There is no public way to ask which ones the user has set.
    theirs = getattr(estimator, "_skl_callbacks", [])
    estimator.set_callbacks(*theirs, Callback(meter))
    try:
        yield {}
    finally:
        estimator.set_callbacks(*theirs)


class Callback:
    """A scikit-learn ``FitCallback``.

    A hook that names ``fitted_estimator`` has a copy of the estimator made for each call, so the end
    of an iteration has two hooks, and the one that names it is only there when a score is due.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._due = False
        self._rows = meter.prepared(lambda X: check_array(X, dtype=[np.float64, np.float32]))

    def setup(self, estimator: Any, context: Any) -> None:
        """Nothing to set up."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Nothing to tear down."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        with self._meter.border:
            if context.task_name != _ITERATION:
                return
            # One more begins than there are iterations: that one begins says that those before are done.
            if context.task_id:
                self._meter.reached(context.task_id)
            self._due = self._meter.affordable(context.task_id + 1)

    @property
    def on_fit_task_end(self) -> Any:
        return self._score if self._due else self._pass

    def _pass(self, estimator: Any, context: Any) -> None:
        """No score is due."""

    def _score(self, estimator: Any, context: Any, *, fitted_estimator: Any) -> None:
        with self._meter.border:
            # The task after the last iteration is an empty one, and the whole fit is a task, too.
            if context.task_name == _ITERATION and fitted_estimator is not None:
                step = context.task_id + 1
                self._meter.measure(step, lambda index: self._predict(fitted_estimator, index))

    def _predict(self, fitted: Any, index: int) -> Array:
        """What its ``predict_proba`` gives, without checking the rows again each time."""
        decision = self._rows[index] @ fitted.coef_.T + fitted.intercept_
        if decision.shape[1] == 1:
            positive = expit(decision)
            return np.hstack([1 - positive, positive])
        found: Array = softmax(decision, copy=False)
        return found
