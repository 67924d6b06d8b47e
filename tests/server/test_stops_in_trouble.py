"""A stop is heard while the store takes nothing, also of a job that waits or is being started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter import errands, records, supervisor
from mlops_jupyter.core import facts
from mlops_jupyter.core.jobs import Job, Process
from mlops_jupyter.store import database, files
from tests.core.builders import a_job
from tests.server.test_starts import over

KEEPER = Process(pid=1, ticks=1, boot_id="b", pid_namespace="n")


@pytest.fixture
def spec(jp_root_dir: Any) -> dict[str, Any]:
    (jp_root_dir / "t.csv").write_text("a,y\n1,0\n")
    return {"data": {"path": str(jp_root_dir / "t.csv")}, "target": "y"}


class Disk:
    """Full or not, as far as the store can tell."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self.full = False
        self._ask = ask

    async def fills_up(self) -> None:
        self.full = True
        await self._answers(503)

    async def has_room(self) -> None:
        self.full = False
        await self._answers(200)

    async def _answers(self, wanted: int) -> None:
        async with asyncio.timeout(10):
            while (await self._ask("GET", "status"))[0] != wanted:
                pass


@pytest.fixture
def disk(ask: Any, monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk(ask)
    monkeypatch.setattr(files, "full", lambda _: disk.full)
    monkeypatch.setattr(database, "RETRY", 0.05)
    monkeypatch.setattr(errands, "STORE_PAUSE", 0.01)
    return disk


@pytest.fixture
def started(rooms: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Jobs that were begun; none of them really is."""
    begun: list[str] = []

    async def start(folder: Path, *_: Any) -> Process:
        begun.append(folder.name)
        return KEEPER

    monkeypatch.setattr(rooms.executor, "start", start)
    return begun


async def test_a_job_that_waits_is_cancelled_once_the_store_works_and_not_started_before(
    rooms: Any,
    ask: Any,
    spec: Any,
    disk: Disk,
    started: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """P5, P11."""
    supervising = rooms.supervisor
    recorded = asyncio.Event()
    happened = supervising.keepers.happened

    async def late(job_id: str, fact: facts.Fact) -> Job:
        if isinstance(fact, facts.StopAsked):
            await recorded.wait()
        return await happened(job_id, fact)

    monkeypatch.setattr(supervising.keepers, "happened", late)
    async with supervising.places._giving:
        _, job = await ask("POST", "jobs", spec)
        await disk.fills_up()
        answers = [await ask("POST", f"jobs/{job['job_id']}/stop", {}) for _ in range(2)]
    told = [(status, answer["status"], answer["stopped_by"], answer["message"]) for status, answer in answers]
    assert told == [(202, "stopping", job["submitted_by"], "Stops as soon as the store works")] * 2
    await disk.has_room()
    await supervising.places.give()
    recorded.set()
    ended = await over(ask, job["job_id"])
    assert (ended["status"], ended["stopped_by"], started) == ("cancelled", job["submitted_by"], [])


async def test_a_job_that_is_being_started_is_stopped_as_soon_as_it_has_a_keeper(
    rooms: Any,
    ask: Any,
    spec: Any,
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """P5, P11: though the store works no earlier."""
    starting, ready, stopped = asyncio.Event(), asyncio.Event(), asyncio.Event()
    told: list[Process] = []

    async def start(*_: Any) -> Process:
        starting.set()
        await ready.wait()
        return KEEPER

    def stop(process: Process) -> bool:
        told.append(process)
        stopped.set()
        return True

    monkeypatch.setattr(rooms.executor, "start", start)
    monkeypatch.setattr(rooms.executor, "stop", stop)
    _, job = await ask("POST", "jobs", spec)
    await starting.wait()
    await disk.fills_up()
    status, answer = await ask("POST", f"jobs/{job['job_id']}/stop", {})
    assert (status, answer["status"]) == (202, "stopping")
    ready.set()
    async with asyncio.timeout(10):
        await stopped.wait()
    assert told == [KEEPER]
    assert (await ask("GET", "status"))[0] == 503
    await disk.has_room()


async def test_a_keeper_that_begins_while_it_is_asked_for_is_told_too(
    rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P11: whoever started it looked for a stop a moment before there was one."""
    looks = iter([a_job(status="starting"), a_job(status="starting", process=KEEPER)])
    told: list[Process] = []
    monkeypatch.setattr(records, "as_written", lambda *_: next(looks))
    monkeypatch.setattr(rooms.executor, "stop", lambda process: bool(told.append(process)))
    monkeypatch.setattr(supervisor.Supervisor, "_stop_as_owed", lambda *_: asyncio.sleep(0))
    await rooms.supervisor.stop_unrecorded("j-7f3a", "ada")
    assert told == [KEEPER]
