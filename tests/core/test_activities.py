"""What the feed says of which events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from mlops_jupyter.core import activities, assets, events
from mlops_jupyter.core.jobs import Job
from tests.core.builders import a_job

NOW = datetime(2026, 11, 28, 14, 2, tzinfo=UTC)
JOB = a_job(name="digits-mlp")


def job(**changes: Any) -> Job:
    return msgspec.structs.replace(JOB, **changes)


def a_failure(**changes: Any) -> events.TrainingFailed:
    told = {
        "status": "failed",
        "reason": "error",
        "error": None,
        "traceback": None,
        "log_lines": (),
        "stage": None,
    }
    return events.TrainingFailed(time=NOW, seq=7, job_id=JOB.job_id, job=JOB, **{**told, **changes})


def a_change(health: Any, priority: Any = "medium") -> events.HealthChange:
    return events.HealthChange(
        time=NOW,
        seq=7,
        machine="ada",
        previous_health="healthy",
        current_health=health,
        metrics={},
        cause="memory 93 %",
        priority=priority,
    )


def of_job(kind: Any, record: Job = JOB, **more: Any) -> Any:
    return kind(time=NOW, seq=7, job_id=record.job_id, job=record, **more)


@pytest.mark.parametrize(
    ("event", "title", "description", "status"),
    [
        (of_job(events.TrainingQueued, ahead=0), "Training queued", "digits-mlp", "info"),
        (
            of_job(events.TrainingQueued, job(attempt=2), ahead=0),
            "Training queued",
            "digits-mlp, attempt 2",
            "info",
        ),
        (of_job(events.TrainingStarted, job(status="running")), "Training started", "digits-mlp", "info"),
        (of_job(events.TrainingPaused, by="ada"), "Training paused", "digits-mlp, by ada", "info"),
        (of_job(events.TrainingResumed), "Training resumed", "digits-mlp", "info"),
        (
            of_job(
                events.TrainingCompleted,
                job(metric="accuracy", final_score=0.97412),
                status="completed",
                final_accuracy=None,
                metric="accuracy",
                final_score=0.97412,
                metrics={},
                model_id=None,
                elapsed_time=1.0,
            ),
            "Training finished",
            "digits-mlp: accuracy 0.9741",
            "success",
        ),
        (a_failure(error="ValueError: no\nmore"), "Training failed", "digits-mlp: ValueError: no", "error"),
        (a_failure(status="lost", reason="lost"), "Training lost", "digits-mlp: lost", "error"),
        (
            of_job(events.TrainingCancelled, status="cancelled", by="ada"),
            "Training cancelled",
            "digits-mlp, by ada",
            "info",
        ),
        (a_change("critical", "high"), "Machine critical", "memory 93 %, on ada", "error"),
        (a_change("warning"), "Machine warning", "memory 93 %, on ada", "warning"),
        (a_change("healthy"), "Machine healthy", "memory 93 %, on ada", "success"),
    ],
)
def test_what_a_person_cares_about_is_a_row(event: Any, title: str, description: str, status: str) -> None:
    told = activities.row(event)
    assert told is not None
    found = told.activity
    assert (found.title, found.description, found.status) == (title, description, status)
    of_a_job = hasattr(event, "job_id")
    assert (found.kind, found.subject) == (("job", JOB.job_id) if of_a_job else ("machine", None))
    assert (found.id, found.timestamp) == ("a-7", NOW)


@pytest.mark.parametrize(
    ("kind", "more", "title", "description"),
    [
        (assets.PipelineCreated, {}, "Pipeline created", "churn, by ada"),
        (assets.PipelineCreated, {"restored": True}, "Pipeline restored", "churn, by ada"),
        (
            assets.PipelineUpdated,
            {"changed_fields": ("cv", "seed")},
            "Pipeline updated",
            "churn v3: cv, seed, by ada",
        ),
        (assets.PipelineDeleted, {}, "Pipeline deleted", "churn, by ada"),
    ],
)
def test_what_becomes_of_a_pipeline_is_a_row(
    kind: Any, more: dict[str, Any], title: str, description: str
) -> None:
    event = kind(time=NOW, seq=7, id="p-7f3a00000000", name="churn", version=3, actor="ada", **more)
    assert activities.row(event) == events.ActivityUpdate(
        time=NOW,
        activity=events.Activity(
            id="a-7",
            kind="pipeline",
            subject="p-7f3a00000000",
            title=title,
            description=description,
            status="info",
            timestamp=NOW,
        ),
    )


def test_what_only_moves_is_none() -> None:
    assert activities.row(of_job(events.TrainingStarted, job(status="starting"))) is None
    assert activities.row(events.LogLines(time=NOW, seq=7, job_id=JOB.job_id, first=0, lines=("x",))) is None
