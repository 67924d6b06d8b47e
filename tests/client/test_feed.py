"""The feed outlives servers, and takes no more of a process than it needs."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec
import pytest

from mlops_jupyter.client import feed
from mlops_jupyter.client.answers import Events, JobAnswer, Metrics, Status
from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.job import Job
from mlops_jupyter.client.known import Known
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.rest import Rest
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.view import Nobody
from mlops_jupyter.core.errors import JobNotFoundError, MlopsError, ServerUnreachable, TrainingCancelled
from mlops_jupyter.core.stream import Reset
from tests import processes
from tests.client.test_job import ENDLESS, PENGUINS, begun
from tests.client.test_known import NOW
from tests.core.builders import a_running_job


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


class Scripted(Rest):
    """Answers about one job what the test says, a question at a time, and tells when it is asked."""

    def __init__(self) -> None:
        self.record = a_running_job()
        self.asked: SimpleQueue[float] = SimpleQueue()
        self.answers: SimpleQueue[Callable[[], Events]] = SimpleQueue()

    def job(self, job_id: str) -> JobAnswer:
        return JobAnswer(epoch="e", head=7, job=self.record)

    def metrics(self, job_id: str) -> Metrics:
        return Metrics(job_id=job_id, epoch="e", head=7, series={})

    def events(self, since: int, epoch: str, wait: float) -> Events:
        self.asked.put(wait)
        return self.answers.get()()

    def close(self) -> None: ...

    def fail(self, error: Exception) -> None:
        """The next answer is no answer."""

        def answer() -> Events:
            raise error

        self.answers.put(answer)

    def tell(self, reset: Reset | None = None) -> None:
        """The next answer: nothing new, or that all is to be asked for."""
        self.answers.put(lambda: Events(epoch="e", head=7, prev=7, events=(), reset=reset))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Scripted, Job]]:
    """A server in the test's hand, and the job that is followed; it is over at the end."""
    monkeypatch.setattr(feed, "PACE", 0.0)
    monkeypatch.setattr(feed, "AGAIN", 0.0)
    server = Scripted()
    job = Job(Known(server.record, 7, "e"), Session(Finder.of_this_process(), Nobody()))
    following = feed.Feed(server, lambda: 0.0)
    following.follow(job)
    thread = following._thread
    assert thread is not None
    yield server, job
    server.record = a_running_job(status="cancelled")
    server.tell(Reset(time=NOW, epoch="e", why="the end"))
    thread.join(10)
    with pytest.raises(TrainingCancelled):
        job.wait(0)


def test_who_waits_is_told_of_whatever_else_goes_wrong_and_the_job_is_followed_on(
    scripted: tuple[Scripted, Job], caplog: pytest.LogCaptureFixture
) -> None:
    server, job = scripted
    told = r"the job cannot be followed: FileNotFoundError: .*no folder"
    server.fail(FileNotFoundError(2, "no folder"))
    with pytest.raises(MlopsError, match=told):
        job.wait(10)
    server.fail(FileNotFoundError(2, "no folder"))
    for _ in range(3):
        server.asked.get(timeout=10)
    assert [record.getMessage() for record in caplog.records] == ["jobs could not be followed"]


def test_who_awaits_a_job_hears_that_no_server_answers(scripted: tuple[Scripted, Job]) -> None:
    server, job = scripted

    async def awaited() -> Job:
        server.fail(ServerUnreachable("down"))
        return await asyncio.wait_for(job, 10)

    with pytest.raises(ServerUnreachable):
        asyncio.run(awaited())


def test_a_job_with_nothing_new_is_not_lost_once_the_server_answers_again(
    scripted: tuple[Scripted, Job],
) -> None:
    server, job = scripted
    server.fail(ServerUnreachable("down"))
    with pytest.raises(ServerUnreachable):
        job.wait(10)
    server.tell()
    # The first answer after is not held back for news.
    assert [server.asked.get(timeout=10) for _ in range(3)] == [feed.WAIT, 0.0, feed.WAIT]
    with pytest.raises(TimeoutError):
        job.wait(0)


def test_a_job_the_server_has_trouble_with_keeps_no_other_from_being_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its record cannot be read, or its points are too many for an answer in time."""
    monkeypatch.setattr(feed, "PACE", 0.0)
    monkeypatch.setattr(feed, "AGAIN", 0.01)

    class Troubled(Scripted):
        bad = a_running_job(job_id="j-bad000000000")
        healed = False

        def job(self, job_id: str) -> JobAnswer:
            if job_id == self.bad.job_id and not self.healed:
                raise ServerUnreachable("the server answered 500")
            return JobAnswer(epoch="e", head=7, job=msgspec.structs.replace(self.record, job_id=job_id))

        def status(self) -> Status:
            return Status(version="", epoch="e", head=7, pid=1, private=True, root_dir="", jobs={})

        def events(self, since: int, epoch: str, wait: float) -> Events:
            self.asked.put(wait)
            try:
                return self.answers.get(timeout=wait)()
            except Empty:
                return Events(epoch="e", head=7, prev=7, events=())

    server = Troubled()
    session = Session(Finder.of_this_process(), Nobody())
    good, bad = (Job(Known(record, 7, "e"), session) for record in (server.record, server.bad))
    following = session._feed = feed.Feed(server, lambda: 0.0)
    following.follow(good)
    following.follow(bad)
    thread = following._thread
    assert thread is not None
    server.asked.get(timeout=10)
    with pytest.raises(ServerUnreachable):
        bad.wait(10)
    with pytest.raises(TimeoutError):
        good.wait(0)
    server.record, server.healed = a_running_job(status="cancelled"), True
    server.tell(Reset(time=NOW, epoch="e", why="the end"))
    thread.join(10)
    for job in (good, bad):
        with pytest.raises(TrainingCancelled):
            job.wait(0)


def test_a_forked_process_follows_its_jobs_by_itself(session: Session) -> None:
    """``multiprocessing`` copies what the session holds, but none of its threads."""
    job = session.train(PENGUINS, "species", Options(model="knn", cv=0))

    def in_the_copy() -> None:
        job.wait(60)
        session.jobs(1)

    copy = multiprocessing.get_context("fork").Process(target=in_the_copy)
    copy.start()
    copy.join(70)
    assert copy.exitcode == 0
    assert job.wait(60).status == "completed"


def test_it_never_waits_longer_than_a_server_lets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where clocks come to a power of two, a sum less one of its parts may be more than the other part."""
    clock = next(at for at in (32_760 + n / 1009 for n in range(8000)) if (at + feed.WAIT) - at > feed.WAIT)
    monkeypatch.setattr(feed.time, "monotonic", lambda: clock)
    assert feed.Feed(None, lambda: 0.25)._patience() == feed.WAIT  # type: ignore[arg-type]
