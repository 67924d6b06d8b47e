"""Checked rows as the table a model takes: the types of the columns it was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mlops_jupyter.core.errors import Fault
from mlops_jupyter.core.rows import Column, faulty


def table(values: Mapping[str, list[Any]], columns: Sequence[Column]) -> pd.DataFrame:
    """``FaultyRows`` where a text is no date or no duration."""
    return pd.DataFrame({column.name: _series(values[column.name], column) for column in columns}, copy=False)


def _series(values: list[Any], column: Column) -> Any:
    if column.kind == "number":
        return _numbers(values, column.dtype)
    if column.kind == "boolean":
        return np.array(values, dtype=bool) if None not in values else pd.array(values, dtype="boolean")
    if column.kind in ("date", "duration"):
        return _times(values, column)
    if column.kind == "category":
        # The categories are the model's to know; one that it has not seen is one more.
        return pd.Categorical(values)
    return pd.Series(values, dtype=column.dtype if column.dtype.startswith("str") else object)


def _numbers(values: list[Any], dtype: str) -> Any:
    # Also of nothing, which is not a number then, and of texts of digits.
    numbers = np.array(values, dtype=np.float64)
    # A column of whole numbers stays one as long as these are whole: a user's own step may look.
    if dtype.startswith(("int", "uint")) and np.isfinite(numbers).all() and (numbers % 1 == 0).all():
        return np.array(list(map(int, values)), dtype=object).astype(np.int64) if _fits(values) else numbers
    return numbers


def _fits(values: list[Any]) -> bool:
    return all(-(2**63) <= int(value) < 2**63 for value in values)


def _times(values: list[Any], column: Column) -> Any:
    given: Any = pd.Series(values, dtype=object)
    if column.kind == "duration":
        read: Any = pd.to_timedelta(given, errors="coerce")
    else:
        read = pd.to_datetime(given, errors="coerce", format="ISO8601", utc="," in column.dtype)
    for row, (value, time) in enumerate(zip(values, read, strict=True)):
        if value is not None and pd.isna(time):
            what = "date" if column.kind == "date" else "duration"
            raise faulty([Fault(row, column.name, f"is {value[:40]!r}, which is no {what}")])
    try:
        return read.astype(column.dtype)
    except (TypeError, ValueError):
        # A naive column was sent a time zone, or one of another resolution than pandas has.
        return read
