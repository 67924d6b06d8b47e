"""The websocket of events: hello, snapshot or replay, then frames as things happen.

Replay and live are one path: the pump tells what is beyond the client's cursor, it is sent, and asked
for again. Not here: what a frame holds (``pump``, ``frames``).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Iterable
from typing import Any

import msgspec
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async
from tornado import web
from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from mlops_jupyter import __version__
from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.events import Event
from mlops_jupyter.core.stream import Hello, Ping
from mlops_jupyter.server import counters
from mlops_jupyter.server.frames import fragments, message
from mlops_jupyter.server.handler import Bodiless
from mlops_jupyter.server.pump import BEHIND, Pump
from mlops_jupyter.server.streams import Streams, now

#: Seconds between heartbeats; proxies cut sockets that are idle for 30 to 60.
HEARTBEAT = 15.0
#: A client that was silent for so many heartbeats is dropped when the next is due: 45 s after its last word.
SILENT = 2.5
#: It must have been asked so often meanwhile: this server may have been held up itself.
UNANSWERED = 2
#: Seconds between looks whether a client may still listen.
RECHECK = 60.0
#: A round trip (seconds) that pages call slow, and after how many seconds it is measured again.
SLOW_TRIP, ASK_AGAIN = 0.3, 1.0
#: A client that takes longer to make room for one fragment is dropped, too; both resume by their cursor.
DRAIN = 20.0
#: What the system holds for one client beside the frame in hand.
SEND_BUFFER = 128 << 10
#: What of it may not be on its way yet: for one who reads slowly it would only grow old there.
UNSENT = 32 << 10
#: Clients may say so much a second; they owe a pong in fifteen.
MESSAGES = 20


class Pong(msgspec.Struct, frozen=True, tag_field="type", tag="pong"):
    """The client's answer to a ``Ping``."""

    nonce: int


class Shown(msgspec.Struct, frozen=True, tag_field="type", tag="shown"):
    """Whether the client's page is looked at."""

    shown: bool


