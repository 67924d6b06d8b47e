"""Rows to predict, checked against the columns a model was trained on. Pure.

Each message names the column, and the row it was first met in, from 0. Not here: tables made of
them (``serving.tables``), and the model.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from mlops_jupyter.core.errors import Fault, FaultyRows, InputError, closest
from mlops_jupyter.core.wire import EXACT_INTEGER

#: More are counted, not told.
MOST_FAULTS = 20
#: Columns of one kind of fault that are named in its sentence.
NAMED = 5
#: Larger numbers no column of numbers can hold.
_LARGEST = 10**308


class Column(msgspec.Struct, frozen=True):
    """One of ``signature.inputs``; ``missing``: whether training rows had it missing."""

    name: str
    kind: str
    dtype: str = ""
    missing: bool = True


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST …/predict``: several ``rows`` or one ``row``, each an object of column: value."""

    rows: list[dict[str, Any]] | None = None
    row: dict[str, Any] | None = None


class Reader:
    """Reads the rows of requests to one model: what ``checked`` makes of what ``parsed`` finds in a body.

    Rows that have its columns and no others are read without a dict for each: of 10,000 rows this takes
    half the time. All others go the longer way, which knows what is wrong with them."""

    def __init__(self, columns: Sequence[Column], called: str, most: int) -> None:
        self._columns = columns
        self._called = called
        self._most = most
        self._decoder = _decoder([column.name for column in columns])

    def read(self, body: bytes) -> dict[str, list[Any]]:
        """The values of each column; raises what ``parsed`` and ``checked`` do."""
        rows: list[Any] = []
        if self._decoder is not None:
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                rows = self._decoder.decode(body).rows
        if not 0 < len(rows) <= self._most:
            return checked(parsed(body, self._most), self._columns, self._called)
        columns = enumerate(self._columns)
        values = {column.name: list(map(attrgetter(f"v{n}"), rows)) for n, column in columns}
        return _fitting(values, self._columns)


def parsed(body: bytes, most: int) -> list[dict[str, Any]]:
    """The rows of a body; ``InputError`` when it holds none, or more than ``most``."""
    try:
        asked = msgspec.json.decode(body, type=Request)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"The body is not understood: {error}", code='{"rows": [{"column": value}]}'
        ) from error
    if (asked.rows is None) == (asked.row is None):
        raise InputError('The body needs either "rows" or "row".', code='{"rows": [{"column": value}]}')
    rows = [asked.row] if asked.row is not None else asked.rows or []
    if not rows:
        raise InputError('"rows" is empty: there is nothing to predict.')
    if len(rows) > most:
        raise InputError(
            f"{len(rows):,} rows are too many for one request: {most:,} at most.", "Send them in parts."
        )
    return rows


def checked(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], called: str
) -> dict[str, list[Any]]:
    """The values of each column, in the order of ``columns``; ``FaultyRows`` names what does not fit.

    ``called`` is what people call the model."""
    names = {column.name: None for column in columns}.keys()
    for number, row in enumerate(rows):
        if row.keys() != names:
            raise _other_columns(number, row, [column.name for column in columns], called)
    return _fitting({column.name: [row[column.name] for row in rows] for column in columns}, columns)


def _decoder(names: Sequence[str]) -> msgspec.json.Decoder[Any] | None:
    """Of a body with many rows, each an object with attributes ``v0``, ``v1`` … for ``names``; None for names
    that no such attribute can stand for (with a quote in them, say)."""
    fields = [(f"v{number}", Any, msgspec.field(name=name)) for number, name in enumerate(names)]
    try:
        row: Any = msgspec.defstruct("Row", fields, forbid_unknown_fields=True, gc=False)
    except ValueError:
        return None
    body: Any = msgspec.defstruct("Body", [("rows", list[row])], forbid_unknown_fields=True)
    return msgspec.json.Decoder(body)


