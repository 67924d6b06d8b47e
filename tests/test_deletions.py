"""A job that is deleted is gone from database and disk, whatever happens meanwhile; its model stays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mlops_jupyter.core import facts, wire
from mlops_jupyter.core.errors import DeletedJobError, JobStateError, StoreUnavailable
from mlops_jupyter.core.models import Model
from mlops_jupyter.core.series import Point
from mlops_jupyter.deletions import Deletions
from mlops_jupyter.errands import Errands
from mlops_jupyter.records import DELETED
from mlops_jupyter.store import levels
from tests.desk import JOB, Desk
from tests.test_registry import JOBS as MADE
from tests.test_registry import MODELS, complete, labels, lose, registry

OTHER = "j-8f3a00000000"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def deletions(desk: Desk) -> Deletions:
    return Deletions(desk.store, desk.shelves, desk.intake, Errands(), desk.jobs)


def delete(desk: Desk, job_id: str = JOB) -> None:
    async def deleted() -> None:
        await deletions(desk).delete(job_id, "ada")

    asyncio.run(deleted())


def tidy(desk: Desk) -> None:
    async def tidied() -> None:
        await deletions(desk).tidy()

    asyncio.run(tidied())


def ended(desk: Desk, job_id: str = JOB) -> None:
    """One that measured something, wrote something and is over."""
    run = desk.run if job_id == JOB else desk.begin(job_id)
    run.tell(facts.PointsLogged, points=tuple(a_point(step) for step in range(50)))
    (desk.jobs / job_id / "output.log").write_text("a line\n")
    desk.end(job_id, signal=9)
    desk.read_all(job_id)


def a_point(step: int) -> Point:
    return Point(name="val_score", step=step, value=step / 50, elapsed=float(step))


def rows(desk: Desk) -> dict[str, int]:
    tables = ("jobs", "submissions", "series", "measured", "levels")
    return desk.store.read(
        lambda reading: {
            table: reading._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
        }
    )


def test_nothing_of_a_job_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "STRIDE", 7)
    desk.submit(OTHER)
    before = rows(desk)
    ended(desk)
    assert rows(desk)["measured"] == 50
    delete(desk)
    assert rows(desk) == {**before, "jobs": 1, "submissions": 0}
    assert [folder.name for folder in desk.jobs.iterdir()] == [OTHER]
    (told,) = desk.events("job_deleted")
    assert (told["job_id"], told["status"], told["by"], told["model_id"]) == (JOB, "failed", "ada", None)
    assert desk.events("activity_update")[-1]["activity"]["title"] == "Job deleted"
    with pytest.raises(DeletedJobError, match="was deleted by ada on 20"):
        delete(desk)


def test_a_job_that_has_not_ended_is_left_as_it_is(desk: Desk) -> None:
    with pytest.raises(JobStateError, match=r"cannot be deleted\.\nStop it first\."):
        delete(desk)
    assert not (desk.folder / DELETED).exists()
    assert [job.job_id for job in desk.all_jobs()] == [JOB]


def test_of_two_who_delete_at_once_one_hears_that_it_was_deleted(desk: Desk) -> None:
    ended(desk)

    async def both() -> list[object]:
        twice = (deletions(desk).delete(JOB, "ada"), deletions(desk).delete(JOB, "bob"))
        return await asyncio.gather(*twice, return_exceptions=True)

    answers = asyncio.run(both())
    assert sorted(type(answer).__name__ for answer in answers) == ["DeletedJobError", "JobDeleted"]
    assert len(desk.events("job_deleted")) == 1
    assert not desk.folder.exists()


@pytest.mark.parametrize("lost", [False, True], ids=["kept", "lost"])
def test_a_deletion_that_was_cut_off_behind_its_event_is_finished(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, lost: bool
) -> None:
    """Between the event and the files, the database lost or not."""
    ended(desk)
    with monkeypatch.context() as patch:
        patch.setattr(Deletions, "_finish", lambda *_: None)
        delete(desk)
    assert (desk.folder / "meta.json").exists()
    desk.let_go()
    if lost:
        for path in desk.path.parent.glob("store.sqlite*"):
            path.unlink()
    desk.open()
    assert desk.all_jobs() == []
    tidy(desk)
    assert not desk.folder.exists()
    assert rows(desk) == {"jobs": 0, "submissions": 0, "series": 0, "measured": 0, "levels": 0}


def test_a_deletion_that_the_store_refused_is_taken_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(desk)

    async def refused(_work: object) -> None:
        raise StoreUnavailable("The disk is full.")

    with monkeypatch.context() as patch, suppress(StoreUnavailable):
        patch.setattr(desk.store, "awrite", refused)
        delete(desk)
    tidy(desk)
    lose(desk)
    assert [job.job_id for job in desk.all_jobs()] == [JOB]


def test_who_keeps_the_record_of_a_job_that_is_gone_writes_nothing(desk: Desk) -> None:
    ended(desk)
    delete(desk)
    desk.folder.mkdir()
    desk.records.keep(JOB)
    assert list(desk.folder.iterdir()) == []


def test_what_another_server_deleted_is_not_taken_in_any_more(desk: Desk) -> None:
    """Its intake reads on while the record is gone."""
    desk.intake.watch(JOB, desk.folder)
    desk.store.write(lambda tx: tx.forget_job(JOB)).result(10)
    desk.run.tell(facts.PointsLogged, points=(a_point(0),))
    assert desk.intake.look(JOB, desk.folder) == 0
    desk.run.tell(facts.PointsLogged, points=(a_point(1),))
    assert desk.intake.look(JOB, desk.folder) == 0


def made(desk: Desk) -> Model:
    return desk.store.read(lambda reading: reading.model(MODELS[0]))


def test_its_model_stays_and_says_that_the_job_is_gone(desk: Desk) -> None:
    complete(desk, 0)
    delete(desk, MADE[0])
    assert made(desk).provenance.job_deleted
    assert sorted(path.name for path in (desk.jobs / MADE[0]).iterdir()) == [DELETED, "model"]
    (told,) = desk.events("job_deleted")
    assert told["model_id"] == MODELS[0]


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut off"])
def test_a_lost_database_gets_the_model_back_and_not_the_job(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, cut: bool
) -> None:
    complete(desk, 0)
    with monkeypatch.context() as patch:
        if cut:
            patch.setattr(Deletions, "_finish", lambda *_: None)
        delete(desk, MADE[0])
    kept = made(desk)
    lose(desk)
    assert [job.job_id for job in desk.all_jobs()] == [JOB]
    assert wire.encode(made(desk)) == wire.encode(kept)
    tidy(desk)
    assert (desk.jobs / MADE[0] / "model" / "model.skops").exists()


def test_a_model_without_a_job_is_deleted_with_all_that_was_left(desk: Desk) -> None:
    complete(desk, 0)
    delete(desk, MADE[0])
    asyncio.run(registry(desk).delete(MODELS[0], "ada"))
    (told,) = desk.events("model_deleted")
    assert (told["job_id"], told["job"]) == (MADE[0], None)
    assert not (desk.jobs / MADE[0]).exists()
    lose(desk)
    assert labels(desk) == []


def test_a_model_without_a_job_stays_deleted_though_that_was_cut_off(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(desk, 0)
    delete(desk, MADE[0])
    of_now = registry(desk)
    monkeypatch.setattr(of_now, "_remove", lambda *_: None)
    asyncio.run(of_now.delete(MODELS[0], "ada"))
    desk.let_go()
    desk.open()
    assert labels(desk) == []
    asyncio.run(registry(desk).tidy())
    assert not (desk.jobs / MADE[0]).exists()


def test_one_whose_record_cannot_be_read_is_deleted_too(desk: Desk) -> None:
    ended(desk)
    desk.store.write(lambda tx: tx._db.execute("UPDATE jobs SET record=?", (b"\x00",))).result(10)
    delete(desk)
    assert (rows(desk)["jobs"], desk.folder.exists()) == (0, False)
