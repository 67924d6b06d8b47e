"""Everything that can stand against a submission: its table, target, split and options.

Pure: the client runs it in the kernel before a job is queued, stage 1 again in the worker.
Not here: what is worth knowing but stops nobody (``findings``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from mlops_jupyter.core.errors import Problem, did_you_mean
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.training.tabular import catalogue, options, splittable
from mlops_jupyter.training.tabular import target as targets
from mlops_jupyter.training.tabular.catalogue import Split, Task
from mlops_jupyter.training.tabular.data import Glance
from mlops_jupyter.training.tabular.wording import counted, quoted

_TASK_OF: dict[str, Task] = {"classifier": "classification", "regressor": "regression"}


def needed(target: str | None, split: str) -> list[str]:
    """Columns whose values the checks look at."""
    by = catalogue.parse_split(split)
    return [name for name in (target, None if by is None else by.column) if name is not None]


def check(
    table: Glance, spec: JobSpec, *, estimator: object | None = None, test: Glance | None = None
) -> list[Problem]:
    """All problems at once, in the order a person would mend them; empty when training can begin.

    Parameters
    ----------
    table
        With the values of the columns ``needed``, as far as it has them.
    estimator
        The estimator or Pipeline object, when one was given instead of ``spec.model``.
    test
        The user's own test table, with the values of the target.
    """
    names = list(table.columns)
    target = None if spec.target in table.unlearnable else _values(table, spec.target)
    found = [*_columns(names, spec), *_features(table, spec)]
    if test is not None:
        found += _test_columns(names, list(test.columns), spec)
    task = chosen_task(target, spec, estimator)
    classes: int | None = None
    if target is not None:
        found += _target(target, table, spec, task)
        held = None if test is None or spec.target in test.unlearnable else _values(test, spec.target)
        if held is not None:
            found += _test_target(target, held, spec)
        classes = int(target.nunique()) if task == "classification" else None
    return found + options.problems(spec, task, classes, estimator)


def chosen_task(target: pd.Series | None, spec: JobSpec, estimator: object | None = None) -> Task:
    """What was asked for; else what the model can only be; else what the target looks like."""
    if spec.task is not None:
        return spec.task
    own = _own_task(estimator, spec.model)
    if own is not None and not (target is not None and own == "classification" and _continuous(target)):
        return own
    return targets.natural_task(target) if target is not None else "classification"


def _own_task(estimator: object | None, model: str | None) -> Task | None:
    if estimator is not None:
        return _TASK_OF.get(options.estimator_kind(estimator) or "")
    offer = catalogue.MODELS.get(model or "")
    if offer is None or (offer.classification and offer.regression):
        return None
    return "classification" if offer.classification else "regression"


def _continuous(target: pd.Series) -> bool:
    return targets.numeric(target) and targets.fractional(target)


def _target(target: pd.Series, table: Glance, spec: JobSpec, task: Task) -> list[Problem]:
    found = targets.missing(target, spec.target) if spec.target_na == "error" else []
    kept = target.notna()
    hopeless = targets.unlearnable(target[kept], spec.target, task)
    split = catalogue.parse_split(spec.split) or Split("random")
    by = None
    if split.column is not None:
        known = split.column != spec.target and split.column not in table.unlearnable
        by = _values(table, split.column) if known else None
        if by is None:
            return found + hopeless
        by = by[kept]
        hopeless += splittable.by_column(by, split, spec)
    return found + (hopeless or splittable.of_rows(target[kept], by, split, spec, task))


def _values(table: Glance, name: str) -> pd.Series | None:
    """Of a column, its rows numbered from 0."""
    values = table.values.get(name)
    return None if values is None else targets.plain(values).reset_index(drop=True)


def _features(table: Glance, spec: JobSpec) -> Iterable[Problem]:
    """Columns of structures where values are needed; and a table where every column is empty."""
    split = catalogue.parse_split(spec.split)
    group = split.column if split is not None and split.kind == "group" else None
    for name, what in table.unlearnable.items():
        if name not in spec.drop:
            yield _structures(name, what, spec, group)
    left = [name for name in table.columns if name not in (spec.target, group, *spec.drop)]
    if left and all(name in table.empty for name in left):
        yield Problem(error="DataError", message="Every column to learn from is empty.")


def _structures(name: str, what: str, spec: JobSpec, group: str | None) -> Problem:
    means: dict[str | None, str] = {spec.target: "are neither classes nor numbers", group: "name no groups"}
    message = f'"{name}" holds {what}, which {means.get(name, "cannot be learned from")}.'
    hint: str | None = None
    code: str | None = None
    if what == "bytes":
        hint, code = "Make it text:", f'df["{name}"] = df["{name}"].str.decode("utf-8")'
    elif name not in means:
        hint, code = "Leave it out, or make columns of what is in it:", f"mlops.train(…, drop=[{name!r}])"
    return Problem(error="DataError", message=message, hint=hint, code=code)


def _columns(names: list[str], spec: JobSpec) -> Iterable[Problem]:
    table = _table(spec)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield Problem(
            error="DataError",
            message=f"{table} has several columns named {quoted(list(twice))}.",
            hint="Give each its own name:",
            code="df = df.loc[:, ~df.columns.duplicated()]",
        )
    if not names:
        yield Problem(error="DataError", message=f"{table} has no columns.")
        return
    split = catalogue.parse_split(spec.split)
    wanted = [spec.target, *spec.drop]
    if split is not None and split.column is not None:
        wanted.append(split.column)
    for name in dict.fromkeys(wanted):
        if name not in names:
            yield _unknown(name, names, table)
    if spec.target in spec.drop:
        yield options.problem(
            f'"{spec.target}" is the target and cannot be dropped.', "Take it out of drop=[…]."
        )
    if split is not None and split.column == spec.target:
        yield options.problem(
            f'split="{spec.split}" uses the target itself.', "Choose a column known before the outcome is."
        )
    left = set(names) - {spec.target, *spec.drop}
    if split is not None and split.kind == "group":
        left -= {split.column or ""}
    if not left and spec.target in names:
        yield Problem(
            error="DataError", message=f'{table} has no column left to predict "{spec.target}" from.'
        )


def _test_columns(names: list[str], test: list[str], spec: JobSpec) -> list[Problem]:
    missing = [name for name in names if name not in test and name not in spec.drop]
    if not missing:
        return []
    table = (spec.test.name if spec.test else None) or "the test table"
    return [
        Problem(
            error="ColumnNotFoundError",
            message=f"{table} lacks {quoted(list(missing))}, which the training table has.",
            hint="It needs the training table's columns, the target included; or leave them out of both:",
            code=f"mlops.train(..., drop={missing!r})" if spec.target not in missing else None,
        )
    ]


def _test_target(target: pd.Series, test: pd.Series, spec: JobSpec) -> list[Problem]:
    """What would come out only when the hold-out is predicted: after all the fits."""
    table = (spec.test.name if spec.test else None) or "the test table"
    if test.dropna().empty:
        what = "no rows" if test.empty else f'no value of "{spec.target}" in any row'
        return [Problem(error="DataError", message=f"{table} has {what}: nothing can be measured on it.")]
    if targets.numeric(target.dropna()) != targets.numeric(test.dropna()):
        kinds = ("numbers", "words") if targets.numeric(target) else ("words", "numbers")
        message = f'"{spec.target}" holds {kinds[0]} in the training table and {kinds[1]} in {table}.'
        return [Problem(error="TargetError", message=message, hint="Write it alike in both.")]
    if infinite := targets.infinite(test.dropna(), spec.target, f" in {table}"):
        return infinite
    return []


def _unknown(name: str, names: list[str], table: str) -> Problem:
    listed = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    return Problem(
        error="ColumnNotFoundError",
        message=f'no column "{name}" in {table} ({counted(len(names))} columns).',
        hint=did_you_mean(name, names),
        code=f"Columns: {listed}",
    )


def _table(spec: JobSpec) -> str:
    if spec.data.name:
        return spec.data.name
    return Path(spec.data.path).name if spec.data.path else "the table"
