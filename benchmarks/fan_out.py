"""From one event to many clients: how late, at what cost, and what one that never reads does to the others.

Servers run in processes of their own: ours (a Jupyter server whose store commits the events), Jupyter's own
event bus in such a server, and a bare Tornado websocket that writes the same frames to everybody. Clients are
bare TCP in this process: they look for the moment that stands in each event, when it was due: a server
too busy to publish in time does not look quick. Per number of clients: p50 and p99 in milliseconds, the
server's CPU a message, its memory a client; for ours once more with one client that has stopped reading.

    python benchmarks/fan_out.py [--rate EVENTS_A_SECOND] [clients …]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil
from serving import TOKEN, served
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from mlops_jupyter.core.events import LogLines
from mlops_jupyter.store import Transaction

CLIENTS = (1, 10, 100, 500)
RATE, SECONDS = 200, 5.0
SCHEMA = "https://events.mlops-jupyter.test/fan_out/v1"
JOB = "j-7f3a00000000"
MOMENT = re.compile(rb"@(\d+\.\d+)@")
PATH = {"ours": "/mlops/api/events/subscribe", "bus": "/api/events/subscribe", "bare": "/"}
WAYS = (
    ("a bare websocket", "bare", False),
    ("Jupyter's event bus", "bus", False),
    ("ours", "ours", False),
    ("ours, one stalled", "ours", True),
)


# --- the servers, each in a process of its own ---------------------------------------------


def an_event(line: str) -> LogLines:
    return LogLines(time=datetime.now(UTC), job_id=JOB, first=0, lines=(line,))


async def ordered(publish: Callable[[str], object]) -> None:
    """``publish`` as often a second as the process that measures asks for, until it asks no more."""
    while rate := float(await asyncio.to_thread(sys.stdin.readline) or 0):
        began = time.time()
        for number in range(int(rate * SECONDS)):
            due = began + number / rate
            await asyncio.sleep(max(due - time.time(), 0))
            publish(f"@{due:.6f}@" + "x" * 150)
        print("done", flush=True)


async def ours() -> None:
    with tempfile.TemporaryDirectory() as home:
        async with served(Path(home)) as (port, rooms):
            print(port, flush=True)
            await ordered(lambda line: rooms.store.write(partial(Transaction.append, event=an_event(line))))


async def bus() -> None:
    with tempfile.TemporaryDirectory() as home:
        async with served(Path(home)) as (port, _):
            # Paths are read from the environment at the first import.
            from jupyter_server.serverapp import ServerApp  # noqa: PLC0415

            events = ServerApp.instance().event_logger
            text = {"type": "string"}
            events.register_event_schema(
                {"$id": SCHEMA, "version": "1", "type": "object", "properties": {"line": text}}
            )
            print(port, flush=True)
            await ordered(lambda line: events.emit(schema_id=SCHEMA, data={"line": line}))


async def bare() -> None:
    sockets: set[Bare] = set()

    class Bare(WebSocketHandler):
        def open(self) -> None:
            sockets.add(self)

        def on_close(self) -> None:
            sockets.discard(self)

    (listener,) = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(Application([("/", Bare)]))
    server.add_socket(listener)
    print(listener.getsockname()[1], flush=True)

    def say(line: str) -> None:
        frame = f'{{"events":[{{"type":"log_lines","lines":["{line}"]}}],"prev":0}}'
        for one in list(sockets):
            one.write_message(frame)

    await ordered(say)


# --- the clients ---------------------------------------------------------------------------


class Client(asyncio.Protocol):
    def __init__(self, path: str, delays: list[float]) -> None:
        self._path = path
        self._delays = delays

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(request(self._path))

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._delays += [1000 * (now - float(at)) for at in MOMENT.findall(data)]


def request(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Authorization: token {TOKEN}\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}\r\n\r\n"
    ).encode()


class Figures(NamedTuple):
    p50: float
    p99: float
    #: Microseconds of the server's CPU a message.
    cpu: float
    #: Kibibytes of the server's memory a client.
    memory: float
    arrived: float


async def measure(
    server: subprocess.Popen[str], port: int, path: str, count: int, rate: int, behind: int | None
) -> Figures:
    """``behind``: the cursor of a client more, which never reads. What comes after it has filled its buffers
    before the first event: one without a cursor takes seconds of these events in like any other."""
    loop = asyncio.get_running_loop()
    process = psutil.Process(server.pid)
    delays: list[float] = []
    before = process.memory_info().rss
    clients = [
        (await loop.create_connection(lambda: Client(path, delays), "127.0.0.1", port))[1]
        for _ in range(count)
    ]
    with socket.socket() as idle:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if behind is not None:
            idle.connect(("127.0.0.1", port))
            idle.sendall(request(f"{path}?since={behind}"))
        await asyncio.sleep(1)
        memory = (process.memory_info().rss - before) / count / 1024
        used = sum(process.cpu_times()[:2])
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(f"{rate}\n")
        server.stdin.flush()
        await asyncio.to_thread(server.stdout.readline)
        await asyncio.sleep(0.5)
        messages = count * rate * SECONDS
        cpu = 1e6 * (sum(process.cpu_times()[:2]) - used) / messages
    for client in clients:
        client.transport.abort()
    await asyncio.sleep(0.5)
    cuts = statistics.quantiles(delays, n=100)
    return Figures(cuts[49], cuts[98], cpu, memory, len(delays) / messages)


def main() -> None:
    if sys.argv[1:] in [[kind] for kind in PATH]:
        asyncio.run({"ours": ours, "bus": bus, "bare": bare}[sys.argv[1]]())
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=RATE)
    parser.add_argument("clients", type=int, nargs="*", default=CLIENTS)
    asked = parser.parse_args()
    print(f"{asked.rate} events a second for {SECONDS:g} s; load {os.getloadavg()[0]:.1f}")
    print(
        f"{'clients':>8}  {'server':22}{'p50 ms':>8}{'p99 ms':>8}{'µs/msg':>8}{'KiB each':>10}{'arrived':>9}"
    )
    command = [sys.executable, __file__]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    servers = {kind: subprocess.Popen([*command, kind], **pipes) for kind in PATH}  # type: ignore[call-overload]
    ports = {kind: int(server.stdout.readline()) for kind, server in servers.items()}
    told = 0
    try:
        for count in asked.clients:
            figures: dict[str, Figures] = {}
            for name, kind, stalled in WAYS:
                behind = told - int(asked.rate * SECONDS) if stalled else None
                found = figures[name] = asyncio.run(
                    measure(servers[kind], ports[kind], PATH[kind], count, asked.rate, behind)
                )
                told += int(asked.rate * SECONDS) * (kind == "ours")
                print(
                    f"{count:8}  {name:22}{found.p50:8.1f}{found.p99:8.1f}{found.cpu:8.1f}"
                    f"{found.memory:10.1f}{found.arrived:9.1%}"
                )
            others, jupyters, mine, held = figures.values()
            print(
                f"{'':10}p99: {mine.p99 / others.p99:.2f} × bare (at most 1.30); with one stalled "
                f"{held.p99 / mine.p99:.2f} × without (at most 1.20); "
                f"CPU: {mine.cpu / jupyters.cpu:.2f} × Jupyter's bus (at most 0.25)"
            )
    finally:
        for server in servers.values():
            server.stdin.close()
            server.wait(30)


if __name__ == "__main__":
    main()
