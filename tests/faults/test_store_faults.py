"""What the disk does to the store: nothing acknowledged is lost, and whoever asks is told what is wrong."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_jupyter.core import facts
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.store import database, files, trouble
from mlops_jupyter.store.neighbours import flock
from mlops_jupyter.training import journal
from tests import strace
from tests.core.builders import at
from tests.desk import JOB, Desk
from tests.faults.acknowledging import SUBMITTED
from tests.mounts import a_disk
from tests.test_records import wait_for

STEPS = 120


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "data")
    yield desk
    desk.close()


def acknowledged(folder: Path, *injections: str) -> list[list[str]]:
    words = [*strace.command(*injections), sys.executable, "-m", "tests.faults.acknowledging", str(folder)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return [line.split(maxsplit=1) for line in ended.stdout.splitlines()]


def check_everything_acknowledged_is_stored(folder: Path, told: list[list[str]]) -> None:
    desk = Desk(folder, found=True)
    try:
        jobs = {job.job_id: job for job in desk.all_jobs()}
        for what, which in told:
            if what == "event":
                assert desk.store.read(lambda r, seq=int(which): r.events(seq - 1, 1))[0].seq == int(which)
            elif what == "ended":
                assert jobs[JOB].status == which == "completed"
            else:
                assert which in jobs
        # P3: the end and the model are there together, or neither is.
        if JOB in jobs:
            desk.read_all(JOB)
            job = desk.store.read(lambda reading: reading.job(JOB))
            assert (job.status == "completed") == (job.model_id is not None)
            if job.model_id is not None:
                desk.store.read(lambda reading: reading.model(job.model_id))
    finally:
        desk.let_go()


def test_a_look_that_is_overtaken_by_a_growing_file_finds_it_replaced_by_nobody(tmp_path: Path) -> None:
    """A reader's stat(2) may be older than the size another thread has seen since."""

    class Overtaken(type(tmp_path)):  # type: ignore[misc]
        def stat(self, **options: bool) -> os.stat_result:
            found = super().stat(**options)
            with Path(self).open("ab") as file:
                file.write(b"x")
            looked.path = Path(self)
            looked.check()
            return found

    looked = files.Files(tmp_path / "store.sqlite")
    looked.prepare()
    looked.connect_writer().close()
    looked.path = Overtaken(looked.path)
    looked.check()
    with looked.path.open("r+b") as file:
        file.truncate()
    with pytest.raises(trouble.ReplacedError):
        looked.check()
    looked.close()


def test_a_database_that_was_deleted_is_called_that_whatever_sqlite_makes_of_it(tmp_path: Path) -> None:
    """F7: it may meet the missing write-ahead log first, and call that an error of the disk."""
    looked = files.Files(tmp_path / "store.sqlite")
    looked.prepare()
    looked.connect_writer().close()
    met = sqlite3.OperationalError("disk I/O error")
    assert looked.cause(met) is met
    looked.path.unlink()
    assert str(looked.cause(met)) == f"The database in {tmp_path} was deleted."
    looked.close()


@pytest.mark.parametrize("sync", [2, 9, 42, 43])
def test_a_kill_at_any_sync_loses_nothing_that_was_acknowledged(tmp_path: Path, sync: int) -> None:
    """P1, P2, P3, F2."""
    killed_at(tmp_path, sync)


@pytest.mark.soak
@pytest.mark.parametrize("sync", range(1, 61))
def test_a_kill_at_each_sync_loses_nothing_that_was_acknowledged(tmp_path: Path, sync: int) -> None:
    """P1, P2, P3, F2 at length."""
    killed_at(tmp_path, sync)


def killed_at(folder: Path, sync: int) -> None:
    told = acknowledged(folder, f"fsync,fdatasync:signal=SIGKILL:when={sync}")
    check_everything_acknowledged_is_stored(folder, told)