class SubscribeHandler(WebSocketMixin, Streams, Bodiless, WebSocketHandler):
    SUPPORTED_METHODS = ("GET",)
    max_message_size = 64 << 10
    #: Seconds to the client and back; null until it has answered once.
    round_trip: float | None = None
    _task: asyncio.Task[None] | None = None
    _told: asyncio.Task[None] | None = None

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        if not await self._may_listen():
            raise web.HTTPError(403)
        self.rooms.check()
        sockets = self.rooms.sockets
        if len(sockets) >= self.rooms.most_sockets:
            # Not raised: an error's answer loses its headers.
            self.set_status(429)
            self.set_header("Retry-After", "10")
            self.set_header("Connection", "close")
            await self.finish(
                wire.encode({"message": "Too many event sockets", "reason": None, "problems": []})
            )
            return
        # From here on it has its place: many may ask at once. Returns when the socket is closed.
        sockets.add(self)
        try:
            self._opened_at = await self.open_at()
            await super().get(*args, **kwargs)
        finally:
            sockets.discard(self)

    async def _may_listen(self) -> bool:
        may = self.authorizer.is_authorized(self, self.current_user, "read", "mlops.events")
        return bool(await ensure_async(may))

    def get_compression_options(self) -> None:
        """None: frames are small, and compression costs memory for each client."""

    async def open(self, *args: Any, **kwargs: Any) -> None:
        await ensure_async(super().open(*args, **kwargs))
        self._sending = asyncio.Lock()
        self._nonce = 0
        self._pinged = 0.0
        self._heard = time.monotonic()
        self._unanswered = 0
        self._second, self._messages = time.monotonic(), 0
        if self.ws_connection is not None and self.ws_connection.stream is not None:
            plain = self.ws_connection.stream.socket
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            # A server may listen on a Unix socket.
            if plain.family in (socket.AF_INET, socket.AF_INET6):
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        self._pump = Pump(self.rooms.hub, self.rooms.frames)
        self.rooms.monitor.call()
        self._task = asyncio.create_task(self._run())

    def on_message(self, text: str | bytes) -> None:
        if self._too_many():
            self.close(1008, "Too many messages")
            return
        try:
            said = msgspec.json.decode(text, type=Pong | Shown)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.close(1008, "Only pongs and shown are understood")
            return
        if isinstance(said, Shown):
            self._show(said.shown)
            return
        # To whichever ping: behind all that a slow client has yet to read, one waits longer than a heartbeat.
        self._heard, self._unanswered = time.monotonic(), 0
        if said.nonce == self._nonce:
            before, self.round_trip = self.round_trip, self._heard - self._pinged
            counters.ROUND_TRIP.observe(self.round_trip)
            slow = self.round_trip >= SLOW_TRIP
            # Tell the page at once how far away it is, not a heartbeat later. One that was busy with itself
            # when it was asked is asked again soon: slow is a word about the way.
            if before is None or (before >= SLOW_TRIP and not slow):
                self._told = asyncio.create_task(self._ping_in(0.0))
            elif slow:
                self._told = asyncio.create_task(self._ping_in(ASK_AGAIN))

    def _too_many(self) -> bool:
        now = time.monotonic()
        if now - self._second >= 1.0:
            self._second, self._messages = now, 0
        self._messages += 1
        return self._messages > MESSAGES

    def _show(self, shown: bool) -> None:
        self._pump.show(shown)
        if shown:
            # The page learns how far behind it is before it says again that it is live.
            self._told = asyncio.create_task(self._hello())

    def on_close(self) -> None:
        self.rooms.used()
        for task in (self._task, self._told):
            if task is not None:
                task.cancel()

    async def _run(self) -> None:
        """One task a client: what it has not read is in no queue of ours."""
        with contextlib.suppress(WebSocketClosedError, StoreUnavailable, asyncio.CancelledError):
            beat: asyncio.Task[None] | None = None
            try:
                self._pump.jump(await self._greet())
                beat = asyncio.create_task(self._beat())
                while True:
                    await self._send_next()
            finally:
                if beat is not None:
                    beat.cancel()
                # A pump that stopped, for whatever reason, must not leave a socket that says nothing.
                self.close(1011)

    async def _send_next(self) -> None:
        pump = self._pump
        frame = await pump.next()
        if frame is None:
            await self._tell(self.reset(f"More than {BEHIND} events behind"))
            pump.jump(await self._tell_snapshot())
        else:
            pump.sent(await self._send(frame.message))

    async def _greet(self) -> int:
        cursor, reset = self._opened_at
        await self._hello()
        await self._ping()
        if reset is not None:
            await self._tell(reset)
        return await self._tell_snapshot() if cursor is None else cursor

    async def _hello(self) -> None:
        rooms = self.rooms
        hello = Hello(
            time=now(),
            epoch=rooms.store.epoch,
            head=rooms.hub.head,
            server_time=now(),
            heartbeat=HEARTBEAT,
            version=__version__,
        )
        with contextlib.suppress(WebSocketClosedError):
            await self._tell(hello)

    async def _tell_snapshot(self) -> int:
        head, snapshot = await self.snapshot()
        await self._send(fragments(snapshot))
        return head

    async def _beat(self) -> None:
        checked = time.monotonic()
        while True:
            await asyncio.sleep(HEARTBEAT)
            silent = time.monotonic() - self._heard > SILENT * HEARTBEAT
            if silent and self._unanswered >= UNANSWERED:
                self._abort()
                return
            if time.monotonic() - checked >= RECHECK:
                if not await self._may_listen():
                    self.close(1008, "No longer allowed")
                    return
                checked = time.monotonic()
            await self._ping()

    async def _ping_in(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._ping()

    async def _ping(self) -> None:
        self._nonce += 1
        self._unanswered += 1
        self._pinged = time.monotonic()
        with contextlib.suppress(WebSocketClosedError):
            await self._tell(Ping(time=now(), nonce=self._nonce, rtt=self.round_trip))

    async def _tell(self, event: Event) -> None:
        await self._send(message(wire.encode(event)))

    async def _send(self, message: Iterable[bytes]) -> float:
        """Send, and return how many seconds the client took to make room for it.

        Not by ``write_message``, which makes a header and a task for every client and message. Tornado's own
        pings may come between fragments, no other message may."""
        connection = self.ws_connection
        took = 0.0
        async with self._sending:
            for fragment in message:
                if connection is None or connection.stream is None or connection.is_closing():
                    raise WebSocketClosedError
                took += await self._write(connection.stream, fragment)
        return took

    async def _write(self, stream: IOStream, data: bytes) -> float:
        try:
            written = stream.write(data)
            if written.done():
                await written
                return 0.0
            began = time.monotonic()
            # Not cancelled when it takes too long: the stream itself is given up then.
            done, _ = await asyncio.wait({written}, timeout=DRAIN)
            if not done:
                self._abort()
            await written
        except StreamClosedError as error:
            raise WebSocketClosedError from error
        # Who takes something in is there; its pong comes behind all that.
        self._heard = time.monotonic()
        return self._heard - began

    def _abort(self) -> None:
        """Without a closing handshake, which would queue behind what is not being read; what the
        system still holds for the client is dropped, too."""
        if self.ws_connection is not None and self.ws_connection.stream is not None:
            stream = self.ws_connection.stream
            if stream.socket is not None:
                stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.close()
