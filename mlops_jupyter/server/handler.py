"""The base of every handler: who may, how bodies come in, how answers and errors go out.

Every verb below spells out ``@authorized(action, resource)``: bare or inherited, Jupyter's decorator
keeps the first resource it saw.
"""

from __future__ import annotations

import getpass
import hmac
import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import responses
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado import web
from tornado.http1connection import HTTP1Connection

from mlops_jupyter import __version__
from mlops_jupyter.client.sentences import short
from mlops_jupyter.core import limits, wire
from mlops_jupyter.core.errors import (
    AmbiguousIdError,
    DatasetInUse,
    DatasetNotFoundError,
    DeletedJobError,
    InputError,
    JobNotFoundError,
    JobStateError,
    KeyReusedError,
    MlopsError,
    ModelChanged,
    ModelNotFoundError,
    ModelStateError,
    NameTakenError,
    NoRoom,
    NoSuchDataset,
    PipelineChanged,
    PipelineNotFoundError,
    ServingFailed,
    StoreUnavailable,
    TooSlow,
    UploadNotFoundError,
    UploadStateError,
    VersionMismatch,
)
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.deletions import not_found
from mlops_jupyter.store import Reading
from mlops_jupyter.store.trouble import OF_DISK, sentence

if TYPE_CHECKING:
    from mlops_jupyter.server.rooms import Rooms

T = TypeVar("T")
log = logging.getLogger(__name__)

#: In the application's settings. Under the extension's own name Jupyter keeps the extension itself.
ROOMS = "mlops_jupyter_rooms"

#: What Jupyter calls somebody who did not say who they are: "Anonymous Mneme" of a random user name.
_MADE_UP = re.compile(r"[0-9a-f]{32}")

#: One place says which of our errors is which status; all others of ours are a 400.
STATUS: dict[type[MlopsError], int] = {
    AmbiguousIdError: 409,
    JobNotFoundError: 404,
    DeletedJobError: 404,
    JobStateError: 409,
    KeyReusedError: 409,
    ModelNotFoundError: 404,
    ModelStateError: 409,
    ServingFailed: 503,
    TooSlow: 504,
    ModelChanged: 409,
    PipelineNotFoundError: 404,
    PipelineChanged: 412,
    NameTakenError: 409,
    DatasetNotFoundError: 400,
    NoSuchDataset: 404,
    DatasetInUse: 409,
    UploadNotFoundError: 404,
    UploadStateError: 409,
    InputError: 400,
    StoreUnavailable: 503,
    VersionMismatch: 409,
    NoRoom: 507,
}


class RuntimeFileIdentity(IdentityProvider):
    """Whoever can read the runtime file (mode 0600) is the same user of the operating system.

    Like a token, the secret proves that no foreign page sent the request: no XSRF check is needed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._user = User(username=login())

    def get_user(self, handler: web.RequestHandler) -> User:
        return self._user

    def is_token_authenticated(self, handler: web.RequestHandler) -> bool:
        return True

    def should_check_origin(self, handler: web.RequestHandler) -> bool:
        return False


def person(user: User) -> str:
    """As others know them. Whoever came by a token or a password has a made-up name, and is the user the
    server runs as, as its kernels are."""
    if _MADE_UP.fullmatch(user.username):
        return login()
    return user.display_name or user.name or user.username


def login() -> str:
    """The user this server runs as; by number in containers, which run under users that no file names."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


