"""Permutation importance: how much worse the score gets when one column is shuffled.

The same numbers as ``sklearn.inspection.permutation_importance`` with the same seed; but all
shufflings of a column are predicted in one go, since preprocessing costs far more a call than a row.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.tabular.metrics import Metric, Predictions

ROWS = 2000
SECONDS = 60.0
REPEATS = 5
#: Rows predicted in one go.
BATCH = 20_000


class Importance(NamedTuple):
    """Loss of score when ``column`` is shuffled, in the metric's own unit, better is positive."""

    column: str
    mean: float
    std: float


class Importances(NamedTuple):
    """``columns`` is None, with the reason, where there was not enough time."""

    columns: tuple[Importance, ...] | None
    rows: int
    reason: str | None = None


def importances(
    predict: Callable[[pd.DataFrame], Predictions],
    predicted: Predictions,
    X: pd.DataFrame,
    y: Array,
    metric: Metric,
    seed: int,
    seconds: float = SECONDS,
) -> Importances:
    """Importances of the columns of ``X``, highest first, on at most ``ROWS`` of its rows.

    ``predicted``: the rows as they are, by the same model."""
    began = time.perf_counter()
    if len(y) > ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(len(y), ROWS, replace=False))
        X, y, predicted = X.iloc[rows], y[rows], _rows(predicted, rows)
    X = X.reset_index(drop=True)
    whole = _signed(metric, y, predicted)
    every = np.arange(len(y))
    shufflings = _shufflings(len(y), seed)
    together = max(1, BATCH // (len(y) * REPEATS))
    found: list[Importance] = []
    columns = [str(name) for name in X.columns]
    for start in range(0, len(columns), together):
        used = time.perf_counter() - began
        if used + (used / start * (len(columns) - start) if start else 0.0) > seconds:
            reason = f"{len(columns)} columns would take longer than {seconds:g} s"
            return Importances(None, len(y), reason)
        batch = columns[start : start + together]
        values = predict(_shuffled(X, batch, shufflings))
        for position, column in enumerate(batch):
            losses = [
                whole - _signed(metric, y, _rows(values, every + (position * REPEATS + repeat) * len(y)))
                for repeat in range(REPEATS)
            ]
            found.append(Importance(column, float(np.mean(losses)), float(np.std(losses))))
    found.sort(key=lambda each: -each.mean)
    return Importances(tuple(found), len(y))


def _shufflings(count: int, seed: int) -> list[Array]:
    """scikit-learn draws one seed for all columns, and shuffles on from the last order what it has
    shuffled already."""
    generator = np.random.RandomState(np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1))
    order, rows = np.arange(count), np.arange(count)
    found = []
    for _ in range(REPEATS):
        generator.shuffle(order)
        rows = rows[order]
        found.append(rows)
    return found


def _shuffled(X: pd.DataFrame, columns: list[str], shufflings: list[Array]) -> pd.DataFrame:
    """``X`` again and again: for each column, with that one in each of the orders."""
    copies = len(columns) * len(shufflings)
    many = X.iloc[np.tile(np.arange(len(X)), copies)].reset_index(drop=True)
    for position, column in enumerate(columns):
        rows = np.arange(len(many)) % len(X)
        start = position * len(shufflings) * len(X)
        rows[start : start + len(shufflings) * len(X)] = np.concatenate(shufflings)
        many[column] = X[column].take(rows).array
    return many


def _rows(predictions: Predictions, rows: Array) -> Predictions:
    probabilities, decision = predictions.probabilities, predictions.decision
    return predictions._replace(
        values=predictions.values[rows],
        probabilities=None if probabilities is None else probabilities[rows],
        decision=None if decision is None else decision[rows],
    )


def _signed(metric: Metric, y: Array, predictions: Predictions) -> float:
    score = metric.score(y, predictions)
    return score if metric.greater_is_better else -score
