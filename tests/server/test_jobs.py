"""Jobs over REST: real keepers, real workers, real signals."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from mlops_jupyter import __version__, places
from mlops_jupyter.core import facts, wire
from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.core.reruns import again
from mlops_jupyter.core.stages import STAGES
from mlops_jupyter.server.handler import ROOMS
from mlops_jupyter.store import Transaction
from mlops_jupyter.training import journal
from mlops_jupyter.training.tabular import checks
from mlops_jupyter.training.tabular.data import glance
from tests.core.builders import a_job

PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"
pytestmark = pytest.mark.timeout(120)


class Sleeper(ClassifierMixin, BaseEstimator):
    """Says that it begins, then takes its time in steps that can be interrupted."""

    def __init__(self, seconds: float = 600.0) -> None:
        self.seconds = seconds

    def fit(self, X, y):
        print("the fit begins", flush=True)  # noqa: T201 - what a user does
        self.classes_ = sorted(set(y))
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            time.sleep(0.01)
        return self

    def predict(self, X):
        return [self.classes_[0]] * len(X)


@pytest.fixture
def submit_sleeper(ask, submit) -> Callable[..., Any]:
    async def submit_sleeper(seconds: float = 600.0, **changes: Any) -> dict[str, Any]:
        # By value: the worker cannot import the tests.
        cloudpickle.register_pickle_by_value(__import__(__name__, fromlist=["x"]))
        kind = {"Content-Type": "application/octet-stream"}
        _, answer = await ask("POST", "inputs", cloudpickle.dumps(Sleeper(seconds)), headers=kind)
        return await submit(estimator_input=answer["input_id"], model=None, cv=0, **changes)

    return submit_sleeper


def over(job: dict[str, Any]) -> bool:
    return job["status"] in ("completed", "failed", "cancelled", "lost")


async def test_every_event_of_a_job_arrives_once_though_the_socket_is_cut_after_each(
    rooms, submit, subscribe
) -> None:
    """P15, F30, without the browser: eight stages, and every kind of event that a job sends."""
    await submit(model="gradient_boosting", params={"n_estimators": 20}, grid={"max_depth": [1, 2]}, cv=2)
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] != "training_completed":
        since = events[-1]["seq"] if events else 0
        async with subscribe(since=since, epoch=rooms.store.epoch) as socket:
            assert (await socket.message())["type"] == "hello"
            frame = await socket.message(patience=60)
            assert frame["prev"] == since
            events.append(frame["events"][0])
            socket.cut()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    moved = [
        event["stage"]["name"] for event in events if event["type"] == "training_progress" and event["stage"]
    ]
    assert list(dict.fromkeys(moved)) == list(STAGES)
    assert {event["type"] for event in events} >= {
        "training_queued",
        "training_started",
        "training_progress",
        "metric_points",
        "candidate_scores",
        "model_status",
        "training_completed",
    }


async def test_a_job_goes_through_its_eight_stages_and_leaves_a_model(ask, submit, until, rooms) -> None:
    accepted = await submit()
    assert (accepted["status"], accepted["ahead"], accepted["name"]) == ("queued", 0, "penguins-rf")
    job = await until(accepted["job_id"], over)
    assert (job["status"], job["error"], job["progress"]) == ("completed", None, 100.0)
    assert [stage["name"] for stage in job["stages"]] == list(STAGES)
    assert {stage["state"] for stage in job["stages"]} <= {"done", "skipped"}
    assert job["final_accuracy"] == job["metrics"]["test_accuracy"] > 0.9
    assert job["resources"]["peak_memory_bytes"] > 50e6
    status, model = await ask("GET", f"models/{job['model_id']}")
    assert (status, model["provenance"]["job_id"], model["metrics"]) == (200, job["job_id"], job["metrics"])
    assert (model["name"], model["version"], model["score"]) == ("penguins-rf", 1, job["final_score"])
    path = rooms.supervisor.folder(job["job_id"]) / "model" / "model.skops"
    assert path.stat().st_size == model["size"]


async def test_jupyters_event_bus_hears_of_a_job_from_the_queue_to_its_model(
    jp_serverapp, submit, until
) -> None:
    heard: list[dict[str, Any]] = []
    whole = asyncio.Event()

    async def listener(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        heard.append(data)
        if data["type"] == "training_completed":
            whole.set()

    for noun in ("job", "model"):
        schema = f"https://events.jupyter.org/mlops_jupyter/{noun}/v1"
        jp_serverapp.event_logger.add_listener(schema_id=schema, listener=listener)
    job = await until((await submit(cv=0))["job_id"], over)
    await whole.wait()
    kinds = [data["type"] for data in heard if data["type"] != "training_started"]
    assert kinds == ["training_queued", "model_status", "training_completed"]
    last = heard[-1]
    assert [last[name] for name in ("job_id", "name", "final_score", "model_id")] == [
        job[name] for name in ("job_id", "name", "final_score", "model_id")
    ]


async def test_the_live_metrics_of_a_job_can_be_read_whole_and_reduced(ask, submit, until) -> None:
    # Enough for its loss to be measured many times within the budget of its watcher.
    spec = {"model": "gradient_boosting", "params": {"n_estimators": 600}, "cv": 0}
    job = await until((await submit(**spec))["job_id"], over)
    _, whole = await ask("GET", f"jobs/{job['job_id']}/metrics")
    _, reduced = await ask("GET", f"jobs/{job['job_id']}/metrics?buckets=1")
    name = "train_loss"
    assert whole["series"][name]["count"] == len(whole["series"][name]["points"]) > 5
    assert reduced["series"][name]["count"] == whole["series"][name]["count"]
    assert len(reduced["series"][name]["points"]) <= 6
    assert whole["head"] >= 1


async def test_the_files_of_jobs_are_the_users_alone(rooms, submit, until) -> None:
    job = await until((await submit())["job_id"], over)
    folder = rooms.supervisor.folder(job["job_id"])
    for path in [folder, *folder.rglob("*")]:
        # What is being written is renamed when it is whole.
        with contextlib.suppress(FileNotFoundError):
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


async def test_a_killed_worker_fails_its_job_within_two_seconds_with_signal_stage_and_last_lines(
    submit_sleeper, until, rooms
) -> None:
    job = await submit_sleeper()
    await until(job["job_id"], lambda job: job["log_lines"] > 0)
    worker = worker_of(rooms, job["job_id"])
    killed = time.monotonic()
    os.kill(worker, signal.SIGKILL)
    ended = await until(job["job_id"], over)
    assert time.monotonic() - killed < 2
    assert (ended["status"], ended["reason"], ended["signal"]) == ("failed", "signal", 9)
    assert ended["current_stage"] == "Training model"
    assert ended["error"] == "The worker was killed by signal 9 (SIGKILL) in stage Training model."
    assert "the fit begins" in ended["log_tail"]


def worker_of(rooms, job_id: str) -> int:
    """The pid the worker gave in its journal."""
    told = journal.read(rooms.supervisor.folder(job_id) / "journal", 0).payloads
    happened = [facts.decode(payload) for payload in told]
    return next(fact.pid for fact in happened if isinstance(fact, facts.WorkStarted))


async def test_a_stopped_job_is_stopping_at_once_and_cancelled_soon(ask, submit_sleeper, until) -> None:
    job = await submit_sleeper()
    await until(job["job_id"], lambda job: job["log_lines"] > 0)
    status, stopping = await ask("POST", f"jobs/{job['job_id']}/stop", {})
    assert (status, stopping["status"]) == (202, "stopping")
    asked = time.monotonic()
    ended = await until(job["job_id"], over)
    assert time.monotonic() - asked < 2
    assert (ended["status"], ended["reason"]) == ("cancelled", "cancelled")
    assert ended["stopped_by"] == ended["submitted_by"] == getpass.getuser()
    assert (await ask("POST", f"jobs/{job['job_id']}/stop", {}))[1] == ended


async def test_the_same_submission_is_one_job_however_often_and_at_once_it_comes(
    ask, penguins, rooms, until
) -> None:
    """P12. The table goes ahead as an input, which only the first takes."""
    kind = {"Content-Type": "application/octet-stream"}
    table = pd.read_csv(PENGUINS).to_parquet()
    _, sent = await ask("POST", "inputs", table, headers=kind)
    spec = {**penguins, "data": {"input_id": sent["input_id"]}, "cv": 0}
    named = {"Idempotency-Key": "this-one"}
    answers = await asyncio.gather(*(ask("POST", "jobs", spec, headers=named) for _ in range(4)))
    assert [answer for answer in answers if answer[0] != 201] == []
    (job_id,) = {job["job_id"] for _, job in answers}
    ended = await until(job_id, over)
    assert await ask("POST", "jobs", spec, headers=named) == (201, ended)
    assert len((await ask("GET", "jobs"))[1]["jobs"]) == 1
    assert [folder.name for folder in rooms.supervisor.folder(job_id).parent.iterdir()] == [job_id]

    status, refusal = await ask("POST", "jobs", {**spec, "cv": 3}, headers=named)
    assert (status, refusal["reason"]) == (409, "KeyReusedError")
    assert refusal["message"].startswith("this Idempotency-Key was sent before, with another job.")
    assert (await ask("POST", "jobs", spec, headers={"Idempotency-Key": "two words"}))[0] == 400


async def test_a_rerun_is_the_next_attempt_on_the_same_inputs_and_the_first_names_it(
    ask, submit_sleeper, until, rooms
) -> None:
    kind = {"Content-Type": "application/octet-stream"}
    _, sent = await ask("POST", "inputs", pd.read_csv(PENGUINS).to_parquet(), headers=kind)
    first = await submit_sleeper(data={"input_id": sent["input_id"], "name": "birds"}, timeout=600.0)
    await until(first["job_id"], lambda job: job["log_lines"] > 0)
    await ask("POST", f"jobs/{first['job_id']}/stop", {})
    await until(first["job_id"], over)
    named = {"Idempotency-Key": "again"}
    asked = ("POST", f"jobs/{first['job_id']}/rerun", {"changes": {"timeout": 60.0}})
    (status, second), repeated = await asyncio.gather(ask(*asked, headers=named), ask(*asked, headers=named))
    assert (status, repeated[1]["job_id"]) == (201, second["job_id"])
    assert (second["attempt"], second["rerun_of"], second["name"]) == (2, first["job_id"], "birds")
    assert second["changes"] == [{"name": "timeout", "before": 600.0, "after": 60.0}]
    assert (await ask("GET", f"jobs/{first['job_id']}"))[1]["job"]["followed_by"] == second["job_id"]
    _, told = await ask("GET", "events?since=0")
    followed = [event for event in told["events"] if event["type"] == "training_followed"]
    assert [(event["job_id"], event["followed_by"], event["job"]["status"]) for event in followed] == [
        (first["job_id"], second["job_id"], "cancelled")
    ]
    # The estimator and the table of the first.
    await until(second["job_id"], lambda job: job["log_lines"] > 0)
    await ask("POST", f"jobs/{second['job_id']}/stop", {})
    await until(second["job_id"], over)
    # Whichever is run again, attempts are one line.
    _, third = await ask("POST", f"jobs/{first['job_id']}/rerun", {"changes": {"model": "rf", "cv": 0}})
    assert (third["attempt"], third["rerun_of"]) == (3, first["job_id"])
    assert (await ask("GET", f"jobs/{second['job_id']}"))[1]["job"]["followed_by"] == third["job_id"]
    assert (await until(third["job_id"], over))["status"] == "completed"
    kept = (rooms.supervisor.folder(second["job_id"]) / "meta.json").read_text()
    assert third["job_id"] in kept
    assert (await ask("POST", f"jobs/{first['job_id']}/rerun", {"changes": {"data": 1}}))[0] == 400


async def test_a_rerun_is_refused_before_it_is_queued_with_all_that_is_wrong(
    ask, submit, until, rooms
) -> None:
    """The same sentences as of a first submission: the table, the target's classes, models and parameters."""
    first = await submit(target="species", model="rf", params={"n_estimators": 3}, cv=0)
    await until(first["job_id"], over)
    wrong = {
        "params": {"n_estimator": 5, "max_depth": -1},
        "metric": "roc_auc",
        "split": "group:iland",
        "drop": ["species"],
        "cv": 1,
    }
    head = (await ask("GET", "jobs"))[1]["head"]
    status, answer = await ask("POST", f"jobs/{first['job_id']}/rerun", {"changes": wrong})
    spec = again(await rooms.store.aread(lambda reading: reading.spec(first["job_id"])), wrong)
    expected = checks.check(glance(PENGUINS, ["species"]), spec)
    assert (status, answer["reason"], len(expected)) == (400, "SubmissionError", 6)
    assert answer["problems"] == wire.plain(expected)
    # Of one problem, what it is.
    status, answer = await ask("POST", f"jobs/{first['job_id']}/rerun", {"changes": {"metric": "r2"}})
    assert (status, answer["reason"]) == (400, "OptionError")
    assert (await ask("GET", "jobs"))[1]["head"] == head


