"""Training, validation and hold-out rows.

Hold-out is ``train_test_split(test_size, random_state=seed, stratify=y for classification)``, and
validation the same call on the rest. By group no group is in two parts; by time the newest rows are
the hold-out and those before them the validation. With a test table, that is the hold-out.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

from mlops_jupyter.core.errors import DataError
from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.tabular.catalogue import Split, Task
from mlops_jupyter.training.tabular.wording import counted, quoted, rows_at, several

Fold = tuple[Array, Array]
#: Row positions -> the same cut in two; which part is which is said where it is called.
Cut = Callable[[Array], tuple[Array, Array]]


class Rows(NamedTuple):
    """Row positions. ``test`` is None where the hold-out is a table of its own."""

    train: Array
    validation: Array
    test: Array | None


class Plan(NamedTuple):
    """How rows are chosen: ``values`` are those of the split's column, one a row."""

    split: Split
    task: Task
    y: Array
    values: pd.Series | None
    test_size: float
    seed: int


def parts(plan: Plan, *, own_test: bool) -> Rows:
    """Raises ``DataError`` where the column of the split does not allow one."""
    rows = np.arange(len(plan.y))
    cut = _CUTS[plan.split.kind](plan)
    rest, test = (rows, None) if own_test else cut(rows)
    train, validation = cut(rest)
    return Rows(train, validation, test)


def folds(plan: Plan, train: Array, count: int) -> list[Fold]:
    """Positions within ``train`` of ``count`` folds, of the same kind as the split."""
    y = plan.y[train]
    if plan.split.kind == "group":
        groups = _groups(plan)[train]
        return _listed(GroupKFold(min(count, len(np.unique(groups)))).split(y, y, groups))
    if plan.split.kind == "time":
        # Rows are in the order of time already.
        return _listed(TimeSeriesSplit(count).split(y))
    if plan.task == "classification":
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            return _listed(StratifiedKFold(count, shuffle=True, random_state=plan.seed).split(y, y))
    return _listed(KFold(count, shuffle=True, random_state=plan.seed).split(y))


def most_folds(plan: Plan, train: Array, asked: int) -> int:
    """No more folds than the rows, groups or rarest class of the training rows allow; 0 when not two."""
    if plan.split.kind == "group":
        most = len(np.unique(_groups(plan)[train]))
    elif plan.split.kind == "time":
        most = len(train) - 1
    elif plan.task == "classification":
        # A class of one row is in one fold's test rows only; that is no reason for no folds at all.
        most = max(2, int(np.unique(plan.y[train], return_counts=True)[1].min()))
    else:
        most = len(train)
    return min(asked, most) if most >= 2 else 0


def _listed(pairs: Any) -> list[Fold]:
    return [(np.asarray(inside), np.asarray(outside)) for inside, outside in pairs]


def _random(plan: Plan) -> Cut:
    def cut(rows: Array) -> tuple[Array, Array]:
        stratify = plan.y[rows] if plan.task == "classification" else None
        rest, held = train_test_split(
            rows, test_size=plan.test_size, random_state=plan.seed, stratify=stratify
        )
        return rest, held

    return cut


def _by_group(plan: Plan) -> Cut:
    groups = _groups(plan)

    def cut(rows: Array) -> tuple[Array, Array]:
        splitter = GroupShuffleSplit(n_splits=1, test_size=plan.test_size, random_state=plan.seed)
        rest, held = next(splitter.split(rows, groups=groups[rows]))
        return rows[rest], rows[held]

    return cut


def _by_time(plan: Plan) -> Cut:
    order = np.argsort(_moments(plan), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))

    def cut(rows: Array) -> tuple[Array, Array]:
        ordered = rows[np.argsort(place[rows])]
        held = math.ceil(len(rows) * plan.test_size)
        return ordered[:-held], ordered[-held:]

    return cut


_CUTS: dict[str, Callable[[Plan], Cut]] = {"random": _random, "group": _by_group, "time": _by_time}


def _groups(plan: Plan) -> Array:
    values = _column(plan)
    codes, names = pd.factorize(values)
    if len(names) < 3:
        raise DataError(
            f'"{plan.split.column}" has {several(len(names), "group")} ({quoted(list(names))}); '
            "training, validation and hold-out need three.",
            'split="random" splits row by row.',
        )
    return codes


def _moments(plan: Plan) -> Array:
    values = _column(plan)
    if types.is_datetime64_any_dtype(values):
        return values.astype("int64").to_numpy()
    if types.is_numeric_dtype(values):
        return values.to_numpy(dtype=float)
    moments = pd.to_datetime(values, errors="coerce", format="mixed", utc=True)
    unread = moments.isna().to_numpy()
    if unread.any():
        examples = quoted(list(values[unread].unique()))
        raise DataError(
            f'"{plan.split.column}" has {several(int(unread.sum()), "value")} that are no dates '
            f"({examples}, {rows_at(unread)}).",
            "Make it a column of dates:",
            f'df["{plan.split.column}"] = pd.to_datetime(df["{plan.split.column}"])',
        )
    return moments.astype("int64").to_numpy()


def _column(plan: Plan) -> pd.Series:
    values = plan.values
    assert values is not None
    gaps = values.isna().to_numpy()
    if gaps.any():
        raise DataError(
            f'"{plan.split.column}" has {several(int(gaps.sum()), "missing value")} ({rows_at(gaps)}); '
            f'each row needs one for split="{plan.split.kind}:{plan.split.column}".',
            "Drop these rows:",
            f'df = df.dropna(subset=["{plan.split.column}"])',
        )
    return values


def described(found: Rows, test_rows: int) -> str:
    """``220 training, 55 validation, 69 hold-out rows``."""
    train, validation = counted(len(found.train)), counted(len(found.validation))
    return f"{train} training, {validation} validation, {counted(test_rows)} hold-out rows"
