"""From a step inside ``fit`` to a client of the socket, on loopback, while a job trains.

A real server, a real job (an MLP that logs every epoch), one websocket client in this process. The
moment of a step is the one its journal record carries; the moment of arrival is taken when the
frame has been read. Beside it, in the same run: a bare Tornado websocket that sends the time it was
asked to send.

    python benchmarks/callback_to_client.py
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pandas as pd
from tornado.httpclient import HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler, websocket_connect

from mlops_jupyter import __version__
from mlops_jupyter.core import facts
from mlops_jupyter.training import journal

EPOCHS = 400
PROMISE = {"p50": 25.0, "p99": 60.0}
WATCHED = "train_loss"


def start_server(home: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
    }
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0"]
    log = (home / "server.log").open("wb")
    server = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
    while not (found := list((home / "runtime").glob("mlops-*.json"))):
        assert server.poll() is None, (home / "server.log").read_text()
        time.sleep(0.05)
    return server, json.loads(found[0].read_text())


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
    return statistics.quantiles(values, n=100)[percent - 1]


def main() -> None:
    chance = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        X = chance.normal(size=(3000, 20))
        table = pd.DataFrame(X, columns=[f"x{i}" for i in range(20)]).assign(y=(X[:, 0] > 0).astype(int))
        table.to_csv(home / "table.csv", index=False)
        server, found = start_server(home)
        try:
            spec = {
                "data": {"path": str(home / "table.csv")},
                "target": "y",
                "model": "mlp",
                "params": {"max_iter": EPOCHS, "n_iter_no_change": EPOCHS},
                "cv": 0,
                "version": __version__,
            }
            job_id, arrived = asyncio.run(watch(found, spec))
            written = logged(home, job_id)
        finally:
            server.terminate()
            server.wait()
        raw = asyncio.run(bare(len(written)))
    assert set(arrived) == set(written), "a step was lost"
    delays = [1000 * (arrived[step] - at) for step, at in written.items()]
    print(f"{len(delays)} steps of one job, milliseconds from the step to the client")
    print(f"{'':24}{'ours':>8}{'promise':>10}{'bare socket':>13}")
    for name, percent in (("p50", 50), ("p99", 99)):
        ours, limit = percentile(delays, percent), percentile(raw, percent)
        print(f"{name:24}{ours:8.1f}{PROMISE[name]:10.0f}{limit:13.2f}")
    print(f"{'max':24}{max(delays):8.1f}{'':10}{max(raw):13.2f}")


if __name__ == "__main__":
    main()
