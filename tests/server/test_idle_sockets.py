"""A proxy that cuts what is idle never cuts a socket of ours (F22)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mlops_jupyter.server import subscription
from tests.lines import a_line


class IdleProxy:
    """Passes on one connection, and ends it once the server has said nothing for ``patience`` seconds."""

    def __init__(self, target: int, patience: float) -> None:
        self._target = target
        self._patience = patience
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self.pings = 0
        self.cut = False

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        with self._listener, socket.socket() as server:
            server.setblocking(False)
            client, _ = await loop.sock_accept(self._listener)
            with client:
                await loop.sock_connect(server, ("127.0.0.1", self._target))
                upward = asyncio.ensure_future(self._pass_on(client, server, None))
                try:
                    await self._pass_on(server, client, self._patience)
                except TimeoutError:
                    self.cut = True
                finally:
                    upward.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await upward

    async def _pass_on(self, source: socket.socket, target: socket.socket, patience: float | None) -> None:
        loop = asyncio.get_running_loop()
        while True:
            async with asyncio.timeout(patience):
                data = await loop.sock_recv(source, 1 << 16)
            if not data:
                return
            self.pings += data.count(b'"type":"ping"')
            await loop.sock_sendall(target, data)


@asynccontextmanager
async def idle_proxy(target: int, patience: float) -> AsyncIterator[IdleProxy]:
    proxy = IdleProxy(target, patience)
    running = asyncio.ensure_future(proxy.run())
    yield proxy
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


@pytest.mark.parametrize(
    ("heartbeat", "patience", "idle"),
    [
        pytest.param(0.5, 2.0, 4.5, id="scaled"),
        pytest.param(15.0, 60.0, 300.0, id="whole", marks=[pytest.mark.soak, pytest.mark.timeout(400)]),
    ],
)
async def test_a_page_that_hears_nothing_new_keeps_its_socket_through_a_proxy_that_cuts_idle_ones(
    rooms, subscribe, jp_http_port, monkeypatch, heartbeat, patience, idle
) -> None:
    """P19"""
    monkeypatch.setattr(subscription, "HEARTBEAT", heartbeat)
    async with (
        idle_proxy(jp_http_port, patience) as proxy,
        subscribe(port=proxy.port, since=0, epoch=rooms.store.epoch) as client,
    ):
        assert (await client.message())["type"] == "hello"
        hearing = asyncio.ensure_future(client.message(patience=idle + 30))
        await asyncio.sleep(idle)
        await rooms.store.awrite(lambda tx: tx.append(a_line()))
        assert [event["seq"] for event in (await hearing)["events"]] == [1]
        assert proxy.pings >= idle / patience
        assert not proxy.cut
