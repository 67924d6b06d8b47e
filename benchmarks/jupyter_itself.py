"""What Jupyter's own work costs beside ours: saving a notebook, and a word to a kernel and back.

Two real Jupyter servers with a kernel each, asked in turn: one without our extension, one with it. First
nothing else happens. Then the second has a job that measures 1,000 points a second and 50 clients that read
them all; the first is on the same busy machine.

    python benchmarks/jupyter_itself.py [rounds]
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

sys.path.append(str(Path(__file__).parents[1]))
from tests.faults.servers import WorksServer

ROUNDS, CLIENTS, POINTS = 400, 50, 1000
NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "source": "x = 1\n" * 50,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for i in range(200)
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


class Jupyter:
    """A server, a client of its files, and a client of one of its kernels."""

    def __init__(self, server: WorksServer) -> None:
        self.server = server
        self.headers = {"Authorization": f"token {server.token}"}
        self.http = httpx.AsyncClient(base_url=server.url, headers=self.headers, timeout=60)

    async def start_kernel(self) -> None:
        kernel = (await self.http.post("api/kernels", json={"name": "python3"})).json()["id"]
        url = f"{self.server.url.replace('http', 'ws', 1)}api/kernels/{kernel}/channels"
        self.kernel: WebSocketClientConnection = await websocket_connect(
            HTTPRequest(url, headers=self.headers)
        )
        await self.echo()

    async def save(self) -> float:
        began = time.perf_counter()
        body = {"type": "notebook", "format": "json", "content": NOTEBOOK}
        (await self.http.put("api/contents/saved.ipynb", json=body)).raise_for_status()
        return 1000 * (time.perf_counter() - began)

    async def echo(self) -> float:
        """An empty cell: to the kernel and back, by the server."""
        began = time.perf_counter()
        asked = uuid.uuid4().hex
        header = {
            "msg_id": asked,
            "msg_type": "execute_request",
            "session": "b",
            "username": "",
            "version": "5.3",
        }
        content = {"code": "", "silent": True, "store_history": False, "allow_stdin": False}
        message = {
            "header": header,
            "content": content,
            "channel": "shell",
            "parent_header": {},
            "metadata": {},
        }
        await self.kernel.write_message(json.dumps(message))
        while True:
            answer = json.loads(await self.kernel.read_message() or "null")
            if answer["msg_type"] == "execute_reply" and answer["parent_header"].get("msg_id") == asked:
                return 1000 * (time.perf_counter() - began)


async def measure(servers: dict[str, Jupyter], rounds: int, title: str) -> None:
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for name, jupyter in servers.items():
            taken.setdefault(("save", name), []).append(await jupyter.save())
            taken.setdefault(("echo", name), []).append(await jupyter.echo())
    print(f"\n{title}; load {os.getloadavg()[0]:.1f}")
    for work in ("save", "echo"):
        p99 = {}
        for name in servers:
            times = sorted(taken[work, name])
            p99[name] = times[int(0.99 * len(times))]
            p50 = times[len(times) // 2]
            print(f"{work} {name:8} p50 {p50:7.1f}  p99 {p99[name]:7.1f}  max {times[-1]:7.1f} ms")
        print(f"{work} p99 with us / without: {p99['with'] / p99['without']:.2f}")


async def main(home: Path, rounds: int) -> None:
    without = WorksServer(home / "without")
    off = {"ServerApp": {"jpserver_extensions": {"mlops_jupyter": False}}}
    (without.home / "config" / "jupyter_server_config.json").write_text(json.dumps(off))
    servers = {"without": without, "with": WorksServer(home / "with")}
    try:
        for server in servers.values():
            server.start()
        assert [s.get("mlops/api/status").status_code for s in servers.values()] == [404, 200]
        jupyters = {name: Jupyter(server) for name, server in servers.items()}
        for jupyter in jupyters.values():
            await jupyter.start_kernel()
        await measure(jupyters, rounds, "Nothing else happens")
        await loaded(servers["with"], jupyters, rounds)
        for jupyter in jupyters.values():
            jupyter.kernel.close()
            await jupyter.http.aclose()
    finally:
        for server in servers.values():
            server.close()


async def loaded(server: WorksServer, jupyters: dict[str, Jupyter], rounds: int) -> None:
    job = await asyncio.to_thread(server.begun, "emits", points=10**9, per_second=POINTS)
    url = f"{server.url.replace('http', 'ws', 1)}mlops/api/events/subscribe"
    clients = await asyncio.create_subprocess_exec(sys.executable, __file__, "clients", url, server.token)
    began, before = time.monotonic(), server.job(job)["live_metrics"]["n"]
    await measure(jupyters, rounds, f"{CLIENTS} clients and a job of {POINTS} points a second")
    rate = (server.job(job)["live_metrics"]["n"] - before) / (time.monotonic() - began)
    print(f"\npoints that arrived a second meanwhile: {rate:.0f}")
    clients.terminate()
    await clients.wait()


async def listen(url: str, token: str) -> None:
    """All that a client must do: read, and answer pings."""
    socket = await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {token}"}))
    while (message := await socket.read_message()) is not None:
        assert isinstance(message, str)
        if '"type":"ping"' in message:
            await socket.write_message(json.dumps({"type": "pong", "nonce": json.loads(message)["nonce"]}))
    raise EOFError("A client was dropped")


async def clients(url: str, token: str) -> None:
    await asyncio.gather(*(listen(url, token) for _ in range(CLIENTS)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["clients"]:
        asyncio.run(clients(*sys.argv[2:]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(main(Path(folder), int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
