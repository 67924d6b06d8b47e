"""Polling: the events of the websocket by asking again and again, with the same cursor."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from mlops_jupyter.core import wire
from mlops_jupyter.core.wire import EXACT_INTEGER
from mlops_jupyter.server.frames import joined, keyed
from mlops_jupyter.server.handler import Handler
from mlops_jupyter.server.streams import Streams
from mlops_jupyter.server.subscription import SubscribeHandler
from mlops_jupyter.store import Stored

POLL_EVENTS, LONGEST_WAIT = 1000, 20.0


class EventsHandler(Streams, Handler):
    """Nothing is ever merged for those who poll."""

    @web.authenticated
    @authorized("read", "mlops.events")
    async def get(self) -> None:
        rooms = self.rooms
        wait = self.number("wait", 0.0, 0.0, LONGEST_WAIT) or 0.0
        self.timed = not wait
        rev = self.number("rev", None, 0, EXACT_INTEGER)
        cursor, reset = await self.open_at()
        as_of, snapshot = await self.snapshot() if cursor is None else (cursor, (b"null",))
        stored: list[Stored] = []
        if cursor is not None:
            if wait:
                await rooms.hub.moved(cursor, wait, None if rev is None else int(rev))
            stored = await rooms.hub.after(cursor, POLL_EVENTS)
        envelope = {
            "epoch": rooms.store.epoch,
            "head": as_of if cursor is None else max(rooms.hub.head, cursor),
            "prev": as_of,
            "reset": reset,
            "rev": rooms.hub.rev,
        }
        # The events are the bytes every client gets; only the envelope is made here.
        latest = keyed({} if rev is None else rooms.hub.latest(int(rev)))
        told = b',"latest":%b,"events":[%b]}' % (latest, joined(stored))
        self.send(b"".join((wire.encode(envelope)[:-1], b',"snapshot":', *snapshot, told)))


handlers = [("events", EventsHandler), ("events/subscribe", SubscribeHandler)]