@pytest.mark.parametrize(
    ("call", "calls"),
    [
        ("fsync", 6),
        *(pytest.param(call, 20, marks=pytest.mark.soak) for call in ("mkdir", "write", "rename")),
    ],
)
def test_a_kill_at_any_sync_while_a_model_is_saved_leaves_it_whole_or_not_there(
    tmp_path: Path, call: str, calls: int
) -> None:
    """P2, P4, F2; at length at each folder made, write and renaming, too."""
    words = [sys.executable, "-m", "tests.faults.saving", call, str(calls), str(tmp_path)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    ended = subprocess.run(words, capture_output=True, text=True, check=True, timeout=100, env=environment)
    ends = [int(word) for word in ended.stdout.split()]
    killed = ends.count(-signal.SIGKILL)
    # Each of its calls was somebody's last, and there was none after these.
    assert ends == [-signal.SIGKILL] * killed + [0] * (calls - killed)
    assert 0 < killed < calls
    there = [saved(tmp_path / str(child)) for child in range(1, calls + 1)]
    assert there == sorted(there)
    assert not there[0]
    assert there[-1]


def saved(job: Path) -> bool:
    """Whether the model is there, all of it; told only if it is."""
    told = b"".join(journal.read(job / "journal", 0).payloads) if (job / "journal").exists() else b""
    if not (job / "model").exists():
        assert b"model_saved" not in told
        return False
    body, meta = ((job / "model" / name).read_bytes() for name in ("model.skops", "meta.json"))
    assert json.loads(meta)["sha256"] == hashlib.sha256(body).hexdigest()
    return True


def test_a_disk_that_fails_is_named_and_what_it_took_before_is_there(tmp_path: Path) -> None:
    """P5, F7."""
    told = acknowledged(tmp_path, "pwrite64:error=EIO:when=240+")
    assert told[-1][0] == "refused"
    assert told[-1][1].startswith(f"The disk of {tmp_path} fails")
    assert sum(what == "event" for what, _ in told) > 1
    check_everything_acknowledged_is_stored(tmp_path, told[:-1])


def test_a_write_ahead_log_cut_anywhere_leaves_a_prefix_and_the_journals_bring_back_the_rest(
    desk: Desk, tmp_path: Path
) -> None:
    """P1, P2, F5."""
    cut_anywhere(desk, tmp_path, 8)


@pytest.mark.soak
def test_a_write_ahead_log_cut_at_many_places_leaves_a_prefix(desk: Desk, tmp_path: Path) -> None:
    """P1, P2, F5 at length."""
    cut_anywhere(desk, tmp_path, 50)


def cut_anywhere(desk: Desk, tmp_path: Path, times: int) -> None:
    begun = (desk.path.parent / "store.sqlite-wal").stat().st_size
    desk.intake.watch(JOB, desk.folder)
    for step in range(1, STEPS + 1):
        desk.run.log(step, {"train_loss": 1.0})
        if step % 10 == 0:
            desk.intake.look(JOB, desk.folder)
    desk.submit(SUBMITTED)
    desk.read_all(JOB)
    desk.happened(JOB, at(facts.StopAsked, by="grace"))
    whole = [event.body for event in desk.store.read(lambda reading: reading.events(0, 10_000))]
    length = (desk.path.parent / "store.sqlite-wal").stat().st_size
    # One of them such that the job is queued, though it was begun.
    for cut in (begun - 1, *random.Random(5).sample(range(length), times - 1)):
        folder = tmp_path / str(cut)
        shutil.copytree(desk.path.parent, folder, ignore=shutil.ignore_patterns("*-shm", "*.servers"))
        with (folder / "store.sqlite-wal").open("r+b") as log:
            log.truncate(cut)
        opened = sqlite3.connect(folder / "store.sqlite")
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        known = opened.execute("SELECT name FROM sqlite_master WHERE name='events'").fetchone()
        left = opened.execute("SELECT body FROM events ORDER BY seq").fetchall() if known else []
        opened.close()
        assert [body for (body,) in left] == whole[: len(left)]
        again = Desk(folder, found=True)
        again.read_all(JOB)
        assert again.steps() == list(range(1, STEPS + 1))
        # What only the server knew, that a job began and who stopped it, is in the job's folder.
        assert {job.job_id: (job.status, job.owner, job.stopped_by) for job in again.all_jobs()} == {
            JOB: ("stopping", "s", "grace"),
            SUBMITTED: ("queued", None, None),
        }
        again.let_go()


def test_a_store_locked_by_another_is_refused_after_a_while_and_works_when_it_is_free(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5."""
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    monkeypatch.setattr(database, "RETRY", 0.05)
    with desk.path.with_suffix(".lock").open("r+b") as lock:
        fcntl.fcntl(lock, fcntl.F_OFD_SETLK, flock(fcntl.F_WRLCK))
        for refused in (desk.store.write(lambda tx: None).result, desk.all_jobs):
            with pytest.raises(StoreUnavailable, match="is locked by another program"):
                refused()
        desk.run.log(1, {"train_loss": 1.0})
    wait_for(desk, lambda: True)
    desk.read_all(JOB)
    assert desk.steps() == [1]


def test_what_is_measured_while_the_disk_is_full_is_there_when_it_has_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """P1, P5, F6: at once, though the job has nothing to say meanwhile."""
    monkeypatch.setattr(database, "RETRY", 0.05)
    monkeypatch.setattr(journal, "RETRY", 0.05)
    with a_disk(tmp_path / "disk", 4) as disk:
        desk = Desk(disk.folder / "data")
        desk.intake.watch(JOB, desk.folder)
        for step in range(1, 2001):
            desk.run.log(step, {"train_loss": 1.0})
            if step == 500:
                desk.read_all(JOB)
                disk.fill()
            if step == 1000:
                with pytest.raises(StoreUnavailable, match=r"The disk is full: .*data takes nothing more"):
                    wait_for(desk, lambda: False, trouble=True)
        disk.free()
        wait_for(desk, lambda: desk.steps() == list(range(1, 2001)))
        desk.end()
        desk.wait()
        assert desk.steps() == list(range(1, 2001))
        desk.close()
    said = [record.message for record in caplog.records if record.name.startswith("mlops_jupyter")]
    assert sum("The disk is full" in line for line in said) == 1
    assert "The store works again" in said
    assert not any(record.exc_info for record in caplog.records)


def test_what_a_full_disk_refused_for_too_long_is_counted_in_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5, F6: as much as a job holds in memory, here 64 KiB, and what comes beyond it."""
    monkeypatch.setattr(journal, "HELD_BYTES", 64 << 10)
    monkeypatch.setattr(database, "RETRY", 0.05)
    with a_disk(tmp_path / "disk", 4) as disk:
        desk = Desk(disk.folder / "data")
        for step in range(1, 3001):
            desk.run.log(step, {"train_loss": 1.0})
            if step == 100:
                disk.fill()
            if step == 2900:
                disk.free()
        wait_for(desk, lambda: True)
        desk.end()
        desk.read_all(JOB)
        (found,) = desk.store.read(lambda reading: reading.job(JOB)).findings
        missing = 3000 - len(desk.steps())
        assert missing > 1000
        assert (found.code, found.message) == (
            "records_dropped",
            f"The disk refused for so long that {missing:,} records were given up: points are missing.",
        )
        desk.close()


def test_a_store_on_a_read_only_disk_works_once_the_disk_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5, F7."""
    monkeypatch.setattr(database, "RETRY", 0.05)
    with a_disk(tmp_path / "disk", 4) as disk:
        Desk(disk.folder / "data").close()
        with disk.read_only():
            desk = Desk(disk.folder / "data", found=True)
            with pytest.raises(StoreUnavailable, match=r"The disk is read-only: .*data cannot be written"):
                desk.all_jobs()
        wait_for(desk, lambda: True)
        assert [job.job_id for job in desk.all_jobs()] == [JOB]
        desk.close()


def test_folders_of_the_store_are_the_users_alone_and_those_of_others_are_refused(tmp_path: Path) -> None:
    """P32."""
    folder = tmp_path / "data"
    Desk(folder).close()
    assert folder.stat().st_mode & 0o777 == 0o700
    os.chown(folder, 12345, -1)
    desk = Desk(folder, found=True)
    with pytest.raises(StoreUnavailable, match="belongs to another user"):
        desk.all_jobs()
    desk.close()
    os.chown(folder, os.geteuid(), -1)
