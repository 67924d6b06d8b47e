"""A real Jupyter server inside the test's own process, with our rooms in reach.

Tests that kill the server, or need another process, start one with ``tests.browser.servers``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from mlops_jupyter import __version__
from mlops_jupyter.server.handler import ROOMS
from mlops_jupyter.server.rooms import Rooms
from tests.browser.servers import SETTINGS

PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"mlops_jupyter": True}},
        "MlopsExtension": {**SETTINGS},
    }


@pytest.fixture
def rooms(jp_serverapp, jp_asyncio_loop) -> Iterator[Rooms]:
    """The started extension, stopped after the test."""
    extensions = jp_serverapp.extension_manager
    jp_asyncio_loop.run_until_complete(extensions.start_all_extensions())
    yield jp_serverapp.web_app.settings[ROOMS]
    jp_asyncio_loop.run_until_complete(extensions.stop_all_extensions())


@pytest.fixture
def ask(jp_fetch, rooms) -> Callable[..., Any]:
    """``await ask("GET", "jobs/j-7f3a", body, **headers) -> (status, answer)``."""

    async def ask(method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        path, _, query = path.partition("?")
        params = dict(part.split("=") for part in query.split("&") if part)
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        try:
            response = await jp_fetch(
                *f"mlops/api/{path}".split("/"),
                method=method,
                params=params,
                body=data,
                headers=headers,
                allow_nonstandard_methods=True,
                **options,
            )
        except HTTPClientError as error:
            if error.response is None:
                raise
            return error.code, json.loads(error.response.body or b"null")
        return response.code, json.loads(response.body or b"null")

    return ask


@pytest.fixture
def penguins(jp_root_dir) -> dict[str, Any]:
    """A spec that trains in about a second."""
    shutil.copy(PENGUINS, jp_root_dir / "penguins.csv")
    return {
        "data": {"path": str(jp_root_dir / "penguins.csv")},
        "target": "species",
        "model": "rf",
        "version": __version__,
    }


@pytest.fixture
def submit(ask, penguins) -> Callable[..., Any]:
    """``await submit(model=…)`` -> the accepted job."""

    async def submit(**changes: Any) -> dict[str, Any]:
        status, job = await ask("POST", "jobs", {**penguins, **changes})
        assert status == 201, job
        return job

    return submit


@pytest.fixture
def until(ask) -> Callable[..., Any]:
    """``await until(job_id, condition) -> job``: waits on events, not on the clock."""

    async def until(job_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            _, answer = await ask("GET", f"jobs/{job_id}")
            if condition(answer["job"]):
                return answer["job"]
            await ask("GET", f"events?since={answer['head']}&wait=20", request_timeout=30)

    return until


class Socket:
    """A client of the event stream; answers pings like every client."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self._ended = False

    async def message(self, patience: float = 10) -> dict[str, Any]:
        """The next message that is no ping and no event of class C."""
        while "latest" in (message := await self.heard(patience)):
            pass
        return message

    async def heard(self, patience: float = 10) -> dict[str, Any]:
        """The next message that is no ping."""
        while (message := await self._read(patience)).get("type") == "ping":
            # What was sent before a socket was closed is read; nobody is left to answer to.
            with contextlib.suppress(WebSocketClosedError):
                await self.say({"type": "pong", "nonce": message["nonce"]})
        return message

    async def ping(self) -> dict[str, Any]:
        """The next message but for events of class C, which must be a ping; it is not answered."""
        while "latest" in (message := await self._read(20)):
            pass
        assert message["type"] == "ping"
        return message

    async def _read(self, patience: float) -> dict[str, Any]:
        async with asyncio.timeout(patience):
            text = await self._connection.read_message()
        self._ended = text is None
        if text is None:
            raise EOFError(f"closed: {self._connection.close_code}")
        message: dict[str, Any] = json.loads(text)
        return message

    async def say(self, message: Any) -> None:
        await self._connection.write_message(message if isinstance(message, str) else json.dumps(message))

    def cut(self) -> None:
        """Drop the TCP connection without a word."""
        self._ended = True
        self._connection.stream.close()

    async def close(self) -> None:
        """Tornado's client does not hear the end of a connection while anything before it is unread."""
        self._connection.close()
        with contextlib.suppress(EOFError):
            while not self._ended:
                await self._read(10)


@pytest.fixture
def subscribe(http_server_client, jp_http_port, jp_base_url, jp_auth_header, rooms) -> Callable[..., Any]:
    """``async with subscribe(since=…, epoch=…) as socket``."""

    @asynccontextmanager
    async def subscribe(
        headers: dict[str, str] | None = None, port: int = jp_http_port, **cursor: Any
    ) -> AsyncIterator[Socket]:
        query = "&".join(f"{name}={value}" for name, value in cursor.items())
        url = f"ws://localhost:{port}{jp_base_url}mlops/api/events/subscribe?{query}"
        connection = await websocket_connect(HTTPRequest(url, headers=headers or jp_auth_header))
        socket = Socket(connection)
        try:
            yield socket
        finally:
            await socket.close()

    return subscribe


@pytest.fixture
def knock(rooms, jp_http_port, http_server_client) -> Callable[..., Any]:
    """``await knock(method, path, headers, body) -> status``: bytes on a socket, since clients tidy up
    what no browser would send. A socket that is upgraded counts as its 101, a connection that is closed
    without a word as 0."""

    async def knock(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
        sent = {"Host": f"127.0.0.1:{jp_http_port}", "Connection": "close", **headers}
        sent["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
        try:
            writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
            async with asyncio.timeout(30):
                answer = await reader.readline()
        finally:
            writer.close()
        return int(answer.split()[1]) if answer else 0

    return knock


@pytest.fixture
def contents(rooms, jp_serverapp) -> Callable[[], list[str]]:
    """Everything the data directory holds, to compare before and after: the store's rows and the files."""

    def contents() -> list[str]:
        folder = rooms.supervisor.folder("j-").parents[1]
        with sqlite3.connect(f"file:{folder / 'store.sqlite'}?mode=ro", uri=True) as store:
            rows = list(store.iterdump())
        store.close()
        found = (path for path in folder.rglob("*") if not path.is_dir())
        files = (path for path in found if not path.name.startswith("store."))
        return rows + sorted(str(path) for path in files)

    return contents
