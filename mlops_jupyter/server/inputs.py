"""REST for inputs: bytes a kernel sends ahead of a job, streamed to disk and read by nobody here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, BinaryIO

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import ensure_async
from tornado import web

from mlops_jupyter.core import limits
from mlops_jupyter.core.errors import NoRoom
from mlops_jupyter.server.handler import Handler

#: Bytes between two looks at the disk while an input arrives.
LOOK = 8 << 20


class InputsHandler(Handler):
    body_limit = limits.INPUT_BYTES
    _file: BinaryIO | None = None
    _refused: NoRoom | None = None
    _gone = False
    _looked = _received = 0

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        if self.request.method == "POST" and not await ensure_async(
            self.authorizer.is_authorized(self, self.current_user, "execute", "mlops.jobs")
        ):
            raise web.HTTPError(403)
        if self.request.method == "POST":
            # 0 where the body comes in chunks: then only what has arrived is known.
            announced = int(self.request.headers.get("Content-Length", 0))
            try:
                self._input_id, self._file = await self.rooms.in_thread(
                    self.rooms.supervisor.inputs.create, announced
                )
            except NoRoom as error:
                self._refused = error
            if self._gone:
                self._discard()

    def require_json(self) -> None:
        if self.request.headers.get("Content-Type") != "application/octet-stream":
            raise web.HTTPError(415, reason="The body must be application/octet-stream")

    async def data_received(self, chunk: bytes) -> None:  # type: ignore[override]
        """Without room the rest is let pass: who is cut off in mid-sentence never hears why."""
        if self._file is None:
            return
        self._received += len(chunk)
        if self._received - self._looked > LOOK:
            self._looked = self._received
            await self._try(self.rooms.supervisor.inputs.check_room, 0)
        if self._refused is None:
            # ValueError: closed meanwhile, because the sender went away.
            with contextlib.suppress(ValueError):
                await self._try(self.rooms.supervisor.inputs.write, self._file, chunk)

    async def _try(self, work: Callable[..., None], *args: Any) -> None:
        try:
            await self.rooms.in_thread(work, *args)
        except NoRoom as error:
            self._refused = error
            if (discarded := self._discard()) is not None:
                await discarded

    @web.authenticated
    @authorized("execute", "mlops.jobs")
    async def post(self) -> None:
        if self._refused is not None:
            raise self._refused
        assert self._file is not None
        file, self._file = self._file, None
        await self.rooms.in_thread(self.rooms.supervisor.inputs.finish, self._input_id, file)
        self.reply({"input_id": self._input_id}, status=201)

    def on_finish(self) -> None:
        self._discard()
        super().on_finish()

    def on_connection_close(self) -> None:
        self._gone = True
        self._discard()
        super().on_connection_close()

    def _discard(self) -> asyncio.Future[None] | None:
        """Beside the loop, too: closing a file waits for what a slow disk is just writing."""
        if self._file is None:
            return None
        file, self._file = self._file, None
        discard = self.rooms.supervisor.inputs.discard
        return asyncio.get_running_loop().run_in_executor(None, discard, self._input_id, file)


handlers = [("inputs", InputsHandler)]
