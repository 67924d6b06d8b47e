"""What was predicted is counted exactly: each answer once, whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import psutil
import pytest

from mlops_jupyter import __version__
from tests import processes
from tests.faults.servers import await_true
from tests.faults.test_server_restart import JupyterServer

KILLS = 10
CLIENTS = 50
#: Rows in a request at most.
MOST = 9


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path / "home")
    table = "\n".join(f"{row % 7},{row % 5},{row % 2}" for row in range(120))
    (server.root / "table.csv").write_text(f"a,b,y\n{table}\n")
    server.start()
    yield server
    server.close()


def trained(server: JupyterServer) -> str:
    """The id of a model: the next version of one name."""
    spec = {
        "name": "served",
        "data": {"path": str(server.root / "table.csv")},
        "target": "y",
        "model": "logistic",
        "cv": 0,
        "version": __version__,
    }
    job_id = server.post("jobs", spec).json()["job_id"]
    return str(server.until(job_id, lambda job: job["end_time"] is not None)["model_id"])


def deployed(server: JupyterServer) -> tuple[str, str]:
    """A model that was trained and answers: its id and that of its endpoint."""
    model_id = trained(server)
    endpoint_id = server.post(f"models/{model_id}/deploy", {}).json()["endpoint_id"]
    await_true(lambda: endpoint(server, endpoint_id)["status"] == "deployed")
    return model_id, endpoint_id


def endpoint(server: JupyterServer, endpoint_id: str) -> dict[str, Any]:
    found: dict[str, Any] = server.get(f"mlops/api/endpoints/{endpoint_id}").json()
    return found


def host(server: JupyterServer) -> psutil.Process | None:
    """The process that serves the model."""
    assert server.process
    children = psutil.Process(server.process.pid).children()
    return next((each for each in children if "mlops_jupyter.serving.host" in processes.command(each)), None)


def batches(whole: int) -> Iterator[range]:
    """So many rows, one to ``MOST`` in a request."""
    begin = 0
    while begin < whole:
        end = min(begin + random.randint(1, MOST), whole)
        yield range(begin, end)
        begin = end


async def ask(server: JupyterServer, path: str, parts: Iterator[range], statuses: Counter[int]) -> None:
    """One client: a request after the other on a connection of its own; ``statuses`` counts rows."""
    address = urlparse(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        for rows in parts:
            body = json.dumps({"rows": [{"a": row % 7, "b": row % 5} for row in rows]}).encode()
            writer.write(
                f"POST {address.path}mlops/api/{path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
                f"Authorization: token {server.token}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            answer = await reader.readexactly(int(length.split(b":")[1]))
            status = int(head.split()[1])
            statuses[status] += len(rows)
            assert status != 200 or len(json.loads(answer)["predictions"]) == len(rows)
    finally:
        writer.close()


async def kill_again_and_again(server: JupyterServer, statuses: Counter[int], whole: int) -> int:
    """Spread over the whole of it; how often there was one to kill."""
    killed = 0
    for number in range(1, KILLS + 1):
        while sum(statuses.values()) < number * whole // (KILLS + 1):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(random.random() / 100)
        if (process := host(server)) is not None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
    return killed


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(10_000, marks=pytest.mark.timeout(600)),
        pytest.param(100_000, marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_the_counter_is_exact_though_the_process_is_killed_ten_times(
    server: JupyterServer, whole: int
) -> None:
    _, endpoint_id = deployed(server)
    statuses: Counter[int] = Counter()

    async def load() -> int:
        parts = batches(whole)
        path = f"endpoints/{endpoint_id}/predict"
        killing = asyncio.create_task(kill_again_and_again(server, statuses, whole))
        await asyncio.gather(*(ask(server, path, parts, statuses) for _ in range(CLIENTS)))
        return await killing

    killed = asyncio.run(load())
    found = endpoint(server, endpoint_id)
    print(f"{statuses}, {killed} kills")  # noqa: T201 - what pytest -s shows of the long form
    assert sum(statuses.values()) == whole
    # A kill costs no answer either: what waited is asked again.
    assert (killed, statuses) == (KILLS, {200: whole})
    assert (found["total_predictions"], found["status"]) == (whole, "deployed")
    server.kill()
    server.start()
    assert endpoint(server, endpoint_id)["total_predictions"] == whole


@pytest.mark.timeout(300)
def test_deployments_come_back_by_themselves_after_their_server_was_killed(server: JupyterServer) -> None:
    model_id, endpoint_id = deployed(server)
    before = host(server)
    assert before is not None
    server.kill()
    await_true(lambda: not before.is_running())
    server.start()
    await_true(lambda: host(server) is not None)
    answer = server.post(f"models/{model_id}/predict", {"row": {"a": 1, "b": 2}})
    assert (answer.status_code, len(answer.json()["predictions"])) == (200, 1)
    assert endpoint(server, endpoint_id)["total_predictions"] == 1


@pytest.fixture
def other(server: JupyterServer, tmp_path: Path) -> Iterator[JupyterServer]:
    """A second server of the same user, on the store of the first."""
    data = server.home / "data" / "mlops"
    other = JupyterServer(tmp_path / "other", options=[f"--MlopsExtension.data_dir={data}"])
    other.start()
    yield other
    other.close()


async def killed_while_asked(server: JupyterServer, path: str) -> tuple[int, int]:
    """Rows that were answered until the server was killed, and how many clients asked."""
    statuses: Counter[int] = Counter()
    parts = batches(100_000)
    asking = [asyncio.create_task(ask(server, path, parts, statuses)) for _ in range(5)]
    while statuses.total() < 500:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    await asyncio.to_thread(server.kill)
    ends = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(end, OSError | EOFError) for end in ends), ends
    assert statuses.keys() == {200}
    return statuses[200], len(asking)


@pytest.mark.timeout(300)
def test_of_two_servers_one_keeps_a_deployment_ready_both_answer_and_the_other_takes_over(
    server: JupyterServer, other: JupyterServer
) -> None:
    """Decision 0113."""
    _, at = deployed(server)
    path, row = f"endpoints/{at}/predict", {"row": {"a": 1, "b": 2}}
    first = endpoint(server, at)["owner"]
    assert (endpoint(other, at)["owner"], host(other)) == (first, None)
    answered, clients = asyncio.run(killed_while_asked(server, path))
    # Nobody has asked it for anything.
    await_true(lambda: host(other) is not None)
    second, counted = [endpoint(other, at)[field] for field in ("owner", "total_predictions")]
    assert second != first
    # What was answered is counted; of each client there may be one request that heard of no answer.
    assert answered <= counted <= answered + clients * MOST
    server.start()
    answers = [each.post(path, row) for each in (other, server)]
    assert [(answer.status_code, answer.json()["version"]) for answer in answers] == [(200, 1)] * 2
    assert (endpoint(server, at)["owner"], host(server) is not None) == (second, True)
    assert [endpoint(each, at)["total_predictions"] for each in (server, other)] == [counted + 2] * 2
    two = trained(server)
    server.post(f"models/{two}/deploy", {})
    await_true(lambda: endpoint(other, at)["model_id"] == two)
    versions = []
    # It answers as the one before until it has heard of the next, and says so.
    while versions[-1:] != [2]:
        answer = other.post(path, row)
        assert answer.status_code == 200, answer.text
        versions.append(answer.json()["version"])
    assert versions == sorted(versions)
    assert [endpoint(each, at)["total_predictions"] for each in (server, other)] == [1, 1]
    other.post(f"models/{two}/undeploy", {})
    # Whether it has heard of that or not.
    assert server.post(path, row).status_code == 409
    await_true(lambda: host(server) is None and host(other) is None)
