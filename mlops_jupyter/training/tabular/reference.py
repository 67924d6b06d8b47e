"""Histograms of the training rows, by which it is seen whether what a model is asked still looks like them.

They are kept beside the model (``core.drift``): shares of bins, and of categories their most frequent names.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlops_jupyter.core.drift import Reference

#: Bins of numbers, names of categories, and columns of which there is a histogram: the first ones.
BINS, LABELS, COLUMNS = 10, 20, 500
#: Characters of a name that is kept; longer texts are no categories.
LONGEST = 100


def references(X: pd.DataFrame) -> list[Reference]:
    """Of each column of the training rows whose values can be told apart by bins or names."""
    return [found for name in X.columns[:COLUMNS] if (found := _reference(str(name), X[name])) is not None]


def _reference(name: str, column: pd.Series) -> Reference | None:
    missing = int(column.isna().sum())
    values = column.dropna()
    if values.empty:
        return None
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return _of_numbers(name, values.to_numpy(dtype=float), missing)
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        return None
    return _of_names(name, values, missing)


def _of_numbers(name: str, values: np.ndarray, missing: int) -> Reference | None:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    # Of values that repeat, several quantiles are one edge.
    edges = np.unique(np.quantile(finite, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return Reference(name=name, edges=tuple(edges.tolist()), counts=(*map(int, counts), missing))


def _of_names(name: str, values: pd.Series, missing: int) -> Reference | None:
    found = values.map(spelled).value_counts()
    top = found.head(LABELS)
    if any(len(label) > LONGEST for label in top.index):
        return None
    counts = (*map(int, top), int(found.sum() - top.sum()), missing)
    return Reference(name=name, labels=tuple(map(str, top.index)), counts=counts)


def spelled(value: object) -> str:
    """A category as a name: the same for what JSON and a table call differently."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
