"""What happened -> who listens. A cursor a client, no queues.

The hub keeps the newest events as the bytes every client gets; who is further behind reads the
store. Its head moves at once for what every client must get, else at a pace. Not here: sockets and
what they are sent (``server``).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from itertools import islice

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.events import Event
from mlops_jupyter.core.wire import snake_case
from mlops_jupyter.errands import look_on
from mlops_jupyter.store import Store, Stored

#: Enough for a client that missed half a minute of a busy job; ~300 bytes each. A burst of points or of
#: long lines is one event of a megabyte or more: of these fewer.
KEPT, KEPT_BYTES = 8192, 16 << 20
#: Bytes of events that are handed to one client at a time; one event alone may be longer.
HANDED_BYTES = 4 << 20
#: The head moves at once; then it rests as long as the last round took, so many seconds at least, or so far.
PACE, STRIDE = 0.004, 64
#: Seconds between looks at what other servers wrote into the store, and at whether there are any.
LOOK, LOOK_FOR_OTHERS = 0.05, 1.0


class Hub:
    """Lives on the event loop; ``committed`` alone may be called from another thread."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop, head: int) -> None:
        self.head = head
        self._store = store
        self._loop = loop
        self._newest: deque[Stored] = deque()
        self._bytes = 0
        self._moved = asyncio.Event()
        self._due = 0.0
        self._planned: asyncio.TimerHandle | None = None
        self._trouble: str | None = None
        self._era = 0
        #: Counts what ``tell`` was told: a client that has seen it all has seen this much.
        self.rev = 0
        self._latest: dict[str, tuple[int, bytes]] = {}

    def committed(self, stored: list[Stored]) -> None:
        """Take over what the store has committed (``Store.on_commit``)."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, stored)

    def tell(self, event: Event, of: str | None = None) -> None:
        """Events of class C: the newest of a kind is all there is to know, and it is in no store. ``of``:
        what it is about, where there are several of a kind."""
        self.rev += 1
        self._latest[_key(type(event), of)] = (self.rev, wire.encode(event))
        self._wake()

    def forget(self, kind: type[Event], of: str | None = None) -> None:
        """The newest of this kind is too old to be told to anybody who comes."""
        self._latest.pop(_key(kind, of), None)

    def latest(self, rev: int) -> dict[str, bytes]:
        """Events of class C, by their type (and what they are about), that came after ``rev``."""
        return {kind: body for kind, (at, body) in self._latest.items() if at > rev}

    def restart(self, head: int, trouble: str | None) -> None:
        """The store was opened anew, or cannot be used (``trouble``): whoever waits here is turned away,
        since what follows may be another history."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        self._clear()
        self.head = head
        self._trouble = trouble
        self._era += 1
        self._wake()

    def _take(self, stored: list[Stored]) -> None:
        if self._newest and self._newest[-1].seq + 1 != stored[0].seq:
            self._clear()
        self._newest.extend(stored)
        self._bytes += sum(len(event.body) for event in stored)
        while len(self._newest) > KEPT or (self._bytes > KEPT_BYTES and len(self._newest) > 1):
            self._bytes -= len(self._newest.popleft().body)
        if (
            any(event.key is None for event in stored)
            or stored[-1].seq - self.head >= STRIDE
            or self._loop.time() >= self._due
        ):
            self._move()
        elif self._planned is None:
            self._planned = self._loop.call_at(self._due, self._move)

    def _clear(self) -> None:
        self._newest.clear()
        self._bytes = 0

    def _move(self) -> None:
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        self.head = self._newest[-1].seq
        self._wake()
        now = self._loop.time()
        self._due = now + PACE
        # Comes after all that woke up just now and wrote their frames.
        self._loop.call_soon(self._served, now)

    def _wake(self) -> None:
        # Whoever waits holds this very event; the next to wait get a fresh one.
        self._moved.set()
        self._moved = asyncio.Event()

    def _served(self, began: float) -> None:
        """Many clients take their time: the loop belongs to the user's notebooks, half of it at least."""
        now = self._loop.time()
        self._due = max(self._due, now + (now - began))

    async def moved(self, cursor: int, timeout: float | None = None, rev: int | None = None) -> bool:
        """Wait for an event after ``cursor``, or one of class C after ``rev`` where that is given; False when
        ``timeout`` seconds brought none."""
        era = self._era
        if self.head > cursor:
            # Who catches up takes one frame a turn of the loop, which is the notebooks' too.
            await asyncio.sleep(0)
        while self.head <= cursor and (rev is None or self.rev <= rev):
            if self._trouble is not None or self._era != era:
                raise StoreUnavailable(self._trouble or "The store was opened anew.")
            if timeout is None:
                await self._moved.wait()
                continue
            try:
                async with asyncio.timeout(timeout):
                    await self._moved.wait()
            except TimeoutError:
                return False
        return True

    def pending(self, cursor: int, limit: int) -> list[Stored] | None:
        """Up to ``limit`` events after ``cursor`` from memory, fewer where they are long; ``None`` when they
        reach further back."""
        if self.head <= cursor:
            return []
        if not self._newest or self._newest[0].seq > cursor + 1:
            return None
        start = cursor + 1 - self._newest[0].seq
        return handed(islice(self._newest, start, start + min(limit, self.head - cursor)))

    async def after(self, cursor: int, limit: int) -> list[Stored]:
        """Up to ``limit`` events after ``cursor``, in order, from memory or from the store; fewer where they
        are long."""
        events = self.pending(cursor, limit)
        if events is None:
            events = await self._store.aread(lambda reading: handed(reading.each_event(cursor, limit)))
        return events

    async def follow_others(self) -> None:
        """Hear of what other servers write into the store, until cancelled."""
        await look_on(self._look_for_others, "Events of other servers could not be looked for")

    async def _look_for_others(self) -> float:
        # Asking a lock may hang with a file system: not on the loop of the user's notebooks.
        others = await asyncio.to_thread(self._store.shared)
        # Also where there are none: one may have come and gone since the last look.
        if await self._store.aread(lambda reading: reading.head()) > self.head:
            await self._store.take_in_others()
        return LOOK if others else LOOK_FOR_OTHERS


def handed(events: Iterable[Stored]) -> list[Stored]:
    """The first of them, up to ``HANDED_BYTES``; one at least, if there is any."""
    size = 0
    kept: list[Stored] = []
    for event in events:
        size += len(event.body)
        if size > HANDED_BYTES and kept:
            break
        kept.append(event)
    return kept


def _key(kind: type[Event], of: str | None) -> str:
    return snake_case(kind.__name__) + (f":{of}" if of else "")
