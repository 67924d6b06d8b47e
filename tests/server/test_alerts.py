"""Alerts of a real fit that runs away: told, muted over REST, and kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mlops_jupyter import __version__


async def test_a_fit_that_runs_away_is_told_and_its_alert_can_be_muted(ask, rooms, jp_root_dir) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5))
    table = pd.DataFrame(X, columns=list("abcde")).assign(y=X[:, 0] + rng.normal(size=400))
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
