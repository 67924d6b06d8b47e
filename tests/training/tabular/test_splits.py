"""Rows are split as it is written down, and never learned from where they are tested."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from mlops_jupyter.training.tabular import splits
from mlops_jupyter.training.tabular.catalogue import parse_split
from mlops_jupyter.training.tabular.splits import Plan

ROWS = 90
LABELS = np.array(["a", "b", "c"] * (ROWS // 3), dtype=object)


def plan(split: str = "random", values: Any = None, y: Any = LABELS, test_size: float = 0.2) -> Plan:
    asked = parse_split(split)
    assert asked is not None
    column = None if values is None else pd.Series(values)
    return Plan(asked, "classification" if y.dtype == object else "regression", y, column, test_size, 4)


@pytest.mark.parametrize("y", [LABELS, np.linspace(0, 1, ROWS)], ids=["classification", "regression"])
def test_hold_out_and_validation_are_two_calls_of_train_test_split(y: Any) -> None:
    found = splits.parts(plan(y=y), own_test=False)
    stratify = y if y.dtype == object else None
    rest, test = train_test_split(np.arange(ROWS), test_size=0.2, random_state=4, stratify=stratify)
    stratify = None if stratify is None else y[rest]
    train, validation = train_test_split(rest, test_size=0.2, random_state=4, stratify=stratify)
    assert found.test is not None
    assert [part.tolist() for part in found] == [train.tolist(), validation.tolist(), test.tolist()]


def test_with_a_test_table_all_rows_are_for_training_and_validation() -> None:
    found = splits.parts(plan(), own_test=True)
    assert found.test is None
    assert sorted([*found.train, *found.validation]) == list(range(ROWS))


def test_no_group_is_in_two_parts_or_on_both_sides_of_a_fold() -> None:
    sites = np.arange(ROWS) % 10
    by_site = plan("group:site", sites)
    found = splits.parts(by_site, own_test=False)
    assert found.test is not None
    groups = [set(sites[part]) for part in found if part is not None]
    assert sorted(site for group in groups for site in group) == sorted(set(sites))
    for inside, outside in splits.folds(by_site, found.train, 3):
        assert not set(sites[found.train][inside]) & set(sites[found.train][outside])


@pytest.mark.parametrize(
    "moments",
    [
        np.random.default_rng(0).permutation(ROWS),
        pd.Timestamp("2024-01-01") + pd.to_timedelta(np.random.default_rng(0).permutation(ROWS), unit="h"),
        [f"2024-01-01 {n // 60:02}:{n % 60:02}" for n in np.random.default_rng(0).permutation(ROWS)],
    ],
    ids=["numbers", "dates", "text"],
)
def test_by_time_the_newest_rows_are_the_hold_out_and_those_before_the_validation(moments: Any) -> None:
    by_time = plan("time:when", moments)
    found = splits.parts(by_time, own_test=False)
    order = list(np.argsort(np.asarray(pd.Series(moments)), kind="stable"))
    assert found.test is not None
    assert [*found.train, *found.validation, *found.test] == order
    assert (len(found.validation), len(found.test)) == (15, 18)
    for inside, outside in splits.folds(by_time, found.train, 3):
        assert max(inside) < min(outside)


def test_there_are_no_more_folds_than_rows_of_the_rarest_class() -> None:
    y = np.array(["a"] * 60 + ["b"] * 27 + ["c"] * 3, dtype=object)
    assert splits.most_folds(plan(y=y), np.arange(ROWS), 5) == 3
    assert len(splits.folds(plan(y=y), np.arange(ROWS), 3)) == 3
    alone = np.array(["a"] * 80 + ["b"] * 9 + ["c"], dtype=object)
    assert splits.most_folds(plan(y=alone), np.arange(ROWS), 5) == 2
    assert splits.most_folds(plan(y=np.linspace(0, 1, ROWS)), np.arange(ROWS), 5) == 5
