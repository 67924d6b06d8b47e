"""The stream of events: a websocket, and polling with the same cursor.

A cursor is ``since`` and ``epoch``. Replay and live are one path: the pump asks for what is beyond
its cursor, sends it, and asks again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async
from tornado import web
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from mlops_jupyter import __version__
from mlops_jupyter.core import wire
from mlops_jupyter.core.events import Event, Hello, Ping, Reset, Snapshot
from mlops_jupyter.server.handler import Handler, Ours
from mlops_jupyter.store import Stored

#: Seconds between heartbeats; proxies cut sockets that are idle for 30 to 60.
HEARTBEAT = 15.0
#: A client that takes longer to read one frame is dropped; it resumes by its cursor.
DRAIN = 20.0
#: The first event goes at once, then a frame at most this often (seconds) or this long (events).
PACE, FRAME_EVENTS = 0.025, 64
POLL_EVENTS, LONGEST_WAIT = 1000, 20.0
SNAPSHOT_JOBS = 50


class Pong(msgspec.Struct, frozen=True, tag_field="type", tag="pong"):
    """The client's answer to a ``Ping``; the only thing clients say."""

    nonce: int


class Streams(Ours):
    """What both ways share: where a cursor stands, and what a client without one gets."""

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
        oldest = await store.aread(lambda reading: reading.oldest())
        if epoch is not None and epoch != store.epoch:
            return None, Reset(time=_now(), epoch=store.epoch, why="The store was replaced")
        if number < oldest - 1 or not 0 <= number <= self.rooms.hub.head:
            return None, Reset(time=_now(), epoch=store.epoch, why="The cursor is outside of history")
        return number, None

    async def snapshot(self) -> Snapshot:
        head, jobs = await self.rooms.store.aread(lambda r: (r.head(), r.jobs(SNAPSHOT_JOBS)))
        return Snapshot(time=_now(), head=head, jobs=tuple(jobs))


class EventsHandler(Streams, Handler):
    """Polling."""

    # A page that polls is no activity: an idle tab must not keep a server from being culled.
    _track_activity = False

    @web.authenticated
    @authorized("read", "mlops.events")
    async def get(self) -> None:
        rooms = self.rooms
        wait = self.number("wait", 0.0, 0.0, LONGEST_WAIT) or 0.0
        cursor, reset = await self.open_at()
        snapshot = await self.snapshot() if cursor is None else None
        stored: list[Stored] = []
        if cursor is not None:
            if wait:
                await rooms.hub.moved(cursor, wait)
            stored = await rooms.hub.after(cursor, POLL_EVENTS)
        envelope = {
            "epoch": rooms.store.epoch,
            "head": rooms.hub.head if snapshot is None else snapshot.head,
            "prev": cursor if snapshot is None else snapshot.head,
            "reset": reset,
            "snapshot": snapshot,
        }
        self.set_header("Content-Type", "application/json")
        # The events are the bytes every client gets; only the envelope is made here.
        self.finish(wire.encode(envelope)[:-1] + b',"events":[' + _joined(stored) + b"]}")


