"""What is worth knowing about a table before training on it, but stops nobody. Pure.

Not here: what makes training impossible (``checks``, ``target``).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from pandas.api import types

from mlops_jupyter.core.jobs import Finding
from mlops_jupyter.training.tabular.catalogue import Task
from mlops_jupyter.training.tabular.wording import counted, percents, quoted, several

#: Rows looked at where a look at all of them would take longer than it tells.
LOOKED_AT = 20_000
MANY_MISSING = 0.5
#: A class with less than this share of the rows is rarely learned by its accuracy.
RARE_SHARE = 0.05


def findings(features: pd.DataFrame, target: pd.Series, task: Task) -> list[Finding]:
    """``features`` and ``target`` have the same rows; the target has no missing values."""
    found = [*_rows(features, target), *_missing(features)]
    looked = features.head(LOOKED_AT) if len(features) > LOOKED_AT else features
    labels = target.loc[looked.index]
    for name, column in looked.items():
        found += _column(str(name), column, labels, task, len(features))
    if task == "classification":
        found += _balance(target)
    return found


def other_kinds(features: pd.DataFrame, test: pd.DataFrame) -> list[Finding]:
    """Columns of a user's own test table that hold another kind of values than those learned from: what
    cannot be read as the kind that was learned counts as missing there."""
    found = []
    for name, column in features.items():
        learned, held = column.dropna(), test[name].dropna()
        if len(learned) and len(held) and _kind(learned) != _kind(held):
            message = (
                f'"{name}" holds {_kind(learned)} in the training table and {_kind(held)} in the test table: '
                "what cannot be read alike counts as missing there."
            )
            found.append(Finding("other_kind_in_test", message, column=str(name)))
    return found


def in_both(table: pd.DataFrame, test: pd.DataFrame) -> list[Finding]:
    """Rows of a user's own test table that are learned from: no score of theirs is one of rows never seen."""
    try:
        known = pd.util.hash_pandas_object(table, index=False)
        again = int(pd.util.hash_pandas_object(test[table.columns], index=False).isin(known).sum())
    except TypeError:
        # As above: lists and dicts in cells.
        return []
    if not again:
        return []
    message = (
        f"{several(again, 'row')} of the {counted(len(test))} of the test table "
        f"{'is' if again == 1 else 'are'} in the training table, too: scores on them say nothing of new rows."
    )
    return [Finding("test_in_training", message)]


def _kind(known: pd.Series) -> str:
    if types.is_bool_dtype(known):
        return "booleans"
    if types.is_numeric_dtype(known):
        return "numbers"
    return "dates" if types.is_datetime64_any_dtype(known) else "words"


def _rows(features: pd.DataFrame, target: pd.Series) -> Iterable[Finding]:
    try:
        twice = int(features.assign(**{"": target.to_numpy()}).duplicated().sum())
    except TypeError:
        # Lists and dicts in cells cannot be compared.
        return
    if twice:
        yield Finding(
            "duplicate_rows",
            f"{several(twice, 'row is', 'rows are')} a repetition of another: the same row may be learned "
            "from and tested on.",
        )


def _missing(features: pd.DataFrame) -> Iterable[Finding]:
    shares = features.isna().mean()
    gaps = shares[shares > 0]
    if len(gaps):
        yield Finding(
            "missing_values",
            f"{several(len(gaps), 'column has', 'columns have')} missing values "
            f"({percents(shares.mean())} % of all cells).",
            "info",
        )
    for name, share in gaps[gaps > MANY_MISSING].items():
        yield Finding(
            "mostly_missing", f'"{name}" is missing in {percents(share)} % of the rows.', column=str(name)
        )


def _column(name: str, column: pd.Series, target: pd.Series, task: Task, rows: int) -> list[Finding]:
    known = column.dropna()
    if isinstance(known.dtype, np.dtype) and known.dtype == object:
        known = known.astype(str)
    distinct = known.nunique()
    if distinct <= 1:
        what = f'always "{known.iloc[0]}"' if distinct else "empty"
        return [Finding("constant_column", f'"{name}" is {what} and tells nothing.', "info", name)]
    found = [*_unreadable_numbers(name, known)]
    text = not types.is_numeric_dtype(known) and not types.is_datetime64_any_dtype(known)
    if len(known) == len(column) == distinct and rows > FEWEST_IDS and (text or _counts(known)):
        found.append(
            Finding("id_like_column", f'"{name}" is different in every row, like an id.', column=name)
        )
    elif _gives_away(known, target.loc[known.index], task):
        found.append(
            Finding(
                "gives_target_away",
                f'"{name}" alone tells the target exactly: was it known before the outcome? '
                f'If not, leave it out: drop=["{name}"]',
                column=name,
            )
        )
    return found


#: With fewer rows than this, all different is no sign of an id.
FEWEST_IDS = 20


def _counts(known: pd.Series) -> bool:
    """Whole numbers one after the other, in whatever order."""
    if not types.is_integer_dtype(known):
        return False
    return bool(int(known.max()) - int(known.min()) == len(known) - 1)


def _unreadable_numbers(name: str, known: pd.Series) -> Iterable[Finding]:
    if types.is_numeric_dtype(known) or not (types.is_string_dtype(known) or types.is_object_dtype(known)):
        return
    odd = known[pd.to_numeric(known, errors="coerce").isna()]
    if 0 < len(odd) < len(known) / 10:
        yield Finding(
            "numbers_as_text",
            f'"{name}" holds numbers, but {several(len(odd), "value is", "values are")} none '
            f"({quoted(list(odd.unique()))}), so it is read as text. To mend it: "
            f'df["{name}"] = pd.to_numeric(df["{name}"], errors="coerce")',
            column=name,
        )


def _gives_away(known: pd.Series, target: pd.Series, task: Task) -> bool:
    if len(known) < len(target) or len(known) < FEWEST_IDS:
        return False
    if task == "regression":
        return _same_numbers(known, target)
    if types.is_numeric_dtype(known) and not types.is_bool_dtype(known):
        return _thresholds_tell(known, target)
    repeated = known.nunique() <= len(known) / 2
    return bool(repeated and (target.groupby(known, observed=True).nunique() == 1).all())


def _same_numbers(known: pd.Series, target: pd.Series) -> bool:
    if not types.is_numeric_dtype(known):
        return False
    x, y = known.to_numpy(dtype=float), target.to_numpy(dtype=float)
    if not np.isfinite(x).all() or x.std() == 0 or y.std() == 0:
        return False
    return bool(abs(np.corrcoef(x, y)[0, 1]) > 0.9999)


def _thresholds_tell(known: pd.Series, target: pd.Series) -> bool:
    """Sorted by this column, each class is one unbroken run, and no value belongs to two of them."""
    order = np.argsort(known.to_numpy(dtype=float), kind="stable")
    labels = pd.factorize(target)[0][order]
    changes = np.flatnonzero(labels[1:] != labels[:-1])
    if len(changes) != len(np.unique(labels)) - 1:
        return False
    values = known.to_numpy(dtype=float)[order]
    return bool((values[changes] != values[changes + 1]).all())


def _balance(target: pd.Series) -> Iterable[Finding]:
    shares = target.value_counts(normalize=True)
    shares = shares[shares > 0]
    rare = shares[shares < min(RARE_SHARE, 0.5 / len(shares))]
    if len(rare):
        smallest = rare.index[-1]
        yield Finding(
            "class_imbalance",
            f'"{smallest}" is {100 * rare.iloc[-1]:.2g} % of the rows: accuracy may hide it; '
            'metric="balanced_accuracy" counts every class alike.',
        )
