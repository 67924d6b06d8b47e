"""A job changes by facts alone, and says what follows."""

from __future__ import annotations

import typing
from typing import Any

import msgspec
import pytest

from mlops_jupyter.core import events, facts
from mlops_jupyter.core.consequences import Publish, Register, Signal
from mlops_jupyter.core.errors import InvalidTransition
from mlops_jupyter.core.facts import moment
from mlops_jupyter.core.jobs import Best
from mlops_jupyter.core.stages import STAGES
from mlops_jupyter.core.transitions import _RULES, advance
from tests.core.builders import KEEPER, WORK, a_job, a_running_job, after, at

TRAIN = "Training model"


def test_a_cancelled_job_never_starts() -> None:
    ask = at(facts.StopAsked, by="ada")
    cancelled, consequences = advance(a_job(), ask)
    assert cancelled == a_job(
        status="cancelled",
        reason="cancelled",
        stopped_by="ada",
        message="Cancelled by ada",
        end_time=moment(ask),
    )
    assert consequences == [
        Publish(
            events.TrainingCancelled(
                time=moment(ask), job_id=cancelled.job_id, status="cancelled", by="ada", job=cancelled
            )
        )
    ]
    assert advance(cancelled, at(facts.JobStarted, owner="s")) == (cancelled, [])


def test_a_running_job_that_is_stopped_is_signalled_at_once_and_cancelled_when_its_worker_is_gone() -> None:
    stopping, consequences = advance(a_running_job(), at(facts.StopAsked, 1.0, by="ada"))
    assert (stopping.status, consequences[0]) == ("stopping", Signal(stopping.job_id))
    ended, _ = advance(stopping, at(facts.WorkerEnded, 1.5, exit_code=130))
    assert (ended.status, ended.reason, ended.stopped_by, ended.progress) == (
        "cancelled",
        "cancelled",
        "ada",
        stopping.progress,
    )


def test_a_stop_before_the_keeper_is_known_is_passed_on_when_it_is() -> None:
    starting, _ = after(a_job(), at(facts.JobSubmitted, by="ada"), at(facts.JobStarted, owner="s"))
    stopping, consequences = advance(starting, at(facts.StopAsked, by="ada"))
    assert [type(c) for c in consequences] == [Publish]
    _, consequences = advance(stopping, KEEPER)
    assert consequences == [Signal(stopping.job_id)]


def test_a_job_that_finished_before_the_stop_reached_it_is_completed() -> None:
    job, _ = after(
        a_running_job(),
        at(facts.WorkFinished, 2.0),
        at(facts.StopAsked, 2.0, by="ada"),
        at(facts.WorkerEnded, 2.1, signal=2),
    )
    assert job.status == "completed"


@pytest.mark.parametrize(
    ("last", "said", "status", "reason"),
    [
        pytest.param({"exit_code": 0}, facts.WorkFinished, "completed", None, id="finished"),
        pytest.param({"exit_code": 1}, facts.WorkFailed, "failed", "error", id="error"),
        pytest.param({"exit_code": 0}, None, "failed", "exited_early", id="sys.exit(0)-in-fit"),
        pytest.param({"signal": 9}, None, "failed", "signal", id="kill-9"),
        pytest.param({"signal": 9, "oom_kills": 1}, None, "failed", "oom_killed", id="out-of-memory"),
        pytest.param(
            {"signal": 11, "oom_kills": 1}, None, "failed", "signal", id="crash-while-others-starve"
        ),
        pytest.param({"signal": 15, "timed_out": True}, None, "failed", "timeout", id="timeout"),
        pytest.param({"signal": 15, "orphaned": True}, None, "cancelled", "cancelled", id="orphaned"),
    ],
)
def test_each_end_has_its_reason(last, said, status, reason) -> None:
    job = a_running_job()
    if said is not None:
        job, _ = advance(job, at(said, 3.0, **({"error": "boom"} if said is facts.WorkFailed else {})))
    ended, _ = advance(job, at(facts.WorkerEnded, 3.5, **last))
    assert (ended.status, ended.reason) == (status, reason)


def test_a_worker_the_kernel_killed_for_memory_is_told_with_the_evidence() -> None:
    """F13: cgroup counters, and the peak against the limit where both are known."""
    job, _ = advance(a_running_job(), at(facts.StageStarted, 1.0, stage=TRAIN))
    sizes = {"peak_memory_bytes": 1_930_000_000, "memory_limit_bytes": 2_000_000_000}
    said = [
        advance(job, at(facts.WorkerEnded, 2.0, signal=9, oom_kills=1, **known))[0].error
        for known in (sizes, {})
    ]
    sentence = "Out of memory in stage Training model: the kernel killed the worker (signal 9)."
    assert said == [f"{sentence} It had used 1.9 GB of 2.0 GB.", sentence]