async def test_what_only_an_unpickled_estimator_could_tell_is_left_to_the_job(
    ask, submit_sleeper, until
) -> None:
    """P27: nothing is unpickled before the worker; the rest is said at once."""
    first = await submit_sleeper(seconds=0.0)
    await until(first["job_id"], over)
    rerun = f"jobs/{first['job_id']}/rerun"
    status, answer = await ask("POST", rerun, {"changes": {"cv": 1, "split": "group:iland"}})
    assert (status, len(answer["problems"])) == (400, 2)
    status, second = await ask("POST", rerun, {"changes": {"params": {"nonsense": 1}}})
    assert status == 201
    ended = await until(second["job_id"], over)
    assert (ended["status"], ended["current_stage"]) == ("failed", "Data validation")
    assert '"nonsense" is no parameter of' in ended["error"]


async def test_only_a_job_that_runs_can_be_paused(ask, rooms) -> None:
    spec = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
    for status in ("starting", "stopping", "completed"):
        job = a_job(job_id=f"j-{status}000"[:14], status=status)
        await rooms.store.awrite(lambda tx, job=job: tx.add_job(job, spec, "rf"))
        for order in ("pause", "resume"):
            answer = await ask("POST", f"jobs/{job.job_id}/{order}", {})
            assert (answer[0], answer[1]["reason"]) == (409, "JobStateError")
            assert answer[1]["message"] == f"penguins-rf is {status}: it cannot be {order.rstrip('e')}ed."


