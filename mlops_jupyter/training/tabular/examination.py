"""Stage 1: read the data, say what is wrong or worth knowing, settle what is to be learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from msgspec.structs import asdict

from mlops_jupyter.core.errors import DataError, error_for
from mlops_jupyter.core.facts import DataDescribed
from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.core.wire import snake_case
from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.run import Run, StageRun
from mlops_jupyter.training.tabular import catalogue, checks, data, findings, metrics
from mlops_jupyter.training.tabular import target as targets
from mlops_jupyter.training.tabular.catalogue import Split, Task
from mlops_jupyter.training.tabular.data import Table
from mlops_jupyter.training.tabular.metrics import Metric
from mlops_jupyter.training.tabular.wording import quoted, rows_at, several


class Examined(NamedTuple):
    """Tables without the rows that have no target, and what is to be learned from them.

    ``classes`` are the labels in sorted order, None for regression."""

    table: Table
    frame: pd.DataFrame
    test: pd.DataFrame | None
    task: Task
    split: Split
    metric: Metric
    classes: Array | None


def examine(run: Run, stage: StageRun, spec: JobSpec, estimator: Any) -> Examined:
    """Raises all problems at once, after telling each as a fatal finding."""
    table = _read(spec.data)
    frame = table.frame
    rows, columns = frame.shape
    run.tell(DataDescribed, rows=rows, columns=columns, sha256=table.sha256, name=table.name)
    stage.detail = f"{several(rows, 'row')} × {several(columns, 'column')}"
    test = _read(spec.test).frame if spec.test is not None else None
    problems = checks.check(
        data.look(frame, checks.needed(spec.target, spec.split)),
        spec,
        estimator=estimator,
        test=None if test is None else data.look(test, [spec.target]),
    )
    for problem in problems:
        run.finding(snake_case(problem.error.removesuffix("Error")), problem.message, "fatal")
    if problems:
        raise error_for(problems)
    if table.separator not in (None, ","):
        run.finding("separator", f"The columns are separated by {table.separator!r}.", "info")
    target = targets.plain(frame[spec.target])
    task = checks.chosen_task(target, spec, estimator)
    if spec.task is None:
        run.finding("task", _why(target, spec.target, task), "info", spec.target)
    frame = _with_target(run, frame, spec.target)
    if test is not None:
        test = _with_target(run, test, spec.target)
    classes = np.unique(labels(frame[spec.target], task)) if task == "classification" else None
    split = catalogue.parse_split(spec.split) or Split("random")
    scorer = catalogue.scorer_name(spec.metric) if spec.metric else None
    metric = metrics.metric(scorer or catalogue.DEFAULT_METRIC[task], classes)
    examined = Examined(table, frame, test, task, split, metric, classes)
    features = frame[features_of(examined, spec)]
    found = findings.findings(features, frame[spec.target], task)
    if test is not None:
        found += findings.other_kinds(features, test)
        found += findings.in_both(frame[[*features.columns, spec.target]], test)
    for finding in found:
        run.finding(**asdict(finding))
    return examined


def features_of(examined: Examined, spec: JobSpec) -> list[str]:
    """Columns to learn from, in the table's order. Rows of other groups than those learned from
    are to be predicted, so the group itself is none of them."""
    without = {spec.target, *spec.drop}
    if examined.split.kind == "group":
        without.add(examined.split.column or "")
    return [str(name) for name in examined.frame.columns if name not in without]


def labels(target: pd.Series, task: Task) -> Array:
    """The target as scikit-learn takes it: numbers, or labels that can be sorted."""
    target = targets.plain(target)
    if task == "regression":
        return target.to_numpy(dtype=float)
    if pd.api.types.is_bool_dtype(target):
        return target.to_numpy(dtype=bool)
    if pd.api.types.is_numeric_dtype(target):
        return target.to_numpy(dtype=np.int64)
    values = target.to_numpy(dtype=object)
    if len({type(value) for value in values}) > 1:
        return target.astype(str).to_numpy(dtype=object)
    return values


def _read(source: Source) -> Table:
    table = data.read(Path(source.path or ""), source.name)
    if source.sha256 not in (None, table.sha256):
        raise DataError(f"{table.name} is not what was registered: its file was changed.")
    return table


def _with_target(run: Run, frame: pd.DataFrame, target: str) -> pd.DataFrame:
    gaps = frame[target].isna().to_numpy()
    if gaps.any():
        message = f'{several(int(gaps.sum()), "row")} without "{target}" left out ({rows_at(gaps)}).'
        run.finding("target_missing", message, "info", target)
    return frame[~gaps].reset_index(drop=True)


def _why(target: pd.Series, name: str, task: Task) -> str:
    distinct = target.dropna().unique()
    if task == "classification":
        return (
            f'"{name}" has {several(len(distinct), "class", "classes")} ({quoted(list(distinct))}): '
            'classification. If it is a number to predict: task="regression".'
        )
    return (
        f'"{name}" holds numbers ({several(len(distinct), "distinct value")}): regression. '
        'If they are classes: task="classification".'
    )
