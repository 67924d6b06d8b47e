"""One client's place in the stream, and what it gets next.

A client that drains gets every event. Of what one that does not has still to come, events of class B
are merged; one that looks away (a hidden tab) gets class A alone, and what it missed when it looks
again. Not here: the socket (``subscription``).
"""

from __future__ import annotations

import asyncio

from mlops_jupyter.hub import STRIDE, Hub
from mlops_jupyter.server.frames import Frame, Frames, fitting, framed, merged

#: A client that takes longer to drain one frame (seconds) is slow, until it has caught up.
SLOW = 0.5
#: Short frames for those: what is on its way is late already.
SLOW_BYTES = 32 << 10
#: Further behind than this many events, a client gets a snapshot instead of them.
BEHIND = 5000


class Pump:
    """Stands at 0 until it jumps."""

    def __init__(self, hub: Hub, frames: Frames) -> None:
        self._hub = hub
        self._frames = frames
        self._cursor = 0
        # How far a client that looks away has been served: beyond the last it was given.
        self._looked = 0
        self._rev = 0
        self._slow = False
        self._shown = asyncio.Event()
        self._shown.set()

    def show(self, shown: bool) -> None:
        """The client looks, or looks away."""
        if shown:
            self._shown.set()
        else:
            self._shown.clear()

    def jump(self, cursor: int) -> None:
        """The client has what there is up to ``cursor``."""
        self._cursor = self._looked = cursor

    def sent(self, seconds: float) -> None:
        """The client took so long to drain what ``next`` gave."""
        self._slow = self._slow or seconds >= SLOW

    async def next(self) -> Frame | None:
        """The next frame, once there is one, or message of class C; None when the client is too far behind
        for it."""
        while True:
            if not self._shown.is_set():
                frame = await self._must_be_given()
                if frame is None:
                    continue
                break
            await self._hub.moved(self._cursor, rev=self._rev)
            if self._shown.is_set() and self._hub.rev > self._rev:
                message = self._frames.newest(self._rev)
                self._rev = self._hub.rev
                return Frame(message, self._cursor)
            if self._hub.head - self._cursor > BEHIND:
                return None
            if self._shown.is_set():
                frame = await (self._merged() if self._slow else self._frames.after(self._cursor))
                break
        self.jump(frame.last)
        return frame

    async def _merged(self) -> Frame:
        events = await self._hub.after(self._cursor, BEHIND)
        if len(events) <= STRIDE and events[-1].seq >= self._hub.head:
            self._slow = False
        else:
            events = merged(events)
        return framed(self._cursor, fitting(events, SLOW_BYTES))

    async def _must_be_given(self) -> Frame | None:
        """Events of class A for a client that looks away; None when it looks again, or there were none."""
        waits = [
            asyncio.ensure_future(self._hub.moved(self._looked)),
            asyncio.ensure_future(self._shown.wait()),
        ]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in done:
                # A store in trouble says so here.
                wait.result()
        finally:
            for wait in waits:
                wait.cancel()
        if self._shown.is_set():
            return None
        events = await self._hub.after(self._looked, BEHIND)
        kept = fitting([event for event in events if event.key is None], SLOW_BYTES)
        if kept:
            return framed(self._cursor, kept)
        self._looked = events[-1].seq
        return None
