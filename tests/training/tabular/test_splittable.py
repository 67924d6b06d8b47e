"""Rows that cannot be split as it is asked are told with the reason; those that can be, are split."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.training.tabular import checks, data, splits
from mlops_jupyter.training.tabular.catalogue import parse_split
from mlops_jupyter.training.tabular.splits import Plan

ROWS = 90
NUMBERS = np.linspace(0, 1, ROWS)


def told(by: Any, split: str, target: Any = NUMBERS, **options: Any) -> list[str]:
    table = pd.DataFrame({"y": target, "age": np.arange(len(target)), "by": by})
    spec = JobSpec(data=Source(path="/t.csv"), target="y", split=split, **options)
    return [problem.message for problem in checks.check(data.look(table, ["y", "by"]), spec)]


def moments(kind: str) -> pd.Series:
    days = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS)[::-1], unit="D"))
    return {
        "numbers": pd.Series(np.arange(ROWS)[::-1]),
        "nullable": pd.Series(np.arange(ROWS)[::-1], dtype="Int64"),
        "decimals": pd.Series([Decimal(n) / 7 for n in range(ROWS)][::-1]),
        "text": days.dt.strftime("%d %B %Y"),
        "categories": days.dt.strftime("%Y-%m-%d").astype("category"),
        "dates": days,
        "with a zone": days.dt.tz_localize("Europe/Oslo"),
        "days": days.dt.date,
        "periods": days.dt.to_period("D"),
        "spans": days - days.min(),
    }[kind]


KINDS = [
    *("numbers", "nullable", "decimals", "text", "categories"),
    *("dates", "with a zone", "days", "periods", "spans"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_has_an_order_of_time_splits_rows(kind: str) -> None:
    values = moments(kind)
    assert told(values, "time:by") == []
    by_time = parse_split("time:by")
    assert by_time is not None
    parts = splits.parts(Plan(by_time, "regression", NUMBERS, values, 0.2, 0), own_test=False)
    assert parts.test is not None
    assert [*parts.train, *parts.validation, *parts.test] == list(range(ROWS))[::-1]


@pytest.mark.parametrize(
    ("split", "by", "messages"),
    [
        pytest.param(
            "group:by",
            ["x", "y"] * 45,
            ['"by" has 2 groups ("x", "y"); training, validation and hold-out need three.'],
            id="groups",
        ),
        pytest.param(
            "group:by",
            [None, *["x", "y"] * 44, "x"],
            [
                '"by" has 1 missing value (row 0); each row needs one for split="group:by".',
                '"by" has 2 groups ("x", "y"); training, validation and hold-out need three.',
            ],
            id="missing",
        ),
        pytest.param(
            "time:by",
            [None, *["2024-01-01"] * 87, "soon", "later"],
            [
                '"by" has 1 missing value (row 0); each row needs one for split="time:by".',
                '"by" has 2 values that are no dates ("soon", "later", rows 88, 89).',
            ],
            id="no dates",
        ),
        pytest.param(
            "time:by",
            ["2024-01-01"] * ROWS,
            ['"by" is "2024-01-01" in every row: none is newer than another.'],
            id="one moment",
        ),
        pytest.param(
            "group:by",
            [["x"], ["y"], ["z"]] * 30,
            ['"by" holds lists, which name no groups.'],
            id="lists",
        ),
    ],
)
def test_a_column_that_cannot_split_says_why(split: str, by: Any, messages: list[str]) -> None:
    assert told(by, split) == messages


def test_a_test_table_spares_a_group() -> None:
    test = Source(path="/more.csv")
    assert told(["x", "y"] * 45, "group:by", test=test) == []
    assert told(["x"] * ROWS, "group:by", test=test) == [
        '"by" has 1 group ("x"); training and validation need two.'
    ]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("random", "12 rows cannot be split with test_size=0.95: a part would be empty."),
        ("time:by", "12 rows cannot be split with test_size=0.95: a part would be empty."),
        ("group:by", "12 groups cannot be split with test_size=0.95: a part would be empty."),
    ],
)
def test_no_part_is_empty(split: str, message: str) -> None:
    assert told(np.arange(12), split, np.linspace(0, 1, 12), test_size=0.95) == [message]
    asked = parse_split(split)
    assert asked is not None
    for rows in range(10, 16):
        target, by = np.linspace(0, 1, rows), pd.Series(np.arange(rows))
        for test_size in (0.05, 0.5, 0.6, 0.7, 0.75, 0.9):
            plan = Plan(asked, "regression", target, by, test_size, 0)
            try:
                parts = splits.parts(plan, own_test=False)
            except ValueError:
                possible = False
            else:
                possible = all(part is not None and len(part) for part in parts)
            assert (told(by, split, target, test_size=test_size) == []) is possible, (rows, test_size)


def test_a_split_by_column_may_leave_one_class_to_learn() -> None:
    target = ["a"] * 75 + ["b"] * 15
    refused = ['All training rows of this split have the same class ("a").']
    assert told(np.arange(ROWS), "time:by", target) == refused
    assert told(np.arange(ROWS)[::-1], "time:by", target) == []
    groups = pd.Series(["w"] * 25 + ["x"] * 25 + ["y"] * 25 + ["z"] * 15)
    by_group = parse_split("group:by")
    assert by_group is not None
    outcomes = []
    for seed in range(12):
        plan = Plan(by_group, "classification", np.array(target, dtype=object), groups, 0.2, seed)
        learned = set(groups[splits.parts(plan, own_test=False).train])
        outcomes.append("z" in learned)
        assert told(groups, "group:by", target, seed=seed) == ([] if "z" in learned else refused)
    assert set(outcomes) == {True, False}


def test_rows_without_a_target_do_not_count() -> None:
    """They are left out before the split."""
    target = pd.Series(NUMBERS)
    by = pd.Series(["x", "y", "z"] * 30)
    target[by == "z"] = None
    assert told(by, "group:by", target, target_na="drop") == [
        '"by" has 2 groups ("x", "y"); training, validation and hold-out need three.'
    ]
    by[by == "z"] = None
    assert told(by.fillna("w").where(target.notna()), "group:by", target, target_na="drop") == [
        '"by" has 2 groups ("x", "y"); training, validation and hold-out need three.'
    ]


def test_what_is_wrong_with_the_target_and_with_the_split_is_told_at_once() -> None:
    assert told(["soon"] * ROWS, "time:by", [1.5] * ROWS, task="regression") == [
        '"y" is 1.5 in all 90 rows; there is nothing to learn.',
        '"by" has 90 values that are no dates ("soon", rows 0, 1, 2, +87).',
    ]
