"""The frames of the socket: events after a cursor, as bytes.

Clients that stand at the same place get the same bytes, encoded and framed once. Not here: who gets
which frame (``pump``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from struct import pack
from typing import NamedTuple

from mlops_jupyter.hub import STRIDE, Hub
from mlops_jupyter.store import Stored

#: The longest frame, in bytes; one event alone may be longer.
LONGEST = 256 << 10
#: The longest fragment of a message, in bytes: a client that takes in so much is one that reads.
FRAGMENT = 32 << 10
_TEXT, _FINAL = 0x01, 0x80

Message = tuple[bytes, ...]


class Frame(NamedTuple):
    """A whole websocket message; ``last`` is the number of its last event."""

    message: Message
    last: int


def framed(prev: int, events: Sequence[Stored]) -> Frame:
    """``events`` after ``prev``, with the number of those that were passed over between them."""
    last = events[-1].seq
    skipped = last - prev - len(events)
    said = b',"skipped":%d' % skipped if skipped else b""
    body = b'{"events":[%b],"prev":%d%b}' % (joined(events), prev, said)
    return Frame(message(body), last)


def newest(latest: Mapping[str, bytes], rev: int) -> Message:
    """Events of class C as a whole websocket message; what the client has seen then is ``rev``."""
    return message(b'{"latest":%b,"rev":%d}' % (keyed(latest), rev))


def keyed(latest: Mapping[str, bytes]) -> bytes:
    """A JSON object of events by their types."""
    return b"{%b}" % b",".join(b'"%b":%b' % (kind.encode(), body) for kind, body in latest.items())


def message(text: bytes) -> Message:
    """``text`` as a whole websocket message from a server, by its fragments (RFC 6455, 5.2 and 5.4)."""
    return tuple(fragments((text,)))


def fragments(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same of a text in ``parts``, one by one: of what is not sent yet there is no copy."""
    first, piece = _TEXT, bytearray()
    for part in parts:
        at = 0
        while len(piece) + len(part) - at > FRAGMENT:
            end = at + FRAGMENT - len(piece)
            piece += part[at:end]
            yield _header(first, FRAGMENT) + piece
            first, piece, at = 0, bytearray(), end
        piece += part[at:]
    yield _header(first | _FINAL, len(piece)) + piece


def _header(first: int, size: int) -> bytes:
    return pack("!BB", first, size) if size < 126 else pack("!BBH", first, 126, size)


def joined(events: Sequence[Stored]) -> bytes:
    return b",".join(event.body for event in events)


def merged(events: Sequence[Stored]) -> list[Stored]:
    """All that every client must get and, of those that share a key, the latest; in order."""
    latest = {event.key: event.seq for event in events}
    return [event for event in events if event.key is None or latest[event.key] == event.seq]


def fitting(events: Sequence[Stored], longest: int) -> list[Stored]:
    """As many of the first ``events`` as ``longest`` bytes hold; one at least."""
    size = 0
    for count, event in enumerate(events):
        size += len(event.body) + 1
        if size > longest and count:
            return list(events[:count])
    return list(events)


class Frames:
    """The whole frames of this moment, by the cursor they follow on."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._head = hub.head
        self._kept: dict[int, Frame] = {}
        self._newest: tuple[int, int, Message] = (0, 0, ())

    def newest(self, rev: int) -> Message:
        """Events of class C after ``rev``, which must be behind the hub's."""
        if self._newest[:2] != (rev, self._hub.rev):
            self._newest = (rev, self._hub.rev, newest(self._hub.latest(rev), self._hub.rev))
        return self._newest[2]

    async def after(self, cursor: int) -> Frame:
        """The next frame after ``cursor``, which must be behind the hub's head."""
        if self._head != self._hub.head:
            self._head = self._hub.head
            self._kept.clear()
        frame = self._kept.get(cursor)
        if frame is None:
            events = await self._hub.after(cursor, STRIDE)
            frame = self._kept[cursor] = framed(cursor, fitting(events, LONGEST))
        return frame
