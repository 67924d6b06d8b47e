"""The one encoder of every byte we send or keep as JSON. Its output passes any strict parser.

Not finite numbers become null (who must tell them apart sends ``nf`` beside), integers beyond
2**53 become strings, lone surrogates are replaced, datetimes are RFC 3339 in UTC; numpy scalars,
arrays, Decimal and sets are handled; anything else becomes its ``str``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

#: Deeper values are cut: no strict parser is owed a stack overflow.
DEPTH = 32
EXACT_INTEGER = 2**53

T = TypeVar("T")

_encoder = msgspec.json.Encoder()


def snake_case(name: str) -> str:
    """``StageEnded`` -> ``stage_ended``: the tag of a struct on the wire and in journals."""
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def encode(value: Any) -> bytes:
    """``value`` as strict JSON, UTF-8."""
    return _encoder.encode(plain(value))


def with_list(answer: Mapping[str, Any], name: str, items: Iterable[Any]) -> bytes:
    """``answer`` with one list more, ``name``, which may be long: it is encoded an item at a time, since
    the encoder lets no other thread run."""
    told = b",".join(map(encode, items))
    return encode(answer)[:-1] + b',"%b":[%b]}' % (name.encode(), told)


def decode(data: bytes, kind: type[T]) -> T:
    """What ``encode`` made of a ``kind``: an integer that went as text is one again."""
    return msgspec.json.decode(data, type=kind, strict=False)


def plain(value: Any, depth: int = 0) -> Any:  # noqa: PLR0911 - one line a kind of value
    """``value`` reduced to what strict JSON can say: dict, list, str, int, float, bool, None."""
    kind = type(value)
    if kind is str:
        return text(value)
    if value is None or kind is bool:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is int:
        return value if -EXACT_INTEGER <= value <= EXACT_INTEGER else str(value)
    if depth > DEPTH:
        return "…"
    if isinstance(value, msgspec.Struct):
        return _struct(value, depth)
    if isinstance(value, Mapping):
        return {text(str(k)): plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth + 1) for item in value]
    return _scalar(value, depth)


def _struct(value: msgspec.Struct, depth: int) -> dict[str, Any]:
    config = value.__struct_config__
    fields: dict[str, Any] = {}
    if config.tag_field is not None:
        fields[config.tag_field] = config.tag
    for name, default in zip(value.__struct_fields__, _defaults(type(value)), strict=True):
        item = getattr(value, name)
        if config.omit_defaults and item == default:
            continue
        fields[name] = plain(item, depth + 1)
    return fields


def _defaults(kind: type[msgspec.Struct]) -> list[Any]:
    """A default for each field; a field without one gets an object equal to nothing."""
    given = list(kind.__struct_defaults__)
    missing: list[Any] = [object()] * (len(kind.__struct_fields__) - len(given))
    return missing + given


def _scalar(value: Any, depth: int) -> Any:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        if aware != aware:  # noqa: PLR0124 - NaT is a datetime that equals nothing
            return None
        try:
            aware = aware.astimezone(UTC)
        except OverflowError:
            # In the first or the last hours that have a date it may have none in UTC: it keeps its offset.
            return aware.isoformat(timespec="milliseconds")
        return aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(float(value), depth) if value.is_finite() else None
    if isinstance(value, bytes):
        return text(value.decode("utf-8", "replace"))
    # numpy scalars and arrays, without importing numpy here.
    if hasattr(value, "tolist"):
        return plain(value.tolist(), depth + 1)
    return text(str(value))


def text(value: str) -> str:
    """``value`` with lone surrogates replaced, so that it can be UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode()
    return value
