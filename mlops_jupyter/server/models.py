"""REST for models: list, get, change, delete, and their files."""

from __future__ import annotations

import hashlib
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import BinaryIO

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import InputError, ModelChanged, ModelNotFoundError
from mlops_jupyter.core.models import Model
from mlops_jupyter.server.handler import Handler, person
from mlops_jupyter.store import Reading

CHUNK = 1 << 20
#: Versions of its name that a model's card tells, the newest.
VERSIONS = 100


class Aliases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Aliases to give to a model, from whichever version has them, and to take from it."""

    set: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class ModelChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a PATCH; null leaves as it is."""

    aliases: Aliases = Aliases()
    retired: bool | None = None


class ModelsHandler(Handler):
    """All models, those of a name, or the one a reference stands for."""

    @web.authenticated
    @authorized("read", "mlops.models")
    async def get(self) -> None:
        limit = int(self.number("limit", 1000, 1, 10_000) or 1000)
        name = self.get_query_argument("name", None, strip=False)
        ref = self.get_query_argument("ref", None, strip=False)
        epoch = self.rooms.store.epoch

        def listed(reading: Reading) -> bytes:
            if ref is not None:
                models = [reading.find_model(ref)]
            else:
                models = reading.models(limit) if name is None else reading.versions(name)[:limit]
            return wire.with_list({"epoch": epoch, "head": reading.head()}, "models", models)

        self.send(await self.rooms.store.aread(listed))


class ModelHandler(Handler):
    @web.authenticated
    @authorized("read", "mlops.models")
    async def get(self, model_id: str) -> None:
        self.reply(await _model(self, model_id))

    @web.authenticated
    @authorized("write", "mlops.models")
    async def patch(self, model_id: str) -> None:
        change = self.body(ModelChange)
        if both := set(change.aliases.set) & set(change.aliases.remove):
            raise InputError(f'"{min(both)}" cannot be both set and removed.')
        model = await self.rooms.supervisor.registry.change(
            model_id,
            person(self.current_user),
            give=change.aliases.set,
            take=change.aliases.remove,
            retired=change.retired,
        )
        self.reply(model)

    @web.authenticated
    @authorized("write", "mlops.models")
    async def delete(self, model_id: str) -> None:
        await self.rooms.supervisor.registry.delete(model_id, person(self.current_user))
        self.set_status(204)
        self.finish()


class ModelCardHandler(Handler):
    """All that is known of a model: its record and its job's, the versions beside it, what became of it, and
    a row that it was trained on."""

    @web.authenticated
    @authorized("read", "mlops.models")
    async def get(self, model_id: str) -> None:
        epoch = self.rooms.store.epoch

        def told(reading: Reading) -> tuple[bytes, Model]:
            model = reading.model(model_id)
            card = wire.encode(
                {
                    "epoch": epoch,
                    "head": reading.head(),
                    "model": model,
                    "versions": reading.versions(model.name)[:VERSIONS],
                    "job": next(iter(reading.matching(model.job_id, 1)), None),
                    "differs": _differs(model),
                }
            )
            history = b",".join(reading.model_history(model_id))
            return b'%b,"history":[%b]' % (card[:-1], history), model

        try:
            card, model = await self.rooms.store.aread(told)
        except KeyError as error:
            raise _unknown(model_id) from error
        example = await self.rooms.in_thread(_example, _file(self, model).with_name("meta.json"))
        self.send(b'%b,"example":%b}' % (card, wire.encode(example)))


class ModelFileHandler(Handler):
    """The skops file. It is never loaded in this process."""

    @web.authenticated
    @authorized("read", "mlops.models")
    async def get(self, model_id: str) -> None:
        model = await _model(self, model_id)
        path = _file(self, model)
        await _sent(self, await self.rooms.in_thread(_opened, path, model), f"{model.model_id}.skops")


class ModelOnnxHandler(Handler):
    """The same pipeline as ONNX, converted and checked in a process of its own."""

    #: It takes seconds, which say nothing of the server.
    timed = False

    @web.authenticated
    @authorized("read", "mlops.models")
    async def get(self, model_id: str) -> None:
        model = await _model(self, model_id)
        folder = Path(await self.rooms.in_thread(mkdtemp, "", "mlops-onnx-"))
        try:
            target = folder / "model.onnx"
            await self.rooms.exports.onnx(_file(self, model), model.sha256, target)
            file: BinaryIO = await self.rooms.in_thread(_read, target)
        finally:
            await self.rooms.in_thread(rmtree, folder, True)
        await _sent(self, file, f"{model.model_id}.onnx")


def _differs(model: Model) -> list[dict[str, str]]:
    """Packages of which this server has another version than the model was trained with, in the first
    two numbers. What is not here at all is told when the model is deployed."""
    found = []
    for package, trained in model.environment.items():
        if package == "mlops_jupyter":
            continue
        try:
            here = platform.python_version() if package == "python" else version(package)
        except PackageNotFoundError:
            continue
        if here.split(".")[:2] != trained.split(".")[:2]:
            found.append({"package": package, "trained": trained, "here": here})
    return found


class _Meta(msgspec.Struct, frozen=True):
    example: dict[str, float | str | bool | None] | None = None


def _example(meta: Path) -> dict[str, float | str | bool | None] | None:
    """None of a model whose folder keeps no such row, or is gone."""
    try:
        return wire.decode(meta.read_bytes(), _Meta).example
    except (OSError, msgspec.DecodeError):
        return None


def _file(handler: Handler, model: Model) -> Path:
    return handler.rooms.supervisor.folder(model.job_id) / "model" / "model.skops"


async def _sent(handler: Handler, file: BinaryIO, name: str) -> None:
    handler.set_header("Content-Type", "application/octet-stream")
    handler.set_header("Content-Disposition", f'attachment; filename="{name}"')
    handler.set_header("X-Content-Type-Options", "nosniff")
    # Whoever has left needs no more of it.
    with file, suppress(StreamClosedError):
        while chunk := await handler.rooms.in_thread(file.read, CHUNK):
            handler.write(chunk)
            await handler.flush()
        handler.finish()


def _read(path: Path) -> BinaryIO:
    return path.open("rb")


def _opened(path: Path, model: Model) -> BinaryIO:
    """The file at its beginning, once it is known to be the one that was registered."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise ModelNotFoundError(f'the file of model "{model.model_id}" is gone.') from None
    if hashlib.file_digest(file, "sha256").hexdigest() != model.sha256:
        file.close()
        raise ModelChanged(f'the file of model "{model.model_id}" is not the one that was registered.')
    file.seek(0)
    return file


async def _model(handler: Handler, model_id: str) -> Model:
    try:
        return await handler.rooms.store.aread(lambda reading: reading.model(model_id))
    except KeyError as error:
        raise _unknown(model_id) from error


def _unknown(model_id: str) -> ModelNotFoundError:
    return ModelNotFoundError(f'no model "{model_id}".', code="List: mlops.models()")


ID = r"(m-[0-9a-z]{12})"
handlers = [
    ("models", ModelsHandler),
    (f"models/{ID}", ModelHandler),
    (f"models/{ID}/card", ModelCardHandler),
    (f"models/{ID}/file", ModelFileHandler),
    (f"models/{ID}/onnx", ModelOnnxHandler),
]
