"""An HTTP proxy in front of a server, as companies have them: it can refuse our websocket, cut it, and
tell what was asked. Jupyter's own websockets (kernels, terminals) always pass.

One request a connection: it asks the server to close after each answer, so nothing but the first
lines of a connection ever has to be read.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

EVENTS = "mlops/api/events/subscribe"
HEAD_LIMIT = 1 << 20


class Request(NamedTuple):
    """What was asked, at a time of ``time.monotonic()``; ``answered``: it was let through."""

    time: float
    method: str
    path: str
    upgrade: bool
    answered: bool


class Proxy:
    """Listens on a free port of the loopback interface until ``close``.

    Its switches may be thrown at any time, from the thread of the test.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self._path = parts.path
        self._refusal: bytes | None = None
        self._cut_after: set[str] = set()
        #: Types of events after which a websocket was cut.
        self.cuts: list[str] = []
        self._down = False
        self._sockets: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self.requests: list[Request] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_LIMIT))
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """The server's address through the proxy."""
        return f"http://127.0.0.1:{self.port}{self._path}"

    def refuse(self, status: str = "403 Forbidden") -> None:
        """From now on answer our websocket's upgrade with ``status``, and cut those that are open."""
        self._refusal = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        self.cut()

    def allow(self) -> None:
        """Let our websocket pass again."""
        self._refusal = None

    def cut(self) -> None:
        """Break off our open websockets, without a closing handshake."""
        self._call(self._abort(self._sockets))

    def cut_after(self, *types: str) -> None:
        """Break off our websocket right behind the first message with an event of each of these types."""
        self._cut_after.update(types)

    def go_down(self) -> None:
        """Break off everything and answer nothing: the network is gone."""
        self._down = True
        self._call(self._abort(self._open))

    def come_up(self) -> None:
        self._down = False

    def asked(self, part: str) -> list[Request]:
        """The requests whose path holds ``part``, oldest first."""
        return [request for request in list(self.requests) if part in request.path]

    def close(self) -> None:
        self._call(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _abort(self, writers: set[asyncio.StreamWriter]) -> None:
        for writer in list(writers):
            writer.transport.abort()

    async def _finish(self) -> None:
        self._server.close()
        await self._abort(self._open)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side went away, which is what a proxy sees all day
        finally:
            self._open.discard(writer)
            self._sockets.discard(writer)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        upgrade = b"\r\nupgrade: websocket" in head.lower()
        ours = upgrade and EVENTS in path
        refusal = self._refusal if ours else None
        passed = refusal is None and not self._down
        self.requests.append(Request(time.monotonic(), method, path, upgrade, passed))
        if refusal and not self._down:
            writer.write(refusal)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        if not passed:
            return
        if ours:
            self._sockets.add(writer)
        upstream, downstream = await asyncio.open_connection(*self._target)
        self._open.add(downstream)
        try:
            downstream.write(head if upgrade else _closing(head))
            both = (
                asyncio.create_task(_pipe(reader, downstream)),
                asyncio.create_task(_pipe(upstream, writer, self._watch if ours else None)),
            )
            # The answer's end is the connection's: a browser may leave its own side open.
            await both[1]
            both[0].cancel()
            await asyncio.gather(*both, return_exceptions=True)
        finally:
            self._open.discard(downstream)
            downstream.transport.abort()

    def _watch(self, data: bytes) -> bool:
        """Whether ``data`` is the last to pass."""
        found = sorted(kind for kind in self._cut_after if f'"type":"{kind}"'.encode() in data)
        self._cut_after.difference_update(found)
        self.cuts += found
        return bool(found)


def _closing(head: bytes) -> bytes:
    """The head of a request, asking that the connection be closed after the answer."""
    first, *fields = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [field for field in fields if not field.lower().startswith((b"connection:", b"keep-alive:"))]
    return b"\r\n".join([first, *kept, b"Connection: close", b"", b""])


async def _pipe(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, last: Callable[[bytes], bool] | None = None
) -> None:
    while data := await source.read(1 << 16):
        target.write(data)
        await target.drain()
        if last is not None and last(data):
            break
    if target.can_write_eof():
        target.write_eof()
