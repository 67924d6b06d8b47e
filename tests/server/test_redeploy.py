"""Versions follow each other without a gap: each answer is of the version it names, and none is an error."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from tests.fitted import numbers, registered


def constant(value: float) -> Any:
    """A model of numbers that predicts this, whatever it is asked."""
    _, table = numbers(LinearRegression())
    return make_pipeline(LinearRegression()).fit(table, [value] * len(table)), table


async def version(rooms: Any, number: int) -> Any:
    pipeline, table = constant(float(number))
    return await registered(rooms, pipeline, table, job_id=f"j-{number:012d}")


async def answering(ask: Any, endpoint_id: str, model_id: str) -> dict[str, Any]:
    """The endpoint once this model answers there."""
    while True:
        head = (await ask("GET", "endpoints"))[1]["head"]
        _, endpoint = await ask("GET", f"endpoints/{endpoint_id}")
        if endpoint["status"] == "deployed" and endpoint["model_id"] == model_id:
            return endpoint
        assert endpoint["status"] == "deploying", endpoint
        await ask("GET", f"events?since={head}&wait=20", request_timeout=30)


async def test_versions_are_replaced_and_rolled_back_under_load_without_an_error(rooms, ask) -> None:
    """F52."""
    models = [await version(rooms, number) for number in (1, 2)]
    _, endpoint = await ask("POST", f"models/{models[0].model_id}/deploy", {})
    at = endpoint["endpoint_id"]
    await answering(ask, at, models[0].model_id)
    row = {f"x{i}": 1.0 for i in range(4)}
    seen: list[tuple[int, int, float]] = []
    over = asyncio.Event()

    async def load() -> None:
        while not over.is_set():
            status, answer = await ask("POST", f"endpoints/{at}/predict", {"row": row}, request_timeout=40)
            seen.append((status, answer.get("version"), round(answer.get("predictions", [0])[0], 6)))

    clients = [asyncio.create_task(load()) for _ in range(6)]
    await ask("POST", f"models/{models[1].model_id}/deploy", {})
    assert (await answering(ask, at, models[1].model_id))["history"] == [models[0].model_id]
    await ask("POST", f"models/{models[1].model_id}/deploy", {})
    await ask("POST", f"endpoints/{at}/rollback", {})
    endpoint = await answering(ask, at, models[0].model_id)
    over.set()
    await asyncio.gather(*clients)
    assert set(seen) == {(200, 1, 1.0), (200, 2, 2.0)}
    assert (endpoint["history"], endpoint["error"]) == ([], None)
    status, answer = await ask("POST", f"endpoints/{at}/rollback", {})
    assert (status, answer["reason"]) == (409, "ModelStateError")
    states = [(await ask("GET", f"models/{model.model_id}"))[1]["status"] for model in models]
    assert states == ["deployed", "registered"]
    counted = await rooms.store.aread(lambda reading: [reading.predicted(m.model_id) for m in models])
    assert sum(counts.predictions for counts in counted) == len(seen)
    assert sum(counts.errors for counts in counted) == 0


async def test_a_version_that_cannot_be_started_leaves_the_one_before(rooms, ask) -> None:
    good = await version(rooms, 1)
    bad = await registered(rooms, b"no model", job_id="j-000000000002")
    _, endpoint = await ask("POST", f"models/{good.model_id}/deploy", {})
    at = endpoint["endpoint_id"]
    await answering(ask, at, good.model_id)
    await ask("POST", f"models/{bad.model_id}/deploy", {})
    endpoint = await answering(ask, at, good.model_id)
    assert (endpoint["error"], endpoint["history"]) == (
        "penguins v2 could not be deployed: This is no model file.",
        [],
    )
    row = {f"x{i}": 1.0 for i in range(4)}
    status, answer = await ask("POST", f"endpoints/{at}/predict", {"row": row})
    assert (status, answer["version"]) == (200, 1)


async def test_what_was_given_up_may_be_deleted_and_another_version_takes_its_place(rooms, ask) -> None:
    one, two, three = [await version(rooms, number) for number in (1, 2, 3)]
    _, endpoint = await ask("POST", f"models/{one.model_id}/deploy", {})
    at = endpoint["endpoint_id"]
    await answering(ask, at, one.model_id)
    await rooms.deployments._quarantine(at, one.model_id, "It crashed.")
    row = {f"x{i}": 1.0 for i in range(4)}
    assert (await ask("DELETE", f"models/{one.model_id}", {}))[0] == 204
    await ask("POST", f"models/{two.model_id}/deploy", {})
    assert (await answering(ask, at, two.model_id))["history"] == [one.model_id]
    assert (await ask("POST", f"endpoints/{at}/predict", {"row": row}))[1]["predictions"] == [
        pytest.approx(2.0)
    ]
    status, answer = await ask("POST", f"endpoints/{at}/rollback", {})
    assert (status, answer["reason"]) == (404, "ModelNotFoundError")
    await ask("POST", f"models/{two.model_id}/undeploy", {})
    await ask("PATCH", f"models/{three.model_id}", {"retired": True})
    status, answer = await ask("POST", f"models/{three.model_id}/deploy", {})
    assert (status, answer["message"].splitlines()[0]) == (
        409,
        "penguins v3 is retired: it cannot be deployed.",
    )
    await rooms.deployments._look_once()
    assert rooms.deployments.lives() == []
