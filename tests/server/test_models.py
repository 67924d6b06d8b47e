"""Models by REST: what they are, how they are changed, and that their file is the one that was registered."""

from __future__ import annotations

import asyncio
import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.ends import model_of
from mlops_jupyter.core.jobs import SavedModel
from mlops_jupyter.core.models import Model
from mlops_jupyter.server.models import ModelFileHandler
from mlops_jupyter.server.rooms import Rooms
from mlops_jupyter.store import Transaction
from tests.core.builders import a_job
from tests.desk import SPEC
from tests.lines import NOW

BODY = b"a model" * 1000


async def a_model(
    rooms: Rooms,
    body: bytes = BODY,
    job_id: str = "j-7f3a00000000",
    name: str = "churn",
    versions: dict[str, str] | None = None,
) -> tuple[Model, Path]:
    """Its record, and its file."""
    job = a_job(job_id=job_id, name=name, status="completed", versions=versions or {})
    file = SavedModel(sha256=hashlib.sha256(body).hexdigest(), bytes=len(body), signature={})
    job = replace(job, model_id="m-" + job_id[2:], model_file=file)
    unregistered = model_of(job, file, NOW)

    def work(tx: Transaction) -> Model:
        tx.add_job(job, SPEC, "rf")
        return tx.register(unregistered)

    model = await rooms.store.awrite(work)
    path = rooms.supervisor.folder(job.job_id) / "model" / "model.skops"
    path.parent.mkdir(parents=True)
    path.write_bytes(body)
    # As it is of every model a moment after its job's end.
    await rooms.supervisor.registry.kept(model.model_id)
    return model, path


async def test_a_model_whose_file_was_changed_is_not_sent(rooms, ask, jp_fetch) -> None:
    """P4."""
    model, path = await a_model(rooms, BODY)
    sent = await jp_fetch("mlops", "api", "models", model.model_id, "file")
    assert sent.body == BODY
    path.write_bytes(BODY.replace(b"m", b"n", 1))
    status, answer = await ask("GET", f"models/{model.model_id}/file")
    assert (status, answer["reason"]) == (409, "ModelChanged")
    path.unlink()
    status, answer = await ask("GET", f"models/{model.model_id}/file")
    assert (status, answer["reason"]) == (404, "ModelNotFoundError")


async def test_who_leaves_in_the_middle_of_a_file_is_no_error_of_the_server(
    rooms, jp_http_port, jp_base_url, jp_auth_header, http_server_client, caplog, monkeypatch
) -> None:
    model, _ = await a_model(rooms, b"m" * (32 << 20))
    answered = ModelFileHandler._execute
    over = asyncio.Event()

    async def execute(handler: ModelFileHandler, *args: Any, **options: Any) -> None:
        await answered(handler, *args, **options)
        over.set()

    monkeypatch.setattr(ModelFileHandler, "_execute", execute)
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    path = f"{jp_base_url}mlops/api/models/{model.model_id}/file"
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: {jp_auth_header['Authorization']}\r\n\r\n".encode()
    )
    assert (await reader.read(1000)).startswith(b"HTTP/1.1 200")
    writer.transport.abort()
    async with asyncio.timeout(10):
        await over.wait()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_models_are_listed_by_age_by_name_and_by_what_people_call_them(rooms, ask) -> None:
    one, _ = await a_model(rooms)
    two, _ = await a_model(rooms, job_id="j-7f3a00000001")
    other, _ = await a_model(rooms, job_id="j-7f3a00000002", name="a b@1/é")

    async def listed(query: str) -> list[str]:
        status, answer = await ask("GET", f"models{query}")
        assert status == 200
        assert set(answer) == {"epoch", "head", "models"}
        return [model["model_id"] for model in answer["models"]]

    assert await listed("") == [other.model_id, two.model_id, one.model_id]
    assert await listed("?limit=1") == [other.model_id]
    assert await listed("?name=churn") == [two.model_id, one.model_id]
    assert await listed("?ref=churn") == [two.model_id]
    assert await listed("?ref=churn@1") == [one.model_id]
    assert await listed("?ref=a b@1/é") == [other.model_id]
    status, answer = await ask("GET", "models?ref=chrun")
    assert (status, answer["problems"]) == (
        404,
        [
            {
                "error": "ModelNotFoundError",
                "message": 'no model "chrun".',
                "hint": 'Did you mean "churn" (v1–v2)?',
                "code": "List: mlops.models()",
            }
        ],
    )
    status, answer = await ask("GET", "models?ref=m-7f3a")
    assert (status, answer["reason"]) == (409, "AmbiguousIdError")


async def test_a_model_is_promoted_retired_and_brought_back(rooms, ask) -> None:
    model, _ = await a_model(rooms)
    path = f"models/{model.model_id}"
    status, answer = await ask("PATCH", path, {"aliases": {"set": ["champion"]}, "retired": True})
    assert (status, answer["aliases"], answer["status"]) == (200, ["champion"], "retired")
    assert (await ask("GET", path)) == (200, answer)
    status, answer = await ask("PATCH", path, {"retired": False, "aliases": {"remove": ["champion"]}})
    assert (status, answer["aliases"], answer["status"]) == (200, [], "registered")


