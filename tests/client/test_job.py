"""The Job object against a real server: the private one, with real jobs on real data."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_core.paths import jupyter_data_dir
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from mlops_jupyter.client import sentences
from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.job import Job
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.view import Nobody
from mlops_jupyter.client.waiting import StoppedWaiting
from mlops_jupyter.core.errors import (
    DeletedJobError,
    JobNotFoundError,
    JobStateError,
    ModelChanged,
    ModelNotPortable,
    OptionError,
    SubmissionError,
    TrainingCancelled,
    TrainingFailed,
)
from mlops_jupyter.training.tabular import model

PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"
#: Quick, watched step by step, and without the folds of stage 6.
QUICK = {"model": "hist_gradient_boosting", "params": {"max_iter": 20}, "cv": 0}
#: Fits for minutes: it is always stopped before.
LONG = {"hidden_layer_sizes": [500, 500], "max_iter": 4000, "tol": 0.0, "n_iter_no_change": 4000}
ENDLESS = {"model": "mlp", "params": LONG, "cv": 0}


def train(session: Session, **options: Any) -> Job:
    return session.train(PENGUINS, "species", Options(**options))


@pytest.fixture(scope="module")
def followed() -> Job:
    """A job that was followed to its good end; its session is closed."""
    session = Session(Finder.of_this_process(), Nobody())
    job = train(session, **QUICK).wait(100)
    session.close()
    return job


@pytest.fixture
def finished(followed: Job, session: Session) -> Job:
    """The same job, asked for again."""
    return session.get(followed.job_id)


@pytest.fixture
def endless(session: Session) -> Iterator[Job]:
    """A job that fits until somebody stops it."""
    job = train(session, **ENDLESS)
    yield job
    job.stop()
    with pytest.raises(TrainingCancelled):
        job.wait(30)


def begun(job: Job) -> Job:
    """The job once its fit told of a first step."""
    fitting = threading.Event()
    job.on_change(lambda job: fitting.set() if job.points else None)
    assert fitting.wait(60)
    return job


def test_a_finished_job_tells_what_came_out(finished: Job) -> None:
    record = finished.record
    assert (finished.status, finished.progress, finished.model_id) == ("completed", 100.0, record.model_id)
    assert finished.summary == {
        "status": "completed",
        "estimator": "HistGradientBoostingClassifier",
        "metric": "accuracy",
        "final_score": record.final_accuracy,
        "elapsed_time": record.elapsed_time,
        "model_id": record.model_id,
        **record.metrics,
    }
    assert finished.result() == finished.summary
    assert finished.params == record.parameters


def test_metrics_are_complete_and_indexed_by_step(finished: Job) -> None:
    metrics = finished.metrics
    assert (metrics.index.name, metrics.index.is_monotonic_increasing) == ("step", True)
    counts = {name: len(points) for name, points in finished.points.items()}
    assert metrics.count().to_dict() == counts
    assert {"train_accuracy", "val_accuracy", "train_loss", "val_loss"} == set(counts)
    last = {name: points[-1].value for name, points in finished.points.items()}
    assert {name: finished.live_metrics[name] for name in last} == last


def test_what_events_brought_is_what_the_server_has(followed: Job, finished: Job) -> None:
    assert (followed.record, followed.points) == (finished.record, finished.points)


def test_the_best_of_a_loss_is_its_lowest(finished: Job) -> None:
    metrics = finished.metrics
    assert finished.best("val_loss") == (metrics["val_loss"].min(), metrics["val_loss"].idxmin())
    assert finished.best("val_accuracy") == (metrics["val_accuracy"].max(), metrics["val_accuracy"].idxmax())
    best = finished.record.best
    assert best is not None
    assert finished.best() == (best.value, best.step)
    with pytest.raises(KeyError, match="no live metric 'loss'; there are: "):
        finished.best("loss")


def test_the_model_predicts_in_the_kernel(finished: Job) -> None:
    penguins = pd.read_csv(PENGUINS)
    right = (finished.model.predict(penguins.drop(columns="species")) == penguins["species"]).mean()
    assert right > 0.9
    assert finished.model is finished.model


def test_a_model_whose_file_was_swapped_is_not_loaded(
    finished: Job, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4: on the server's disk, and on the way from there."""
    file = Path(jupyter_data_dir()) / "mlops" / "jobs" / finished.job_id / "model" / "model.skops"
    registered = file.read_bytes()
    swapped = model.dumps(LogisticRegression())
    file.write_bytes(swapped)
    with pytest.raises(ModelChanged, match=f'the file of model "{finished.model_id}" is not the one'):
        _ = finished.model
    file.write_bytes(registered)
    monkeypatch.setattr(session._rest, "model_file", lambda model_id: swapped)
    with pytest.raises(ModelChanged, match="this is not the model file that was registered"):
        _ = finished.model
    monkeypatch.undo()
    assert finished.model.predict(pd.read_csv(PENGUINS).drop(columns="species")).shape == (344,)