async def test_what_exceeds_the_places_waits_its_turn_and_says_how_many_are_ahead(
    ask, submit_sleeper, submit, until, rooms
) -> None:
    rooms.supervisor.places._count = 1
    first = await submit_sleeper()
    second = await submit()
    third = await submit()
    await until(first["job_id"], lambda job: job["log_lines"] > 0)
    waiting = [await until(job["job_id"], lambda job: job["status"] == "queued") for job in (second, third)]
    assert [job["ahead"] for job in waiting] == [0, 1]
    await ask("POST", f"jobs/{second['job_id']}/stop", {})
    assert (await until(third["job_id"], lambda job: job["ahead"] == 0))["status"] == "queued"
    await ask("POST", f"jobs/{first['job_id']}/stop", {})
    assert (await until(third["job_id"], over))["status"] == "completed"
    assert (await until(second["job_id"], over))["start_time"] is None


async def test_what_waits_starts_by_priority_and_says_when_it_waits_for_memory(
    ask, submit_sleeper, submit, until, rooms, monkeypatch
) -> None:
    monkeypatch.setattr(places, "memory_left", lambda: 0)
    monkeypatch.setattr(places, "MEMORY_PAUSE", 0.05)
    rooms.supervisor.places._memory_floor = 1
    rooms.supervisor.places._count = 8
    # The first starts all the same: it runs alone.
    first = await submit_sleeper()
    await until(first["job_id"], lambda job: job["log_lines"] > 0)
    low, high = await submit(cv=0, target="sex"), await submit(cv=0, target="sex", priority=5)
    assert (high["priority"], high["ahead"]) == (5, 0)
    waiting = await until(low["job_id"], lambda job: job["ahead"] == 1)
    assert (waiting["status"], waiting["waiting_for"]) == ("queued", "memory")
    monkeypatch.setattr(places, "memory_left", lambda: 2)
    ended = [await until(job["job_id"], over) for job in (high, low)]
    assert [job["waiting_for"] for job in ended] == [None, None]
    _, told = await ask("GET", "events?since=0")
    started = [
        event["job_id"]
        for event in told["events"]
        if event["type"] == "training_started" and event["job"]["status"] == "starting"
    ]
    assert started == [first["job_id"], high["job_id"], low["job_id"]]
    await ask("POST", f"jobs/{first['job_id']}/stop", {})
    await until(first["job_id"], over)


