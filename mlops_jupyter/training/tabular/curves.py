"""What is drawn of a model's predictions on the hold-out: confusion matrix, curves, residuals. Pure.

Everything is small enough to stand in a job's record: curves have at most ``POINTS`` points, which
are those that bend them most evenly apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import (
    auc,
    average_precision_score,
    confusion_matrix,
    precision_recall_curve,
    roc_curve,
)

from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.tabular.metrics import Predictions

POINTS = 60
MOST_CLASSES = 20
#: Classes with a curve each; more lines than this cannot be told apart.
MOST_CURVES = 8
BINS = 10
DOTS = 200

Report = dict[str, Any]


def of_classes(y: Array, predictions: Predictions) -> Report:
    """Entries of the report for classification; what cannot be had is null beside its reason."""
    classes = predictions.classes
    assert classes is not None
    report = _confusion(y, predictions.values)
    columns = _one_against_rest(predictions, classes)
    if columns is None:
        return (
            report
            | _none("roc", "precision_recall", why="the model gives neither probabilities nor scores")
            | (_none("calibration", why="the model gives no probabilities"))
        )
    curves = [c for c in columns[:MOST_CURVES] if 0 < (y == c[0]).sum() < len(y)]
    if not curves:
        report |= _none("roc", "precision_recall", why="the hold-out has rows of one class only")
    else:
        report["roc"] = [_roc(y == label, scores, label) for label, scores in curves]
        report["precision_recall"] = [
            _precision_recall(y == label, scores, label) for label, scores in curves
        ]
    if predictions.probabilities is None:
        return report | _none("calibration", why="the model gives no probabilities")
    return report | {"calibration": _calibration(y, predictions.probabilities, classes)}


def of_numbers(y: Array, predictions: Predictions, seed: int) -> Report:
    """Entries of the report for regression: a sample of rows, and how far all of them are off."""
    off = y - predictions.values
    rows = np.arange(len(y))
    if len(y) > DOTS:
        rows = np.sort(np.random.default_rng(seed).choice(len(y), DOTS, replace=False))
    counts, edges = np.histogram(off, bins=20)
    return {
        "residuals": {
            "actual": _rounded(y[rows]),
            "predicted": _rounded(predictions.values[rows]),
            "rows": len(y),
            "counts": counts.tolist(),
            "edges": _rounded(edges),
        }
    }


def _confusion(y: Array, predicted: Array) -> Report:
    labels = sorted({*y.tolist(), *predicted.tolist()}, key=str)
    if len(labels) > MOST_CLASSES:
        return _none("confusion_matrix", why=f"{len(labels)} classes are more than can be shown")
    matrix = confusion_matrix(y, predicted, labels=labels)
    return {"confusion_matrix": {"labels": [str(label) for label in labels], "rows": matrix.tolist()}}


def _one_against_rest(predictions: Predictions, classes: Array) -> list[tuple[Any, Array]] | None:
    """Each class with its scores; of two classes only the second, which the first mirrors."""
    scores = predictions.probabilities if predictions.probabilities is not None else predictions.decision
    if scores is None:
        return None
    if len(classes) == 2:
        return [(classes[1], scores if scores.ndim == 1 else scores[:, 1])]
    if scores.ndim == 1 or scores.shape[1] != len(classes):
        return None
    return [(label, scores[:, position]) for position, label in enumerate(classes)]


def _roc(hits: Array, scores: Array, label: Any) -> Report:
    false, true, _ = roc_curve(hits, scores)
    some = _thinned(len(false))
    return {
        "label": str(label),
        "false_positive_rate": _rounded(false[some]),
        "true_positive_rate": _rounded(true[some]),
        "area": float(auc(false, true)),
    }


def _precision_recall(hits: Array, scores: Array, label: Any) -> Report:
    precision, recall, _ = precision_recall_curve(hits, scores)
    some = _thinned(len(precision))
    return {
        "label": str(label),
        "precision": _rounded(precision[some]),
        "recall": _rounded(recall[some]),
        "average_precision": float(average_precision_score(hits, scores)),
    }


def _calibration(y: Array, probabilities: Array, classes: Array) -> Report:
    """Rows in bins of equal width: how sure the model was, and how often it was right.

    For two classes of the second one; for more, of the class it chose."""
    if len(classes) == 2:
        label, sure, right = str(classes[1]), probabilities[:, 1], y == classes[1]
    else:
        chosen = probabilities.argmax(axis=1)
        label, sure, right = None, probabilities.max(axis=1), y == classes[chosen]
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    filled = counts > 0
    predicted = np.bincount(bins, sure, BINS)[filled] / counts[filled]
    observed = np.bincount(bins, right, BINS)[filled] / counts[filled]
    return {
        "label": label,
        "predicted": _rounded(predicted),
        "observed": _rounded(observed),
        "counts": counts[filled].tolist(),
    }


def _thinned(count: int) -> Array:
    return np.unique(np.linspace(0, count - 1, min(count, POINTS)).round().astype(int))


def _rounded(values: Array) -> list[float]:
    """Five significant digits: as much as can be seen."""
    return [float(f"{value:.5g}") for value in values]


def _none(*names: str, why: str) -> Report:
    return dict.fromkeys(names) | {f"{name}_reason": why for name in names}
