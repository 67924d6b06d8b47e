"""REST: try the channels that tell people who have no page open."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from mlops_jupyter.server.handler import Handler


class NotifyHandler(Handler):
    """Names and results alone: the URLs of channels are secrets."""

    @web.authenticated
    @authorized("execute", "mlops.system")
    async def post(self) -> None:
        channels = self.rooms.channels
        tried = await self.rooms.in_thread(channels.try_all)
        self.reply({"channels": tried, "problem": channels.problem})


handlers = [("notify", NotifyHandler)]