async def test_the_jobs_of_other_servers_on_the_store_take_places_too(ask, submit, rooms, until) -> None:
    """Two servers must not give the same last place away."""
    rooms.supervisor.places._count = 1
    spec = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
    here = rooms.supervisor.owner.split("/")
    other = a_job(status="running", owner="/".join([*here[:2], "1", "1"]))
    await rooms.store.awrite(lambda tx: tx.add_job(other, spec, "rf"))
    job = await submit()
    job = await until(job["job_id"], lambda job: job["waiting_for"])
    assert (job["status"], job["waiting_for"]) == ("queued", "place")
    await ask("POST", f"jobs/{job['job_id']}/stop", {})


async def test_a_timeout_ends_the_job_and_is_its_reason(submit_sleeper, until) -> None:
    job = await submit_sleeper(timeout=1.0)
    ended = await until(job["job_id"], over)
    assert (ended["status"], ended["reason"]) == ("failed", "timeout")


async def test_what_a_job_prints_can_be_read(ask, submit_sleeper, until) -> None:
    job = await until((await submit_sleeper(seconds=0.1))["job_id"], over)
    _, logs = await ask("GET", f"jobs/{job['job_id']}/logs")
    assert "the fit begins" in logs["lines"]
    assert logs["first"] + len(logs["lines"]) == logs["total"] == job["log_lines"]


