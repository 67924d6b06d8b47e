"""A database that is lost is made again from the jobs' folders, and says the same of every job."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from mlops_jupyter.core import facts
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.training.journal import Writer
from mlops_jupyter.training.run import Run
from tests.core.builders import KEEPER, WORK, at
from tests.desk import JOB, Desk

FINISHED, FAILED, CANCELLED, VANISHED, QUEUED = (f"j-{n}00000000000" for n in range(1, 6))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def fill(desk: Desk) -> None:
    """A job of each kind of end, one that runs and one that waits."""
    for step in range(1, 101):
        desk.run.log(step, {"train_loss": 1 / step})
    (desk.folder / "output.log").write_text("one\ntwo\n")
    run = desk.begin(FINISHED, name="penguins", key="a key")
    with run.stage("Data validation"):
        run.log(1, {"val_accuracy": 0.5})
    run.tell(facts.ModelSaved, sha256="ab", bytes=2, signature={"inputs": []})
    run.tell(facts.WorkFinished)
    desk.end(FINISHED)
    run = desk.begin(FAILED)
    run.tell(facts.WorkFailed, error="no", hint="yes", traceback="File …")
    desk.end(FAILED, exit_code=1)
    run = desk.begin(CANCELLED)
    run.log(1, {"train_loss": 1.0})
    desk.read_all(CANCELLED)
    desk.happened(CANCELLED, at(facts.StopAsked, by="grace"))
    run.log(2, {"train_loss": 0.5})
    desk.end(CANCELLED, signal=15)
    desk.begin(VANISHED)
    desk.read_all(VANISHED)
    desk.happened(VANISHED, at(facts.JobVanished, why="gone."))
    desk.submit(QUEUED, key="another")
    for job_id in desk.writers:
        desk.read_all(job_id)
    for job_id in (FINISHED, FAILED, CANCELLED):
        desk.records.keep(job_id)


def everything(desk: Desk) -> list[object]:
    """What a database says of jobs; its name and the numbers of events are its own."""
    jobs = desk.all_jobs()
    ids = [job.job_id for job in jobs]
    found = [desk.store.read(lambda reading, i=i: reading.kept(i)) for i in ids]
    kept = [replace(each, epoch="", head=0) for each in found]
    series = [desk.store.read(lambda r, i=i: (r.series(i, None), r.series(i, 5))) for i in ids]
    specs = [desk.store.read(lambda reading, i=i: reading.spec(i)) for i in ids]
    models = [desk.store.read(lambda reading, j=j: reading.model(j.model_id)) for j in jobs if j.model_id]
    assert len(models) == 1
    return [kept, series, specs, models]


@pytest.mark.parametrize("when", ["while it runs", "between two servers"])
@pytest.mark.parametrize("how", ["deleted", "random", "empty"])
def test_every_record_is_the_same_after_the_database_was_lost(desk: Desk, when: str, how: str) -> None:
    """P5, F7."""
    fill(desk)
    before, epoch = everything(desk), desk.store.epoch
    if when == "between two servers":
        desk.let_go()
    damage(desk.path, how)
    if when == "between two servers":
        desk.open()
    wait_for(desk, lambda: desk.store.epoch != epoch)
    for job_id in desk.writers:
        desk.read_all(job_id)
    assert everything(desk) == before
    # P12: what was submitted is known by its name.
    assert desk.store.read(lambda r: r.submission("a key")) == ("its digest", FINISHED)
    assert desk.store.read(lambda r: r.submission("another")) == ("its digest", QUEUED)
    aside = [path.read_bytes() for path in desk.path.parent.glob("*.damaged-*") if path.suffix[-1:] == "Z"]
    assert [len(content) for content in aside] == ([4096] if how == "random" else [])


def test_what_a_job_writes_after_the_database_was_lost_follows_what_it_wrote_before(desk: Desk) -> None:
    """P1, P5."""
    fill(desk)
    epoch = desk.store.epoch
    damage(desk.path, "deleted")
    for step in range(101, 201):
        desk.run.log(step, {"train_loss": 1 / step})
    desk.end()
    wait_for(desk, lambda: desk.store.epoch != epoch)
    desk.intake.watch(JOB, desk.folder)
    desk.wait()
    assert desk.steps() == list(range(1, 201))


def test_a_folder_nobody_can_read_costs_its_own_job_only(desk: Desk) -> None:
    fill(desk)
    (desk.jobs / FAILED / "meta.json").write_bytes(b"{torn")
    (desk.jobs / "not a job").mkdir()
    before = [job.job_id for job in desk.all_jobs()]
    desk.let_go()
    damage(desk.path, "deleted")
    desk.open()
    assert [job.job_id for job in desk.all_jobs()] == [job_id for job_id in before if job_id != FAILED]


@pytest.mark.parametrize("how", ["behind", "deleted"])
def test_a_job_that_was_begun_is_never_queued_again(desk: Desk, how: str) -> None:
    """P12: whatever the database and the record in its folder say, its journal says that it was begun."""
    desk.submit(QUEUED)
    writer = desk.writers[QUEUED] = Writer(desk.jobs / QUEUED / "journal")
    for fact in (KEEPER, WORK):
        writer.append(msgspec.json.encode(fact))
    Run(writer).log(1, {"train_loss": 1.0})
    epoch = desk.store.epoch
    desk.let_go()
    if how == "deleted":
        damage(desk.path, how)
    desk.open()
    job = desk.store.read(lambda reading: reading.job(QUEUED))
    assert (job.status, job.owner, job.process and job.process.pid) == ("running", None, KEEPER.pid)
    assert desk.steps(QUEUED) == [1]
    assert desk.store.epoch != epoch


def test_attempts_are_one_line_though_the_database_forgot_the_last(desk: Desk) -> None:
    desk.submit(QUEUED, rerun_of=JOB, attempt=2)
    desk.let_go()
    with sqlite3.connect(desk.path) as db:
        db.execute("DELETE FROM jobs WHERE job_id=?", (QUEUED,))
    db.close()
    desk.open()
    attempts = desk.store.read(lambda reading: reading.attempts(JOB))
    assert [(job.job_id, job.followed_by) for job in attempts] == [(JOB, QUEUED), (QUEUED, None)]


def test_a_follower_that_nobody_can_read_ends_the_line(desk: Desk) -> None:
    desk.submit(FAILED, followed_by=QUEUED)
    assert [job.job_id for job in desk.store.read(lambda reading: reading.attempts(FAILED))] == [FAILED]


def damage(path: Path, how: str) -> None:
    for part in ("-wal", "-shm"):
        path.with_name(path.name + part).unlink(missing_ok=True)
    path.unlink()
    if how == "random":
        # Bytes that are no database, the same in every run.
        path.write_bytes(bytes(n * n % 251 for n in range(1, 4097)))
    elif how == "empty":
        path.touch()


def wait_for(desk: Desk, condition: Callable[[], bool], *, trouble: bool = False) -> None:
    """Until the store works and ``condition`` holds, or with ``trouble`` until it does not work; the
    patience of the suite is the limit."""
    while True:
        try:
            desk.store.read(lambda reading: reading.head())
        except StoreUnavailable:
            if trouble:
                raise
            continue
        if condition():
            return
