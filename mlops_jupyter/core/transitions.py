"""``advance``: the only way a job changes. Pure: a fact in, a new job and its consequences out.

Not here: performing the consequences (``supervisor``, ``intake``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from mlops_jupyter.core import ends, events, facts
from mlops_jupyter.core.alerts import raising
from mlops_jupyter.core.consequences import Consequence, Publish, Signal, Step
from mlops_jupyter.core.errors import InvalidTransition
from mlops_jupyter.core.jobs import Best, Candidate, Dataset, Finding, Job, Process, SavedModel
from mlops_jupyter.core.progress import moved, stage_advanced, stage_ended, stage_skipped, stage_started

_QUEUE = (facts.JobSubmitted, facts.QueueMoved, facts.JobStarted)
_ANYTIME = (facts.StopAsked, facts.JobFollowed, facts.RuleMuted)
#: What can be said of a job that is over.
_AFTER_THE_END = (facts.JobFollowed, facts.RuleMuted)


def advance(job: Job, fact: facts.Fact) -> Step:
    """``job`` after ``fact``, and what follows from it.

    Facts of a job that is over change nothing, since its end was said once; but it can be run again, and its
    alerts be muted. An impossible pair raises ``InvalidTransition``.
    """
    if job.terminal and not isinstance(fact, _AFTER_THE_END):
        return job, []
    rule = _RULES.get(type(fact))
    if rule is None:
        raise InvalidTransition(f"{job.job_id} ({job.status}) knows no {type(fact).__name__}")
    early = type(fact) in _QUEUE
    if early != (job.status == "queued") and not isinstance(fact, _ANYTIME):
        raise InvalidTransition(f"{job.job_id} is {job.status}: no {type(fact).__name__} is possible")
    if isinstance(fact, facts.WorkerResumed | facts.WorkerEnded):
        job = replace(job, paused_time=job.paused_time + fact.paused_for)
    if fact.elapsed:
        # From here on durations are without pauses: what is left is right at once when the job goes on.
        fact = replace(fact, elapsed=max(fact.elapsed - job.paused_time, 0.0))
        job = replace(job, elapsed_time=max(fact.elapsed, job.elapsed_time or 0.0))
    return rule(job, fact)


def _followed(job: Job, fact: facts.JobFollowed) -> Step:
    job, by = replace(job, followed_by=fact.followed_by), fact.followed_by
    event = events.TrainingFollowed(time=facts.moment(fact), job_id=job.job_id, followed_by=by, job=job)
    return job, [Publish(event)]


# --- submission, queue, start --------------------------------------------------------------


def _submitted(job: Job, fact: facts.JobSubmitted) -> Step:
    job = replace(job, submitted_time=facts.moment(fact), submitted_by=fact.by, message="Queued")
    return job, [
        Publish(
            events.TrainingQueued(time=facts.moment(fact), job_id=job.job_id, ahead=job.ahead or 0, job=job)
        )
    ]


def _queue_moved(job: Job, fact: facts.QueueMoved) -> Step:
    job = replace(job, ahead=fact.ahead, waiting_for=fact.waiting_for)
    return moved(job, fact, whole=True)


def _started(job: Job, fact: facts.JobStarted) -> Step:
    job = replace(job, status="starting", ahead=None, waiting_for=None, owner=fact.owner, message="Starting")
    return job, [Publish(events.TrainingStarted(time=facts.moment(fact), job_id=job.job_id, job=job))]


def _adopted(job: Job, fact: facts.JobAdopted) -> Step:
    # The server that was asked to stop it may have died before the keeper heard.
    return replace(job, owner=fact.owner), _stop(job) if job.status == "stopping" else []


def _keeper(job: Job, fact: facts.KeeperStarted) -> Step:
    process = Process(pid=fact.pid, ticks=fact.ticks, boot_id=fact.boot_id, pid_namespace=fact.pid_namespace)
    job = replace(job, process=process, start_time=facts.moment(fact))
    # A stop that came before there was anybody to signal is passed on now.
    return job, _stop(job) if job.status == "stopping" else []


def _working(job: Job, fact: facts.WorkStarted) -> Step:
    status = "running" if job.status == "starting" else job.status
    job = replace(job, status=status, versions=fact.versions, progress=job.progress or 0.0)
    return job, [Publish(events.TrainingStarted(time=facts.moment(fact), job_id=job.job_id, job=job))]


def _start_failed(job: Job, fact: facts.StartFailed) -> Step:
    return ends.failed(replace(job, error=fact.error, hint=fact.hint), fact, "not_started")


def _start_withdrawn(job: Job, fact: facts.StartWithdrawn) -> Step:
    if job.status == "stopping":
        return ends.cancelled(job, fact)
    job = replace(job, status="queued", ahead=0, owner=None, message="Queued")
    return job, [Publish(events.TrainingQueued(time=facts.moment(fact), job_id=job.job_id, ahead=0, job=job))]


# --- the worker's words --------------------------------------------------------------------


def _described(job: Job, fact: facts.DataDescribed) -> Step:
    registered = job.dataset or Dataset(name=fact.name)
    dataset = replace(registered, name=fact.name, hash=fact.sha256, rows=fact.rows, columns=fact.columns)
    return replace(job, dataset=dataset), []


def _task(job: Job, fact: facts.TaskChosen) -> Step:
    job = replace(
        job,
        task=fact.task,
        estimator=fact.estimator,
        parameters=fact.parameters,
        metric=fact.metric,
        greater_is_better=fact.greater_is_better,
        classes=fact.classes,
    )
    return moved(job, fact, whole=True)


def _finding(job: Job, fact: facts.FindingMade) -> Step:
    found = Finding(code=fact.code, severity=fact.severity, message=fact.message, column=fact.column)
    return replace(job, findings=(*job.findings, found)), []


def _points(job: Job, fact: facts.PointsLogged) -> Step:
    live = {**job.live_metrics, **{point.name: point.value for point in fact.points}}
    watched = f"val_{job.metric}"
    best = job.best
    for point in fact.points:
        if point.name == watched and point.value is not None:
            better = best is None or (
                point.value > best.value if job.greater_is_better else point.value < best.value
            )
            if better:
                best = Best(name=watched, value=point.value, step=point.step)
    accuracy = live.get("val_accuracy", job.live_accuracy)
    job = replace(job, live_metrics=live, best=best, live_accuracy=accuracy)
    measured = fact.points
    if job.paused_time:
        measured = tuple(replace(p, elapsed=max(p.elapsed - job.paused_time, 0.0)) for p in measured)
    points = events.MetricPoints(time=facts.moment(fact), job_id=job.job_id, points=measured)
    job, progress = moved(job, fact)
    return job, [Publish(points), *progress]


def _candidate(job: Job, fact: facts.CandidateScored) -> Step:
    known = {(c.stage, c.index): c for c in job.candidates}
    key = (fact.stage, fact.candidate)
    before = known.get(key) or Candidate(
        index=fact.candidate,
        label=fact.label,
        stage=fact.stage,
        parameters=fact.parameters,
        scores=(None,) * fact.folds,
    )
    scores = tuple(fact.score if i == fact.fold else s for i, s in enumerate(before.scores))
    measured = [score for score in scores if score is not None]
    mean = sum(measured) / len(measured) if measured else None
    spread = None
    if mean is not None and len(measured) > 1:
        spread = (sum((s - mean) ** 2 for s in measured) / (len(measured) - 1)) ** 0.5
    scored = replace(
        before,
        scores=scores,
        mean=mean,
        spread=spread,
        seconds=before.seconds + fact.seconds,
        error=fact.error or before.error,
    )
    known[key] = scored
    job = replace(job, candidates=tuple(known.values()))
    event = events.CandidateScores(time=facts.moment(fact), job_id=job.job_id, candidates=(scored,))
    return job, [Publish(event)]


def _chosen(job: Job, fact: facts.CandidateChosen) -> Step:
    candidates = tuple(replace(c, chosen=c.index == fact.candidate) for c in job.candidates)
    job = replace(job, candidates=candidates, parameters=fact.parameters)
    event = events.CandidateScores(time=facts.moment(fact), job_id=job.job_id, candidates=candidates)
    return job, [Publish(event)] if candidates else []


def _predicted(job: Job, fact: facts.RowsPredicted) -> Step:
    return moved(replace(job, predictions_processed=job.predictions_processed + fact.rows), fact)


def _evaluated(job: Job, fact: facts.Evaluated) -> Step:
    metrics = {**job.metrics, **fact.metrics}
    final = job.final_score if fact.final_score is None else fact.final_score
    classifies = job.task == "classification"
    job = replace(
        job,
        metrics=metrics,
        report={**job.report, **fact.report},
        final_score=final,
        final_accuracy=metrics.get("test_accuracy") if classifies else None,
        live_accuracy=metrics.get("val_accuracy", job.live_accuracy) if classifies else None,
    )
    return job, []


def _saved(job: Job, fact: facts.ModelSaved) -> Step:
    file = SavedModel(sha256=fact.sha256, bytes=fact.bytes, signature=fact.signature)
    return replace(job, model_file=file), []


def _not_saved(job: Job, fact: facts.ModelNotSaved) -> Step:
    return replace(job, model_missing_reason=fact.reason), []


def _finished(job: Job, _fact: facts.WorkFinished) -> Step:
    return replace(job, outcome="finished"), []


def _work_failed(job: Job, fact: facts.WorkFailed) -> Step:
    return replace(job, outcome="failed", error=fact.error, hint=fact.hint, traceback=fact.traceback), []


def _stop_asked(job: Job, fact: facts.StopAsked) -> Step:
    if job.status == "stopping":
        # The keeper hears a second stop as one; the first may not have reached it.
        return job, _stop(job)
    if job.status == "queued":
        return ends.cancelled(replace(job, stopped_by=fact.by, ahead=None), fact)
    job = replace(job, status="stopping", stopped_by=fact.by, message="Stopping")
    job, progress = moved(job, fact, whole=True)
    return job, [*_stop(job), *progress]


def _stop(job: Job) -> list[Consequence]:
    """Nothing, where there is nobody to signal yet: the keeper's first fact is answered with it."""
    return [Signal(job.job_id)] if job.process is not None else []