def _fitting(values: dict[str, list[Any]], columns: Sequence[Column]) -> dict[str, list[Any]]:
    faults = [fault for column in columns for fault in _faults(column, values[column.name])]
    if faults:
        raise faulty(faults)
    return values


def faulty(faults: Sequence[Fault]) -> FaultyRows:
    """The first of them as a sentence, how many there are beside it."""
    more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
    first = faults[0]
    return FaultyRows(f'"{first.column}" {first.message}, in row {first.row}{more}.', faults[:MOST_FAULTS])


def _other_columns(number: int, row: Mapping[str, Any], names: Sequence[str], called: str) -> FaultyRows:
    missing = [name for name in names if name not in row]
    known = set(names)
    unexpected = [name for name in row if name not in known]
    parts = [
        f"{word} {_listed(found)}"
        for word, found in (("missing", missing), ("unexpected", unexpected))
        if found
    ]
    where = f" in row {number}" if number else ""
    columns = f"{len(names)} column{'' if len(names) == 1 else 's'}"
    near = [(name, closest(name, missing)) for name in unexpected]
    hints = [f'"{found[0]}" for "{name}"' for name, found in near if found]
    faults = [
        *(Fault(number, name, "is missing") for name in missing),
        *(Fault(number, name, "is no column of this model") for name in unexpected),
    ]
    hint = f"Did you mean {', '.join(hints[:NAMED])}?" if hints else None
    return FaultyRows(f"{called} needs {columns}; {', '.join(parts)}{where}.", faults[:MOST_FAULTS], hint)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f'"{name}"' for name in names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def _faults(column: Column, values: list[Any]) -> Iterator[Fault]:
    """The first value of each kind that does not fit; what fits is only looked at by its type."""
    kinds = set(map(type, values))
    if type(None) in kinds and not column.missing:
        message = "is null, and no training row had it missing"
        yield Fault(values.index(None), column.name, message)
    if kinds <= _PLAIN[column.kind]:
        return
    fits = _object if column.dtype == "object" else _FITS[column.kind]
    for row, value in enumerate(values):
        if value is not None and (wrong := fits(value)) is not None:
            yield Fault(row, column.name, wrong)
            return


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return f"is {_told(value)}; it needs a number"
    if isinstance(value, str):
        # What JSON cannot hold as a number, we send and take as text.
        digits = value.removeprefix("-")
        if not (len(digits) < 400 and digits.isascii() and digits.isdigit() and int(digits) > EXACT_INTEGER):
            return f"is {_told(value)}; it needs a number"
        value = int(value)
    return "is too large for a number" if abs(value) > _LARGEST else None


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"is {_told(value)}; it needs true or false"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else f"is {_told(value)}; it needs a text"


def _object(value: Any) -> str | None:
    """Columns of objects hold what a table had there: true and false beside nothing, say."""
    return None if isinstance(value, bool) else _text(value)


def _date(value: Any) -> str | None:
    return None if isinstance(value, str) else f'is {_told(value)}; it needs a text such as "2026-03-01"'


def _duration(value: Any) -> str | None:
    return None if isinstance(value, str) else f'is {_told(value)}; it needs a text such as "2 days 01:30:00"'


def _category(value: Any) -> str | None:
    return f"is {_told(value)}; it needs a single value" if isinstance(value, list | dict) else None


def _told(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = msgspec.json.encode(value).decode("utf-8", "replace")
    return text if len(text) <= 40 else f"{text[:40]}…"


_FITS: dict[str, Callable[[Any], str | None]] = {
    "number": _number,
    "boolean": _boolean,
    "text": _text,
    "date": _date,
    "duration": _duration,
    "category": _category,
}
#: Types of values that fit without being looked at.
_PLAIN: dict[str, set[type]] = {
    "number": {float, type(None)},
    "boolean": {bool, type(None)},
    "text": {str, type(None)},
    "date": {str, type(None)},
    "duration": {str, type(None)},
    "category": {str, bool, float, type(None)},
}