def test_an_error_while_memory_ran_out_says_so_and_keeps_a_better_hint() -> None:
    """joblib's processes may be the ones that are killed; their parent sees a broken pool."""
    for hint, expected in (
        (None, "Meanwhile memory ran out here: the kernel killed 1 of the container's processes."),
        ("n_jobs=1", "n_jobs=1"),
    ):
        job, _ = advance(a_running_job(), at(facts.WorkFailed, 1.0, error="TerminatedWorkerError", hint=hint))
        ended, _ = advance(job, at(facts.WorkerEnded, 2.0, exit_code=1, oom_kills=1))
        assert (ended.reason, ended.error, ended.hint) == ("error", "TerminatedWorkerError", expected)


def test_a_job_whose_keeper_was_asked_to_stop_it_is_cancelled_whoever_asked() -> None:
    job, _ = after(a_running_job(), at(facts.WorkerEnded, 2.0, exit_code=130, stopped=True))
    assert (job.status, job.reason, job.stopped_by, job.message) == (
        "cancelled",
        "cancelled",
        None,
        "Cancelled by unknown",
    )


def test_a_job_is_followed_by_another_whatever_became_of_it() -> None:
    for job in (a_job(), a_running_job(), a_job(status="failed")):
        followed, consequences = advance(job, at(facts.JobFollowed, followed_by="j-900000000000"))
        assert followed == msgspec.structs.replace(job, followed_by="j-900000000000")
        assert [type(c.event) for c in consequences] == [events.TrainingFollowed]


@pytest.mark.parametrize("stop_at", range(4))
def test_a_stop_that_races_the_end_leaves_one_end(stop_at: int) -> None:
    """F19: in whatever order their words come, one terminal event and one outcome."""
    told = [
        at(facts.WorkFinished, 3.0),
        at(facts.WorkerEnded, 3.1, exit_code=0),
        at(facts.JobVanished, why="x"),
    ]
    told.insert(stop_at, at(facts.StopAsked, by="ada"))
    job, said = a_running_job(), []
    for fact in told:
        job, consequences = advance(job, fact)
        said += [type(c.event).__name__ for c in consequences if isinstance(c, Publish)]
    assert job.status == "completed"
    ends = [name for name in said if name in ("TrainingCompleted", "TrainingCancelled", "TrainingFailed")]
    assert ends == ["TrainingCompleted"]


def test_the_end_is_said_once() -> None:
    ended, consequences = advance(a_running_job(), at(facts.WorkerEnded, 3.0, signal=9))
    assert [type(c.event) for c in consequences] == [events.TrainingFailed]
    assert advance(ended, at(facts.JobVanished, why="gone")) == (ended, [])


def test_a_job_whose_processes_left_no_word_is_lost_and_keeps_its_metrics() -> None:
    job, _ = advance(
        a_running_job(),
        at(facts.PointsLogged, 1.0, points=(facts.Point(name="val_accuracy", step=1, value=0.5),)),
    )
    gone = at(facts.JobVanished, why="the machine was restarted.", log_tail=("epoch 3",))
    lost, consequences = advance(job, gone)
    assert (lost.log_tail, consequences[0].event.log_lines) == (("epoch 3",), ("epoch 3",))
    assert (lost.status, lost.reason, lost.live_metrics) == ("lost", "lost", {"val_accuracy": 0.5})
    assert consequences[0].event.status == "lost"


def test_a_killed_worker_names_signal_and_stage_and_its_last_lines() -> None:
    job, _ = advance(a_running_job(), at(facts.StageStarted, 1.0, stage=TRAIN, total=10, unit="tree"))
    ended, consequences = advance(job, at(facts.WorkerEnded, 2.0, signal=9, log_tail=("tree 4",)))
    assert consequences == [
        Publish(
            events.TrainingFailed(
                time=moment(at(facts.WorkerEnded, 2.0)),
                job_id=ended.job_id,
                status="failed",
                reason="signal",
                error="The worker was killed by signal 9 (SIGKILL) in stage Training model.",
                traceback=None,
                log_lines=("tree 4",),
                stage=TRAIN,
                job=ended,
            )
        )
    ]
    assert [s.state for s in ended.stages if s.name == TRAIN] == ["failed"]


def test_progress_never_falls_and_is_100_only_at_the_end() -> None:
    job = a_running_job()
    seen = [job.progress]
    for number, name in enumerate(STAGES):
        elapsed = float(number)
        steps = [
            at(facts.StageStarted, elapsed, stage=name, total=4, unit="fold"),
            at(facts.StageAdvanced, elapsed + 0.3, stage=name, done=3, total=4),
            # The length turns out to be longer than believed.
            at(facts.StageAdvanced, elapsed + 0.4, stage=name, done=3, total=40),
            at(facts.StageEnded, elapsed + 0.9, stage=name),
        ]
        for step in steps:
            job, _ = advance(job, step)
            seen.append(job.progress)
    assert seen == sorted(seen)
    assert (job.stages_completed, seen[-2] < 100) == (8, True)
    done, _ = after(job, at(facts.WorkFinished, 9.0), at(facts.WorkerEnded, 9.1, exit_code=0))
    assert (done.progress, done.message, done.estimated_remaining) == (100.0, "Completed", None)


