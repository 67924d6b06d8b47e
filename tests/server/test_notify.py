"""A real job of a real server is told to a webhook, with no page open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mlops_jupyter import __version__
from tests.browser.servers import SETTINGS
from tests.receiver import Receiver


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def jp_server_config(receiver: Receiver) -> dict[str, Any]:
    settings = {
        "notify_urls": [receiver.url("ok")],
        "notify_seconds": 0.0,
        **SETTINGS,
    }
    return {"ServerApp": {"jpserver_extensions": {"mlops_jupyter": True}}, "MlopsExtension": settings}


async def test_the_end_of_a_job_arrives_and_the_url_is_told_nobody(
    ask, rooms, receiver: Receiver, jp_root_dir, caplog
) -> None:
    assert await ask("POST", "notify") == (
        200,
        {"channels": [{"channel": "JSON (1 of 1)", "well": True}], "problem": None},
    )
    (jp_root_dir / "table.csv").write_text("x,y\n1,a\n2,b\n")
    spec = {"data": {"path": str(jp_root_dir / "table.csv")}, "target": "y", "cv": 0, "version": __version__}
    _, job = await ask("POST", "jobs", {**spec, "name": "of two rows", "model": "rf"})
    told = await rooms.in_thread(receiver.wait, "ok", 2)
    assert told[0] == "mlops: Notifications arrive here."
    assert told[1].startswith("Training failed: of two rows: ")
    assert told[1].endswith(f"({job['job_id'][:6]})")
    seen = [await ask("GET", path) for path in ("status", "system", "activity", "events?since=0", "jobs")]
    assert "hunter2" not in json.dumps(seen)
    ours = [record.getMessage() for record in caplog.records if "onfig changed" not in record.getMessage()]
    assert not [message for message in ours if "hunter2" in message]