def test_a_job_is_found_by_the_beginning_of_its_id(finished: Job, session: Session) -> None:
    assert session.get(finished.id).record == finished.record
    assert repr(session.get(finished.id)) == repr(finished)


def test_ids_that_name_no_job_or_several_are_told_apart(finished: Job, session: Session) -> None:
    with pytest.raises(JobNotFoundError) as unknown:
        session.get("j-0000")
    assert str(unknown.value) == 'no job "j-0000".\nList: mlops.jobs()'
    with pytest.raises(JobNotFoundError) as wrong:
        session.get("../status")
    assert str(wrong.value).startswith('no job "../status".\nIds look like j-7f3a')
    with pytest.raises(JobNotFoundError, match='no job "None"'):
        session.get(None)  # type: ignore[arg-type]


def test_a_job_that_was_deleted_says_so_and_keeps_what_it_knows(session: Session) -> None:
    job = train(session, **QUICK)
    with pytest.raises(JobStateError, match="it cannot be deleted"):
        job.delete()
    points = job.wait(100).points
    job.delete()
    assert (job.status, job.points) == ("completed", points)
    for ask in (job.logs, job.stop, job.rerun, job.delete, lambda: session.get(job.job_id)):
        with pytest.raises(DeletedJobError, match=f"^{job.name} {job.job_id} was deleted by "):
            ask()
    # Its model is nobody's but its own.
    assert job.model.predict(pd.read_csv(PENGUINS).drop(columns="species").head(1)).shape == (1,)
    assert session.model(job.model_id).provenance.job_deleted


def test_logs_are_what_the_job_wrote(finished: Job) -> None:
    assert finished.logs(0) == ""
    assert finished.logs().splitlines()[-1:] == finished.logs(1).splitlines()


def moves(job: Job) -> None:
    """It measures more than it had when this was asked."""
    before = len(begun(job).points["train_loss"])
    grown = threading.Event()
    job.on_change(lambda job: grown.set() if len(job.points["train_loss"]) > before else None)
    assert grown.wait(30)


def test_attributes_move_while_the_job_runs(endless: Job) -> None:
    moves(endless)
    assert (endless.status, endless.current_stage) == ("running", "Training model")
    assert endless.best("train_loss") is not None


@pytest.fixture
def kernel(home: Path) -> Iterator[BlockingKernelClient]:
    """A kernel as notebooks have one, in a process group of its own, which no Jupyter server started."""
    manager = KernelManager()
    manager.start_kernel(cwd=str(home))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_job_goes_on_when_the_kernel_that_submitted_it_is_killed_with_its_process_group(
    kernel: BlockingKernelClient, session: Session
) -> None:
    """P6, F11: under the private server that this kernel started."""
    submit = f"import mlops_jupyter as mlops; job = mlops.train({str(PENGUINS)!r}, 'species', **{ENDLESS})"
    asked = {"job": "job.job_id", "pid": "__import__('os').getpid()"}
    answer = kernel.execute_interactive(
        submit, user_expressions=asked, output_hook=lambda message: None, timeout=60
    )["content"]
    assert answer["status"] == "ok", answer
    said = answer["user_expressions"]
    job_id, pid = (literal_eval(said[name]["data"]["text/plain"]) for name in asked)
    server, _ = session.status()
    assert server.private
    os.killpg(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)])
    job = session.get(job_id)
    moves(job)
    assert (job.status, job.attempt, session.status()[0]) == ("running", 1, server)
    job.stop()
    # Who follows a job that goes on starts a server for it again.
    with pytest.raises(TrainingCancelled):
        job.wait(30)


