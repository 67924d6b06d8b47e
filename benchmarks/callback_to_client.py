"""From a step inside ``fit`` to a client of the socket, on loopback, while a job trains.

A real server, real jobs (MLPs that log their epochs), one websocket client in this process. One job's
steps are far apart, the other's come faster than journals are looked at. The moment of a step is the one
its journal record carries; the moment of arrival is taken when the frame has been read. Beside it, in the
same run: a bare Tornado websocket that sends the time it was asked to send.

    python benchmarks/callback_to_client.py
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pandas as pd
from serving import address, started
from tornado.httpclient import HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler, websocket_connect

from mlops_jupyter import __version__
from mlops_jupyter.core import facts
from mlops_jupyter.training import journal

#: Rows and epochs of the two jobs.
JOBS = {"steps far apart": (40_000, 60), "steps in quick succession": (3_000, 400)}
PROMISE = {"p50": 25.0, "p99": 60.0}
WATCHED = "train_loss"


async def watch(facts_of: dict[str, Any], spec: dict[str, Any]) -> tuple[str, dict[int, float]]:
    """Run the job; when each of its steps arrived, in seconds since the epoch."""
    auth = {"Authorization": f"mlops {facts_of['secret']}"}
    address = facts_of["url"] + "mlops/api/"
    request = HTTPRequest(address.replace("http", "ws", 1) + "events/subscribe", headers=auth)
    socket = await websocket_connect(request)
    async with httpx.AsyncClient(headers=auth) as client:
        job_id = (await client.post(address + "jobs", json=spec)).raise_for_status().json()["job_id"]
    arrived: dict[int, float] = {}
    while True:
        message = json.loads(await socket.read_message())
        now = time.time()
        for event in message.get("events", []):
            for point in event.get("points", []):
                if point["name"] == WATCHED:
                    arrived[point["step"]] = now
            if event["type"] in ("training_completed", "training_failed"):
                assert event["status"] == "completed", event["error"]
                socket.close()
                return job_id, arrived


def logged(home: Path, job_id: str) -> dict[int, float]:
    """When each step was logged, as its record says."""
    payloads = journal.read(home / "data" / "mlops" / "jobs" / job_id / "journal", 0, 64 << 20).payloads
    happened = [msgspec.json.decode(payload, type=facts.AnyFact) for payload in payloads]
    return {
        point.step: fact.time
        for fact in happened
        if isinstance(fact, facts.PointsLogged)
        for point in fact.points
        if point.name == WATCHED
    }


class Echo(WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(json.dumps({"at": time.time()}))


async def bare(count: int) -> list[float]:
    """One way, milliseconds: a Tornado websocket with nothing around it."""
    (listener,) = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(Application([("/", Echo)]))
    server.add_socket(listener)
    socket = await websocket_connect(f"ws://127.0.0.1:{listener.getsockname()[1]}/")
    delays = []
    for _ in range(count):
        await socket.write_message("x")
        sent = json.loads(await socket.read_message())["at"]
        delays.append(1000 * (time.time() - sent))
    socket.close()
    server.stop()
    return delays


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def table(path: Path, rows: int) -> None:
    X = np.random.default_rng(0).normal(size=(rows, 20))
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(20)]).assign(y=(X[:, 0] > 0).astype(int))
    frame.to_csv(path, index=False)


def delays_of(home: Path, found: dict[str, Any], rows: int, epochs: int) -> list[float]:
    """Of every step of one job, milliseconds."""
    path = home / f"table{rows}.csv"
    table(path, rows)
    spec = {
        "data": {"path": str(path)},
        "target": "y",
        "model": "mlp",
        "params": {"max_iter": epochs, "n_iter_no_change": epochs},
        "cv": 0,
        "version": __version__,
    }
    job_id, arrived = asyncio.run(watch(found, spec))
    written = logged(home, job_id)
    assert set(arrived) == set(written), "a step was lost"
    return [1000 * (arrived[step] - at) for step, at in written.items()]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = started(home)
        found = address(home, server)
        try:
            measured = {name: delays_of(home, found, *job) for name, job in JOBS.items()}
        finally:
            server.terminate()
            server.wait()
    raw = asyncio.run(bare(200))
    print("milliseconds from a step to the client")
    print(f"{'':34}{'steps':>8}{'p50':>8}{'p99':>8}{'max':>8}")
    print(f"{'promise':34}{'':8}{PROMISE['p50']:8.0f}{PROMISE['p99']:8.0f}")
    for name, delays in {**measured, "a bare websocket": raw}.items():
        figures = (percentile(delays, 50), percentile(delays, 99), max(delays))
        print(f"{name:34}{len(delays):8}" + "".join(f"{figure:8.1f}" for figure in figures))


if __name__ == "__main__":
    main()
