"""What a person wants to see of a table before training on it: each column's kind, gaps and distribution,
what is suspicious first, and the column that is probably to be predicted.

Not skrub's report, which draws pictures and takes seconds: this is data, for a page to show. Not here: what
a job finds once the target is known (``findings``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from mlops_jupyter.core import wire
from mlops_jupyter.core.datasets import ColumnProfile, Histogram, Kind, Preview, SuggestedTarget, Top
from mlops_jupyter.core.jobs import Finding
from mlops_jupyter.training.tabular import target as targets
from mlops_jupyter.training.tabular.findings import FEWEST_IDS, MANY_MISSING
from mlops_jupyter.training.tabular.target import FEW_VALUES, FEWEST_ROWS
from mlops_jupyter.training.tabular.wording import percents, quoted, several

#: Columns that are looked at, rows and columns of them that are shown, characters of a cell.
COLUMNS, ROWS, SHOWN, LETTERS = 1000, 20, 50, 200
BINS, TOP = 10, 3
#: What columns to be predicted are called, the likeliest first.
_TARGETS = ("target", "label", "class", "y", "outcome", "churn", "survived", "species", "diagnosis", "price")
_ORDER = {"fatal": 0, "warning": 1, "info": 2}


def profile(frame: pd.DataFrame, rows: int) -> Preview:
    """``frame`` has the first of the table's ``rows``, or all of them."""
    looked = [_column(frame.iloc[:, position]) for position in range(min(frame.shape[1], COLUMNS))]
    problems = [*_of_table(frame, rows), *(finding for _, found in looked for finding in found)]
    shown = frame.iloc[:ROWS, :SHOWN]
    return Preview(
        columns=tuple(column for column, _ in looked),
        rows=tuple(tuple(_cell(value) for value in row) for row in shown.itertuples(index=False, name=None)),
        problems=tuple(sorted(problems, key=lambda finding: _ORDER[finding.severity])),
        suggested_target=_suggested(frame, {finding.column for finding in problems}),
        profiled_rows=len(frame),
    )


def _of_table(frame: pd.DataFrame, rows: int) -> Iterator[Finding]:
    if rows < FEWEST_ROWS:
        message = f"{several(rows, 'row')}: training, validation and hold-out need {FEWEST_ROWS} or more."
        yield Finding("too_few_rows", message, "fatal")
    if frame.shape[1] > COLUMNS:
        yield Finding("many_columns", f"Only the first {COLUMNS} columns were looked at.", "info")
    if len(frame) < rows:
        yield Finding("many_rows", f"Columns are described by {several(len(frame), 'row')}.", "info")


def _column(held: pd.Series) -> tuple[ColumnProfile, list[Finding]]:
    name, known = str(held.name), held.dropna()
    plain = known.map(_hashable) if types.is_object_dtype(known) else known
    distinct = int(plain.nunique())
    kind = _kind(held, plain, distinct)
    found = list(_findings(name, held, plain, distinct, kind))
    numbers = kind in ("number", "date")
    column = ColumnProfile(
        name=name,
        kind=kind,
        dtype=str(held.dtype),
        missing=int(held.isna().sum()),
        distinct=distinct,
        histogram=_histogram(plain) if numbers else None,
        top=None if numbers and distinct > FEW_VALUES else _top(plain, distinct),
        warnings=tuple(finding.message for finding in found),
    )
    return column, found


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) else str(value)


