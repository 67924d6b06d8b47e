"""Metrics: the main one of a job, the ones of its task, and the ones measured while it fits.

A metric is scored in its own direction: an error is a positive number that should be low.
Everything is computed from predictions that were made once.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, make_scorer
from sklearn.utils.metaestimators import available_if

from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.tabular import catalogue
from mlops_jupyter.training.tabular.catalogue import Task

#: What is reported beside the main metric.
BESIDE: dict[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "balanced_accuracy", "f1_macro", "neg_log_loss"),
    "regression": ("r2", "neg_root_mean_squared_error", "neg_mean_absolute_error"),
}


class Predictions(NamedTuple):
    """What a fitted estimator says of some rows: labels or numbers; for classifiers the classes it
    knows, and where it has them, probabilities (rows × classes) and decision values."""

    values: Array
    classes: Array | None = None
    probabilities: Array | None = None
    decision: Array | None = None


class Metric(NamedTuple):
    """``scorer`` is scikit-learn's; ``name`` what the metric is called here."""

    name: str
    scorer: Any
    greater_is_better: bool
    classifies: bool

    def score(self, y: Array, predictions: Predictions) -> float:
        """The number scikit-learn's own scorer gives for an estimator that predicts this."""
        value = float(self.scorer(_given(predictions), None, y))
        return value if self.greater_is_better else -value

    def measure(self, estimator: Any, X: Any, y: Array) -> float:
        """The same for an estimator that still has to predict ``X``."""
        value = float(self.scorer(estimator, X, y))
        return value if self.greater_is_better else -value

    def better(self, value: float, other: float) -> bool:
        return value > other if self.greater_is_better else value < other


def metric(name: str, classes: Array | None = None) -> Metric:
    """The metric of a scikit-learn scorer's name; ``classes`` in sorted order, for classification.

    Where a binary metric counts one class and the labels are not numbers, it is the last one.
    """
    scorer = get_scorer(name)
    function, sign = scorer._score_func, scorer._sign  # noqa: SLF001 - there is no public way to ask
    takes = inspect.signature(function).parameters
    counts_one = "pos_label" in takes and scorer._kwargs.get("average", "binary") == "binary"  # noqa: SLF001
    if counts_one and classes is not None and len(classes) == 2 and 1 not in classes:
        scorer = make_scorer(
            function,
            response_method=scorer._response_method,  # noqa: SLF001
            greater_is_better=sign > 0,
            pos_label=classes[1],
            **{k: v for k, v in scorer._kwargs.items() if k != "pos_label"},  # noqa: SLF001
        )
    return Metric(catalogue.display_name(name), scorer, sign > 0, catalogue.METRICS[name] != "regression")


def predict(estimator: Any, X: Any) -> Predictions:
    """Everything ``estimator`` says of ``X``."""
    return Predictions(
        np.asarray(estimator.predict(X)),
        getattr(estimator, "classes_", None),
        np.asarray(estimator.predict_proba(X)) if hasattr(estimator, "predict_proba") else None,
        np.asarray(estimator.decision_function(X)) if hasattr(estimator, "decision_function") else None,
    )


def scores(split: str, y: Array, predictions: Predictions, main: Metric) -> dict[str, float]:
    """Main metric and the usual ones beside it, as ``<split>_<name>``; NaN where one is not defined
    for these rows (one class only, classes never seen)."""
    task: Task = "regression" if predictions.classes is None else "classification"
    beside = [metric(name, predictions.classes) for name in BESIDE[task]]
    found: dict[str, float] = {}
    for each in (main, *beside):
        key = f"{split}_{each.name}"
        if key not in found and not (each.name == "log_loss" and predictions.probabilities is None):
            found[key] = _score(each, y, predictions)
    return found


def _score(metric: Metric, y: Array, predictions: Predictions) -> float:
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        try:
            return metric.score(y, predictions)
        except ValueError:
            return float("nan")


class LiveMeasures:
    """Predictions while fitting, as numbers with names: ``train_accuracy``, ``val_loss`` …

    Accuracy and log loss, or R² and RMSE, and the main metric where it is none of them. The usual
    ones are computed here, in some ten microseconds: scikit-learn's functions take fifty times that.
    """

    def __init__(self, main: Metric, classes: Array | None) -> None:
        self._main = main
        self._classes = classes

    def of(self, split: str, y: Array) -> Callable[[Array], Mapping[str, float]]:
        """The measure for rows of ``split`` with the true values ``y``."""
        if self._classes is None:
            return self._numbers(split, np.asarray(y, dtype=float))
        return self._classified(split, y, self._classes)

    def _numbers(self, split: str, y: Array) -> Callable[[Array], Mapping[str, float]]:
        around_mean = float(((y - y.mean()) ** 2).sum())

        def measure(predicted: Array) -> Mapping[str, float]:
            squares = float(((y - predicted) ** 2).sum())
            found = {f"{split}_rmse": (squares / len(y)) ** 0.5}
            if around_mean > 0:
                found[f"{split}_r2"] = 1 - squares / around_mean
            return self._with_main(found, split, y, lambda: Predictions(predicted))

        return measure

    def _classified(self, split: str, y: Array, classes: Array) -> Callable[[Array], Mapping[str, float]]:
        order = {label: position for position, label in enumerate(classes.tolist())}
        codes = np.array([order.get(label, -1) for label in y.tolist()])
        # Group and time splits may bring classes that no training row has.
        seen = bool((codes >= 0).all())
        every = np.arange(len(codes))

        def measure(probabilities: Array) -> Mapping[str, float]:
            guesses = probabilities.argmax(axis=1)
            found = {f"{split}_accuracy": float((guesses == codes).mean())}
            if seen and self._main.name != "log_loss":
                found[f"{split}_loss"] = log_loss(probabilities[every, codes])
            if not seen:
                return found
            return self._with_main(
                found, split, y, lambda: Predictions(classes[guesses], classes, probabilities)
            )

        return measure

    def _with_main(
        self, found: dict[str, float], split: str, y: Array, predictions: Callable[[], Predictions]
    ) -> Mapping[str, float]:
        name = f"{split}_{self._main.name}"
        if name not in found and len(y) > 1:
            # A sample may lack a class that the metric needs: then it has no value there.
            with suppress(ValueError):
                found[name] = self._main.score(y, predictions())
        return found


def log_loss(of_true_class: Array) -> float:
    """As scikit-learn has it; the argument is each row's probability of its true class."""
    smallest = np.finfo(of_true_class.dtype).eps
    return float(-np.log(np.clip(of_true_class, smallest, 1 - smallest)).mean())


def _given(predictions: Predictions) -> Any:
    return _GivenNumbers(predictions) if predictions.classes is None else _GivenClasses(predictions)


class _GivenNumbers(RegressorMixin, BaseEstimator):
    """Answers scorers with predictions that were made before."""

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions

    def predict(self, X: Any) -> Array:
        return self.predictions.values


class _GivenClasses(ClassifierMixin, BaseEstimator):
    """Answers scorers with predictions that were made before."""

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions
        self.classes_ = predictions.classes

    def predict(self, X: Any) -> Array:
        return self.predictions.values

    @available_if(lambda self: self.predictions.probabilities is not None)
    def predict_proba(self, X: Any) -> Array | None:
        return self.predictions.probabilities

    @available_if(lambda self: self.predictions.decision is not None)
    def decision_function(self, X: Any) -> Array | None:
        return self.predictions.decision