@pytest.mark.parametrize(
    "body",
    [
        {"aliases": {"set": ["v1"]}},
        {"aliases": {"set": ["a"], "remove": ["a"]}},
        {"aliases": ["a"]},
        {"retired": "yes"},
        {"name": "x"},
        {"status": "deployed"},
    ],
)
async def test_a_change_nobody_can_make_sense_of_changes_nothing(rooms, ask, contents, body) -> None:
    model, _ = await a_model(rooms)
    before = contents()
    status, answer = await ask("PATCH", f"models/{model.model_id}", body)
    assert (status, answer["reason"]) == (400, "InputError")
    assert contents() == before


async def test_a_model_is_deleted_with_its_file_and_is_no_more(rooms, ask) -> None:
    model, path = await a_model(rooms)
    assert await ask("DELETE", f"models/{model.model_id}") == (204, None)
    assert not path.exists()
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {})):
        status, answer = await ask(method, f"models/{model.model_id}", body)
        assert (status, answer["reason"]) == (404, "ModelNotFoundError")
    _, answer = await ask("GET", f"jobs/{model.job_id}")
    assert "deleted" in answer["job"]["model_missing_reason"]


async def test_a_model_that_is_deployed_is_not_deleted(rooms, ask) -> None:
    model, path = await a_model(rooms)
    await rooms.store.awrite(lambda tx: tx.put_model(replace(model, status="deployed")))
    status, answer = await ask("DELETE", f"models/{model.model_id}")
    assert (status, answer["reason"]) == (409, "ModelStateError")
    assert path.exists()


@pytest.mark.parametrize(("answers", "status"), [(True, 409), (False, 204)])
async def test_what_a_rollback_brings_back_is_deleted_only_when_nothing_answers(
    rooms, ask, answers: bool, status: int
) -> None:
    (old, _), (older, _) = await a_model(rooms), await a_model(rooms, job_id="j-7f3a00000001")
    endpoint = Endpoint(
        endpoint_id="e-7f3a00000000",
        name="churn",
        status="deployed" if answers else "undeployed",
        created=NOW,
        changed=NOW,
        model_id="m-7f3a00000009" if answers else None,
        history=(older.model_id, old.model_id),
    )
    await rooms.store.awrite(lambda tx: tx.put_endpoint(endpoint))
    assert (await ask("DELETE", f"models/{old.model_id}"))[0] == status
    assert (await ask("DELETE", f"models/{older.model_id}"))[0] == 204
    left = await rooms.store.aread(lambda reading: reading.endpoint_named("churn"))
    assert left == replace(endpoint, history=(old.model_id,) if answers else ())


async def test_a_card_tells_a_model_its_job_its_versions_and_what_became_of_it(rooms, ask) -> None:
    one, _ = await a_model(rooms)
    two, _ = await a_model(rooms, job_id="j-7f3a00000001")
    other, _ = await a_model(rooms, job_id="j-7f3a00000002", name="digits")
    for model in (one, two, other):
        await ask("PATCH", f"models/{model.model_id}", {"aliases": {"set": ["champion"]}})
    await ask("PATCH", f"models/{one.model_id}", {"retired": True})
    status, card = await ask("GET", f"models/{one.model_id}/card")
    told = {"epoch", "head", "model", "versions", "job", "differs", "history", "example"}
    assert (status, set(card)) == (200, told)
    assert (card["model"]["status"], card["job"]["job_id"]) == ("retired", one.job_id)
    assert [model["version"] for model in card["versions"]] == [2, 1]
    assert [(event["type"], event.get("alias"), event["model_id"]) for event in card["history"]] == [
        ("model_aliased", "champion", one.model_id),
        ("model_aliased", "champion", two.model_id),
        ("model_status", None, one.model_id),
    ]
    assert card["example"] is None
    meta = rooms.supervisor.folder(one.job_id) / "model" / "meta.json"
    for body, example in (
        (b'{"example":{"age":41,"sex":null},"sha256":"x"}', {"age": 41, "sex": None}),
        (b"{", None),
    ):
        meta.write_bytes(body)
        assert (await ask("GET", f"models/{one.model_id}/card"))[1]["example"] == example
    assert (await ask("GET", "models/m-999999999999/card"))[0] == 404


async def test_a_card_tells_of_what_the_server_has_another_version_than_was_trained_with(rooms, ask) -> None:
    here = {"python": platform.python_version(), "skrub": version("skrub")}
    elsewhere = {"numpy": "1.99.0", "no-such-package": "1.0.0", "mlops_jupyter": "0.0.1"}
    model, _ = await a_model(rooms, versions={**here, **elsewhere})
    _, card = await ask("GET", f"models/{model.model_id}/card")
    assert card["differs"] == [{"package": "numpy", "trained": "1.99.0", "here": version("numpy")}]


async def test_what_became_of_a_model_is_found_without_going_through_all_that_jobs_measured(rooms) -> None:
    def plan(reading: Any) -> list[str]:
        found: list[str] = []
        reading._db.set_trace_callback(found.append)
        reading.model_history("m-7f3a00000000")
        reading._db.set_trace_callback(None)
        return [row[-1] for row in reading._db.execute(f"EXPLAIN QUERY PLAN {found[0]}")]

    steps = await rooms.store.aread(plan)
    assert any("USING INDEX of_models" in step for step in steps), steps