def test_a_rule_is_muted_and_heard_again_also_of_a_job_that_is_over(finished: Job, session: Session) -> None:
    assert finished.alerts == ()
    finished.mute("plateau")
    assert finished.muted_rules == session.get(finished.id).muted_rules == ("plateau",)
    finished.mute("plateau", muted=False)
    assert finished.muted_rules == ()


def test_a_rerun_is_a_new_job_with_what_was_changed(finished: Job) -> None:
    again = finished.rerun(params={"max_iter": 3}, seed=np.int64(1)).wait(60)
    assert (again.attempt, again.rerun_of, again.params["max_iter"]) == (2, finished.job_id, 3)
    assert sentences.changes(again.record) == "seed 0 → 1, max_iter 20 → 3"
    with pytest.raises(OptionError, match='Did you mean "metric"'):
        finished.rerun(metrik="f1")


def test_a_rerun_with_another_estimator_is_checked_where_that_is(finished: Job) -> None:
    with pytest.raises(SubmissionError) as error:
        finished.rerun(model=LogisticRegression(), params={"c": 1.0}, metric="r2", grid={"max_iter": [-1]})
    told = [(problem.error, problem.message.split(":")[0]) for problem in error.value.problems]
    assert told == [
        ("OptionError", 'metric "r2" does not score classification.'),
        ("OptionError", '"c" is no parameter of LogisticRegression.'),
        ("OptionError", told[2][1]),
    ]
    assert "max_iter" in told[2][1]
    with pytest.raises(OptionError, match="predicts no target"):
        finished.rerun(model=StandardScaler())


def test_waiting_has_an_end(endless: Job) -> None:
    with pytest.raises(TimeoutError) as error:
        endless.wait(0.1)
    assert str(error.value) == f"penguins-mlp {endless.id} is still {endless.status} after 0.1 s."


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """SIGINT as a terminal's: who started the tests in the background had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_stops_the_waiting_and_not_the_job(endless: Job) -> None:
    begun(endless)
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT)).start()
    with pytest.raises(StoppedWaiting) as error:
        endless.wait()
    assert str(error.value) == (
        f"Stopped waiting; penguins-mlp {endless.id} goes on.\n"
        f"Stop it: job.stop()   or   %mlops stop {endless.id}"
    )
    assert endless.status == "running"


def test_a_stopped_job_keeps_what_it_measured(session: Session) -> None:
    job = begun(train(session, **ENDLESS))
    job.stop()
    with pytest.raises(TrainingCancelled) as error:
        job.wait(30)
    told = str(error.value).splitlines()
    assert told[0].startswith(f"penguins-mlp {job.id} cancelled by ")
    assert told[1:] == ["What it measured is kept."]
    assert len(job.metrics) > 0
    assert job.model_id is None


def test_a_job_can_be_awaited(session: Session) -> None:
    async def wait() -> Job:
        return await train(session, **QUICK)

    assert asyncio.run(wait()).status == "completed"


def test_a_wait_that_was_cancelled_is_forgotten(session: Session) -> None:
    job = train(session, **QUICK)

    async def lose_patience() -> None:
        async with asyncio.timeout(0.05):
            await job

    with pytest.raises(TimeoutError):
        asyncio.run(lose_patience())
    assert job.wait(60).status == "completed"


def test_a_failed_job_says_where_and_why(session: Session, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    pd.read_csv(PENGUINS).to_csv(table, index=False)
    job = session.train(table, "species", Options(model=Breaks(), cv=0))
    with pytest.raises(TrainingFailed) as error:
        job.wait(60)
    told = str(error.value).splitlines()
    assert told[0] == f"table {job.id} failed at Training model: ValueError: these rows are cursed"
    assert told[-1] == f'mlops.get("{job.id}").logs(50)'


def test_a_model_that_cannot_be_kept_completes_and_says_so(session: Session) -> None:
    job = train(session, model=Constant(), cv=0).wait(60)
    assert job.status == "completed"
    with pytest.raises(ModelNotPortable) as error:
        _ = job.model
    assert str(error.value).startswith(f"penguins {job.id} has no model file: ")


class Constant(ClassifierMixin, BaseEstimator):
    """Always the first class: an estimator of the user's own."""

    def fit(self, X: Any, y: Any) -> Constant:
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.repeat(self.classes_[:1], len(X))


class Breaks(Constant):
    def fit(self, X: Any, y: Any) -> Constant:
        raise ValueError("these rows are cursed")
