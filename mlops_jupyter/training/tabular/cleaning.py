"""Stage 2: the rows and columns that are learned from, and their split.

Little is cleaned here: what a model needs of cleaning belongs into its pipeline, where new rows get
it, too. Not here: how rows are chosen (``splits``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.run import Run, StageRun
from mlops_jupyter.training.tabular import splits
from mlops_jupyter.training.tabular.examination import Examined, features_of, labels
from mlops_jupyter.training.tabular.splits import Fold, Plan
from mlops_jupyter.training.tabular.wording import quoted, several


class Part(NamedTuple):
    """Rows of one part: features and target."""

    X: pd.DataFrame
    y: Array


class Parts(NamedTuple):
    """The three parts of a job, and the folds of the training rows (none with ``cv=0``)."""

    train: Part
    validation: Part
    test: Part
    folds: list[Fold]


def clean_and_split(run: Run, stage: StageRun, spec: JobSpec, examined: Examined) -> Parts:
    columns = features_of(examined, spec)
    X = _finite(run, examined.frame[columns])
    y = labels(examined.frame[spec.target], examined.task)
    values = examined.frame[examined.split.column] if examined.split.column else None
    plan = Plan(examined.split, examined.task, y, values, spec.test_size, spec.seed)
    rows = splits.parts(plan, own_test=examined.test is not None)
    if rows.test is None:
        assert examined.test is not None
        own = examined.test
        test = Part(_finite(run, own[columns]), labels(own[spec.target], examined.task))
    else:
        test = _part(X, y, rows.test)
    stage.detail = splits.described(rows, len(test.y))
    train, validation = _part(X, y, rows.train), _part(X, y, rows.validation)
    if examined.task == "classification":
        _same_classes(run, train, validation, test)
    return Parts(train, validation, test, _folds(run, spec, plan, rows.train))


def _part(X: pd.DataFrame, y: Array, rows: Array) -> Part:
    return Part(X.iloc[rows], y[rows])


def _finite(run: Run, X: pd.DataFrame) -> pd.DataFrame:
    numbers = X.select_dtypes("number")
    endless = {
        str(name): int(np.isinf(column.to_numpy(dtype=float, na_value=np.nan)).sum())
        for name, column in numbers.items()
    }
    hit = [name for name, count in endless.items() if count]
    if not hit:
        return X
    cells = several(sum(endless.values()), "infinite value")
    run.finding("infinite_values", f"{cells} in {quoted(hit)} read as missing.")
    return X.assign(**{name: X[name].replace([np.inf, -np.inf], np.nan) for name in hit})


def _same_classes(run: Run, train: Part, validation: Part, test: Part) -> None:
    known = set(train.y.tolist())
    strange = sorted({*validation.y.tolist(), *test.y.tolist()} - known, key=str)
    if strange:
        run.finding(
            "unseen_class",
            f"No training row has {several(len(strange), 'class', 'classes')} that other rows have "
            f"({quoted(strange)}); they cannot be predicted.",
        )


def _folds(run: Run, spec: JobSpec, plan: Plan, train: Array) -> list[Fold]:
    if spec.cv == 0:
        return []
    count = splits.most_folds(plan, train, spec.cv)
    if count < spec.cv:
        rarest = {"group": "groups", "time": "rows"}.get(plan.split.kind, "rows of the rarest class")
        message = f"There are too few {rarest} to train on for {spec.cv} folds; "
        message += f"{count} are made." if count else "none are made."
        run.finding("fewer_folds", message)
    return splits.folds(plan, train, count) if count else []
