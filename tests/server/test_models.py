"""The file of a model is the one that was registered, or is not sent."""

from __future__ import annotations

import hashlib

from mlops_jupyter.core.ends import model_of
from mlops_jupyter.core.jobs import SavedModel
from tests.core.builders import a_job
from tests.lines import NOW

BODY = b"a model" * 1000


async def test_a_model_whose_file_was_changed_is_not_sent(rooms, ask, jp_fetch) -> None:
    """P4."""
    job = a_job(status="completed")
    file = SavedModel(sha256=hashlib.sha256(BODY).hexdigest(), bytes=len(BODY), signature={})
    model = model_of(job, file, NOW)
    await rooms.store.awrite(lambda tx: tx.put_model(model))
    path = rooms.supervisor.folder(job.job_id) / "model" / "model.skops"
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY)
    sent = await jp_fetch("mlops", "api", "models", model.model_id, "file")
    assert sent.body == BODY
    path.write_bytes(BODY.replace(b"m", b"n", 1))
    status, answer = await ask("GET", f"models/{model.model_id}/file")
    assert (status, answer["reason"]) == (409, "ModelChanged")
    path.unlink()
    status, answer = await ask("GET", f"models/{model.model_id}/file")
    assert (status, answer["reason"]) == (404, "ModelNotFoundError")