def test_a_message_names_stage_and_percent() -> None:
    job, consequences = advance(a_running_job(), at(facts.StageStarted, 1.0, stage=STAGES[0]))
    assert job.message == "Data validation - 0% complete"
    assert consequences[0].event.job == job
    nearly = msgspec.structs.replace(a_running_job(), progress=99.9)
    assert advance(nearly, at(facts.StageStarted, 1.0, stage=STAGES[7]))[0].message.endswith("99% complete")


def test_a_tick_carries_the_moved_stage_and_not_the_whole_record() -> None:
    job, _ = advance(a_running_job(), at(facts.StageStarted, 1.0, stage=TRAIN, total=10, unit="tree"))
    job, (tick,) = advance(job, at(facts.StageAdvanced, 2.0, stage=TRAIN, done=3, total=10, unit="tree"))
    assert (tick.tick, tick.event.job, tick.event.stage.done) == (True, None, 3)


def test_the_best_value_follows_the_metrics_direction() -> None:
    job = a_running_job(metric="neg_rmse", greater_is_better=False)
    for step, value in enumerate([3.0, 1.0, 2.0], start=1):
        points = (facts.Point(name="val_neg_rmse", step=step, value=value),)
        job, _ = advance(job, at(facts.PointsLogged, float(step), points=points))
    assert job.best == Best(name="val_neg_rmse", value=1.0, step=2)


def test_a_completed_job_registers_its_model_with_its_last_event() -> None:
    job, _ = after(
        a_running_job(),
        at(facts.ModelSaved, 4.0, sha256="ab", bytes=10, signature={}),
        at(facts.WorkFinished, 4.1),
    )
    assert job.model_id is None
    done, consequences = advance(job, at(facts.WorkerEnded, 4.2, exit_code=0))
    assert done.model_id == "m-7f3a00000000"
    assert [type(c.event) if isinstance(c, Publish) else type(c) for c in consequences] == [
        Register,
        events.TrainingCompleted,
    ]


def test_folds_gather_in_their_candidate_whatever_their_order() -> None:
    job = a_running_job()
    for fold, score in ((1, 0.8), (0, 0.6)):
        scored = at(
            facts.CandidateScored,
            1.0,
            stage="Model selection",
            candidate=0,
            candidates=2,
            label="rf",
            parameters={},
            fold=fold,
            folds=3,
            score=score,
            seconds=0.5,
        )
        job, _ = advance(job, scored)
    (candidate,) = job.candidates
    assert candidate.scores == (0.6, 0.8, None)
    assert candidate.mean == pytest.approx(0.7)
    assert candidate.spread == pytest.approx(0.1414, abs=1e-4)


def test_a_queued_job_cannot_have_begun_its_work() -> None:
    with pytest.raises(InvalidTransition, match="j-7f3a00000000 is queued: no WorkStarted is possible"):
        advance(a_job(), WORK)


def test_every_fact_has_a_rule() -> None:
    assert set(typing.get_args(facts.AnyFact)) == set(_RULES)


# --- pauses ------------------------------------------------------------------------------------


def a_training_job() -> Any:
    """5 of 10 trees in 5 seconds."""
    return after(
        a_running_job(),
        at(facts.StageStarted, 1.0, stage=TRAIN, total=10, unit="tree"),
        at(facts.StageAdvanced, 6.0, stage=TRAIN, done=5, total=10, unit="tree"),
    )[0]


def test_a_job_is_paused_when_its_keeper_says_so_and_not_before() -> None:
    asked, consequences = advance(a_training_job(), at(facts.PauseAsked, by="ada"))
    assert (asked.status, consequences) == ("running", [Signal(asked.job_id, "pause")])
    paused, consequences = advance(asked, at(facts.WorkerPaused, 6.0))
    assert (paused.status, paused.paused_by, paused.message) == ("paused", "ada", "Paused by ada")
    assert consequences == [
        Publish(
            events.TrainingPaused(
                time=moment(at(facts.WorkerPaused, 6.0)), job_id=paused.job_id, by="ada", job=paused
            )
        )
    ]


