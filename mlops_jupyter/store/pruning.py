"""Lets old events go: class B after thirty days, or when there are more than five million.

Class A stays: a job has a handful of them. Points stay with their job. SQLite uses the pages of what
is gone for what comes, so the file stops growing; it is not made smaller.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import msgspec

from mlops_jupyter.core.stream import DELIVERY

KEPT, MOST = timedelta(days=30), 5_000_000
#: Events a transaction goes over: other writes wait for it no longer than for each other.
STRIDE = 2000
_MERGED = sorted(kind for kind, delivery in DELIVERY.items() if delivery != "A")


class _Dated(msgspec.Struct):
    time: datetime


def pruned(db: sqlite3.Connection) -> int:
    """Up to this number only events of class A are kept."""
    row = db.execute("SELECT value FROM meta WHERE key='pruned'").fetchone()
    return 0 if row is None else int(row[0])


def prune(db: sqlite3.Connection, now: datetime, most: int = MOST) -> bool:
    """Let one stride of what is due go; True when there is more.

    The newest event stays, so that its number is never given again."""
    before = pruned(db)
    (head,) = db.execute("SELECT max(seq) FROM events").fetchone()
    end = min(max((head or 0) - most, _last_before(db, now - KEPT, before, head or 0)), (head or 0) - 1)
    if end <= before:
        return False
    upto = min(end, before + STRIDE)
    marks = ",".join("?" * len(_MERGED))
    db.execute(
        f"DELETE FROM events WHERE seq>? AND seq<=? AND type IN ({marks})",  # noqa: S608 - question marks
        (before, upto, *_MERGED),
    )
    db.execute("INSERT OR REPLACE INTO meta VALUES ('pruned', ?)", (str(upto),))
    return upto < end


def _last_before(db: sqlite3.Connection, moment: datetime, low: int, high: int) -> int:
    """The last number after ``low`` whose event is older than ``moment``; ``low`` when none is.

    Events are in the order of time, but for what a clock that was set makes of it."""
    while low < high:
        middle = (low + high + 1) // 2
        row = db.execute(
            "SELECT body FROM events WHERE seq<=? ORDER BY seq DESC LIMIT 1", (middle,)
        ).fetchone()
        if row is not None and _time(row[0]) < moment:
            low = middle
        else:
            high = middle - 1
    return low


def _time(body: bytes) -> datetime:
    time = msgspec.json.decode(body, type=_Dated).time
    return time if time.tzinfo else time.replace(tzinfo=UTC)