def _pause_asked(job: Job, fact: facts.PauseAsked) -> Step:
    if job.status != "running":
        return job, []
    return replace(job, paused_by=fact.by), [Signal(job.job_id, "pause")]


def _paused(job: Job, fact: facts.WorkerPaused) -> Step:
    if job.status != "running":
        return job, []
    by = job.paused_by or "unknown"
    job = replace(job, status="paused", paused_by=by, unresponsive=False, message=f"Paused by {by}")
    return job, [Publish(events.TrainingPaused(time=facts.moment(fact), job_id=job.job_id, by=by, job=job))]


def _silent(job: Job, fact: facts.WorkerSilent) -> Step:
    return moved(replace(job, unresponsive=True), fact, whole=True)


def _heard(job: Job, fact: facts.WorkerHeard) -> Step:
    return moved(replace(job, unresponsive=False), fact, whole=True)


def _resume_asked(job: Job, _fact: facts.ResumeAsked) -> Step:
    # Also of one that is about to be paused: the keeper does what it heard last.
    return job, [Signal(job.job_id, "resume")] if job.status in ("running", "paused") else []


def _resumed(job: Job, fact: facts.WorkerResumed) -> Step:
    if job.status != "paused":
        return job, []
    job, _ = moved(replace(job, status="running"), fact)
    return job, [Publish(events.TrainingResumed(time=facts.moment(fact), job_id=job.job_id, job=job))]


