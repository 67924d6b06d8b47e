"""Half an hour at full rate: what a server holds and keeps stops growing, but for the points (F56).

In short, on a store alone: ``tests/test_pruning.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from tests.faults.servers import WorksServer
from tests.faults.works_server import EVENTS
from tests.server.raw import raw_socket

log = logging.getLogger(__name__)

MINUTES, PER_SECOND, CLIENTS = 30, 1000, 5
#: Events kept, of some fifty a second: there is something to prune after a fifth of the time.
KEPT = 20_000
WAL_BYTES, GROWN_BYTES = 64 << 20, 32 << 20
#: Pages free for what comes next: as many as half of the events kept take. Without pruning none are free.
FREE_BYTES = 16 << 20


class KeepingFew(WorksServer):
    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, EVENTS: str(KEPT)}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WorksServer]:
    server = KeepingFew(tmp_path / "home")
    server.start()
    yield server
    server.close()


class Page:
    """Reconnects every few seconds, and goes on where it stopped."""

    def __init__(self, server: WorksServer, epoch: str, job_id: str) -> None:
        self._server = server
        self._epoch = epoch
        self._job = job_id
        self.seq = self.step = self.skipped = self.connects = 0

    async def follow(self, until: int) -> None:
        chance = random.Random(id(self))
        headers = {"Authorization": f"token {self._server.token}"}
        while self.step < until:
            path = f"{self._server.base_url}mlops/api/events/subscribe?since={self.seq}&epoch={self._epoch}"
            self.connects += 1
            async with raw_socket(self._server.port, path, headers) as socket:
                # It answers no ping: after 45 s it would be dropped.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(chance.uniform(0.1, 20)):
                        while self.step < until:
                            self._take(await socket.message())

    def _take(self, message: dict[str, Any]) -> None:
        if "events" not in message:
            assert message["type"] == "hello", message
            return
        assert message["prev"] == self.seq
        self.seq = message["events"][-1]["seq"]
        self.skipped += message.get("skipped", 0)
        for event in message["events"]:
            if event["type"] == "metric_points" and event["job_id"] == self._job:
                steps = [point["step"] for point in event["points"]]
                assert steps[0] == self.step + 1 or self.skipped
                self.step = steps[-1]


class Sample(NamedTuple):
    """Bytes. Of the database: pages of its points and of all that is no event, those free, what the events
    say, and what is left in the pages they are in."""

    seconds: float
    server: int
    job: int
    wal: int
    measured: int
    rest: int
    free: int
    told: int
    left: int
    pages: int
    events: int
    points: int


def sample(server: WorksServer, keeper: psutil.Process, began: float) -> Sample:
    assert server.process is not None
    with reading(server) as db:
        # One look: all of it is of the same moment.
        db.execute("BEGIN")
        # Of SQLite's own, where it was built with it; indexes count for their tables.
        table_of = dict(db.execute("SELECT name, tbl_name FROM sqlite_schema"))
        held: dict[str, int] = defaultdict(int)
        left = pages = 0
        for name, count, size, unused in db.execute(
            "SELECT name, pageno, pgsize, unused FROM dbstat WHERE aggregate = TRUE"
        ):
            held[table_of.get(name, name)] += size
            if name == "events":
                left, pages = unused, count
        ((free, events, told, points),) = db.execute(
            "SELECT freelist_count * page_size, (SELECT count(*) FROM events),"
            " (SELECT sum(length(body)) FROM events), (SELECT coalesce(max(step), 0) FROM measured)"
            " FROM pragma_freelist_count, pragma_page_size"
        )
    held.pop("events")
    return Sample(
        seconds=time.monotonic() - began,
        server=psutil.Process(server.process.pid).memory_info().rss,
        job=sum(process.memory_info().rss for process in (keeper, *keeper.children(recursive=True))),
        wal=(server.data / "store.sqlite-wal").stat().st_size,
        measured=held.pop("measured") + held.pop("levels"),
        rest=sum(held.values()),
        free=free,
        told=told,
        left=left,
        pages=pages,
        events=events,
        points=points,
    )


@contextlib.contextmanager
def reading(server: WorksServer) -> Iterator[sqlite3.Connection]:
    store = server.data / "store.sqlite"
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        yield db


@pytest.mark.soak
@pytest.mark.timeout(2 * MINUTES * 60)
async def test_nothing_but_the_points_grows_while_much_is_measured_pruned_and_followed(
    server: WorksServer,
) -> None:
    points = MINUTES * 60 * PER_SECOND
    epoch = server.get("mlops/api/status").json()["epoch"]
    job_id = await asyncio.to_thread(server.begun, "emits", points=points, per_second=PER_SECOND)
    keeper = psutil.Process(server.job(job_id)["process"]["pid"])
    pages = [Page(server, epoch, job_id) for _ in range(CLIENTS)]
    following = asyncio.gather(*(page.follow(points) for page in pages))
    began = time.monotonic()
    samples: list[Sample] = []
    while not following.done() and keeper.is_running():
        samples.append(await asyncio.to_thread(sample, server, keeper, began))
        log.info("%s", samples[-1])
        await asyncio.wait([following], timeout=10)
    await following
    job = await asyncio.to_thread(server.over, job_id)
    log.info("%s", [(page.connects, page.skipped) for page in pages])
    assert (job["status"], job["findings"]) == ("completed", [])
    with reading(server) as db:
        assert db.execute("SELECT count(*), max(step) FROM measured").fetchall() == [(points, points)]
    assert max(each.wal for each in samples) < WAL_BYTES
    assert max(each.events for each in samples) < 1.5 * KEPT
    quarter, half = samples[len(samples) // 4 : len(samples) // 2], samples[len(samples) // 2 :]
    for held in ("server", "job"):
        before, after = (max(getattr(each, held) for each in part) for part in (quarter, half))
        assert after < before + GROWN_BYTES, held
    # Points stay with their job: each takes what it took before. Pruned events make room for new ones.
    early, late = (
        (part[-1].measured - part[0].measured) / (part[-1].points - part[0].points)
        for part in (quarter, half)
    )
    log.info("bytes a point: %.2f, %.2f", early, late)
    assert late < 1.02 * early
    for held in ("told", "rest"):
        before, after = (max(getattr(each, held) for each in part) for part in (quarter, half))
        assert after < 1.1 * before, held
    # Their pages are full: in each there is less left than one more would take. How much that is changes with
    # the length of events, by a digit of their steps even: a page has four of 1,000 bytes, or three of 1,020.
    assert all(each.left / each.pages < each.told / each.events for each in half)
    assert max(each.free for each in samples) < FREE_BYTES
