"""Rows are checked against the columns a model was trained on, and errors name the field."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_jupyter.core.errors import FaultyRows
from mlops_jupyter.core.rows import Column, checked

PIXELS = [Column(f"pixel_{i}", "number", "float64", missing=False) for i in range(64)]
KINDS = [
    Column("age", "number", "float64"),
    Column("member", "boolean", "bool", missing=False),
    Column("town", "text", "str"),
    Column("since", "date", "datetime64[ns]"),
    Column("level", "category", "category"),
    Column("maybe", "text", "object"),
]
ROW: dict[str, Any] = {
    "age": 41,
    "member": True,
    "town": "Ulm",
    "since": "2026-03-01",
    "level": 3,
    "maybe": False,
}


def test_a_misspelt_column_is_named_with_the_one_that_is_missing() -> None:
    row = {column.name: 0.5 for column in PIXELS if column.name != "pixel_63"} | {"px63": 0.5}
    with pytest.raises(FaultyRows) as raised:
        checked([row], PIXELS, "digits-mlp v4")
    message = 'digits-mlp v4 needs 64 columns; missing "pixel_63", unexpected "px63".'
    assert raised.value.message == message
    assert [(fault.row, fault.column) for fault in raised.value.faults] == [(0, "pixel_63"), (0, "px63")]


def test_what_fits_comes_back_by_column_in_the_order_of_training() -> None:
    shuffled = dict(reversed(ROW.items()))
    nothing = {**ROW, "age": None, "town": None, "since": None, "level": None, "maybe": None}
    values = checked([shuffled, nothing], KINDS, "m v1")
    assert list(values.items()) == [
        ("age", [41, None]),
        ("member", [True, True]),
        ("town", ["Ulm", None]),
        ("since", ["2026-03-01", None]),
        ("level", [3, None]),
        ("maybe", [False, None]),
    ]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("age", "41", 'is "41"; it needs a number'),
        ("age", False, "is false; it needs a number"),
        ("age", {"a": 1}, "is an object; it needs a number"),
        ("age", 10**309, "is too large for a number"),
        ("age", "9" * 400, None),
        ("age", str(2**53), None),
        ("member", 1, "is 1; it needs true or false"),
        ("member", None, "is null, and no training row had it missing"),
        ("town", 7, "is 7; it needs a text"),
        ("since", 20260301, 'is 20260301; it needs a text such as "2026-03-01"'),
        ("level", [], "is a list; it needs a single value"),
        ("maybe", 1.5, "is 1.5; it needs a text"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_column_and_row(
    column: str, value: Any, message: str | None
) -> None:
    with pytest.raises(FaultyRows) as raised:
        checked([ROW, {**ROW, column: value}], KINDS, "m v1")
    (fault,) = raised.value.faults
    assert (fault.row, fault.column) == (1, column)
    assert message is None or fault.message == message


def test_a_whole_number_beyond_what_json_holds_may_come_as_text() -> None:
    asked = [{**ROW, "age": str(2**53 + 1)}, {**ROW, "age": "-" + str(2**60)}]
    assert checked(asked, KINDS, "m v1")["age"] == [str(2**53 + 1), "-" + str(2**60)]
