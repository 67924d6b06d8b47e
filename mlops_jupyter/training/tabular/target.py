"""The target column: which task it stands for, and why it cannot be learned, if so.

Pure, and without scikit-learn: kernels ask before a job is queued.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
from pandas.api import types

from mlops_jupyter.core.errors import Problem
from mlops_jupyter.training.tabular.catalogue import Task
from mlops_jupyter.training.tabular.wording import counted, quoted, rows_at, several

#: Whole numbers with no more distinct values than this, each seen five times on average, are classes.
FEW_VALUES = 20
FEWEST_ROWS = 10


def plain(target: pd.Series) -> pd.Series:
    """The target as the kind its values are: files keep booleans with gaps, and decimals, as objects."""
    known = target.dropna()
    kinds = {type(value) for value in known} if types.is_object_dtype(target) else set()
    if kinds == {bool}:
        return target.astype("boolean")
    if kinds and kinds <= {int, float, Decimal}:
        return pd.to_numeric(target).astype(float)
    return target


def numeric(target: pd.Series) -> bool:
    return bool(types.is_numeric_dtype(target) and not types.is_bool_dtype(target))


def fractional(target: pd.Series) -> bool:
    """Whether any of the numbers is not a whole one."""
    known = target.dropna().to_numpy(dtype=float)
    known = known[np.isfinite(known)]
    return bool((known != np.floor(known)).any())


def natural_task(target: pd.Series) -> Task:
    """Text, categories, booleans and a few distinct whole numbers are classes; other numbers are not."""
    if not numeric(target):
        return "classification"
    if fractional(target):
        return "regression"
    distinct = target.nunique()
    few = distinct <= 2 or (distinct <= FEW_VALUES and target.count() >= 5 * distinct)
    return "classification" if few else "regression"


def missing(target: pd.Series, name: str) -> list[Problem]:
    """Rows without a target, where they are not to be dropped."""
    gaps = target.isna().to_numpy(dtype=bool)
    if not gaps.any():
        return []
    share = 100 * gaps.mean()
    return [
        _problem(
            f'"{name}" has {several(int(gaps.sum()), "missing value")} ({rows_at(gaps)}).',
            f'mlops.train(..., target_na="drop") drops them ({share:.2g} % of rows).',
        )
    ]


def unlearnable(known: pd.Series, name: str, task: Task) -> list[Problem]:
    """Why no model of this task can learn the target; ``known`` has no missing values."""
    if len(known) < FEWEST_ROWS:
        message = (
            f'{several(len(known), "row has", "rows have")} a value of "{name}"; '
            f"training, validation and hold-out need {FEWEST_ROWS} or more."
        )
        return [Problem(error="DataError", message=message)]
    if types.is_datetime64_any_dtype(known) or types.is_timedelta64_dtype(known):
        part = "year" if types.is_datetime64_any_dtype(known) else "days"
        return [
            _problem(
                f'"{name}" holds dates or times, which are neither classes nor numbers.',
                "Predict a number or a class made from it:",
                f'df["{name}"] = df["{name}"].dt.{part}',
            )
        ]
    if unfit := infinite(known, name):
        return unfit
    return _numbers(known, name) if task == "regression" else _classes(known, name)


def _numbers(known: pd.Series, name: str) -> list[Problem]:
    if not numeric(known) and not types.is_bool_dtype(known):
        if _mostly_numbers(known):
            return [
                _problem(
                    f'"{name}" holds text where regression needs numbers (for instance {_odd(known)}).',
                    "Convert it; what is no number becomes missing:",
                    f'df["{name}"] = pd.to_numeric(df["{name}"], errors="coerce")',
                )
            ]
        return [
            _problem(
                f'"{name}" holds text ({quoted(list(known.unique()))}); regression needs numbers.',
                'Did you mean task="classification"?',
            )
        ]
    values = known.to_numpy(dtype=float)
    if (values == values[0]).all():
        return [
            _problem(
                f'"{name}" is {values[0]:g} in all {counted(len(values))} rows; there is nothing to learn.',
                "Filter too strict?",
            )
        ]
    return []


def infinite(known: pd.Series, name: str, where: str = "") -> list[Problem]:
    """Numbers nothing can be measured against; ``where``: in which table, if not in the training table."""
    endless = (
        ~np.isfinite(known.to_numpy(dtype=float)) if numeric(known) else np.zeros(len(known), dtype=bool)
    )
    if not endless.any():
        return []
    return [
        _problem(
            f'"{name}" has {several(int(endless.sum()), "infinite value")}{where} ({rows_at(endless)}).',
            "Replace them or drop these rows:",
            f'df = df[np.isfinite(df["{name}"])]',
        )
    ]


def _classes(known: pd.Series, name: str) -> list[Problem]:
    distinct = known.nunique()
    if numeric(known) and fractional(known):
        return [
            _problem(
                f'"{name}" holds numbers with decimals ({counted(distinct)} distinct values); '
                "classification needs classes.",
                'Did you mean task="regression"? To predict ranges instead:',
                f'df["{name}"] = pd.qcut(df["{name}"], 4).astype(str)',
            )
        ]
    if distinct == 1:
        return [
            _problem(
                f'"{name}" has one class ("{known.iloc[0]}", {counted(len(known))} rows); '
                "a classifier needs 2 or more.",
                'Filter too strict? For a constant or numeric target use task="regression".',
            )
        ]
    if distinct <= FEW_VALUES or distinct <= len(known) / 2:
        return []
    message = f'"{name}" has {counted(distinct)} different values in {counted(len(known))} rows'
    if numeric(known):
        return [_problem(f"{message}; these are numbers, not classes.", 'Did you mean task="regression"?')]
    if _mostly_numbers(known):
        return [
            _problem(
                f"{message}, most of them numbers kept as text (but for instance {_odd(known)}).",
                "Convert it; what is no number becomes missing:",
                f'df["{name}"] = pd.to_numeric(df["{name}"], errors="coerce")',
            )
        ]
    return [_problem(f"{message}; these are names or ids.", "Choose a column whose values repeat.")]


def _mostly_numbers(known: pd.Series) -> bool:
    return bool(pd.to_numeric(known.astype(str), errors="coerce").notna().mean() >= 0.5)


def _odd(known: pd.Series) -> str:
    """Examples of what is no number."""
    text = known.astype(str)
    odd = text[pd.to_numeric(text, errors="coerce").isna()]
    return quoted(list((odd if len(odd) else text).unique()))


def _problem(message: str, hint: str | None = None, code: str | None = None) -> Problem:
    return Problem(error="TargetError", message=message, hint=hint, code=code)
