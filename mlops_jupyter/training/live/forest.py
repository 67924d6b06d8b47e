"""Forests and extra trees, by a wrapper round the build of each tree.

The forest makes its trees by ``_make_estimator``; while it is watched, that one hands out trees that
report when their own ``_fit`` is done. Both are attributes of these objects only, and gone after the fit.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from mlops_jupyter.training.live.meter import Array, Meter
from mlops_jupyter.training.live.trees import as_trees_take

UNIT = "tree"
_KINDS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)


def knows(estimator: Any) -> bool:
    if not isinstance(estimator, _KINDS):
        return False
    make = getattr(estimator, "_make_estimator", None)
    tree = getattr(estimator, "estimator", None)
    return make is not None and hasattr(tree, "_fit") and "append" in inspect.signature(make).parameters


@contextmanager
def watch(estimator: Any, meter: Meter) -> Iterator[dict[str, Any]]:
    meter.begin(UNIT, estimator.n_estimators)
    grove = Grove(meter, classifier=is_classifier(estimator))
    make = estimator._make_estimator

    def make_watched(*arguments: Any, **named: Any) -> Any:
        tree = make(*arguments, **named)
        tree._fit = reporting(tree, tree._fit, grove.grown)
        return tree

    estimator._make_estimator = make_watched
    try:
        yield {}
    finally:
        del estimator._make_estimator


def reporting(tree: Any, fit: Callable[..., Any], grown: Callable[[Any], None]) -> Callable[..., Any]:
    """``fit`` of this tree, which takes itself off before it starts and reports when it is done."""

    def fit_and_report(*arguments: Any, **named: Any) -> Any:
        del tree._fit
        result = fit(*arguments, **named)
        grown(tree)
        return result

    return fit_and_report


class Grove:
    """The trees grown so far and the sum of their votes. Trees may come from several threads."""

    def __init__(self, meter: Meter, *, classifier: bool) -> None:
        self._meter = meter
        self._classifier = classifier
        self._lock = threading.Lock()
        self._new: list[Any] = []
        self._count = 0
        self._rows = meter.prepared(as_trees_take)
        self._votes = [np.zeros(1) for _ in self._rows]

    def grown(self, tree: Any) -> None:
        with self._meter.border, self._lock:
            self._new.append(tree.tree_)
            self._count += 1
            self._meter.reached(self._count)
            if not self._meter.affordable(self._count, len(self._new)):
                return
            self._meter.measure(self._count, self._predict, len(self._new))
            self._new.clear()

    def _predict(self, index: int) -> Array:
        for tree in self._new:
            # Not in place: the first sum makes the array as wide as the trees' votes.
            self._votes[index] = self._votes[index] + tree.predict(self._rows[index])
        mean = self._votes[index] / self._count
        return mean if self._classifier else mean[:, 0]
