"""Jobs are deleted over REST."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mlops_jupyter.server.handler import Ours
from tests.server.test_jobs import over

pytestmark = pytest.mark.timeout(120)


async def test_a_job_that_has_ended_is_deleted_and_everybody_hears_of_it(
    jp_serverapp, ask, submit, until, subscribe, rooms
) -> None:
    heard: list[dict[str, Any]] = []
    told = asyncio.Event()

    async def listener(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        if data["type"] == "job_deleted":
            heard.append(data)
            told.set()

    jp_serverapp.event_logger.add_listener(
        schema_id="https://events.jupyter.org/mlops_jupyter/job/v1", listener=listener
    )
    job = await until((await submit(cv=0))["job_id"], over)
    head = (await ask("GET", "status"))[1]["head"]
    # By any unique beginning of its id, as every order.
    status, gone = await ask("DELETE", f"jobs/{job['job_id'][:6]}", {})
    assert (status, gone["job_id"]) == (200, job["job_id"])
    async with subscribe(since=head, epoch=rooms.store.epoch) as socket:
        await socket.message()
        event, row = (await socket.message())["events"]
    assert (event["type"], event["job_id"], event["model_id"]) == (
        "job_deleted",
        job["job_id"],
        job["model_id"],
    )
    assert (row["activity"]["title"], row["activity"]["subject"]) == ("Job deleted", job["job_id"])
    await told.wait()
    assert [(data["job_id"], data["name"], data["status"]) for data in heard] == [
        (job["job_id"], job["name"], "completed")
    ]
    assert (await ask("GET", "jobs"))[1]["jobs"] == []
    asked = (await ask("GET", f"jobs?id={job['job_id']}"))[1]
    assert (asked["jobs"], [told["by"] for told in asked["deleted"]]) == ([], [event["by"]])
    for method, path in (
        ("GET", ""),
        ("GET", "/logs"),
        ("GET", "/metrics"),
        ("POST", "/rerun"),
        ("DELETE", ""),
    ):
        status, refused = await ask(method, f"jobs/{job['job_id']}{path}", None if method == "GET" else {})
        assert (status, refused["reason"]) == (404, "DeletedJobError"), path


async def test_its_model_answers_on_and_is_deleted_by_itself(ask, submit, until, rooms) -> None:
    job = await until((await submit(cv=0))["job_id"], over)
    model = f"models/{job['model_id']}"
    await ask("DELETE", f"jobs/{job['job_id']}", {})
    card = (await ask("GET", f"{model}/card"))[1]
    assert (card["model"]["provenance"]["job_deleted"], card["job"]) == (True, None)
    folder = rooms.supervisor.folder(job["job_id"])
    assert (folder / "model" / "model.skops").exists()
    await ask("DELETE", model, {})
    assert not folder.exists()


async def test_only_jobs_that_are_there_and_have_ended_are_deleted(ask, submit, until) -> None:
    status, refused = await ask("DELETE", "jobs/j-0000", {})
    assert (status, refused["reason"]) == (404, "JobNotFoundError")
    job = await submit(cv=0)
    status, refused = await ask("DELETE", f"jobs/{job['job_id']}", {})
    assert (status, refused["reason"], refused["message"].splitlines()[1]) == (
        409,
        "JobStateError",
        "Stop it first.",
    )
    assert (await until(job["job_id"], over))["status"] == "completed"


ORDERS = {"rerun": {}, "stop": {}, "pause": {}, "resume": {}, "mute": {"rule": "plateau"}}


@pytest.mark.parametrize("order", ORDERS)
async def test_a_job_that_is_deleted_before_an_order_is_carried_out_is_not_found(
    ask, submit, until, rooms, monkeypatch, order
) -> None:
    # One that gets no place ends as soon as it is stopped.
    async with rooms.supervisor.places._giving:
        job_id = (await submit(cv=0))["job_id"]
        await ask("POST", f"jobs/{job_id}/stop", {})
        await until(job_id, over)
    found = Ours.job

    async def just_found(self: Any, prefix: str) -> Any:
        job = await found(self, prefix)
        await rooms.supervisor.deletions.delete(job.job_id, "ada")
        return job

    monkeypatch.setattr(Ours, "job", just_found)
    status, refused = await ask("POST", f"jobs/{job_id}/{order}", ORDERS[order])
    assert (status, refused["reason"]) == (404, "DeletedJobError")


async def test_a_rerun_that_was_accepted_stays_so_when_what_it_follows_is_deleted_at_once(
    ask, submit, until, rooms, monkeypatch
) -> None:
    job_id = (await until((await submit(cv=0))["job_id"], over))["job_id"]
    settle = rooms.supervisor.submissions._settle

    def settled(*told: Any) -> None:
        deletion = rooms.supervisor.deletions.delete(job_id, "ada")
        asyncio.run_coroutine_threadsafe(deletion, rooms.supervisor._loop).result()
        settle(*told)

    monkeypatch.setattr(rooms.supervisor.submissions, "_settle", settled)
    status, again = await ask("POST", f"jobs/{job_id}/rerun", {})
    assert (status, again["rerun_of"]) == (201, job_id)
    assert (await until(again["job_id"], over))["status"] == "completed"


async def test_a_dataset_that_only_deleted_jobs_used_can_be_deleted(ask, submit, until) -> None:
    found = (await ask("POST", "datasets", {"path": "penguins.csv", "name": "birds"}))[1]
    job = await until((await submit(cv=0, data={"dataset": found["id"]}))["job_id"], over)
    assert (await ask("DELETE", f"datasets/{found['id']}", {}))[0] == 409
    await ask("DELETE", f"jobs/{job['job_id']}", {})
    assert (await ask("DELETE", f"datasets/{found['id']}", {}))[0] == 200
