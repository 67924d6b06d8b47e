"""Reads what the server would send."""

from __future__ import annotations

import json
from typing import Any

from mlops_jupyter.server.frames import Frame, Message


def text(frame: Frame) -> Any:
    """What a client reads of a message, whatever the length of its fragments' headers."""
    return json.loads(b"".join(body for _, body in fragments(frame.message)))


def fragments(message: Message) -> list[tuple[int, bytes]]:
    """First byte and body of each."""
    found = []
    for data in message:
        length, start = (data[1], 2) if data[1] < 126 else (int.from_bytes(data[2:4]), 4)
        assert len(data) == start + length
        found.append((data[0], data[start:]))
    return found
