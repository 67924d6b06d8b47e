"""REST: the activity feed, page by page. What happens from now on is in the stream of events."""

from __future__ import annotations

from typing import get_args

from jupyter_server.auth.decorator import authorized
from tornado import web

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import InputError, did_you_mean
from mlops_jupyter.core.events import ActivityKind
from mlops_jupyter.core.wire import EXACT_INTEGER
from mlops_jupyter.server.handler import Handler

ROWS, MOST_ROWS = 50, 200
KINDS = get_args(ActivityKind)


class ActivityHandler(Handler):
    @web.authenticated
    @authorized("read", "mlops.events")
    async def get(self) -> None:
        limit = int(self.number("limit", ROWS, 1, MOST_ROWS) or ROWS)
        before = self.number("before", None, 0, EXACT_INTEGER)
        kind = self.get_query_argument("kind", None)
        if kind is not None and kind not in KINDS:
            raise InputError(f'no activity is of the kind "{kind}".', did_you_mean(kind, KINDS))
        store = self.rooms.store
        head, rows = await store.aread(
            lambda reading: (
                reading.head(),
                reading.activity(limit, None if before is None else int(before), kind),
            )
        )
        envelope = wire.encode({"epoch": store.epoch, "head": head})
        self.send(b'%b,"activity":[%b]}' % (envelope[:-1], b",".join(rows)))


handlers = [("activity", ActivityHandler)]