class Ours(JupyterHandler):
    """What REST and websocket share: the rooms, and the secret of the runtime file."""

    #: Whether the answer says what the log has said already.
    _status_known = False

    @property
    def rooms(self) -> Rooms:
        rooms: Rooms | None = self.settings.get(ROOMS)
        if rooms is None:
            raise web.HTTPError(503, reason="mlops is starting, or could not start: see the server's log")
        return rooms

    @property
    def identity_provider(self) -> IdentityProvider:
        """Jupyter's own, unless the caller holds the secret of the runtime file."""
        scheme, _, secret = self.request.headers.get("Authorization", "").partition(" ")
        if scheme == "mlops" and hmac.compare_digest(secret.encode(), self.rooms.secret.encode()):
            return self.rooms.runtime_identity
        return super().identity_provider

    def check_xsrf_cookie(self) -> None:
        """Whoever holds the secret is no page. Under JupyterHub another check takes the place of Jupyter's,
        and asks no identity provider."""
        if not isinstance(self.identity_provider, RuntimeFileIdentity):
            super().check_xsrf_cookie()

    async def job(self, prefix: str) -> Job:
        """The one job whose id begins with ``prefix``."""

        def found(reading: Reading) -> list[Job]:
            jobs = reading.matching(prefix)
            if not jobs:
                raise not_found(reading, prefix)
            return jobs

        jobs = await self.rooms.store.aread(found)
        exact = [job for job in jobs if job.job_id == prefix]
        if exact:
            return exact[0]
        if len(jobs) > 1:
            ids = [job.job_id for job in jobs]
            matches = ", ".join(f"{short(job.job_id, ids)} ({job.status})" for job in jobs)
            raise AmbiguousIdError(f'"{prefix}" matches {len(jobs)} jobs: {matches}.')
        return jobs[0]

    @asynccontextmanager
    async def ordered(self, prefix: str) -> AsyncIterator[Job]:
        """The same, for an order: of what cannot be read nobody knows what it would do, and one that is
        deleted before the order is carried out is not found."""
        job = await self.job(prefix)
        if job.unreadable:
            raise JobStateError(job.message, f"What {job.job_id} left is in its folder.")
        try:
            yield job
        except KeyError:
            await self.job(job.job_id)
            raise

    def reply(self, answer: Any, status: int = 200) -> None:
        self.send(wire.encode(answer), status)

    def send(self, body: bytes, status: int = 200) -> None:
        """What was encoded already: long answers are beside the event loop."""
        self.begin(status)
        self.finish(body)

    def begin(self, status: int = 200) -> None:
        """An answer of JSON, which is written from here on."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.set_header("X-Mlops-Version", __version__)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = _told(kwargs.get("exc_info", (None, None, None))[1])
        answer: dict[str, Any] = {"message": responses.get(status_code, "Error"), "reason": None}
        answer["problems"] = []
        if isinstance(error, MlopsError):
            status_code = STATUS.get(type(error), 400)
            answer["message"] = str(error)
            answer["reason"] = type(error).__name__
            answer["problems"] = list(error.problems)
            if isinstance(error, PipelineChanged):
                answer["current"] = error.current
        elif isinstance(error, web.HTTPError):
            answer["reason"] = error.reason or None
        self._status_known = isinstance(error, StoreUnavailable)
        self.reply(answer, status_code)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(_told(value), MlopsError):
            super().log_exception(typ, value, tb)

    def _log(self) -> None:
        """The store has said what is wrong with it; Jupyter would say it again, with headers, each time."""
        if not self._status_known:
            super()._log()


def _told(error: BaseException | None) -> BaseException | None:
    """What the disk says to a handler is the store's trouble, too."""
    if isinstance(error, OSError) and error.errno in OF_DISK:
        return StoreUnavailable(sentence(error, Path(error.filename or "the data directory")))
    return error


@web.stream_request_body
class Bodiless(Ours):
    """Takes no body: without this one would be held in memory before anybody is asked who they are."""

    async def prepare(self, **options: Any) -> None:
        cast(HTTP1Connection, self.request.connection).set_max_body_size(0)
        await super().prepare(**options)

    def data_received(self, chunk: bytes) -> None:
        """There is none."""


@web.stream_request_body
class Handler(Ours, APIHandler):
    """A REST handler. Bodies are streamed, and begin to arrive as soon as ``prepare`` is over: how long one
    may be and who may send it is settled there."""

    # Without OPTIONS and HEAD, which Jupyter's base would answer without asking who it is.
    SUPPORTED_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
    body_limit = limits.BODY
    #: False for what is done even while the store is in trouble.
    needs_store = True
    #: False for an answer that was held back on purpose: how long it took tells nothing of the server.
    timed = True

    async def prepare(self, **options: Any) -> None:
        cast(HTTP1Connection, self.request.connection).set_max_body_size(self.body_limit)
        self._body = bytearray()
        # Whoever only looks is no activity: an idle tab must not keep a server from being culled.
        self._track_activity = self.request.method != "GET"
        await super().prepare(**options)
        if self.current_user is None:
            raise web.HTTPError(403)
        self.rooms.used()
        if self.needs_store:
            self.rooms.check()
        if self.request.method != "GET":
            self.require_json()

    def on_finish(self) -> None:
        rooms: Rooms | None = self.settings.get(ROOMS)
        if rooms is not None and self.timed:
            rooms.monitor.answered(self.request.request_time())
        super().on_finish()

    def require_json(self) -> None:
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind != "application/json":
            raise web.HTTPError(415, reason="The body must be application/json")

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk

    def body(self, kind: type[T]) -> T:
        """The body as ``kind``; 400 when it is not."""
        try:
            return msgspec.json.decode(bytes(self._body) or b"{}", type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"The body is not understood: {error}") from error

    def number(self, name: str, default: float | None, least: float, most: float) -> float | None:
        """A query argument between ``least`` and ``most``."""
        text = self.get_query_argument(name, None)
        if text is None:
            return default
        try:
            number = float(text)
        except ValueError as error:
            raise InputError(f'"{name}" must be a number.') from error
        if not least <= number <= most:
            raise InputError(f'"{name}" must be between {least:g} and {most:g}.')
        return number
