"""The machine, live on every client: one sampler, the newest only, and health when it changes."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import cloudpickle
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from mlops_jupyter.core.health import Thresholds
from mlops_jupyter.server.rooms import Rooms
from mlops_jupyter.server.system import wanted
from tests.browser.servers import SETTINGS
from tests.executors.builders import until as soon
from tests.fitted import fitted, registered


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"mlops_jupyter": True}},
        "MlopsExtension": {**SETTINGS, "system_seconds": 0.5},
    }


async def sample(socket: Any) -> dict[str, Any]:
    while True:
        message = await socket.heard()
        if message.get("latest"):
            return message


async def test_what_rest_tells_is_a_sample_with_its_limits(ask, rooms: Rooms) -> None:
    status, answer = await ask("GET", "system")
    assert status == 200
    system = answer["system"]
    assert system["type"] == "system_metrics"
    assert system["seq"] is None
    assert 0 < system["memory_used"] < system["memory_limit"] <= system["host"]["memory_limit"]
    assert answer["gauges"]["disk"] == {
        "level": "healthy",
        "percent": system["disk_percent"],
        "warning": 1000,
        "critical": 1000,
    }
    assert answer["health"] == system["health"]
    assert answer["history"][-1]["memory_percent"] == system["memory_percent"]
    # Asked again at once it is the same sample.
    assert (await ask("GET", "system"))[1]["system"]["time"] == system["time"]


async def test_how_long_rest_takes_is_what_its_requests_took(ask, rooms: Rooms) -> None:
    loop = asyncio.get_running_loop()
    took: list[float] = []
    told = None
    while told is None:
        began = loop.time()
        answer = (await ask("GET", "system"))[1]
        took.append(1000 * (loop.time() - began))
        told = answer["system"]["api_response_ms"]
    # A client waits for no less than the server took.
    assert 0 < told <= max(took)


async def test_the_machine_is_looked_at_while_a_model_is_deployed(ask, rooms: Rooms, monkeypatch) -> None:
    """UX.md §2.4: nobody looks, no job runs."""
    monkeypatch.setattr("mlops_jupyter.server.system.LOOKING", 0.0)
    model = await registered(rooms, fitted())
    assert not wanted(rooms)
    await ask("POST", f"models/{model.model_id}/deploy", {})
    await soon(lambda: bool(rooms.deployments.lives()))
    taken = len(rooms.monitor.samples)
    await soon(lambda: len(rooms.monitor.samples) >= taken + 2)
    await ask("POST", f"models/{model.model_id}/undeploy", {})
    await soon(lambda: not wanted(rooms))


async def test_every_client_gets_the_same_samples_of_one_sampler(subscribe, rooms: Rooms) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(subscribe()) for _ in range(5)]
        heard = [[await sample(socket) for _ in range(3)] for socket in sockets]
    revs = [[message["rev"] for message in messages] for messages in heard]
    assert all(numbers == sorted(set(numbers)) for numbers in revs)
    by_rev = {
        message["rev"]: message["latest"]["system_metrics"] for messages in heard for message in messages
    }
    for messages in heard:
        assert all(message["latest"]["system_metrics"] == by_rev[message["rev"]] for message in messages)
    assert heard[0][-1]["latest"]["system_metrics"]["active_connections"] == 5
    assert heard[0][-1]["latest"]["system_metrics"]["ws_response_ms"] > 0


async def test_a_page_that_looks_away_hears_nothing_of_it_and_the_newest_when_it_looks(
    subscribe, rooms: Rooms
) -> None:
    async with subscribe() as socket:
        await sample(socket)
        await socket.say({"type": "shown", "shown": False})
        rev = rooms.hub.rev
        assert await rooms.hub.moved(rooms.hub.head + 1000, 20, rev=rev + 3)
        await socket.say({"type": "shown", "shown": True})
        got = [await sample(socket)]
        while got[-1]["rev"] < rev + 4:
            got.append(await sample(socket))
        # One may have been on its way.
        assert len(got) <= 2


async def test_who_polls_gets_the_newest_after_what_it_has_seen(ask, rooms: Rooms) -> None:
    await ask("GET", "system")
    head = rooms.hub.head
    answer = (await ask("GET", f"events?since={head}&rev=0"))[1]
    assert list(answer["latest"]) == ["system_metrics"]
    rev = answer["rev"]
    assert rev == rooms.hub.rev
    # One that does not ask for it is spared it, and one that has it.
    assert (await ask("GET", f"events?since={head}"))[1]["latest"] == {}
    assert (await ask("GET", f"events?since={head}&rev={rooms.hub.rev}"))[1]["latest"] == {}
    assert (await ask("GET", f"events?since={head}&rev=x"))[0] == 400


async def test_nobody_who_comes_later_is_told_what_was(ask, rooms: Rooms, monkeypatch) -> None:
    await ask("GET", "system")
    assert rooms.hub.latest(0)
    monkeypatch.setattr("mlops_jupyter.server.system.LOOKING", 0.0)
    async with asyncio.timeout(10):
        while rooms.hub.latest(0):
            await ask("GET", "status")
    taken = len(rooms.monitor.samples)
    newest = rooms.monitor.samples[-1].time
    await asyncio.sleep(3 * rooms.monitor.every)
    assert (len(rooms.monitor.samples), rooms.monitor.samples[-1].time) == (taken, newest)


async def test_a_change_of_health_is_stored_once_with_its_cause(ask, subscribe, rooms: Rooms) -> None:
    async with subscribe() as socket:
        await sample(socket)
        head = rooms.hub.head
        rooms.monitor.thresholds = {**rooms.monitor.thresholds, "disk": Thresholds(0.0, 102.0)}
        change, row = (await socket.message())["events"]
        assert (change["type"], change["previous_health"], change["current_health"]) == (
            "health_change",
            "healthy",
            "warning",
        )
        assert change["cause"] == f"disk {change['metrics']['disk_percent']:.0f} %"
        assert (change["priority"], change["seq"]) == ("medium", head + 1)
        assert (row["activity"]["title"], row["seq"]) == ("Machine warning", head + 2)
        for _ in range(4):
            last = await sample(socket)
        assert last["latest"]["system_metrics"]["health"] == "warning"
        assert last["latest"]["system_metrics"]["levels"]["disk"] == "warning"
    assert rooms.hub.head == head + 2


class Crowd(ClassifierMixin, BaseEstimator):
    """Fits with four processes of joblib's that hold 100 MB each until ``let_go`` is there."""

    def __init__(self, let_go: str) -> None:
        self.let_go = let_go

    def fit(self, X, y):
        import joblib  # noqa: PLC0415 - in the job

        def hold(path: str) -> int:
            import os  # noqa: PLC0415
            import time  # noqa: PLC0415

            held = bytearray(b"x" * 100_000_000)
            while not os.path.exists(path):  # noqa: PTH110
                time.sleep(0.01)
            return len(held)

        self.classes_ = sorted(set(y))
        joblib.Parallel(n_jobs=4, backend="loky")(joblib.delayed(hold)(self.let_go) for _ in range(4))
        return self

    def predict(self, X):
        return [self.classes_[0]] * len(X)


