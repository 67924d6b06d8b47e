"""Polling: the events of the websocket by asking again and again, with the same cursor."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from mlops_jupyter.core import wire
from mlops_jupyter.server.frames import joined
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
        cursor, reset = await self.open_at()
        snapshot = await self.snapshot() if cursor is None else None
        stored: list[Stored] = []
        if cursor is not None:
            if wait:
                await rooms.hub.moved(cursor, wait)
            stored = await rooms.hub.after(cursor, POLL_EVENTS)
        envelope = {
            "epoch": rooms.store.epoch,
            "head": max(rooms.hub.head, cursor or 0) if snapshot is None else snapshot.head,
            "prev": cursor if snapshot is None else snapshot.head,
            "reset": reset,
            "snapshot": snapshot,
        }
        self.set_header("Content-Type", "application/json")
        # The events are the bytes every client gets; only the envelope is made here.
        self.finish(wire.encode(envelope)[:-1] + b',"events":[' + joined(stored) + b"]}")


handlers = [("events", EventsHandler), ("events/subscribe", SubscribeHandler)]
