"""A client of the event socket that reads what it wants, when it wants: nobody reads ahead for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

TEXT, PING, PONG = 1, 9, 10
FINAL = 0x80
#: Bytes read at once.
PIECE = 8000


class RawSocket:
    def __init__(self, plain: socket.socket) -> None:
        self._plain = plain

    async def read(self, count: int) -> bytes:
        """So many bytes at most; nothing once the server has ended the stream."""
        return await asyncio.get_running_loop().sock_recv(self._plain, count)

    async def until_aborted(self) -> None:
        """Read what the system still holds; ends when the server has broken the stream off."""
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionResetError):
                while await self.read(1 << 20):
                    pass
                raise AssertionError("The server said goodbye")

    async def message(self, rate: float = math.inf) -> dict[str, Any]:
        """The next message that is no ping and no event of class C, read at ``rate`` bytes a second; pings
        are answered."""
        text = b""
        while True:
            first, length = await self._take(2, rate)
            if length == 126:
                length = int.from_bytes(await self._take(2, rate))
            body = await self._take(length, rate)
            if first & 0x0F == PING:
                # Jupyter's own; it may come between the fragments of a message.
                await self._say(PONG, body)
                continue
            text += body
            if not first & FINAL:
                continue
            message: dict[str, Any] = json.loads(text)
            text = b""
            if "latest" in message:
                continue
            if message.get("type") != "ping":
                return message
            await self._say(TEXT, json.dumps({"type": "pong", "nonce": message["nonce"]}).encode())

    async def _say(self, kind: int, body: bytes) -> None:
        # Clients mask what they send, if only with noughts.
        frame = bytes([0x80 | kind, 0x80 | len(body), 0, 0, 0, 0]) + body
        await asyncio.get_running_loop().sock_sendall(self._plain, frame)

    async def _take(self, length: int, rate: float) -> bytes:
        taken = b""
        while len(taken) < length:
            part = await self.read(min(PIECE, length - len(taken)))
            if not part:
                raise EOFError
            taken += part
            await asyncio.sleep(len(part) / rate)
        return taken


def upgrade(path: str, headers: dict[str, str]) -> bytes:
    """The request for a socket, whole."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


@asynccontextmanager
async def raw_socket(port: int, path: str, headers: dict[str, str]) -> AsyncIterator[RawSocket]:
    """Upgraded; the system reads ahead 64 KiB for it and no more."""
    loop = asyncio.get_running_loop()
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        plain.setblocking(False)
        await loop.sock_connect(plain, ("127.0.0.1", port))
        await loop.sock_sendall(plain, upgrade(path, headers))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            part = await loop.sock_recv(plain, 1)
            if not part:
                raise EOFError
            head += part
        assert head.startswith(b"HTTP/1.1 101")
        yield RawSocket(plain)
