"""What Jupyter's event bus and its ``/metrics`` are told, by a store that two servers write."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from prometheus_client import REGISTRY

from mlops_jupyter.core import assets, stream
from mlops_jupyter.core.events import AlertRaised, HealthChange, TrainingCancelled, TrainingFailed
from mlops_jupyter.core.glyphs import escaped
from mlops_jupyter.core.jobs import Status
from mlops_jupyter.server import bus
from mlops_jupyter.store import Store, Transaction
from tests.core.builders import a_job

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
JOB, MACHINE = (f"https://events.jupyter.org/mlops_jupyter/{noun}/v1" for noun in ("job", "machine"))
HOSTILE = "<img src=x onerror=alert(1)>\u202e\n\x1b[2J"


@pytest.fixture
def heard(jp_serverapp, rooms) -> asyncio.Queue[tuple[str, dict[str, Any]]]:
    """What a listener on the bus hears: the schema's id, and the event."""
    queue: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    async def listener(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        queue.put_nowait((schema_id, data))

    for schema_id in (JOB, MACHINE):
        jp_serverapp.event_logger.add_listener(schema_id=schema_id, listener=listener)
    return queue


def told(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if not name.startswith("__")}


def yaml_kinds(path: Path) -> list[str]:
    kinds: list[str] = msgspec.yaml.decode(path.read_bytes())["properties"]["type"]["enum"]
    return kinds


def failed(**changes: Any) -> TrainingFailed:
    job = a_job(name=HOSTILE, status="lost", reason="lost", error="secret rows", **changes)
    return TrainingFailed(
        time=NOW,
        job_id=job.job_id,
        status="lost",
        reason="lost",
        error=job.error,
        traceback="File 'secret.py'",
        log_lines=("secret",),
        stage=None,
        job=job,
    )


async def test_an_event_is_told_by_its_schema_and_with_nothing_else(heard, rooms) -> None:
    await rooms.store.awrite(partial(Transaction.tell, event=failed(elapsed_time=2.5)))
    schema_id, data = await heard.get()
    assert schema_id == JOB
    assert told(data) == {
        "type": "training_failed",
        "time": "2026-11-28T12:00:00.000Z",
        "job_id": a_job().job_id,
        "name": HOSTILE,
        "status": "lost",
        "attempt": 1,
        "reason": "lost",
        "metric": "accuracy",
        "final_score": None,
        "elapsed_time": 2.5,
        "model_id": None,
    }
    assert "secret" not in escaped(str(data))


def test_every_event_of_a_jobs_life_and_every_status_has_its_place(jp_serverapp, rooms) -> None:
    schemas = jp_serverapp.event_logger.schemas
    assert schemas.get(JOB).properties["status"]["enum"] == list(get_args(Status))
    told = {kind for path in bus._SCHEMAS.glob("*.yaml") for kind in yaml_kinds(path)}
    lasting = [kind for kind in (*stream.SEVENTEEN, *stream.EXTENSIONS) if kind.delivery == "A"]
    stored = {str(kind.__struct_config__.tag) for kind in lasting}
    nouns = ("training_", "dataset_", "pipeline_")
    lives = {kind for kind in stored if kind.startswith(nouns)}
    others = {"job_deleted", "alert_raised", "health_change", "model_status", "model_deployed"}
    assert lives | others == told


async def test_an_alert_is_told_with_its_sentence(jp_serverapp, rooms) -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def listener(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        heard.put_nowait(data)

    alerts = "https://events.jupyter.org/mlops_jupyter/alert/v1"
    jp_serverapp.event_logger.add_listener(schema_id=alerts, listener=listener)
    job = a_job(name=HOSTILE)
    alert = AlertRaised(
        time=NOW,
        job_id=job.job_id,
        rule="not_finite",
        metric="loss",
        message="loss is NaN from step 12.",
        evidence={"step": 12},
        job=job,
    )
    await rooms.store.awrite(partial(Transaction.tell, event=alert))
    assert told(await heard.get()) == {
        "type": "alert_raised",
        "time": "2026-11-28T12:00:00.000Z",
        "job_id": job.job_id,
        "name": HOSTILE,
        "rule": "not_finite",
        "metric": "loss",
        "message": "loss is NaN from step 12.",
    }


DATASET = {"id": "d-7f3a00000000", "name": HOSTILE}
SIZE = {"version": 2, "rows": 344, "columns": 7}
PIPELINE = {"id": "p-7f3a00000000", "name": HOSTILE, "version": 3, "actor": "ada"}
DEPLOYED = {
    "endpoint_id": "e-7f3a00000000",
    "endpoint": "mlops/api/endpoints/e-7f3a00000000/predict",
    "model_id": "m-7f3a00000000",
    "model_name": HOSTILE,
    "version": 3,
    "model_accuracy": 0.974,
}
#: ``why`` may quote what somebody wrote.
STATUS = {"model_id": "m-7f3a00000000", "name": HOSTILE, "version": 3}
#: Of each noun: the events as they are stored, and what is told of them.
OF_ASSETS: dict[str, list[tuple[Any, dict[str, Any]]]] = {
    "dataset": [
        (assets.DatasetCreated(time=NOW, **DATASET, **SIZE, hash="secret"), {**DATASET, **SIZE}),
        (assets.DatasetUpdated(time=NOW, **DATASET, **SIZE, hash="secret"), {**DATASET, **SIZE}),
        (assets.DatasetDeleted(time=NOW, **DATASET, by="ada"), DATASET),
    ],
    "pipeline": [
        (assets.PipelineCreated(time=NOW, **PIPELINE, restored=True), {**PIPELINE, "restored": True}),
        (assets.PipelineUpdated(time=NOW, **PIPELINE, changed_fields=("params.secret",)), PIPELINE),
        (assets.PipelineDeleted(time=NOW, **PIPELINE), PIPELINE),
    ],
    "model": [
        (
            assets.ModelStatus(time=NOW, **STATUS, previous=None, status="registered"),
            {**STATUS, "previous": None, "status": "registered"},
        ),
        (
            assets.ModelStatus(time=NOW, **STATUS, previous="deploying", status="failed", why="secret"),
            {**STATUS, "previous": "deploying", "status": "failed"},
        ),
    ],
    "endpoint": [(assets.ModelDeployed(time=NOW, **DEPLOYED), DEPLOYED)],
}


@pytest.mark.parametrize("noun", OF_ASSETS)
async def test_what_becomes_of_all_that_is_kept_is_told_by_its_schema(jp_serverapp, rooms, noun) -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def listener(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        heard.put_nowait(data)

    schema_id = f"https://events.jupyter.org/mlops_jupyter/{noun}/v1"
    jp_serverapp.event_logger.add_listener(schema_id=schema_id, listener=listener)
    for event, expected in OF_ASSETS[noun]:
        await rooms.store.awrite(partial(Transaction.tell, event=event))
        kind = event.__struct_config__.tag
        assert told(await heard.get()) == {"type": kind, "time": "2026-11-28T12:00:00.000Z", **expected}


def test_schemas_that_carry_a_name_say_that_it_is_a_persons() -> None:
    said = {
        path.stem: msgspec.yaml.decode(path.read_bytes())["personal-data"]
        for path in bus._SCHEMAS.glob("*.yaml")
    }
    named = {
        path.stem: bool({"name", "model_name"} & {*msgspec.yaml.decode(path.read_bytes())["properties"]})
        for path in bus._SCHEMAS.glob("*.yaml")
    }
    assert said == named


async def test_of_two_servers_on_one_store_the_one_that_wrote_tells(heard, rooms, tmp_path) -> None:
    other = await asyncio.to_thread(Store, rooms.store._files.path, lambda _: None)
    try:
        await other.awrite(partial(Transaction.tell, event=failed()))
        await rooms.store.take_in_others()
        change = HealthChange(
            time=NOW,
            machine="ada",
            previous_health="healthy",
            current_health="warning",
            metrics={},
            cause="disk 85 %",
        )
        await rooms.store.awrite(partial(Transaction.tell, event=change))
        # Theirs came before it, and is not told here.
        schema_id, data = await heard.get()
        assert (schema_id, data["cause"]) == (MACHINE, "disk 85 %")
        assert heard.empty()
    finally:
        await asyncio.to_thread(other.close)


async def test_what_the_bus_refuses_is_logged_and_the_next_is_told(
    heard, rooms, caplog, jp_serverapp
) -> None:
    def modifier(schema_id: str, data: dict[str, Any]) -> dict[str, Any]:
        if data["status"] == "lost":
            raise OSError("an administrator's mistake")
        return data

    jp_serverapp.event_logger.add_modifier(schema_id=JOB, modifier=modifier)
    await rooms.store.awrite(partial(Transaction.tell, event=failed()))
    job = a_job(status="cancelled")
    cancelled = TrainingCancelled(time=NOW, job_id=job.job_id, status="cancelled", by="ada", job=job)
    await rooms.store.awrite(partial(Transaction.tell, event=cancelled))
    _, data = await heard.get()
    assert (data["type"], "an administrator's mistake" in caplog.text) == ("training_cancelled", True)


async def test_of_many_at_once_the_last_are_told(heard, rooms, monkeypatch) -> None:
    rooms.bus._waiting = type(rooms.bus._waiting)(maxlen=3)

    def work(tx: Transaction) -> None:
        for seconds in range(10):
            tx.tell(failed(elapsed_time=float(seconds)))

    await rooms.store.awrite(work)
    assert [(await heard.get())[1]["elapsed_time"] for _ in range(3)] == [7.0, 8.0, 9.0]
    assert bus._MOST > 3


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_metrics_count_what_this_server_wrote(rooms, jp_fetch, subscribe) -> None:
    async def scraped() -> str:
        return (await jp_fetch("metrics")).body.decode()

    ended = value("mlops_jobs_ended_total", status="lost")
    seconds = value("mlops_job_duration_seconds_sum", status="lost")
    await rooms.store.awrite(partial(Transaction.tell, event=failed(elapsed_time=2.5)))
    await rooms.store.awrite(partial(Transaction.tell, event=failed(elapsed_time=None)))
    async with subscribe() as socket:
        await socket.message()
        text = await scraped()
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("mlops"))
    assert float(lines['mlops_jobs_ended_total{status="lost"}']) == ended + 2
    assert float(lines['mlops_job_duration_seconds_sum{status="lost"}']) == seconds + 2.5
    assert (lines["mlops_event_sockets"], lines["mlops_store_up"]) == ("1.0", "1.0")
    assert HOSTILE not in text
