"""REST: which server this is, and that it answers."""

from __future__ import annotations

import os

from jupyter_server.auth.decorator import authorized
from tornado import web

from mlops_jupyter import __version__
from mlops_jupyter.server.handler import Handler


class StatusHandler(Handler):
    @web.authenticated
    @authorized("read", "mlops.system")
    async def get(self) -> None:
        rooms = self.rooms
        open_jobs = await rooms.store.aread(lambda reading: reading.open_jobs())
        queued = sum(job.status == "queued" for job in open_jobs)
        self.reply(
            {
                "version": __version__,
                "epoch": rooms.store.epoch,
                "head": rooms.hub.head,
                "pid": os.getpid(),
                "private": rooms.private,
                "root_dir": rooms.root_dir,
                "data_dir": rooms.data_dir,
                "reading_seconds": rooms.datasets.reading.seconds,
                "jobs": {"queued": queued, "running": len(open_jobs) - queued},
            }
        )


handlers = [("status", StatusHandler)]