async def test_the_end_of_a_long_log_is_counted_from_its_beginning(ask, rooms) -> None:
    job = a_job(status="completed")
    spec = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
    await rooms.store.awrite(lambda tx: tx.add_job(job, spec, "rf"))
    folder = rooms.supervisor.folder(job.job_id)
    folder.mkdir(parents=True)
    (folder / "output.log").write_text("".join(f"line {n:08d}\r\n" for n in range(900_000)))
    _, logs = await ask("GET", f"jobs/{job.job_id}/logs?tail=2")
    assert logs == {
        "job_id": job.job_id,
        "total": 900_000,
        "first": 899_998,
        "lines": ["line 00899998", "line 00899999"],
    }


async def test_a_fit_that_raises_says_what_and_where(ask, submit, until) -> None:
    job = await until((await submit(target="sex"))["job_id"], over)
    assert (job["status"], job["reason"]) == ("failed", "error")
    assert "missing values" in job["error"]
    assert [s["name"] for s in job["stages"] if s["state"] == "failed"] == ["Data validation"]


async def test_a_version_other_than_the_servers_is_refused_naming_both(ask, penguins) -> None:
    status, answer = await ask("POST", "jobs", {**penguins, "version": "0.0.9"})
    assert status == 409
    assert answer["message"].splitlines()[0] == (
        f"this kernel has mlops_jupyter 0.0.9, the Jupyter server {__version__}."
    )


async def test_a_missing_interpreter_fails_the_job_and_says_so(submit, until) -> None:
    job = await until((await submit(interpreter="/no/such/python"))["job_id"], over)
    assert (job["status"], job["reason"]) == ("failed", "not_started")
    assert "/no/such/python" in job["error"]


async def test_an_ambiguous_prefix_lists_what_it_matches(ask, rooms) -> None:
    spec = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
    for job_id in ("j-7f3a00000000", "j-7f3b00000000"):
        job = a_job(job_id=job_id, status="completed")
        await rooms.store.awrite(lambda tx, job=job: tx.add_job(job, spec, "rf"))
    status, answer = await ask("GET", "jobs/j-7f3")
    assert (status, answer["message"]) == (
        409,
        '"j-7f3" matches 2 jobs: j-7f3b (completed), j-7f3a (completed).',
    )
    assert (await ask("GET", "jobs/j-7f3a"))[1]["job"]["job_id"] == "j-7f3a00000000"
    assert (await ask("GET", "jobs/j-9999"))[0] == 404


async def test_a_missing_file_and_an_unknown_input_are_refused_before_a_job_exists(ask, penguins) -> None:
    for data in ({"path": "/no/such.csv"}, {"input_id": "i-" + "0" * 24}, {"input_id": "../../etc/passwd"}):
        status, _ = await ask("POST", "jobs", {**penguins, "data": data})
        assert status == 400, data
    assert (await ask("GET", "jobs"))[1]["jobs"] == []


