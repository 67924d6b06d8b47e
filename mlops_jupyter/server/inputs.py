"""REST for inputs: bytes a kernel sends ahead of a job, streamed to disk and read by nobody here."""

from __future__ import annotations

from typing import Any, BinaryIO

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import ensure_async
from tornado import web

from mlops_jupyter.server.handler import Handler


class InputsHandler(Handler):
    body_limit = 2 << 30
    _file: BinaryIO | None = None

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        # Bytes begin to arrive as soon as prepare() is over: who may send them is settled before.
        if self.current_user is None:
            raise web.HTTPError(403)
        if self.request.method == "POST" and not await ensure_async(
            self.authorizer.is_authorized(self, self.current_user, "execute", "mlops.jobs")
        ):
            raise web.HTTPError(403)
        if self.request.method == "POST":
            self._input_id, self._file = self.rooms.supervisor.inputs.create()

    def require_json(self) -> None:
        if self.request.headers.get("Content-Type") != "application/octet-stream":
            raise web.HTTPError(415, reason="The body must be application/octet-stream")

    def data_received(self, chunk: bytes) -> None:
        if self._file is not None:
            self._file.write(chunk)

    @web.authenticated
    @authorized("execute", "mlops.jobs")
    async def post(self) -> None:
        assert self._file is not None
        self.rooms.supervisor.inputs.finish(self._input_id, self._file)
        self._file = None
        self.reply({"input_id": self._input_id}, status=201)

    def on_finish(self) -> None:
        self._discard()
        super().on_finish()

    def on_connection_close(self) -> None:
        self._discard()
        super().on_connection_close()

    def _discard(self) -> None:
        if self._file is not None:
            self.rooms.supervisor.inputs.discard(self._input_id, self._file)
            self._file = None


handlers = [("inputs", InputsHandler)]
