"""What keeps a job from starting is its own end, and holds up no other."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlops_jupyter import starts
from mlops_jupyter.core import facts
from mlops_jupyter.core.jobs import TERMINAL, JobSpec, Source
from mlops_jupyter.executors.protocol import BegunBefore
from mlops_jupyter.server import extension
from mlops_jupyter.training.journal import Writer
from tests.core.builders import KEEPER, WORK, a_job
from tests.executors.builders import until


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"mlops_jupyter": True}},
        "MlopsExtension": {"max_jobs": 2, "memory_floor": 0},
    }


@pytest.fixture
def spec(jp_root_dir: Any) -> dict[str, Any]:
    (jp_root_dir / "t.csv").write_text("a,y\n1,0\n")
    return {"data": {"path": str(jp_root_dir / "t.csv")}, "target": "y"}


async def over(ask: Any, job_id: str) -> dict[str, Any]:
    """The record once the job is over."""
    head = 0
    async with asyncio.timeout(20):
        while True:
            _, answer = await ask("GET", f"jobs/{job_id}")
            if answer["job"]["status"] in TERMINAL:
                return answer["job"]
            head = answer["head"]
            await ask("GET", f"events?since={head}&wait=10")


@pytest.mark.parametrize("field", ["interpreter", "cwd"])
async def test_a_path_that_the_system_ends_early_is_refused(
    rooms: Any, ask: Any, spec: Any, field: str
) -> None:
    status, answer = await ask("POST", "jobs", {**spec, field: "/usr/bin/a\0b"})
    told = [problem["message"] for problem in answer["problems"]]
    assert (status, told) == (400, [f"{field} is no path: it holds a NUL."])


async def test_what_nobody_thought_of_is_the_jobs_end_and_its_place_is_free(
    rooms: Any, ask: Any, spec: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """P8."""

    async def fails(*_: Any) -> None:
        raise ValueError("embedded null byte")

    monkeypatch.setattr(rooms.executor, "start", fails)
    _, job = await ask("POST", "jobs", spec)
    job = await over(ask, job["job_id"])
    assert (job["reason"], job["error"]) == ("not_started", "No process could be started: embedded null byte")
    # Given back by whoever hears of the end, a moment after it is told.
    await until(lambda: not rooms.supervisor.places.taken)
    # Or its folder would be looked at fifty times a second for as long as the server lives.
    await until(lambda: not rooms.supervisor.intake._folders)
    assert sum("could not be started" in record.message for record in caplog.records) == 1


async def test_a_job_whose_spec_cannot_be_read_fails_and_does_not_hold_up_the_queue(
    rooms: Any, ask: Any, spec: Any
) -> None:
    async with rooms.supervisor.places._giving:
        _, job = await ask("POST", "jobs", spec)
        spoil = "UPDATE jobs SET spec='{}' WHERE job_id=?"
        await rooms.store.awrite(lambda tx: tx._db.execute(spoil, (job["job_id"],)) and None)
    job = await over(ask, job["job_id"])
    assert (job["status"], job["reason"]) == ("failed", "not_started")


async def test_jobs_start_before_those_behind_them_are_told_and_each_is_told_once(
    rooms: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = asyncio.Event()
    begun: list[str] = []

    async def start(folder: Any, *_: Any) -> None:
        begun.append(folder.name)
        if len(begun) == 2:
            started.set()

    kept: list[str] = []
    monkeypatch.setattr(rooms.executor, "start", start)
    monkeypatch.setattr(rooms.supervisor.records, "keep", kept.append)
    ids = [f"j-{number:012d}" for number in range(6)]
    asked = JobSpec(data=Source(path="/data/t.csv"), target="y")
    head = rooms.hub.head
    async with rooms.supervisor.places._giving:
        for ahead, job_id in enumerate(ids):
            job = a_job(job_id=job_id, ahead=ahead)
            await rooms.store.awrite(lambda tx, job=job: tx.add_job(job, asked, "rf"))
    await rooms.supervisor.places.give()
    async with asyncio.timeout(10):
        await started.wait()
    stored = await rooms.store.aread(lambda reading: reading.events(head, 100))
    told = [json.loads(event.body) for event in stored]
    assert [(event["type"], event["job_id"]) for event in told] == [
        *(("training_started", job_id) for job_id in ids[:2]),
        *(("training_progress", job_id) for job_id in ids[2:]),
    ]
    assert [event["job"]["ahead"] for event in told[2:]] == [0, 1, 2, 3]
    assert (begun, kept) == (ids[:2], ids[:2])


@pytest.fixture
def no_place(jp_serverapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file where the folder of runtime files should be."""
    place = tmp_path / "no folder"
    place.touch()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(place))
    monkeypatch.setattr(extension, "ANNOUNCE_AGAIN", 0.01)
    return place


async def test_a_server_that_cannot_write_where_it_is_works_and_says_so_as_soon_as_it_can(
    no_place: Path, rooms: Any, ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """P5: it was started while the disk was full."""
    status, _ = await ask("GET", "status")
    assert status == 200
    await asyncio.to_thread(no_place.unlink)
    await until(lambda: list(no_place.glob("mlops-*.json")))
    said = [*caplog.get_records("setup"), *caplog.records]
    assert sum("cannot find this server" in record.message for record in said) == 1


@pytest.mark.parametrize("claimed_by", ["a keeper", "one that is gone"])
async def test_a_job_that_another_keeper_was_first_to_begin_is_what_that_one_makes_of_it(
    rooms: Any, ask: Any, spec: Any, monkeypatch: pytest.MonkeyPatch, claimed_by: str
) -> None:
    """P8, P12."""
    monkeypatch.setattr(starts, "CLAIM_PATIENCE", 0.0)

    async def start(folder: Any, *_: Any) -> None:
        writer = Writer(folder / "journal")
        if claimed_by == "a keeper":
            for fact in (
                KEEPER,
                WORK,
                facts.WorkFinished(time=1.0),
                facts.WorkerEnded(time=1.0, exit_code=0),
            ):
                writer.append(msgspec.json.encode(fact))
        writer.close()
        raise BegunBefore("This job was started before.")

    monkeypatch.setattr(rooms.executor, "start", start)
    _, job = await ask("POST", "jobs", spec)
    job = await over(ask, job["job_id"])
    assert job["status"] == ("completed" if claimed_by == "a keeper" else "lost")
