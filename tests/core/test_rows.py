"""Rows are checked against the columns a model was trained on, and errors name the field."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from mlops_jupyter.core import rows
from mlops_jupyter.core.errors import FaultyRows, InputError
from mlops_jupyter.core.rows import Column, Reader, checked, parsed

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


#: Names that the quick way cannot read, and those it might take for its own.
ODD = [Column(name, "category") for name in ('say "hi"', "back\\slash", "line\nbreak", "v1", "rows", "", "é")]


def told(ask: Callable[[], dict[str, list[Any]]]) -> Any:
    """What comes of a body; values with their types."""
    try:
        return [(name, [(type(value), value) for value in values]) for name, values in ask().items()]
    except InputError as error:
        return type(error), error.message, error.hint, error.code, getattr(error, "faults", None)


@pytest.mark.parametrize(
    ("columns", "body"),
    [
        (KINDS, {"rows": [ROW, {**ROW, "age": 41.5, "level": 2**70, "maybe": None}]}),
        (KINDS, {"rows": [dict(reversed(ROW.items()))] * 3}),
        (KINDS, {"rows": [ROW] * 4}),
        (KINDS, {"rows": []}),
        (KINDS, {"rows": None}),
        (KINDS, {"row": ROW}),
        (KINDS, {"rows": [ROW], "row": ROW}),
        (KINDS, {"rows": [ROW], "row": None}),
        (KINDS, {"rows": [ROW], "other": 1}),
        (KINDS, {"rows": [ROW, {}]}),
        (KINDS, {"rows": [ROW, {**ROW, "agee": 1}]}),
        (KINDS, {"rows": [ROW, 7]}),
        (KINDS, {"rows": {"age": [1]}}),
        (KINDS, {"rows": [{**ROW, "age": "41"}, {**ROW, "town": 7, "member": None}]}),
        (KINDS, {"rows": [{**ROW, "level": {"deep": [1]}}]}),
        (KINDS, [ROW]),
        (ODD, {"rows": [{column.name: 1 for column in ODD}]}),
        (ODD[3:], {"rows": [{column.name: 1 for column in ODD[3:]}]}),
        (ODD[3:], {"rows": [{f"v{number}": 1 for number in range(4)}]}),
    ],
)
def test_rows_of_a_body_are_read_as_they_are_parsed_and_checked(columns: Sequence[Column], body: Any) -> None:
    text = json.dumps(body).encode()
    asked = told(lambda: checked(parsed(text, 3), columns, "m v1"))
    assert told(lambda: Reader(columns, "m v1", 3).read(text)) == asked


def test_rows_with_the_columns_of_the_model_are_read_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the longer way")

    monkeypatch.setattr(rows, "parsed", refuse)
    body = json.dumps({"rows": [ROW, dict(reversed(ROW.items()))]}).encode()
    assert Reader(KINDS, "m v1", 3).read(body) == checked([ROW, ROW], KINDS, "m v1")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'{"rows": [{"age": 1,}]}',
        b'{"rows": [' + b"[" * 100_000,
        b'{"rows": [{"age": "\xff"}]}',
        b'{"rows": [{"age": 1, "age": 2, "level": 1}]}',
        b'{"rows": [{"age": 1, "level": 1}], "rows": [{"age": 3, "level": 1}]}',
        b'{"rows": [{"age": 1e400, "level": 1}]}',
        b'{"rows": [{"age": NaN, "level": 1}]}',
        b'{"r\\u006fws": [{"\\u0061ge": 1, "level": 1}]}',
    ],
)
def test_a_body_that_is_odd_is_read_as_it_is_parsed_and_checked(text: bytes) -> None:
    columns = [column for column in KINDS if column.name in ("age", "level")]
    asked = told(lambda: checked(parsed(text, 3), columns, "m v1"))
    assert told(lambda: Reader(columns, "m v1", 3).read(text)) == asked
