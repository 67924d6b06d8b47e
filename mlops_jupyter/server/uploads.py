"""REST for uploads: files that come in parts, each at its offset, and are read once they are whole."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import ensure_async
from tornado import web

from mlops_jupyter.core import limits
from mlops_jupyter.core.datasets import Upload, checked_name
from mlops_jupyter.core.errors import InputError, MlopsError, UploadStateError
from mlops_jupyter.server.handler import Handler, person
from mlops_jupyter.uploads import Writer, asked


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a new upload; without a ``name`` the dataset is called as the file, without its ending."""

    filename: str
    bytes: int
    name: str | None = None
    sha256: str | None = None


class UploadsHandler(Handler):
    @web.authenticated
    @authorized("write", "mlops.datasets")
    async def post(self) -> None:
        wanted = self.body(Wanted)
        filename = wanted.filename.replace("\\", "/").rpartition("/")[2]
        name = checked_name(wanted.name or filename.rpartition(".")[0] or filename)
        by = person(self.current_user)
        upload = asked(name, filename, wanted.bytes, wanted.sha256, by)
        begun = await self.rooms.arrivals.begin(upload)
        self.reply({"upload_id": begun.upload_id, "offset": 0, "chunk": limits.CHUNK}, status=201)


class UploadHandler(Handler):
    """One upload: how far it is, more of it, an end to it."""

    _writer: Writer | None = None
    _upload: Upload | None = None
    _refused: MlopsError | None = None
    _gone = False

    async def prepare(self, **options: Any) -> None:
        if self.request.method == "PATCH":
            self.body_limit = limits.MOST_CHUNK
        await super().prepare(**options)
        if self.request.method != "PATCH":
            return
        if not await ensure_async(
            self.authorizer.is_authorized(self, self.current_user, "write", "mlops.datasets")
        ):
            raise web.HTTPError(403)
        uploads = self.rooms.arrivals.uploads
        try:
            offset = int(self.request.headers.get("Upload-Offset", ""))
        except ValueError:
            self._refused = InputError("The header Upload-Offset says where the bytes begin.")
            return
        try:
            upload_id = self.path_args[0]
            self._upload = await self.rooms.in_thread(uploads.get, upload_id)
            self._writer = await self.rooms.in_thread(uploads.write, upload_id, offset)
        except MlopsError as error:
            self._refused = error
        if self._gone:
            self._leave()

    def require_json(self) -> None:
        if self.request.method != "PATCH":
            super().require_json()
        elif self.request.headers.get("Content-Type") != "application/octet-stream":
            raise web.HTTPError(415, reason="The body must be application/octet-stream")

    async def data_received(self, chunk: bytes) -> None:  # type: ignore[override]
        """What is refused is let pass: who is cut off in mid-sentence never hears why."""
        if self.request.method != "PATCH":
            super().data_received(chunk)
        elif self._writer is not None and self._refused is None:
            writer = self._writer
            await self._try(writer.add, chunk)
            if self._upload is not None:
                self.rooms.arrivals.progressed(self._upload, writer.offset)

    async def _try(self, work: Callable[..., Any], *args: Any) -> None:
        try:
            await self.rooms.in_thread(work, *args)
        except MlopsError as error:
            self._refused = error

    @web.authenticated
    @authorized("read", "mlops.datasets")
    async def get(self, upload_id: str) -> None:
        self.reply(await self.rooms.arrivals.upload(upload_id))

    @web.authenticated
    @authorized("write", "mlops.datasets")
    async def patch(self, upload_id: str) -> None:
        if self._writer is not None and self._refused is None:
            await self._try(self._writer.end)
        if self._refused is not None:
            raise self._refused
        assert self._writer is not None
        assert self._upload is not None
        offset = self._writer.offset
        self.rooms.arrivals.progressed(self._upload, offset, last=offset == self._upload.bytes)
        self.reply({"offset": offset})

    @web.authenticated
    @authorized("write", "mlops.datasets")
    async def delete(self, upload_id: str) -> None:
        await self.rooms.arrivals.cancel(upload_id, person(self.current_user))
        self.reply({"upload_id": upload_id})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, UploadStateError) and error.offset is not None:
            self.set_header("Upload-Offset", str(error.offset))
        super().write_error(status_code, **kwargs)

    def on_finish(self) -> None:
        self._leave()
        super().on_finish()

    def on_connection_close(self) -> None:
        self._gone = True
        self._leave()
        super().on_connection_close()

    def _leave(self) -> None:
        """Beside the loop: closing a file waits for what a slow disk is just writing."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().run_in_executor(None, writer.leave)


class UploadFinishHandler(Handler):
    """All of it is here: from now on it is read."""

    @web.authenticated
    @authorized("write", "mlops.datasets")
    async def post(self, upload_id: str) -> None:
        known = await self.rooms.arrivals.finish(upload_id)
        if known is None:
            self.reply({"upload_id": upload_id, "state": "reading"}, status=202)
        else:
            dataset, version = known
            same = {"dataset": dataset.id, "name": dataset.name, "version": version.version}
            self.reply({"duplicate_of": same})


ID = r"(u-[0-9a-z]{12})"
handlers = [
    ("uploads", UploadsHandler),
    (f"uploads/{ID}", UploadHandler),
    (f"uploads/{ID}/finish", UploadFinishHandler),
]
