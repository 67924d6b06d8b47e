"""REST for models: their records and files."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from mlops_jupyter.core.errors import ModelChanged, ModelNotFoundError
from mlops_jupyter.core.jobs import Model
from mlops_jupyter.server.handler import Handler

CHUNK = 1 << 20


class ModelHandler(Handler):
    @web.authenticated
    @authorized("read", "mlops.models")
    async def get(self, model_id: str) -> None:
        self.reply(await _model(self, model_id))


class ModelFileHandler(Handler):
    """The skops file. It is never loaded in this process."""

    @web.authenticated
    @authorized("read", "mlops.models")
    async def get(self, model_id: str) -> None:
        model = await _model(self, model_id)
        path = self.rooms.supervisor.folder(model.job_id) / "model" / "model.skops"
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", f'attachment; filename="{model.model_id}.skops"')
        self.set_header("X-Content-Type-Options", "nosniff")
        # Whoever has left needs no more of it.
        with await self.rooms.in_thread(_opened, path, model) as file, suppress(StreamClosedError):
            while chunk := await self.rooms.in_thread(file.read, CHUNK):
                self.write(chunk)
                await self.flush()
            self.finish()


def _opened(path: Path, model: Model) -> BinaryIO:
    """The file at its beginning, once it is known to be the one that was registered."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise ModelNotFoundError(f'the file of model "{model.model_id}" is gone.') from None
    if hashlib.file_digest(file, "sha256").hexdigest() != model.file.sha256:
        file.close()
        raise ModelChanged(f'the file of model "{model.model_id}" is not the one that was registered.')
    file.seek(0)
    return file


async def _model(handler: Handler, model_id: str) -> Model:
    try:
        return await handler.rooms.store.aread(lambda reading: reading.model(model_id))
    except KeyError as error:
        raise ModelNotFoundError(f'no model "{model_id}".') from error


ID = r"(m-[0-9a-z]{12})"
handlers = [(f"models/{ID}", ModelHandler), (f"models/{ID}/file", ModelFileHandler)]
