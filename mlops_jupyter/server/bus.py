"""Tells Jupyter's own event bus what becomes of jobs, of all that is kept, and of the machine.

Whatever listens there (other extensions, an administrator's log handlers) needs nothing of ours. What is
told is in ``event_schemas``: names and final numbers, no rows, paths, parameters or output.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from pathlib import Path

import msgspec
from jupyter_events import EventLogger

from mlops_jupyter.store import Stored

log = logging.getLogger(__name__)

_SCHEMAS = Path(__file__).parent / "event_schemas"
#: Events that wait to be told at most; of more at once the oldest are not.
_MOST = 10_000


class Bus:
    """Belongs to the event loop it is made on; ``committed`` alone may be called from another thread."""

    def __init__(self, bus: EventLogger) -> None:
        self._bus = bus
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque(maxlen=_MOST)
        self._telling: asyncio.Task[None] | None = None
        #: By the type of event: the id of its schema, and the fields it has.
        self._schemas: dict[str, tuple[str, tuple[str, ...]]] = {}
        for path in sorted(_SCHEMAS.glob("*.yaml")):
            schema = msgspec.yaml.decode(path.read_bytes())
            bus.register_event_schema(schema)
            fields = schema["properties"]
            for kind in fields["type"]["enum"]:
                self._schemas[kind] = schema["$id"], tuple(fields)

    def committed(self, stored: list[Stored]) -> None:
        """Tell what this server has committed; others tell what they have."""
        bodies = [event.body for event in stored if event.ours in self._schemas]
        if bodies and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, bodies)

    def close(self) -> None:
        if self._telling is not None:
            self._telling.cancel()

    def _take(self, bodies: list[bytes]) -> None:
        self._waiting.extend(bodies)
        if self._telling is None or self._telling.done():
            self._telling = self._loop.create_task(self._tell())

    async def _tell(self) -> None:
        while self._waiting:
            event = msgspec.json.decode(self._waiting.popleft())
            schema_id, fields = self._schemas[event["type"]]
            known = {**event.get("job", {}), **event}
            data = {name: known[name] for name in fields if name in known}
            try:
                self._bus.emit(schema_id=schema_id, data=data)
            except Exception:
                # A modifier or a handler of the administrator's may raise whatever it likes.
                log.exception("Jupyter's event bus did not take an event")
            # The loop is the notebooks': many at once go one a turn.
            await asyncio.sleep(0)