_RULES: dict[type[facts.Fact], Callable[[Job, Any], Step]] = {
    facts.JobSubmitted: _submitted,
    facts.QueueMoved: _queue_moved,
    facts.JobStarted: _started,
    facts.JobAdopted: _adopted,
    facts.KeeperStarted: _keeper,
    facts.WorkStarted: _working,
    facts.JobFollowed: _followed,
    facts.AlertFound: raising.found,
    facts.RuleMuted: raising.muted,
    facts.StartFailed: _start_failed,
    facts.StartWithdrawn: _start_withdrawn,
    facts.DataDescribed: _described,
    facts.TaskChosen: _task,
    facts.FindingMade: _finding,
    facts.StageStarted: stage_started,
    facts.StageAdvanced: stage_advanced,
    facts.StageEnded: stage_ended,
    facts.StageSkipped: stage_skipped,
    facts.PointsLogged: _points,
    facts.CandidateScored: _candidate,
    facts.CandidateChosen: _chosen,
    facts.RowsPredicted: _predicted,
    facts.Evaluated: _evaluated,
    facts.ModelSaved: _saved,
    facts.ModelNotSaved: _not_saved,
    facts.WorkFinished: _finished,
    facts.WorkFailed: _work_failed,
    facts.StopAsked: _stop_asked,
    facts.PauseAsked: _pause_asked,
    facts.WorkerPaused: _paused,
    facts.ResumeAsked: _resume_asked,
    facts.WorkerResumed: _resumed,
    facts.WorkerSilent: _silent,
    facts.WorkerHeard: _heard,
    facts.WorkerEnded: ends.worker_ended,
    facts.JobVanished: ends.vanished,
}