def test_no_duration_counts_the_time_a_job_was_paused() -> None:
    before = a_training_job()
    happened = [at(facts.PauseAsked, by="ada"), at(facts.WorkerPaused, 6.0), at(facts.ResumeAsked, by="bob")]
    resumed, consequences = after(before, *happened, at(facts.WorkerResumed, 3606.0, paused_for=3600.0))
    assert [type(c.event) for c in consequences] == [events.TrainingResumed]
    assert (resumed.status, resumed.elapsed_time, resumed.paused_time) == ("running", 6.0, 3600.0)
    assert (resumed.estimated_remaining, resumed.estimated_total_time) == (
        before.estimated_remaining,
        before.estimated_total_time,
    )
    point = facts.Point(name="train_loss", step=6, value=0.5, elapsed=3607.0)
    told, consequences = advance(resumed, at(facts.PointsLogged, 3607.0, points=(point,)))
    assert told.elapsed_time == 7.0
    assert consequences[0].event.points == (msgspec.structs.replace(point, elapsed=7.0),)
    ended, _ = after(told, at(facts.StageEnded, 3611.0, stage=TRAIN), at(facts.WorkerEnded, 3612.0, signal=9))
    assert (ended.elapsed_time, next(s.elapsed for s in ended.stages if s.name == TRAIN)) == (12.0, 10.0)


def test_a_job_that_dies_in_its_pause_ran_until_it_was_paused() -> None:
    job, _ = after(
        a_training_job(),
        at(facts.PauseAsked, by="ada"),
        at(facts.WorkerPaused, 6.0),
        at(facts.WorkerEnded, 66.0, signal=9, paused_for=60.0),
    )
    assert (job.status, job.reason, job.elapsed_time) == ("failed", "signal", 6.0)


def test_a_paused_job_that_is_stopped_is_stopping_while_it_goes_on() -> None:
    job, consequences = after(a_training_job(), at(facts.WorkerPaused, 6.0), at(facts.StopAsked, by="ada"))
    assert (job.status, consequences[0]) == ("stopping", Signal(job.job_id, "stop"))
    job, consequences = advance(job, at(facts.WorkerResumed, 16.0, paused_for=10.0))
    assert (job.status, job.elapsed_time, consequences) == ("stopping", 6.0, [])


@pytest.mark.parametrize("kind", [facts.PauseAsked, facts.ResumeAsked])
def test_a_job_that_is_stopping_is_neither_paused_nor_resumed(kind: type[facts.Fact]) -> None:
    stopping, _ = advance(a_training_job(), at(facts.StopAsked, by="ada"))
    assert advance(stopping, at(kind, by="bob")) == (stopping, [])


def test_another_server_that_adopts_a_job_is_its_owner_and_nothing_else_changes() -> None:
    job = a_running_job()
    assert advance(job, at(facts.JobAdopted, owner="t")) == (msgspec.structs.replace(job, owner="t"), [])


def test_a_stop_that_may_not_have_reached_the_keeper_is_sent_again() -> None:
    """P11: by whoever asks again, and by the server that takes the job over."""
    stopping, _ = advance(a_training_job(), at(facts.StopAsked, by="ada"))
    again = [Signal(stopping.job_id, "stop")]
    assert advance(stopping, at(facts.StopAsked, by="bob")) == (stopping, again)
    assert advance(stopping, at(facts.JobAdopted, owner="t")) == (
        msgspec.structs.replace(stopping, owner="t"),
        again,
    )
    nobody = msgspec.structs.replace(stopping, process=None)
    assert advance(nobody, at(facts.StopAsked, by="bob")) == (nobody, [])
    assert advance(nobody, at(facts.JobAdopted, owner="t"))[1] == []


def test_silence_is_an_attribute_of_a_job_and_no_state() -> None:
    """P9: nobody is failed, signalled or lost for being silent; an end and a pause clear it."""
    job = a_running_job()
    silent, said = advance(job, at(facts.WorkerSilent, 31.0))
    assert (silent.status, silent.unresponsive, silent.reason, silent.error) == ("running", True, None, None)
    assert [type(consequence) for consequence in said] == [Publish]
    heard, _ = advance(silent, at(facts.WorkerHeard, 40.0))
    assert (heard.status, heard.unresponsive) == ("running", False)
    for fact in (
        at(facts.WorkerPaused, 41.0),
        at(facts.WorkerEnded, 41.0, signal=9),
        at(facts.JobVanished, why="x"),
    ):
        assert not advance(silent, fact)[0].unresponsive


def test_a_job_whose_server_stopped_before_it_was_begun_waits_again() -> None:
    starting = a_job(status="starting", owner="s", ahead=None)
    withdrawn = at(facts.StartWithdrawn)
    waiting, consequences = advance(starting, withdrawn)
    assert (waiting.status, waiting.owner, waiting.ahead) == ("queued", None, 0)
    assert consequences == [
        Publish(events.TrainingQueued(time=moment(withdrawn), job_id=waiting.job_id, ahead=0, job=waiting))
    ]
    stopped, _ = advance(starting, at(facts.StopAsked, by="ada"))
    assert advance(stopped, withdrawn)[0].status == "cancelled"
