"""Whether rows can be split as it is asked: enough of them for every part, and a column that tells groups
or moments apart.

Pure, and without scikit-learn but for the classes of a split by column: kernels ask before a job is queued.
Not here: the split itself (``splits``).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from pandas.api import types

from mlops_jupyter.core.errors import Problem
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.training.tabular.catalogue import Split, Task
from mlops_jupyter.training.tabular.target import plain
from mlops_jupyter.training.tabular.wording import counted, quoted, rows_at, several


def by_column(values: pd.Series, split: Split, spec: JobSpec) -> list[Problem]:
    """Why the column cannot tell groups or moments apart; ``values`` are those of the rows with a target."""
    known = values.dropna()
    if split.kind == "time":
        return [*_gaps(values, split), *_moments(known, split)]
    return [*_gaps(values, split), *_groups(known, split, spec)]


def of_rows(
    target: pd.Series, values: pd.Series | None, split: Split, spec: JobSpec, task: Task
) -> list[Problem]:
    """Why the rows cannot be cut into parts.

    Parameters
    ----------
    target
        Of shape (n,), without missing values: such rows are left out before.
    values
        Of shape (n,), the same rows of the split's column, in order ``by_column``; None for ``random``.
    """
    if values is None and task == "classification":
        return _stratified(target.value_counts(), spec)
    found = [] if split.kind == "group" else _too_few(len(target), "row", spec)
    if found or values is None or task == "regression":
        return found
    return _classes(target, values, split, spec)


def moments(values: pd.Series) -> pd.Series:
    """``values``, none of them missing, as what can be put in the order of time; NaT for what cannot."""
    values = plain(values)
    if isinstance(values.dtype, pd.PeriodDtype):
        return values.dt.start_time
    if types.is_numeric_dtype(values) or types.is_timedelta64_dtype(values):
        return values
    if types.is_datetime64_any_dtype(values):
        return values
    return pd.to_datetime(values.astype(str), errors="coerce", format="mixed", utc=True)


def _share(spec: JobSpec) -> float:
    """A share that is none is a problem of its own."""
    return spec.test_size if 0 < spec.test_size < 1 else 0.2


def _cuts(spec: JobSpec) -> int:
    return 2 if spec.test is None else 1


def _stratified(counts: pd.Series, spec: JobSpec) -> list[Problem]:
    """Hold-out and validation keep the classes' proportions: each class needs rows for every part."""
    name, counts = spec.target, counts[counts > 0]
    smallest = 2 if _cuts(spec) == 1 else math.ceil(2 / (1 - _share(spec)))
    rare = counts[counts < smallest]
    if len(rare):
        shown = ", ".join(f'"{label}" ({count})' for label, count in rare.head(3).items())
        more = f", +{counted(len(rare) - 3)}" if len(rare) > 3 else ""
        have = "class has" if len(rare) == 1 else "classes have"
        return [
            _problem(
                f'{counted(len(rare))} {have} too few rows of "{name}" to split: {shown}{more}; '
                f"each class needs {smallest}.",
                "Drop or merge rare classes:",
                f'df = df[df.groupby("{name}")["{name}"].transform("size") >= {smallest}]',
                error="TargetError",
            )
        ]
    rows = int(counts.sum())
    if _smallest_part(rows, spec) >= len(counts):
        return []
    return [
        _problem(
            f'{counted(rows)} rows are too few for the {counted(len(counts))} classes of "{name}": '
            f"with test_size={_share(spec):g} not every part can hold each class.",
            "Merge classes, or choose another test_size.",
            error="TargetError",
        )
    ]


def _smallest_part(number: int, spec: JobSpec) -> int:
    """Of ``number`` rows or groups, as scikit-learn counts them."""
    parts = []
    for _ in range(_cuts(spec)):
        parts.append(math.ceil(number * _share(spec)))
        number -= parts[-1]
    return min(*parts, number)


def _too_few(number: int, what: str, spec: JobSpec) -> list[Problem]:
    if _smallest_part(number, spec) >= 1:
        return []
    message = (
        f"{several(number, what)} cannot be split with test_size={_share(spec):g}: a part would be empty."
    )
    return [_problem(message, "Choose another test_size, e.g. test_size=0.2.")]


def _gaps(values: pd.Series, split: Split) -> list[Problem]:
    gaps = values.isna().to_numpy()
    if not gaps.any():
        return []
    return [
        _problem(
            f'"{split.column}" has {several(int(gaps.sum()), "missing value")} ({rows_at(gaps)}); '
            f'each row needs one for split="{split.kind}:{split.column}".',
            "Drop these rows:",
            f'df = df.dropna(subset=["{split.column}"])',
        )
    ]


def _groups(known: pd.Series, split: Split, spec: JobSpec) -> list[Problem]:
    groups = known.unique()
    if len(groups) > _cuts(spec):
        return _too_few(len(groups), "group", spec)
    parts = "training, validation and hold-out need three"
    if spec.test is not None:
        parts = "training and validation need two"
    return [
        _problem(
            f'"{split.column}" has {several(len(groups), "group")} ({quoted(list(groups))}); {parts}.',
            'split="random" splits row by row.',
        )
    ]


def _moments(known: pd.Series, split: Split) -> list[Problem]:
    found = moments(known)
    unread = found.isna().to_numpy()
    if unread.any():
        examples = quoted(list(known[unread].unique()))
        # Rows of the table, which may have others without a value.
        places = np.zeros(int(known.index.max()) + 1, dtype=bool)
        places[known.index[unread]] = True
        return [
            _problem(
                f'"{split.column}" has {several(int(unread.sum()), "value")} that are no dates '
                f"({examples}, {rows_at(places)}).",
                "Make it a column of dates:",
                f'df["{split.column}"] = pd.to_datetime(df["{split.column}"])',
            )
        ]
    if found.nunique() == 1:
        return [
            _problem(
                f'"{split.column}" is "{known.iloc[0]}" in every row: none is newer than another.',
                'split="random" splits row by row.',
            )
        ]
    return []


def _classes(target: pd.Series, values: pd.Series, split: Split, spec: JobSpec) -> list[Problem]:
    """A split by column does not care for the target: the training rows may all have the same class."""
    # A second of import that other submissions need not pay in the kernel.
    from mlops_jupyter.training.tabular import splits  # noqa: PLC0415

    plan = splits.Plan(split, "classification", target.to_numpy(), values, _share(spec), spec.seed)
    known = target.iloc[splits.parts(plan, own_test=spec.test is not None).train].unique()
    if len(known) > 1:
        return []
    return [
        _problem(
            f'All training rows of this split have the same class ("{known[0]}").',
            'split="random" keeps the proportions of the classes in every part.',
        )
    ]


def _problem(message: str, hint: str, code: str | None = None, error: str = "DataError") -> Problem:
    return Problem(error=error, message=message, hint=hint, code=code)