class SubscribeHandler(WebSocketMixin, Streams, WebSocketHandler):
    """The websocket: hello, snapshot or replay, then frames as things happen."""

    SUPPORTED_METHODS = ("GET",)
    max_message_size = 64 << 10
    _pump: asyncio.Task[None] | None = None

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        if not await ensure_async(
            self.authorizer.is_authorized(self, self.current_user, "read", "mlops.events")
        ):
            raise web.HTTPError(403)
        if len(self.rooms.sockets) >= self.rooms.most_sockets:
            # Not raised: an error's answer loses its headers.
            self.set_status(429)
            self.set_header("Retry-After", "10")
            self.set_header("Connection", "close")
            await self.finish(
                wire.encode({"message": "Too many event sockets", "reason": None, "problems": []})
            )
            return
        self._opened_at = await self.open_at()
        await super().get(*args, **kwargs)

    def get_compression_options(self) -> None:
        """None: frames are small, and compression costs memory for each client."""

    async def open(self, *args: Any, **kwargs: Any) -> None:
        await ensure_async(super().open(*args, **kwargs))
        self._nonce = 0
        self._pinged = 0.0
        self._rtt: float | None = None
        self.rooms.sockets.add(self)
        self._pump = asyncio.create_task(self._run())

    def on_message(self, message: str | bytes) -> None:
        try:
            pong = msgspec.json.decode(message, type=Pong)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.close(1008, "Only pongs are understood")
            return
        if pong.nonce != self._nonce:
            return
        first = self._rtt is None
        self._rtt = time.monotonic() - self._pinged
        if first:
            # Tell the page at once how far away it is, not a heartbeat later.
            self._told_rtt = asyncio.create_task(self._ping())

    def on_close(self) -> None:
        self.rooms.sockets.discard(self)
        self.rooms.used()
        if self._pump is not None:
            self._pump.cancel()

    async def _run(self) -> None:
        """One task a client: what it has not read is in no queue of ours."""
        with contextlib.suppress(WebSocketClosedError, asyncio.CancelledError):
            cursor = await self._greet()
            beat = asyncio.create_task(self._beat())
            try:
                while True:
                    cursor = await self._send_after(cursor)
            finally:
                beat.cancel()
                # A pump that stopped, for whatever reason, must not leave a socket that says nothing.
                self.close(1011)

    async def _greet(self) -> int:
        rooms = self.rooms
        cursor, reset = self._opened_at
        hello = Hello(
            time=_now(),
            epoch=rooms.store.epoch,
            head=rooms.hub.head,
            server_time=_now(),
            heartbeat=HEARTBEAT,
            version=__version__,
        )
        await self._tell(hello)
        await self._ping()
        if reset is not None:
            await self._tell(reset)
        if cursor is not None:
            return cursor
        snapshot = await self.snapshot()
        await self._tell(snapshot)
        return snapshot.head

    async def _send_after(self, cursor: int) -> int:
        hub = self.rooms.hub
        await hub.moved(cursor)
        stored = await hub.after(cursor, FRAME_EVENTS)
        frame = b'{"events":[' + _joined(stored) + b'],"prev":' + str(cursor).encode() + b"}"
        await self._send(frame)
        cursor = stored[-1].seq
        await self._pace(cursor)
        return cursor

    async def _pace(self, cursor: int) -> None:
        """Let events gather, but no lifecycle event waits and no frame gets longer than its limit."""
        hub = self.rooms.hub
        ready = asyncio.get_running_loop().time() + PACE
        seen = cursor
        while True:
            left = ready - asyncio.get_running_loop().time()
            if left <= 0 or not await hub.moved(seen, left):
                return
            gathered = hub.pending(cursor, FRAME_EVENTS)
            if gathered is None or len(gathered) >= FRAME_EVENTS:
                return
            if any(event.delivery == "A" for event in gathered):
                return
            seen = hub.head

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            await self._ping()

    async def _ping(self) -> None:
        self._nonce += 1
        self._pinged = time.monotonic()
        with contextlib.suppress(WebSocketClosedError):
            await self._tell(Ping(time=_now(), nonce=self._nonce, rtt=self._rtt))

    async def _tell(self, event: Event) -> None:
        await self._send(wire.encode(event))

    async def _send(self, message: bytes) -> None:
        try:
            async with asyncio.timeout(DRAIN):
                await self.write_message(message)
        except TimeoutError:
            # A closing handshake would queue behind what is not being read.
            if self.ws_connection is not None and self.ws_connection.stream is not None:
                self.ws_connection.stream.close()
            raise WebSocketClosedError from None


def _joined(stored: list[Stored]) -> bytes:
    return b",".join(event.body for event in stored)


def _now() -> datetime:
    return datetime.now(UTC)


handlers = [("events", EventsHandler), ("events/subscribe", SubscribeHandler)]
