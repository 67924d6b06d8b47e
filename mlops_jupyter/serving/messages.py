"""What a server and the host of a model tell each other: frames of a JSON head and bytes, by a socket pair.

Bodies of requests and answers travel as the bytes they came as and go out as: only the host, which
may run out of memory or crash alone, ever looks into them.
"""

from __future__ import annotations

import asyncio
import socket
import struct

import msgspec

_SIZES = struct.Struct("<II")


class NonsenseError(Exception):
    """The other side is out of its mind: what a model's file holds may have got hold of it."""


class Charge(msgspec.Struct, frozen=True, tag="charge"):
    """First word of the server: the model to serve. ``memory``: bytes it may take beyond what is imported."""

    model_id: str
    name: str
    version: int
    folder: str
    sha256: str
    memory: int

    @property
    def called(self) -> str:
        """As people call it."""
        return f"{self.name} v{self.version}"


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The model is loaded: it can be asked."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """It cannot be served."""

    why: str


class Batch(msgspec.Struct, frozen=True, tag="batch"):
    """Requests that go together; the bytes are their bodies, one after the other. None: are you there?"""

    sizes: tuple[int, ...]


class Reply(msgspec.Struct, frozen=True):
    """One request's answer: status, size of its body, and rows it predicted."""

    status: int
    size: int
    rows: int


class Answers(msgspec.Struct, frozen=True, tag="answers"):
    """To a batch, in its order; the bytes are the bodies, and behind them how many values of the predicted
    rows fell where (``core.drift``)."""

    replies: tuple[Reply, ...]
    seconds: float


Head = Charge | Ready | Refused | Batch | Answers
#: Longer than any answer to the most rows that may be asked of.
_MOST = 512 << 20
_decoder = msgspec.json.Decoder(Head)


def pack(head: Head, body: bytes = b"") -> bytes:
    """A frame."""
    told = msgspec.json.encode(head)
    return _SIZES.pack(len(told), len(body)) + told + body


def split(body: bytes, sizes: list[int]) -> list[bytes]:
    """Bytes in parts of these sizes, and what is left as the last."""
    parts, at = [], 0
    for size in sizes:
        parts.append(body[at : at + size])
        at += size
    return [*parts, body[at:]]


def receive(channel: socket.socket) -> tuple[Head, bytes] | None:
    """The next frame; None when the other side is gone."""
    sizes = _exactly(channel, _SIZES.size)
    if sizes is None:
        return None
    head_size, body_size = _SIZES.unpack(sizes)
    head, body = _exactly(channel, head_size), _exactly(channel, body_size)
    return None if head is None or body is None else (_decoder.decode(head), body)


async def hear(reader: asyncio.StreamReader) -> tuple[Head, bytes]:
    """The same on the event loop; ``EOFError`` or ``ConnectionError`` when the other side is gone,
    ``NonsenseError`` or ``msgspec.DecodeError`` for what no host of ours says."""
    head_size, body_size = _SIZES.unpack(await reader.readexactly(_SIZES.size))
    if head_size + body_size > _MOST:
        raise NonsenseError(f"a frame of {head_size + body_size} bytes")
    head = await reader.readexactly(head_size)
    return _decoder.decode(head), await reader.readexactly(body_size)


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    buffer = bytearray(size)
    view, at = memoryview(buffer), 0
    while at < size:
        try:
            got = channel.recv_into(view[at:])
        except ConnectionError:
            return None
        if not got:
            return None
        at += got
    return bytes(buffer)
