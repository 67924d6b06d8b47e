from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from mlops_jupyter.client import known
from mlops_jupyter.client.answers import JobAnswer, Metrics
from mlops_jupyter.client.known import Known
from mlops_jupyter.core import events, stream, wire
from mlops_jupyter.core.errors import VersionMismatch
from mlops_jupyter.core.jobs import Best, Candidate, Job
from mlops_jupyter.core.series import Point, Series
from mlops_jupyter.core.stages import Stage
from tests.core.builders import a_job

NOW = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)


def at_head(job: Job, head: int, epoch: str = "e") -> Known:
    return Known(job, head, epoch)


def points(*steps: int, name: str = "val_loss") -> tuple[Point, ...]:
    return tuple(Point(name=name, step=step, value=1 / step) for step in steps)


def measured(*steps: int, seq: int) -> events.MetricPoints:
    return events.MetricPoints(time=NOW, seq=seq, job_id="j-7f3a00000000", points=points(*steps))


def progress(seq: int, **changes: Any) -> events.TrainingProgress:
    fields = dict.fromkeys(events.TrainingProgress.__struct_fields__)
    said = {"time": NOW, "seq": seq, "priority": "low", "job_id": "j-7f3a00000000", "status": "running"}
    numbers = {"message": "", "live_metrics": {}, "stages_completed": 0, "predictions_processed": 0}
    return events.TrainingProgress(**{**fields, **said, **numbers, **changes})


def test_progress_moves_the_record_and_one_stage() -> None:
    fit = Stage(name="Training model", state="running", done=23, total=40, unit="epoch")
    best = Best(name="val_accuracy", value=0.972, step=22)
    said = {
        "progress": 58.0,
        "current_stage": "Training model",
        "message": "Training model - 58% complete",
        "elapsed_time": 6.0,
        "estimated_remaining": 4.0,
        "estimated_total_time": 10.0,
        "live_metrics": {"val_loss": 0.141},
        "live_accuracy": 0.972,
        "best": best,
        "stages_completed": 4,
        "predictions_processed": 1000,
    }
    before = a_job()
    here = at_head(before, 6)
    here.take(progress(7, stage=fit, **said))
    stages = tuple(fit if stage.name == fit.name else stage for stage in before.stages)
    assert here.record == msgspec.structs.replace(before, status="running", stages=stages, **said)


def test_a_whole_record_replaces_what_was_known() -> None:
    here = at_head(a_job(), 6)
    ended = a_job(status="completed", progress=100.0)
    fields = {"final_accuracy": 0.97, "metric": "accuracy", "final_score": 0.97, "metrics": {}}
    here.take(
        events.TrainingCompleted(
            time=NOW,
            seq=7,
            job_id=ended.job_id,
            status="completed",
            model_id=None,
            elapsed_time=9.0,
            job=ended,
            **fields,
        )
    )
    assert here.record == ended


def test_an_event_is_taken_once_and_never_after_a_newer_answer() -> None:
    here = at_head(a_job(), 6)
    here.refresh_points(metrics_of(points(1, 2), head=8))
    here.take(progress(6, progress=99.0))
    here.take(measured(2, seq=8))
    here.take(measured(3, seq=9))
    here.take(measured(3, seq=9))
    assert (here.record, here.points) == (a_job(), {"val_loss": list(points(1, 2, 3))})


def metrics_of(measured: tuple[Point, ...], head: int) -> Metrics:
    series = {"val_loss": Series(count=len(measured), points=measured)}
    return Metrics(job_id="j-7f3a00000000", epoch="e", head=head, series=series)


def test_an_older_answer_does_not_take_back_what_events_brought() -> None:
    here = at_head(a_job(), 6)
    here.refresh_points(metrics_of(points(1), head=6))
    here.take(progress(9, progress=58.0))
    here.take(measured(2, seq=10))
    moved = here.record
    here.refresh(JobAnswer(epoch="e", head=8, job=a_job()))
    here.refresh_points(metrics_of(points(1), head=8))
    assert (here.record, here.points) == (moved, {"val_loss": list(points(1, 2))})


def test_another_store_is_believed_whatever_its_numbers() -> None:
    here = at_head(a_job(progress=50.0), 600)
    here.refresh_points(metrics_of(points(1), head=600))
    here.refresh(JobAnswer(epoch="another", head=3, job=a_job(progress=10.0)))
    assert (here.record, here.record_head, here.points_head) == (a_job(progress=10.0), 3, None)


def test_candidates_are_merged_by_stage_and_place() -> None:
    def candidate(index: int, *scores: float | None) -> Candidate:
        return Candidate(
            index=index, label=f"c{index}", stage="Model selection", parameters={}, scores=scores
        )

    here = at_head(a_job(candidates=(candidate(0, 0.9, None), candidate(1, None, None))), 6)
    scored = (candidate(1, 0.8, None), candidate(2, 0.7, None))
    here.take(events.CandidateScores(time=NOW, seq=7, job_id="j-7f3a00000000", candidates=scored))
    assert here.record.candidates == (candidate(0, 0.9, None), *scored)


def test_only_events_of_jobs_are_read_and_unknown_kinds_passed_over() -> None:
    raw = [
        wire.encode(measured(1, seq=7)),
        b'{"type":"job_admired","seq":8,"job_id":"j-7f3a00000000"}',
        wire.encode(stream.Ping(time=NOW, nonce=1, rtt=None)),
        wire.encode(progress(9)),
    ]
    assert list(known.of_jobs(map(msgspec.Raw, raw))) == [measured(1, seq=7), progress(9)]


def test_an_event_of_another_version_says_what_to_do() -> None:
    other = msgspec.Raw(b'{"type":"training_started","seq":7,"job_id":7}')
    with pytest.raises(VersionMismatch, match="Install the same mlops_jupyter in kernel and server"):
        list(known.of_jobs([other]))
    with pytest.raises(VersionMismatch, match="not understood"):
        known.last([other, msgspec.Raw(b'{"seq":7}')], 6)
