"""Alerts of a real fit that runs away: told, muted over REST, and kept."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter import __version__
from mlops_jupyter.core.alerts import memory
from tests.browser.servers import SETTINGS
from tests.server.test_jobs import PENGUINS


async def test_a_fit_that_runs_away_is_told_and_its_alert_can_be_muted(ask, rooms, jp_root_dir) -> None:
    rng = np.random.default_rng(0)
    # Of a fit that is over in a moment little is measured on a busy machine.
    X = rng.normal(size=(8000, 5))
    table = pd.DataFrame(X, columns=list("abcde")).assign(y=X[:, 0] + rng.normal(size=len(X)))
    table.to_csv(jp_root_dir / "table.csv", index=False)
    spec = {
        "data": {"path": str(jp_root_dir / "table.csv")},
        "target": "y",
        "model": "gradient_boosting",
        "params": {"learning_rate": 2.2, "n_estimators": 200, "max_depth": 2},
        "cv": 0,
        "version": __version__,
    }
    _, job = await ask("POST", "jobs", spec)
    job_id = job["job_id"]
    seen: list[dict[str, Any]] = []
    since = 0
    while not any(event["type"].startswith(("training_comp", "training_fail")) for event in seen):
        _, answer = await ask(
            "GET", f"events?since={since}&epoch={rooms.store.epoch}&wait=20", request_timeout=30
        )
        seen += answer["events"]
        since = seen[-1]["seq"]
    raised = [event for event in seen if event["type"] == "alert_raised"]
    assert sorted((event["rule"], event["metric"]) for event in raised) == [
        ("diverging", "train_r2"),
        ("diverging", "train_rmse"),
    ]
    alert = next(event for event in raised if event["metric"] == "train_rmse")
    assert alert["priority"] == "medium"
    assert alert["evidence"]["value"] > 2 * alert["evidence"]["first_value"]
    rows = [event["activity"] for event in seen if event["type"] == "activity_update"]
    assert ("Diverging", job_id, "warning") in [(row["title"], row["subject"], row["status"]) for row in rows]

    status, answer = await ask("POST", f"jobs/{job_id}/mute", {"rule": "divergin"})
    assert (status, answer["message"]) == (
        400,
        'no rule of alerts is called "divergin".\nDid you mean "diverging"?',
    )
    status, muted = await ask("POST", f"jobs/{job_id[:6]}/mute", {"rule": "diverging"})
    assert (status, muted["muted_rules"]) == (202, ["diverging"])
    _, answer = await ask("GET", f"jobs/{job_id}")
    assert answer["job"]["muted_rules"] == ["diverging"]
    assert [kept["message"] for kept in answer["job"]["alerts"]] == [event["message"] for event in raised]
    _, again = await ask("POST", f"jobs/{job_id}/mute", {"rule": "diverging", "muted": False})
    assert again["muted_rules"] == []


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    settings = {**SETTINGS, "system_seconds": 0.5}
    return {"ServerApp": {"jpserver_extensions": {"mlops_jupyter": True}}, "MlopsExtension": settings}


async def test_what_a_job_takes_of_the_machine_is_looked_at(ask, rooms, jp_root_dir, monkeypatch) -> None:
    """Of a real one, which has some memory: here that counts as all there is."""
    monkeypatch.setattr(memory, "PERCENT", 0.0)
    monkeypatch.setattr(memory, "SHARE", 0.0)
    shutil.copy(PENGUINS, jp_root_dir / "penguins.csv")
    data = {"path": str(jp_root_dir / "penguins.csv")}
    params = {"max_iter": 100_000, "tol": 0, "n_iter_no_change": 100_000}
    spec = {"data": data, "target": "species", "model": "mlp", "params": params, "cv": 0}
    _, job = await ask("POST", "jobs", {**spec, "version": __version__})
    while not (answer := (await ask("GET", f"jobs/{job['job_id']}"))[1])["job"]["alerts"]:
        await ask("GET", f"events?since={answer['head']}&wait=20", request_timeout=30)
    (alert,) = answer["job"]["alerts"]
    assert alert["rule"] == "memory"
    assert (
        10**7
        < alert["evidence"]["memory"]
        < alert["evidence"]["memory_used"]
        < alert["evidence"]["memory_limit"]
    )
    await ask("POST", f"jobs/{job['job_id']}/stop", {})
