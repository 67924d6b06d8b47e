"""Endpoints in the store, and how much the models behind them predicted, by the hour."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import add
from typing import NamedTuple

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.volume import Counts

_LATENCY = msgspec.json.Decoder(tuple[int, ...])


class Hour(NamedTuple):
    """What a model did in one hour of UTC, which ``hour`` counts from 1970; ``bins`` as ``core.drift`` has
    them."""

    hour: int
    counts: Counts
    bins: bytes


def hour_of(moment: datetime) -> int:
    return int(moment.timestamp() // 3600)


def get(db: sqlite3.Connection, endpoint_id: str) -> Endpoint:
    """``KeyError`` when there is none."""
    row = db.execute("SELECT record FROM endpoints WHERE endpoint_id=?", (endpoint_id,)).fetchone()
    if row is None:
        raise KeyError(endpoint_id)
    return wire.decode(row[0], Endpoint)


def named(db: sqlite3.Connection, name: str) -> Endpoint | None:
    row = db.execute("SELECT record FROM endpoints WHERE name=?", (name,)).fetchone()
    return None if row is None else wire.decode(row[0], Endpoint)


def every(db: sqlite3.Connection) -> list[Endpoint]:
    """In the order of their names."""
    return [
        wire.decode(body, Endpoint) for (body,) in db.execute("SELECT record FROM endpoints ORDER BY name")
    ]


def put(db: sqlite3.Connection, endpoint: Endpoint) -> None:
    db.execute(
        "INSERT OR REPLACE INTO endpoints VALUES (?,?,?)",
        (endpoint.endpoint_id, endpoint.name, wire.encode(endpoint)),
    )


def total(db: sqlite3.Connection, model_id: str) -> Counts:
    """All that a model ever did; how long it took is kept by the hour only."""
    row = db.execute(
        "SELECT requests, predictions, errors FROM predicted WHERE model_id=?", (model_id,)
    ).fetchone()
    return Counts() if row is None else Counts(*row)


def hours(db: sqlite3.Connection, model_id: str, since: int) -> list[Hour]:
    """From hour ``since`` on, those in which anything was asked."""
    rows = db.execute(
        "SELECT hour, requests, predictions, errors, latency, bins FROM predicted_hours "
        "WHERE model_id=? AND hour>=? ORDER BY hour",
        (model_id, since),
    )
    return [
        Hour(hour, Counts(requests, predictions, errors, _LATENCY.decode(latency)), bytes(bins))
        for hour, requests, predictions, errors, latency, bins in rows
    ]


def count(db: sqlite3.Connection, model_id: str, hour: int, counts: Counts, bins: bytes) -> tuple[int, int]:
    """Add to what a model did; its predictions in all, before and after."""
    before = total(db, model_id)
    after = before + counts
    db.execute(
        "INSERT OR REPLACE INTO predicted VALUES (?,?,?,?)",
        (model_id, after.requests, after.predictions, after.errors),
    )
    known = next(iter(hours(db, model_id, hour)), None)
    if known is not None and known.hour == hour:
        counts += known.counts
        bins = _together(known.bins, bins)
    db.execute(
        "INSERT OR REPLACE INTO predicted_hours VALUES (?,?,?,?,?,?,?)",
        (
            model_id,
            hour,
            counts.requests,
            counts.predictions,
            counts.errors,
            msgspec.json.encode(counts.latency),
            bins,
        ),
    )
    return before.predictions, after.predictions


def put_total(db: sqlite3.Connection, model_id: str, counts: Counts) -> None:
    """What a model did by the time its folder was written."""
    db.execute(
        "INSERT OR REPLACE INTO predicted VALUES (?,?,?,?)",
        (model_id, counts.requests, counts.predictions, counts.errors),
    )


def bins(db: sqlite3.Connection, model_id: str, since: int) -> list[int] | None:
    """How many values fell where, from hour ``since`` on; None without any."""
    rows = db.execute("SELECT bins FROM predicted_hours WHERE model_id=? AND hour>=?", (model_id, since))
    counted = reduce(_together, (bytes(each) for (each,) in rows), b"")
    return list(_numbers(counted)) if counted else None


def drift_begins(
    db: sqlite3.Connection, model_id: str, column: str, levels: Sequence[str], hour: int, since: int
) -> bool:
    """Whether the last of ``levels``, of which each is worse than the one before, was not found of the column
    from hour ``since`` on. It is found in ``hour``, and with it those before it."""
    (seen,) = db.execute(
        "SELECT max(hour) FROM drifts WHERE model_id=? AND column_name=? AND level=?",
        (model_id, column, levels[-1]),
    ).fetchone()
    db.executemany(
        "INSERT INTO drifts VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET hour=excluded.hour"
        " WHERE hour<excluded.hour",
        [(model_id, column, level, hour) for level in levels],
    )
    return seen is None or seen < since


def _together(one: bytes, other: bytes) -> bytes:
    """Counts in the same bins."""
    if not one or not other:
        return one or other
    return array("q", map(add, _numbers(one), _numbers(other))).tobytes()


def _numbers(counted: bytes) -> array[int]:
    numbers = array("q")
    numbers.frombytes(counted)
    return numbers
