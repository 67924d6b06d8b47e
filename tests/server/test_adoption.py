"""What keeps one job from being taken over keeps no other from it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlops_jupyter import errands, keepers, starts, supervisor
from mlops_jupyter.core import facts
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.jobs import JobSpec, Process, Source
from mlops_jupyter.executors.protocol import BegunBefore
from mlops_jupyter.training import journal
from tests.core.builders import a_job

SPEC = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
FIRST, SECOND = "j-100000000000", "j-200000000000"
#: A server of before the machine was started.
BEFORE = "another boot/pid:[1]/1/1"


def refuse_once(rooms: Any, monkeypatch: pytest.MonkeyPatch, refusal: Exception) -> None:
    """The first job that is to be watched is not."""
    refusals = iter([refusal])
    watch = rooms.supervisor.intake.watch

    def refuse(job_id: str, folder: Path) -> None:
        if (refused := next(refusals, None)) is not None:
            raise refused
        watch(job_id, folder)

    monkeypatch.setattr(rooms.supervisor.intake, "watch", refuse)


def lifecycle(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Without what the feed says of it."""
    return [event for event in told["events"] if event["type"] != "activity_update"]


async def test_a_job_that_cannot_be_taken_over_is_said_once_and_the_next_one_is(
    rooms: Any, ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """P8."""
    for job_id, owner in ((FIRST, "no server"), (SECOND, BEFORE)):
        job = a_job(job_id=job_id, status="starting", owner=owner)
        await rooms.store.awrite(lambda tx, job=job: tx.add_job(job, SPEC, "rf"))
    head = rooms.hub.head
    for _ in range(2):
        await rooms.supervisor.adopt()
    _, told = await ask("GET", f"events?since={head}&wait=10")
    assert [(event["type"], event["job_id"]) for event in lifecycle(told)] == [("training_failed", SECOND)]
    said = [record.message for record in caplog.records if "taken over" in record.message]
    assert said == [f"Job {FIRST} could not be taken over"]


async def test_a_job_that_was_to_stop_when_its_server_died_is_told_so_by_the_next(
    rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P11: the stop was recorded, and its keeper has not heard of it."""
    process = Process(pid=1, ticks=1, boot_id="b", pid_namespace="n")
    here = rooms.supervisor.owner.split("/")
    job = a_job(
        job_id=FIRST,
        status="stopping",
        process=process,
        owner="/".join([*here[:2], "1", "1"]),
        stopped_by="ada",
    )
    asked: list[Process] = []
    monkeypatch.setattr(rooms.executor, "stop", lambda told: bool(asked.append(told)))
    monkeypatch.setattr(rooms.executor, "adopt", lambda *_: None)
    await rooms.store.awrite(lambda tx: tx.add_job(job, SPEC, "rf"))
    await rooms.supervisor.adopt()
    assert asked == [process]


async def test_a_job_whose_taking_over_the_store_refused_is_taken_over_the_next_time(
    rooms: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5, P8."""
    job = a_job(job_id=FIRST, status="stopping", owner=BEFORE)
    await rooms.store.awrite(lambda tx: tx.add_job(job, SPEC, "rf"))
    refuse_once(rooms, monkeypatch, StoreUnavailable("The disk is full."))
    with pytest.raises(StoreUnavailable):
        await rooms.supervisor.adopt()
    await rooms.supervisor.adopt()
    _, told = await ask("GET", "events?since=0&wait=10")
    assert [event["type"] for event in lifecycle(told)] == ["training_cancelled"]


async def test_a_look_after_the_jobs_of_others_that_fails_is_said_once_and_not_the_last(
    rooms: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P8."""
    looks = asyncio.Semaphore(0)

    async def fails() -> None:
        looks.release()
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(errands, "STORE_PAUSE", 0.001)
    monkeypatch.setattr(rooms.supervisor, "adopt", fails)
    monkeypatch.setattr(rooms.supervisor, "_left", True)
    looking = asyncio.create_task(rooms.supervisor.look_after_others())
    async with asyncio.timeout(10):
        for _ in range(3):
            await looks.acquire()
    looking.cancel()
    said = [record.message for record in caplog.records if "looked after" in record.message]
    assert said == ["Jobs of other servers could not be looked after"]


GONE = Process(pid=1, ticks=1, boot_id="b", pid_namespace="n")


async def left_running(rooms: Any) -> Path:
    """A job of a server that is gone, as is its keeper; its folder, which is a file."""
    here = rooms.supervisor.owner.split("/")
    job = a_job(job_id=FIRST, status="running", process=GONE, owner="/".join([*here[:2], "1", "1"]))
    await rooms.store.awrite(lambda tx: tx.add_job(job, SPEC, "rf"))
    folder = rooms.supervisor.folder(FIRST)
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.touch()
    return folder


async def test_a_job_whose_files_cannot_be_read_is_lost_once_its_processes_are_gone(
    rooms: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P8."""
    monkeypatch.setattr(keepers, "UNREADABLE", 0.0)
    await left_running(rooms)
    await rooms.supervisor.adopt()
    _, told = await ask("GET", "events?since=0&wait=10")
    (event,) = lifecycle(told)
    assert (event["type"], event["status"]) == ("training_failed", "lost")


async def test_a_disk_that_fails_for_a_moment_makes_no_job_lost_that_came_to_its_end(
    rooms: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5, P9."""
    monkeypatch.setattr(keepers, "READ_AGAIN", 0.01)
    folder = await left_running(rooms)
    tried = asyncio.Semaphore(0)
    drain = rooms.supervisor.keepers._drain

    async def counted(job_id: str) -> bool:
        whole = await drain(job_id)
        tried.release()
        return whole

    monkeypatch.setattr(rooms.supervisor.keepers, "_drain", counted)
    adopting = asyncio.create_task(rooms.supervisor.adopt())
    async with asyncio.timeout(10):
        # By whoever takes it over, then by whoever finds that its keeper is gone.
        for _ in range(3):
            await tried.acquire()
    folder.unlink()
    folder.mkdir(mode=0o700)
    whole = folder / "whole"
    for fact in (facts.WorkFinished(time=1.0), facts.WorkerEnded(time=1.0, exit_code=0)):
        with whole.open("ab") as file:
            file.write(journal.frame(msgspec.json.encode(fact)))
    whole.rename(folder / "journal")
    await adopting
    _, told = await ask("GET", "events?since=0&wait=10")
    assert [(event["type"], event["status"]) for event in lifecycle(told)] == [
        ("training_completed", "completed")
    ]


async def test_a_job_that_could_not_be_taken_over_is_tried_again_though_there_is_no_other_server(
    rooms: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P8."""
    monkeypatch.setattr(supervisor, "OTHERS_PAUSE", 0.001)
    job = a_job(job_id=FIRST, status="stopping", owner=BEFORE)
    await rooms.store.awrite(lambda tx: tx.add_job(job, SPEC, "rf"))
    refuse_once(rooms, monkeypatch, RuntimeError("nobody thought of this"))
    await rooms.supervisor.adopt()
    looking = asyncio.create_task(rooms.supervisor.look_after_others())
    _, told = await ask("GET", "events?since=0&wait=10")
    looking.cancel()
    assert [event["type"] for event in lifecycle(told)] == ["training_cancelled"]


async def test_a_job_that_a_server_was_starting_when_the_machine_went_down_is_lost(
    rooms: Any, ask: Any
) -> None:
    """P12: it may have begun, and what it wrote may not have reached the disk."""
    job = a_job(job_id=FIRST, status="starting", owner=BEFORE)
    rooms.supervisor.folder(FIRST).mkdir(mode=0o700, parents=True)
    await rooms.store.awrite(lambda tx: tx.add_job(job, SPEC, "rf"))
    await rooms.supervisor.adopt()
    _, told = await ask("GET", "events?since=0&wait=10")
    assert [(event["type"], event["status"]) for event in lifecycle(told)] == [("training_failed", "lost")]
    assert (rooms.supervisor.folder(FIRST) / "journal").exists()


async def test_it_is_not_started_either_when_taking_it_over_is_tried_again(
    rooms: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P12: by then its owner is a server of this boot."""
    monkeypatch.setattr(starts, "CLAIM_PATIENCE", 0.0)
    begun: list[str] = []
    refusals = iter([StoreUnavailable("The disk is full.")])
    watch = rooms.supervisor.intake.watch

    def refuse_once(job_id: str, folder: Path) -> None:
        if (refusal := next(refusals, None)) is not None:
            raise refusal
        watch(job_id, folder)

    async def start(folder: Path, *_: Any) -> None:
        if (folder / "journal").exists():
            raise BegunBefore("This job was started before.")
        begun.append(folder.name)

    monkeypatch.setattr(rooms.supervisor.intake, "watch", refuse_once)
    monkeypatch.setattr(rooms.executor, "start", start)
    job = a_job(job_id=FIRST, status="starting", owner=BEFORE)
    rooms.supervisor.folder(FIRST).mkdir(mode=0o700, parents=True)
    await rooms.store.awrite(lambda tx: tx.add_job(job, SPEC, "rf"))
    with pytest.raises(StoreUnavailable):
        await rooms.supervisor.adopt()
    await rooms.supervisor.adopt()
    _, told = await ask("GET", "events?since=0&wait=10")
    assert [(event["type"], event["status"]) for event in lifecycle(told)] == [("training_failed", "lost")]
    assert begun == []


async def test_a_job_that_was_to_stop_before_anybody_had_begun_it_is_cancelled(rooms: Any, ask: Any) -> None:
    """P11, P12: and nobody begins it any more."""
    here = rooms.supervisor.owner.split("/")
    owner = "/".join([*here[:2], "1", "1"])
    job = a_job(job_id=FIRST, status="stopping", owner=owner, stopped_by="ada")
    rooms.supervisor.folder(FIRST).mkdir(mode=0o700, parents=True)
    await rooms.store.awrite(lambda tx: tx.add_job(job, SPEC, "rf"))
    await rooms.supervisor.adopt()
    _, told = await ask("GET", "events?since=0&wait=10")
    assert [(event["type"], event["by"]) for event in lifecycle(told)] == [("training_cancelled", "ada")]
    assert (rooms.supervisor.folder(FIRST) / "journal").exists()