async def test_jobs_submitted_at_once_all_come_to_their_end(submit, until) -> None:
    jobs = await asyncio.gather(*(submit(cv=0) for _ in range(3)))
    ended = [await until(job["job_id"], over) for job in jobs]
    assert [job["status"] for job in ended] == ["completed"] * 3


async def test_a_job_whose_record_cannot_be_read_is_shown_as_that_and_takes_no_orders(ask, rooms) -> None:
    """P5: it was in no list, and its id led to 404."""
    job, spec = a_job(status="running"), JobSpec(data=Source(path="/x.csv"), target="y")

    def work(tx: Transaction) -> None:
        tx.add_job(job, spec, "rf")
        tx._db.execute("UPDATE jobs SET record=?", (b"{}",))

    await rooms.store.awrite(work)
    _, listed = await ask("GET", "jobs")
    _, alone = await ask("GET", f"jobs/{job.job_id[:6]}")
    _, polled = await ask("GET", "events")
    assert listed["jobs"] == [alone["job"]] == polled["snapshot"]["jobs"]
    assert (alone["job"]["status"], alone["job"]["unreadable"]) == ("running", True)
    assert f"jobs/{job.job_id}" in alone["job"]["error"]
    for order in ("stop", "pause", "resume", "rerun"):
        status, answer = await ask("POST", f"jobs/{job.job_id}/{order}", {})
        assert (status, answer["reason"]) == (409, "JobStateError")


async def test_a_job_can_be_asked_for_without_an_error_where_it_is_not_known(ask, submit, until) -> None:
    job = await until((await submit(cv=0))["job_id"], over)
    assert (await ask("GET", f"jobs?id={job['job_id']}"))[1]["jobs"] == [job]
    for other in ("j-000000000000", "\0", " "):
        assert (await ask("GET", f"jobs?id={other}"))[1]["jobs"] == []


async def test_a_server_that_is_still_starting_says_so(jp_serverapp, rooms, ask) -> None:
    """Jupyter listens before its extensions are started, and pages come back at once."""
    started = jp_serverapp.web_app.settings.pop(ROOMS)
    try:
        status, answer = await ask("GET", "jobs")
    finally:
        jp_serverapp.web_app.settings[ROOMS] = started
    assert (status, answer["reason"]) == (
        503,
        "mlops is starting, or could not start: see the server's log",
    )


async def test_what_a_job_takes_is_in_the_sample_of_the_machine(ask, submit_sleeper, until) -> None:
    job = await submit_sleeper()
    await until(job["job_id"], lambda record: record["process"] is not None)
    uses: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        while not any(use["memory"] for use in uses):
            uses = (await ask("GET", "system"))[1]["system"]["jobs"]
    assert [use["id"] for use in uses] == [job["job_id"]]
    assert uses[0]["memory"] > 50_000_000
    await ask("POST", f"jobs/{job['job_id']}/stop", {})
    await until(job["job_id"], over)


async def test_what_happened_is_told_live_and_page_by_page(ask, submit, until, subscribe) -> None:
    async with subscribe() as socket:
        first = await submit(target="species", model="logistic", cv=0, name="first")
        await until(first["job_id"], over)
        second = await submit(target="species", model="logistic", cv=0, name="second")
        await until(second["job_id"], over)
        heard: list[dict[str, Any]] = []
        while len(heard) < 6:
            told = (await socket.message()).get("events", [])
            heard += [event for event in told if event["type"] == "activity_update"]
    titles = ["Training queued", "Training started", "Training finished"]
    assert [event["activity"]["title"] for event in heard] == 2 * titles
    answer = (await ask("GET", "activity"))[1]
    assert answer["activity"] == heard[::-1]
    assert {row["activity"]["subject"] for row in answer["activity"][:3]} == {second["job_id"]}
    page = (await ask("GET", f"activity?limit=2&before={answer['activity'][1]['seq']}"))[1]["activity"]
    assert page == heard[::-1][2:4]
    assert (await ask("GET", "activity?kind=job&limit=1"))[1]["activity"] == heard[-1:]
    assert (await ask("GET", "activity?kind=machine"))[1]["activity"] == []
    status, answer = await ask("GET", "activity?kind=jbo")
    assert (status, answer["message"]) == (400, 'no activity is of the kind "jbo".\nDid you mean "job"?')
    assert (await ask("GET", "activity?limit=0"))[0] == 400
