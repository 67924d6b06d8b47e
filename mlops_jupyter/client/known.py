"""What a client knows of one job: its record and its points, as of an event; and how events move them.

Pure. Not here: where the events come from (``feed``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from mlops_jupyter.client.answers import JobAnswer, Metrics, not_understood
from mlops_jupyter.core import assets, events
from mlops_jupyter.core.jobs import Candidate, Job
from mlops_jupyter.core.series import Point

T = TypeVar("T")

JobEvent = (
    events.TrainingQueued
    | events.TrainingStarted
    | events.TrainingPaused
    | events.TrainingResumed
    | events.TrainingFollowed
    | events.TrainingProgress
    | events.TrainingCompleted
    | events.TrainingFailed
    | events.TrainingCancelled
    | events.AlertRaised
    | events.AlertMuted
    | assets.ModelDeleted
    | events.MetricPoints
    | events.CandidateScores
    | events.LogLines
)
_TYPES = frozenset(kind.__struct_config__.tag for kind in JobEvent.__args__)
# As ``wire.decode``: a step may have come as text.
_event = msgspec.json.Decoder(JobEvent, strict=False)


class Heading(msgspec.Struct, frozen=True):
    """Enough of an event to tell whether it is one of ours."""

    type: str
    seq: int | None = None
    job_id: str | None = None


_heading = msgspec.json.Decoder(Heading)


class Known:
    """One job. ``record_head`` and ``points_head`` are the events as of which its parts are complete;
    ``points_head`` is null until they were asked for: a job somebody only wants to stop needs none."""

    def __init__(self, record: Job, head: int = 0, epoch: str | None = None) -> None:
        self.record = record
        self.record_head = head
        self.epoch = epoch
        self.points: dict[str, list[Point]] = {}
        self.points_head: int | None = None

    def refresh(self, answer: JobAnswer) -> None:
        """Take over the record, unless events have brought a newer one."""
        if answer.epoch != self.epoch or answer.head >= self.record_head:
            self.record, self.record_head = answer.job, answer.head
        if answer.epoch != self.epoch:
            self.points_head = None
        self.epoch = answer.epoch

    def refresh_points(self, metrics: Metrics) -> None:
        if self.points_head is None or metrics.head >= self.points_head:
            self.points = {name: list(series.points) for name, series in metrics.series.items()}
            self.points_head = metrics.head

    def take(self, event: JobEvent) -> None:
        """Move on by one event; one that is known already changes nothing."""
        seq = event.seq or 0
        if isinstance(event, events.MetricPoints):
            if self.points_head is not None and seq > self.points_head:
                self.points_head = seq
                for point in event.points:
                    self.points.setdefault(point.name, []).append(point)
        elif seq > self.record_head:
            self.record_head = seq
            self.record = moved(self.record, event)


def of_jobs(raw: Iterable[msgspec.Raw]) -> Iterable[JobEvent]:
    """The events about jobs; those of kinds a newer server may have are passed over."""
    for body in raw:
        if _understood(_heading, body).type in _TYPES:
            yield _understood(_event, body)


def last(raw: Sequence[msgspec.Raw], prev: int) -> int:
    """The number of the last event; ``prev`` when there is none."""
    return (_understood(_heading, raw[-1]).seq if raw else None) or prev


def _understood(decoder: msgspec.json.Decoder[T], body: msgspec.Raw) -> T:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise not_understood(error) from error


def moved(record: Job, event: JobEvent) -> Job:
    """The record after the event."""
    if isinstance(event, events.CandidateScores):
        return msgspec.structs.replace(record, candidates=_merged(record.candidates, event.candidates))
    if isinstance(event, events.LogLines):
        lines = max(record.log_lines, event.first + len(event.lines))
        return msgspec.structs.replace(record, log_lines=lines)
    if isinstance(event, events.MetricPoints):
        return record
    if event.job is not None:
        return event.job
    if isinstance(event, assets.ModelDeleted):
        # The job was deleted before.
        return record
    assert isinstance(event, events.TrainingProgress)
    stages = record.stages
    if event.stage is not None:
        newer = event.stage
        stages = tuple(newer if stage.name == newer.name else stage for stage in stages)
    return msgspec.structs.replace(
        record,
        status=event.status,
        progress=event.progress,
        current_stage=event.current_stage,
        message=event.message,
        elapsed_time=event.elapsed_time,
        estimated_remaining=event.estimated_remaining,
        estimated_total_time=event.estimated_total_time,
        live_metrics=event.live_metrics,
        live_accuracy=event.live_accuracy,
        best=event.best,
        stages_completed=event.stages_completed,
        predictions_processed=event.predictions_processed,
        stages=stages,
    )


def _merged(known: tuple[Candidate, ...], scored: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    by_place = {(c.stage, c.index): c for c in (*known, *scored)}
    return tuple(by_place.values())