async def test_a_job_is_shown_with_the_memory_of_joblibs_children(
    ask, submit, until, subscribe, tmp_path
) -> None:
    # By value: the worker cannot import the tests.
    cloudpickle.register_pickle_by_value(__import__(__name__, fromlist=["x"]))
    let_go = tmp_path / "let go"
    kind = {"Content-Type": "application/octet-stream"}
    _, answer = await ask("POST", "inputs", cloudpickle.dumps(Crowd(str(let_go))), headers=kind)
    job = await submit(estimator_input=answer["input_id"], model=None, cv=0)
    shown: list[int] = []
    async with subscribe() as socket:
        while not shown or shown[-1] < 400_000_000:
            uses = (await sample(socket))["latest"]["system_metrics"]["jobs"]
            shown += [use["memory"] for use in uses if use["id"] == job["job_id"] and use["memory"]]
    let_go.touch()
    await until(job["job_id"], lambda job: job["status"] in ("completed", "failed"))


async def test_while_nobody_looks_and_nothing_runs_it_asks_no_more_often_than_it_would_look(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(rooms.monitor, "_wanted", lambda: bool(asked.append(loop.time())))
    rooms.monitor.call()
    await soon(lambda: len(asked) >= 2)
    assert asked[1] - asked[0] >= 0.4
