"""Training, validation and hold-out rows.

Hold-out is ``train_test_split(test_size, random_state=seed, stratify=y for classification)``, and
validation the same call on the rest. By group no group is in two parts; by time the newest rows are
the hold-out and those before them the validation. With a test table, that is the hold-out. Not here:
whether the rows allow it (``splittable``).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.tabular import splittable
from mlops_jupyter.training.tabular.catalogue import Split, Task
from mlops_jupyter.training.tabular.wording import counted

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
    """The rows must be ``splittable``."""
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
    order = splittable.moments(_column(plan)).argsort(kind="stable").to_numpy()
    place = np.empty_like(order)
    place[order] = np.arange(len(order))

    def cut(rows: Array) -> tuple[Array, Array]:
        ordered = rows[np.argsort(place[rows])]
        held = math.ceil(len(rows) * plan.test_size)
        return ordered[:-held], ordered[-held:]

    return cut


_CUTS: dict[str, Callable[[Plan], Cut]] = {"random": _random, "group": _by_group, "time": _by_time}


def _groups(plan: Plan) -> Array:
    return pd.factorize(_column(plan))[0]


def _column(plan: Plan) -> pd.Series:
    assert plan.values is not None
    return plan.values


def described(found: Rows, test_rows: int) -> str:
    """``220 training, 55 validation, 69 hold-out rows``."""
    train, validation = counted(len(found.train)), counted(len(found.validation))
    return f"{train} training, {validation} validation, {counted(test_rows)} hold-out rows"
