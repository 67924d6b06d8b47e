"""The feed outlives servers, and takes no more of a process than it needs."""

from __future__ import annotations

import logging
import shutil
import threading
from pathlib import Path

import pytest

from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.view import Nobody
from mlops_jupyter.core.errors import JobNotFoundError, TrainingCancelled
from tests import processes
from tests.client.test_job import ENDLESS, PENGUINS, begun


def in_home(home: Path) -> Session:
    return Session(Finder(home / "runtime", home / "data", None, lambda: home), Nobody())


def kill_the_server(home: Path, session: Session) -> None:
    pid = session.status()[0].pid
    processes.end([process for process in processes.belonging_to(home) if process.pid == pid], patience=0)


def test_a_job_is_followed_across_a_killed_server(home: Path) -> None:
    session = in_home(home)
    job = begun(session.train(PENGUINS, "species", Options(**ENDLESS)))
    before = {name: points[-1] for name, points in job.points.items()}
    kill_the_server(home, session)
    more = threading.Event()
    job.on_change(lambda job: more.set() if job.points["train_loss"][-1] != before["train_loss"] else None)
    assert more.wait(60)
    job.stop()
    with pytest.raises(TrainingCancelled):
        job.wait(30)
    asked = session.metrics(job.job_id).series
    assert job.points == {name: list(series.points) for name, series in asked.items()}
    session.close()


def test_who_waits_for_a_job_nobody_knows_any_more_is_told(home: Path) -> None:
    session = in_home(home)
    job = begun(session.train(PENGUINS, "species", Options(**ENDLESS)))
    kill_the_server(home, session)
    # The store alone would be rebuilt from the jobs' folders.
    shutil.rmtree(home / "data" / "mlops")
    with pytest.raises(JobNotFoundError):
        job.wait(60)
    session.close()


def test_one_thread_follows_all_jobs_and_ends_with_the_last(session: Session) -> None:
    quick = Options(model="knn", cv=0)
    jobs = [session.train(PENGUINS, "species", quick) for _ in range(2)]
    feeds = [thread for thread in threading.enumerate() if thread.name == "mlops-feed"]
    assert [feed.daemon for feed in feeds] == [True]
    assert [job.wait(100).status for job in jobs] == ["completed"] * 2
    feeds[0].join(10)
    assert not feeds[0].is_alive()
    assert session.train(PENGUINS, "species", quick).wait(100).status == "completed"


def test_a_notebook_that_logs_its_requests_does_not_see_ours(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        session.status()
    assert [record.getMessage() for record in caplog.records if record.name == "httpx"] == []
