"""What happened -> who listens. A cursor a client, no queues.

The hub keeps the newest events as the bytes every client gets; who is further behind reads the
store. Not here: sockets (``server.events``).
"""

from __future__ import annotations

import asyncio
from collections import deque

from mlops_jupyter.store import Store, Stored

#: Enough for a client that missed half a minute of a busy job; ~300 bytes each.
KEPT = 8192


class Hub:
    """Lives on the event loop; ``committed`` alone may be called from another thread."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop, head: int) -> None:
        self.head = head
        self._store = store
        self._loop = loop
        self._newest: deque[Stored] = deque(maxlen=KEPT)
        self._moved = asyncio.Event()

    def committed(self, stored: list[Stored]) -> None:
        """Take over what the store has committed (``Store.on_commit``)."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, stored)

    def _take(self, stored: list[Stored]) -> None:
        self._newest.extend(stored)
        self.head = stored[-1].seq
        # Whoever waits holds this very event; the next to wait get a fresh one.
        self._moved.set()
        self._moved = asyncio.Event()

    async def moved(self, cursor: int, timeout: float | None = None) -> bool:
        """Wait for an event after ``cursor``; False when ``timeout`` seconds brought none."""
        while self.head <= cursor:
            try:
                async with asyncio.timeout(timeout):
                    await self._moved.wait()
            except TimeoutError:
                return False
        return True

    def pending(self, cursor: int, limit: int) -> list[Stored] | None:
        """Up to ``limit`` events after ``cursor`` from memory; ``None`` when they reach further back."""
        if not self._newest or self._newest[0].seq > cursor + 1:
            return None if self.head > cursor else []
        start = cursor + 1 - self._newest[0].seq
        return [self._newest[i] for i in range(start, min(start + limit, len(self._newest)))]

    async def after(self, cursor: int, limit: int) -> list[Stored]:
        """Up to ``limit`` events after ``cursor``, in order, from memory or from the store."""
        events = self.pending(cursor, limit)
        if events is None:
            events = await self._store.aread(lambda reading: reading.events(cursor, limit))
        return events
