"""What both ways to the events share: where a cursor stands, and what a client without one gets.

A cursor is ``since`` and ``epoch``. Not here: the socket (``subscription``) and polling (``events``).
"""

from __future__ import annotations

from datetime import UTC, datetime

from tornado import web

from mlops_jupyter.core.stream import Reset
from mlops_jupyter.server.handler import Ours


class Streams(Ours):
    """``open_at`` and ``snapshot`` for a handler of events."""

    async def open_at(self) -> tuple[int | None, Reset | None]:
        """The number to go on after; ``None`` when a snapshot is due, and why it is."""
        since = self.get_query_argument("since", None)
        epoch = self.get_query_argument("epoch", None)
        if since is None:
            return None, None
        store = self.rooms.store
        try:
            number = int(since)
        except ValueError as error:
            raise web.HTTPError(400, reason="since must be a whole number") from error
        # The store's own head: an answer of REST may have told it before the hub heard of it.
        oldest, head = await store.aread(lambda reading: (reading.oldest(), reading.head()))
        if epoch is not None and epoch != store.epoch:
            return None, self.reset("The store was replaced")
        if number < oldest - 1 or not 0 <= number <= head:
            return None, self.reset("The cursor is outside of history")
        return number, None

    def reset(self, why: str) -> Reset:
        return Reset(time=now(), epoch=self.rooms.store.epoch, why=why)

    async def snapshot(self) -> tuple[int, tuple[bytes, ...]]:
        """The event it is as of, and the message, in parts."""
        return await self.rooms.snapshots.now()


def now() -> datetime:
    return datetime.now(UTC)
