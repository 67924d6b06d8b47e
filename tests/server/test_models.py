"""The file of a model is the one that was registered, or is not sent."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

from mlops_jupyter.core.ends import model_of
from mlops_jupyter.core.jobs import Model, SavedModel
from mlops_jupyter.server.models import ModelFileHandler
from mlops_jupyter.server.rooms import Rooms
from tests.core.builders import a_job
from tests.lines import NOW

BODY = b"a model" * 1000


async def a_model(rooms: Rooms, body: bytes) -> tuple[Model, Path]:
    """Its record, and its file."""
    job = a_job(status="completed")
    file = SavedModel(sha256=hashlib.sha256(body).hexdigest(), bytes=len(body), signature={})
    model = model_of(job, file, NOW)
    await rooms.store.awrite(lambda tx: tx.put_model(model))
    path = rooms.supervisor.folder(job.job_id) / "model" / "model.skops"
    path.parent.mkdir(parents=True)
    path.write_bytes(body)
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
