"""From one event to many clients: how late, at what cost, and what one that never reads does to the others.

Servers run in processes of their own: ours (a Jupyter server whose store commits the events), and a bare
Tornado websocket that writes the same frames to everybody. Clients are bare TCP in this process: they look
for the moment that stands in each event. Per number of clients: p50 and p99 in milliseconds, the server's
CPU a message, its memory a client; for ours once more with one client that has stopped reading.

    python benchmarks/fan_out.py [clients …]
"""

from __future__ import annotations

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
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psutil
from serving import TOKEN, served
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from mlops_jupyter.core.events import LogLines

CLIENTS = (1, 10, 100, 500)
RATE, SECONDS = 200, 5.0
JOB = "j-7f3a00000000"
MOMENT = re.compile(rb"@(\d+\.\d+)@")
PATH = {"ours": "/mlops/api/events/subscribe", "bare": "/"}


# --- the servers, each in a process of its own ---------------------------------------------


def an_event() -> LogLines:
    now = datetime.now(UTC)
    return LogLines(time=now, job_id=JOB, first=0, lines=(f"@{time.time():.6f}@" + "x" * 150,))


async def ordered() -> bool:
    """Wait for the next line from the process that measures; False when there will be none."""
    return bool(await asyncio.to_thread(sys.stdin.readline))


async def paced(act: object) -> None:
    began = time.monotonic()
    for number in range(int(RATE * SECONDS)):
        await act()  # type: ignore[operator]
        await asyncio.sleep(max(began + number / RATE - time.monotonic(), 0))
    print("done", flush=True)


async def ours() -> None:
    with tempfile.TemporaryDirectory() as home:
        async with served(Path(home)) as (port, rooms):
            print(port, flush=True)
            while await ordered():
                await paced(lambda: rooms.store.awrite(lambda tx: tx.append(an_event())))


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

    async def say() -> None:
        frame = f'{{"events":[{{"type":"log_lines","lines":["@{time.time():.6f}@{"x" * 150}"]}}],"prev":0}}'
        for one in list(sockets):
            one.write_message(frame)

    while await ordered():
        await paced(say)


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
    server: subprocess.Popen[str], port: int, path: str, count: int, *, stalled: bool
) -> Figures:
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
        if stalled:
            idle.connect(("127.0.0.1", port))
            idle.sendall(request(path))
        await asyncio.sleep(1)
        memory = (process.memory_info().rss - before) / count / 1024
        used = sum(process.cpu_times()[:2])
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write("go\n")
        server.stdin.flush()
        await asyncio.to_thread(server.stdout.readline)
        await asyncio.sleep(0.5)
        messages = count * RATE * SECONDS
        cpu = 1e6 * (sum(process.cpu_times()[:2]) - used) / messages
    for client in clients:
        client.transport.abort()
    await asyncio.sleep(0.5)
    cuts = statistics.quantiles(delays, n=100)
    return Figures(cuts[49], cuts[98], cpu, memory, len(delays) / messages)


def main() -> None:
    if sys.argv[1:] in (["ours"], ["bare"]):
        asyncio.run(ours() if sys.argv[1] == "ours" else bare())
        return
    counts = [int(text) for text in sys.argv[1:]] or list(CLIENTS)
    print(f"{RATE} events a second for {SECONDS:g} s")
    print(
        f"{'clients':>8}  {'server':22}{'p50 ms':>8}{'p99 ms':>8}{'µs/msg':>8}{'KiB each':>10}{'arrived':>9}"
    )
    command = [sys.executable, __file__]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    servers = {kind: subprocess.Popen([*command, kind], **pipes) for kind in PATH}  # type: ignore[call-overload]
    ports = {kind: int(server.stdout.readline()) for kind, server in servers.items()}
    try:
        for count in counts:
            p99: dict[str, float] = {}
            for name, kind, stalled in (
                ("a bare websocket", "bare", False),
                ("ours", "ours", False),
                ("ours, one stalled", "ours", True),
            ):
                found = asyncio.run(measure(servers[kind], ports[kind], PATH[kind], count, stalled=stalled))
                p99[name] = found.p99
                print(
                    f"{count:8}  {name:22}{found.p50:8.1f}{found.p99:8.1f}{found.cpu:8.1f}"
                    f"{found.memory:10.1f}{found.arrived:9.1%}"
                )
            print(
                f"{'':10}p99: {p99['ours'] / p99['a bare websocket']:.2f} × bare; "
                f"with one stalled {p99['ours, one stalled'] / p99['ours']:.2f} × without (at most 1.20)"
            )
    finally:
        for server in servers.values():
            server.stdin.close()
            server.wait(30)


if __name__ == "__main__":
    main()
