"""Two real servers on one store: their clients see one sequence, and may go on at either of them."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.faults.servers import WorksServer

POINTS = 300


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[WorksServer, WorksServer]]:
    first = WorksServer(tmp_path / "first")
    second = WorksServer(tmp_path / "second", first.data)
    for server in (first, second):
        server.start()
    yield first, second
    for server in (first, second):
        server.close()


class Client:
    """Follows the stream by websocket or by polling, whichever is asked for; keeps its cursor."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.events: list[dict[str, Any]] = []

    @property
    def since(self) -> int:
        return int(self.events[-1]["seq"]) if self.events else 0

    async def listen(self, server: WorksServer, until: int) -> None:
        """By websocket, until event ``until``."""
        query = f"since={self.since}&epoch={self.epoch}"
        url = f"{server.url.replace('http', 'ws', 1)}mlops/api/events/subscribe?{query}"
        headers = {"Authorization": f"token {server.token}"}
        socket = await websocket_connect(HTTPRequest(url, headers=headers))
        async with asyncio.timeout(60):
            while self.since < until:
                message = json.loads(await socket.read_message() or "{}")
                if "events" in message:
                    assert (message["prev"], "skipped" in message) == (self.since, False)
                    self.events += message["events"]
                else:
                    assert "latest" in message or message["type"] in ("hello", "ping")
        socket.close()
        while await socket.read_message() is not None:
            pass

    def poll(self, server: WorksServer) -> None:
        """Once."""
        answer = server.get("mlops/api/events", since=self.since, epoch=self.epoch, wait=20).json()
        assert (answer["prev"], answer["reset"]) == (self.since, None)
        self.events += answer["events"]


def run_a_job_each(servers: tuple[WorksServer, ...]) -> int:
    """The number of an event after both have ended."""
    jobs = [server.submit("emits", points=POINTS) for server in servers]
    ended = [servers[0].over(job_id) for job_id in jobs]
    assert [job["status"] for job in ended] == ["completed"] * len(jobs)
    head: int = servers[0].get("mlops/api/jobs").json()["head"]
    return head


def test_clients_of_both_see_one_sequence_without_gaps_and_go_on_where_they_stopped(
    servers: tuple[WorksServer, WorksServer],
) -> None:
    """P15, F20: live at both, then across a kill: by polling at the other, by socket at the new one."""
    first, second = servers
    epoch = first.get("mlops/api/events").json()["epoch"]
    clients = [Client(epoch), Client(epoch)]

    async def both(until: int) -> None:
        await asyncio.gather(*(client.listen(s, until) for client, s in zip(clients, servers, strict=True)))

    async def live() -> None:
        listening = asyncio.ensure_future(both(10))
        head = await asyncio.to_thread(run_a_job_each, servers)
        await listening
        await both(head)

    asyncio.run(live())
    assert clients[0].events == clients[1].events
    assert [event["seq"] for event in clients[0].events] == list(range(1, clients[0].since + 1))

    first.kill()
    head = run_a_job_each((second,))
    while clients[0].since < head - 10:
        clients[0].poll(second)
    first.start()
    asyncio.run(both(head))
    shorter = min(client.since for client in clients)
    assert clients[0].events[:shorter] == clients[1].events[:shorter]
    assert [event["seq"] for event in clients[0].events] == list(range(1, clients[0].since + 1))
    started = [event["job_id"] for event in clients[0].events if event["type"] == "training_completed"]
    assert len(started) == len(set(started)) == 3


@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("begun", [False, True])
def test_a_server_that_came_and_died_unseen_leaves_its_jobs_to_the_other(
    tmp_path: Path, jobs: int, begun: bool
) -> None:
    """P6. Of more jobs than there are places some still wait."""
    first = WorksServer(tmp_path / "first")
    second = WorksServer(tmp_path / "second", first.data)
    with closing(first), closing(second):
        first.start()
        head = first.get("mlops/api/jobs").json()["head"]
        assert first.process is not None
        # Between two of its looks.
        first.process.send_signal(signal.SIGSTOP)
        second.start()
        submitted = [second.submit("emits", points=POINTS, per_second=200) for _ in range(jobs)]
        if begun:
            second.until(submitted[0], lambda job: job["status"] == "running")
        second.kill()
        first.process.send_signal(signal.SIGCONT)
        # Nobody asks for anything: it is told of what came, and takes it over.
        answer = first.get("mlops/api/events", since=head, wait=20).json()
        assert answer["events"]
        for job_id in submitted:
            ended = first.over(job_id)
            assert (ended["status"], ended["attempt"]) == ("completed", 1)