def _kind(held: pd.Series, known: pd.Series, distinct: int) -> Kind:
    if not len(known):
        return "empty"
    if types.is_bool_dtype(known) or set(map(type, known.head(1000))) == {bool}:
        return "boolean"
    if types.is_datetime64_any_dtype(held):
        return "date"
    if types.is_numeric_dtype(held):
        return "number"
    return "category" if distinct <= max(FEW_VALUES, len(known) // 20) else "text"


def _findings(name: str, held: pd.Series, known: pd.Series, distinct: int, kind: Kind) -> Iterator[Finding]:
    if distinct <= 1:
        what = f"always {quoted([known.iloc[0]])}" if distinct else "empty"
        yield Finding("constant_column", f'"{name}" is {what} and tells nothing.', "warning", name)
        return
    share = float(held.isna().mean())
    if share > MANY_MISSING:
        message = f'"{name}" is missing in {percents(share)} % of the rows.'
        yield Finding("mostly_missing", message, "warning", name)
    text = not types.is_numeric_dtype(known) and kind in ("text", "category")
    if text and (told := _numbers_as_text(name, known)) is not None:
        yield Finding("numbers_as_text", told, "warning", name)
    elif len(known) == len(held) == distinct and len(held) > FEWEST_IDS and (text or _counts(known)):
        yield Finding("id_like_column", f'"{name}" is different in every row, like an id.', "info", name)


def _numbers_as_text(name: str, known: pd.Series) -> str | None:
    words = known.astype(str)
    odd = words[pd.to_numeric(words, errors="coerce").isna()]
    if not 0 < len(odd) < len(words) / 10:
        return None
    blank = int((odd.str.strip() == "").sum())
    if blank == len(odd):
        return f'"{name}": {several(blank, "blank")} read as text; the other values are numbers.'
    none = several(len(odd), "value is no number", "values are no numbers")
    return f'"{name}" is read as text: {none} ({quoted(list(odd.unique()))}).'


def _counts(known: pd.Series) -> bool:
    """Whole numbers one after the other, in whatever order."""
    return types.is_integer_dtype(known) and int(known.max()) - int(known.min()) == len(known) - 1


def _histogram(known: pd.Series) -> Histogram | None:
    if types.is_datetime64_any_dtype(known):
        # By seconds since 1970.
        known = (pd.to_datetime(known, utc=True) - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    values = known.to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    try:
        counts, edges = np.histogram(values, bins=BINS)
    except ValueError:
        # Too near to each other, or too far apart, for ten bins of numbers.
        return None
    return Histogram(edges=tuple(map(float, edges)), counts=tuple(map(int, counts)))


def _top(known: pd.Series, distinct: int) -> tuple[Top, ...]:
    """The most frequent; all of them where a target could have them as classes."""
    counts = known.value_counts().head(distinct if distinct <= FEW_VALUES else TOP)
    return tuple(Top(value=_cell(value), count=int(count)) for value, count in counts.items())


def _cell(value: Any) -> str | int | float | bool | None:
    """As it goes into JSON: text, a number, nothing; what is infinite, which JSON cannot say, as text."""
    if isinstance(value, float | np.floating) and np.isinf(value):
        return str(float(value))
    if isinstance(value, float | int | bool | str | np.generic) or value is None or value is pd.NA:
        plain = None if value is pd.NA else wire.plain(value)
    else:
        plain = wire.plain(value) if not isinstance(value, list | dict | tuple | set) else str(value)
    if isinstance(plain, str) and len(plain) > LETTERS:
        return plain[:LETTERS] + "…"
    return plain if isinstance(plain, str | int | float | bool) or plain is None else str(plain)


def _suggested(frame: pd.DataFrame, suspicious: set[str | None]) -> SuggestedTarget | None:
    names = [str(name) for name in frame.columns]
    called = {name.casefold().strip(): name for name in reversed(names)}
    for word in _TARGETS:
        if (name := called.get(word)) is not None and _learnable(frame, name):
            return _suggestion(frame, name, "It is called so")
    last = names[-1]
    if last not in suspicious and _learnable(frame, last):
        return _suggestion(frame, last, "It is the last column")
    return None


def _suggestion(frame: pd.DataFrame, name: str, why: str) -> SuggestedTarget:
    reason = f"{why}; {_task(frame, name)}."
    return SuggestedTarget(name=name, reason=reason)


def _known(frame: pd.DataFrame, name: str) -> pd.Series:
    names = [str(column) for column in frame.columns]
    return targets.plain(frame.iloc[:, names.index(name)]).dropna()


def _learnable(frame: pd.DataFrame, name: str) -> bool:
    known = _known(frame, name)
    try:
        return len(known) > 0 and not targets.unlearnable(known, name, targets.natural_task(known))
    except (TypeError, ValueError):
        # Lists and dicts in cells.
        return False


def _task(frame: pd.DataFrame, name: str) -> str:
    known = _known(frame, name)
    if targets.natural_task(known) == "regression":
        return "numbers, so a regression"
    return f"{several(int(known.nunique()), 'class', 'classes')}"
