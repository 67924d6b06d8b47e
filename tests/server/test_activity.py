"""Jobs keep a server up, those who look on do not (P14)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from jupyter_server._tz import utcnow

from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.server import activity
from tests.core.builders import a_job


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other at once."""
    monkeypatch.setattr(activity, "EVERY", 0.01)


@pytest.fixture
def a_job_that_is(quick: None, rooms: Any) -> Callable[..., Awaitable[None]]:
    """``await a_job_that_is("running")``: the job of this test, from now on."""
    spec = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
    known: list[str] = []

    async def become(status: Any, **changes: Any) -> None:
        job = a_job(status=status, **{"owner": rooms.supervisor.owner, **changes})
        known.append(status)
        await rooms.store.awrite(lambda tx: tx.put_job(job) if known[1:] else tx.add_job(job, spec, "rf"))

    return become


@pytest.fixture
def last(jp_serverapp: Any) -> Callable[[], datetime]:
    """When Jupyter thinks that this server was last of use."""
    return jp_serverapp.web_app.last_activity


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


async def moves(last: Callable[[], datetime]) -> None:
    before = last()
    await until(lambda: last() > before)


async def looks(rooms: Any) -> None:
    """Several more looks were taken."""
    asked = 0
    read = rooms.store.aread

    async def counted(work: Any) -> Any:
        nonlocal asked
        asked += 1
        return await read(work)

    rooms.store.aread = counted
    await until(lambda: asked >= 5)
    rooms.store.aread = read


@pytest.mark.parametrize("status", ["queued", "starting", "running", "stopping"])
async def test_a_job_that_runs_or_waits_is_activity(a_job_that_is, last, jp_serverapp, status) -> None:
    """P14."""
    await a_job_that_is(status)
    for _ in range(3):
        await moves(last)
    assert jp_serverapp.extension_manager.any_activity()
    await a_job_that_is("completed")
    await until(lambda: not jp_serverapp.extension_manager.any_activity())


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        pytest.param("paused", {}, id="paused"),
        pytest.param("completed", {}, id="over"),
        pytest.param("running", {"owner": "another/server/7/70"}, id="another server's"),
    ],
)
async def test_what_does_not_need_this_server_is_no_activity(
    a_job_that_is, last, rooms, jp_serverapp, status, changes
) -> None:
    """P14."""
    await a_job_that_is(status, **changes)
    await looks(rooms)
    before = last()
    await looks(rooms)
    assert (last(), jp_serverapp.extension_manager.any_activity()) == (before, None)


async def test_an_open_tab_is_no_activity(quick, ask, subscribe, last, rooms) -> None:
    """P14: neither its requests, nor its socket, nor what it answers to pings."""
    before = last()
    for path in ("status", "jobs", "events", "events?since=0&wait=0.01"):
        assert (await ask("GET", path))[0] == 200
    assert (await ask("GET", "jobs/j-7f3a"))[0] == 404
    async with subscribe() as socket:
        assert [(await socket.message())["type"] for _ in range(2)] == ["hello", "snapshot"]
        await looks(rooms)
    assert last() == before
    # Submitting is.
    await ask("POST", "jobs", {"nonsense": 1})
    assert last() > before


async def test_a_server_that_ends_when_it_is_idle_waits_for_its_jobs(
    a_job_that_is, jp_serverapp, rooms, monkeypatch
) -> None:
    """P14."""
    stops: list[str] = []
    monkeypatch.setattr(jp_serverapp, "stop", lambda: stops.append("stopped"))
    monkeypatch.setattr(jp_serverapp, "shutdown_no_activity_timeout", 1)
    # An hour without anybody.
    monkeypatch.setitem(jp_serverapp.web_app.settings, "started", utcnow() - timedelta(hours=1))
    monkeypatch.setattr(jp_serverapp.kernel_manager, "last_kernel_activity", utcnow() - timedelta(hours=1))
    monkeypatch.setitem(jp_serverapp.web_app.settings, "api_last_activity", utcnow() - timedelta(hours=1))
    await a_job_that_is("running")
    await looks(rooms)
    jp_serverapp.shutdown_no_activity()
    assert stops == []
    await a_job_that_is("paused")
    await looks(rooms)
    times = jp_serverapp.web_app.settings["last_activity_times"]
    # It counts from when the job was last seen at work.
    jp_serverapp.shutdown_no_activity()
    assert stops == []
    times["mlops_jupyter"] -= timedelta(seconds=2)
    jp_serverapp.shutdown_no_activity()
    assert stops == ["stopped"]
