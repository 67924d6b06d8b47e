"""Clients that do not drain, or say nothing: they get what they can take in, and disturb nobody."""

from __future__ import annotations

import asyncio
import socket
import tracemalloc
from collections.abc import Callable, Sized
from contextlib import AsyncExitStack
from typing import Any

import pytest

from mlops_jupyter.core import wire
from mlops_jupyter.core.events import Event, LogLines
from mlops_jupyter.core.jobs import Candidate, JobSpec, Source
from mlops_jupyter.server import pump, subscription
from mlops_jupyter.server.rooms import Rooms
from mlops_jupyter.server.subscription import SubscribeHandler
from tests.core.builders import a_job
from tests.lines import NOW, a_point, a_start
from tests.server.raw import raw_socket

MB = 1 << 20
LAST = "j-0e0d00000000"


def a_long_line(first: int) -> Event:
    return LogLines(time=NOW, job_id="j-7f3a00000000", first=first, lines=("x" * 8000,))


@pytest.fixture
def raw(http_server_client, jp_http_port, jp_base_url, jp_auth_header, rooms) -> Callable[..., Any]:
    """``async with raw(since=…) as client``: a client whose buffers are small; None for a snapshot."""

    def open_raw(since: int | None) -> Any:
        cursor = "" if since is None else f"?since={since}&epoch={rooms.store.epoch}"
        return raw_socket(jp_http_port, f"{jp_base_url}mlops/api/events/subscribe{cursor}", jp_auth_header)

    return open_raw


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the server tells nobody who its clients are
            await asyncio.sleep(0.01)


def buffer(handler: SubscribeHandler) -> Sized:
    """What the client has made no room for yet."""
    stream = handler.ws_connection and handler.ws_connection.stream
    return stream._write_buffer if stream else b""


def cost(rooms: Rooms) -> int:
    """What the server and its system hold for the clients, in bytes."""
    total = 0
    for handler in rooms.sockets:
        stream = handler.ws_connection and handler.ws_connection.stream
        if stream and stream.socket is not None:
            total += len(buffer(handler))
            total += stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    return total


async def test_a_stalled_client_costs_little_delays_nobody_is_dropped_and_resumes(
    rooms, subscribe, raw, monkeypatch
) -> None:
    """P17, scaled: dropped after 1 s instead of 20."""
    monkeypatch.setattr(subscription, "DRAIN", 1.0)
    total, most = 0, 0
    async with raw(since=0) as stalled, subscribe(since=0, epoch=rooms.store.epoch) as good:
        assert (await good.message())["type"] == "hello"
        await until(lambda: len(rooms.sockets) == 2)
        while len(rooms.sockets) == 2:
            total = await rooms.store.awrite(
                lambda tx: [tx.append(a_long_line(tx.append(a_start()))) for _ in range(16)][-1]
            )
            most = max(most, cost(rooms))
            await asyncio.sleep(0.05)
            seen = 0
            while seen < total:
                seen = (await good.message())["events"][-1]["seq"]
        assert most < 2 * MB
        # Not a farewell that queues behind what nobody reads: the stream is aborted.
        await stalled.until_aborted()
    async with raw(since=3) as again:
        assert (await again.message())["type"] == "hello"
        seqs: list[int] = []
        while not seqs or seqs[-1] < total:
            seqs += [event["seq"] for event in (await again.message())["events"]]
        assert seqs == list(range(4, total + 1))


async def test_clients_stalled_at_their_snapshots_share_what_is_in_them(rooms, raw) -> None:
    """P17, of a snapshot far longer than that, and each of another moment."""
    candidates = tuple(
        Candidate(index=n, label="C", stage="Model selection", parameters={"a": n}, scores=(0.5,) * 5)
        for n in range(1000)
    )
    jobs = [a_job(job_id=f"j-{n:012d}", candidates=candidates, status="completed") for n in range(40)]
    spec = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
    await rooms.store.awrite(lambda tx: [tx.add_job(job, spec, "rf") for job in jobs])
    size = sum(len(wire.encode(job)) for job in jobs)
    assert size > 4 * MB
    clients = 6
    async with AsyncExitStack() as stalled:
        tracemalloc.start()
        try:
            for n in range(clients):
                await rooms.store.awrite(lambda tx: tx.append(a_start()))
                await stalled.enter_async_context(raw(since=None))
                # What is not taken of a message waits in the server: it has begun with the snapshot.
                await until(lambda n=n: sum(len(buffer(handler)) > 0 for handler in rooms.sockets) == n + 1)
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert held < size + clients * 2 * MB, (held / MB, size / MB)


