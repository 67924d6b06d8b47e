"""What a client without a cursor gets: the jobs, as bytes that all clients share.

A record is encoded when it has changed, and then held once, in however many snapshots it is on its way to
whomever. Not here: when a snapshot is due (``streams``), and how it is sent (``frames``, ``subscription``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from mlops_jupyter.core import wire
from mlops_jupyter.core.stream import Snapshot
from mlops_jupyter.store import JobRow, Reading, Store, shown_job

JOBS = 50


class Told(NamedTuple):
    """A job as the store has it, and as clients read it: the same bytes where this version wrote them."""

    row: JobRow
    body: bytes


class Snapshots:
    """Lives on the event loop; reads and encodes in the store's threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._one = asyncio.Lock()
        self._told: dict[str, Told] = {}

    async def now(self) -> tuple[int, tuple[bytes, ...]]:
        """The event it is as of, and the message, in parts."""
        # One at a time: of all who ask at once, as after a restart, the first has it encoded for the others.
        async with self._one:
            begin, head, self._told = await self._store.aread(partial(_read, self._told))
        return head, (begin, *_listed(self._told), b"]}")


def _read(told: Mapping[str, Told], reading: Reading) -> tuple[bytes, int, dict[str, Told]]:
    head = reading.head()
    empty = wire.encode(Snapshot(time=datetime.now(UTC), head=head, jobs=()))
    jobs = {row.job_id: _told(row, told.get(row.job_id)) for row in reading.job_rows(JOBS)}
    return empty.removesuffix(b"]}"), head, jobs


def _told(row: JobRow, before: Told | None) -> Told:
    if before is not None and before.row == row:
        return before
    body = wire.encode(shown_job(row))
    return Told(row, row.record if body == row.record else body)


def _listed(told: Mapping[str, Told]) -> Iterator[bytes]:
    for at, job in enumerate(told.values()):
        if at:
            yield b","
        yield job.body
