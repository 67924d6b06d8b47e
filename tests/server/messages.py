"""Reads what the server would send."""

from __future__ import annotations

import json
from typing import Any

from mlops_jupyter.server.frames import Frame


def text(frame: Frame) -> Any:
    """What a client reads of a message, whatever the length of its header."""
    return json.loads(frame.message[frame.message.index(b'{"events"') :])