async def test_a_record_that_changed_is_in_the_next_snapshot(rooms, subscribe, caplog) -> None:
    """Also one that cannot be read, and one that is there no more."""

    async def told() -> list[tuple[str, str, bool]]:
        async with subscribe() as client:
            assert (await client.message())["type"] == "hello"
            jobs = (await client.message())["jobs"]
            return [(job["job_id"], job["status"], job["unreadable"]) for job in jobs]

    spec = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
    await rooms.store.awrite(lambda tx: tx.add_job(a_job(job_id=LAST, status="completed"), spec, "rf"))
    assert await told() == [(LAST, "completed", False)]
    for record, status, unreadable in (
        (wire.encode(a_job(job_id=LAST, status="failed")), "failed", False),
        (b"{", "failed", True),
        (b"{", "cancelled", True),
    ):
        change = ("UPDATE jobs SET record=?, status=? WHERE job_id=?", (record, status, LAST))
        await rooms.store.awrite(lambda tx, change=change: tx._db.execute(*change))
        assert await told() == [(LAST, status, unreadable)]
    await rooms.store.awrite(lambda tx: tx._db.execute("DELETE FROM jobs"))
    assert await told() == []


@pytest.mark.parametrize(
    ("seconds", "rate", "pause"),
    [
        pytest.param(2.0, 200_000, 0.004, id="short"),
        # A hundred events a second are what a job sends at most.
        pytest.param(60.0, 10_000, 0.04, id="whole", marks=[pytest.mark.soak, pytest.mark.timeout(300)]),
    ],
)
async def test_a_slow_reader_gets_class_a_whole_the_latest_of_the_rest_and_a_count_of_what_was_merged(
    rooms, raw, monkeypatch, seconds, rate, pause
) -> None:
    """F26"""
    if seconds < 10:
        monkeypatch.setattr(pump, "SLOW", 0.05)
        monkeypatch.setattr(subscription, "SEND_BUFFER", 64 << 10)
    urgent: list[int] = []

    async def flow() -> None:
        step = 0
        ending = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < ending:
            step += 1
            events = [a_long_line(step), a_point(step), a_long_line(step), a_point(step)]
            await rooms.store.awrite(lambda tx, some=tuple(events): [tx.append(e) for e in some])
            if step % 20 == 0:
                urgent.append(await rooms.store.awrite(lambda tx: tx.append(a_start())))
            await asyncio.sleep(pause)
        urgent.append(await rooms.store.awrite(lambda tx: tx.append(a_start(LAST))))

    async with raw(since=0) as slow:
        flowing = asyncio.ensure_future(flow())
        assert (await slow.message())["type"] == "hello"
        events: list[dict[str, Any]] = []
        cursor, skipped = 0, 0
        while not events or events[-1].get("job_id") != LAST:
            frame = await slow.message(rate)
            assert frame["prev"] == cursor
            events += frame["events"]
            cursor = events[-1]["seq"]
            skipped += frame.get("skipped", 0)
        await flowing
    seqs = [event["seq"] for event in events]
    assert seqs == sorted(set(seqs))
    assert [event["seq"] for event in events if event["type"] == "training_started"] == urgent
    assert skipped > 0, (cursor, len(seqs))
    assert skipped + len(seqs) == cursor
    latest = {event["type"]: event["seq"] for event in events}
    stored = await rooms.store.aread(lambda reading: reading.events(cursor - 10, 10))
    assert latest["metric_points"] == max(e.seq for e in stored if e.key and e.key[0] == "metric_points")


async def test_a_long_message_takes_a_slow_reader_as_long_as_it_needs(rooms, raw, monkeypatch) -> None:
    """P17 is of clients that stopped: one that reads would be dropped at the same message for ever."""
    monkeypatch.setattr(subscription, "DRAIN", 1.5)
    monkeypatch.setattr(subscription, "HEARTBEAT", 0.5)
    lines = tuple(f"{at:<16000}" for at in range(80))
    event = LogLines(time=NOW, job_id=LAST, first=0, lines=lines)
    seq = await rooms.store.awrite(lambda tx: tx.append(event))
    async with raw(since=0) as slow:
        assert (await slow.message())["type"] == "hello"
        began = asyncio.get_running_loop().time()
        frame = await slow.message(rate=250_000)
        assert asyncio.get_running_loop().time() - began > 2 * subscription.DRAIN
        assert [(event["seq"], event["lines"]) for event in frame["events"]] == [(seq, list(lines))]


async def test_a_client_that_answers_no_ping_is_dropped_and_others_stay(
    rooms, subscribe, raw, monkeypatch
) -> None:
    """F24, the server's half, scaled: heartbeats each 0.3 s instead of 15."""
    monkeypatch.setattr(subscription, "HEARTBEAT", 0.3)
    async with raw(since=0) as silent, subscribe(since=0, epoch=rooms.store.epoch) as good:
        assert (await good.message())["type"] == "hello"
        hearing = asyncio.ensure_future(good.message())
        await until(lambda: len(rooms.sockets) == 2)
        await silent.until_aborted()
        await until(lambda: len(rooms.sockets) == 1)
        await asyncio.sleep(1.2)
        await rooms.store.awrite(lambda tx: tx.append(a_start()))
        assert [event["seq"] for event in (await hearing)["events"]] == [1]
