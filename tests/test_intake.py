"""What a job wrote is taken in exactly once, in order, whatever happens in between."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter import intake, remains
from mlops_jupyter.core import facts
from mlops_jupyter.intake import Intake
from mlops_jupyter.news import News
from mlops_jupyter.store import files
from tests.core.builders import at
from tests.desk import JOB, Desk


@pytest.fixture(params=["local", "nfs4", "no locks"])
def desk(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """On a local disk, on a network file system, and on one that has no locks either."""
    if request.param != "local":
        mounts = tmp_path / "mountinfo"
        mounts.write_text(f"36 35 98:0 / {tmp_path} rw,noatime - nfs4 home:/export rw\n")
        monkeypatch.setattr(files, "MOUNTS", mounts)
    if request.param == "no locks":
        monkeypatch.setattr(files.fcntl, "fcntl", _without_locks)
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def _without_locks(file: int, command: int, argument: bytes) -> bytes:
    raise OSError(errno.ENOLCK, "No locks available")


def test_points_arrive_once_in_order_while_they_are_written(desk: Desk) -> None:
    desk.intake.watch(JOB, desk.folder)
    for step in range(1, 5001):
        desk.run.log(step, {"train_loss": 1 / step})
    desk.end()
    desk.wait()
    sent = [point["step"] for event in desk.events("metric_points") for point in event["points"]]
    assert sent == list(range(1, 5001))
    kept = desk.store.read(lambda reading: reading.series(JOB, None))["train_loss"].points
    assert [point.step for point in kept] == sent


def test_two_who_look_at_the_same_time_take_everything_in_once(desk: Desk) -> None:
    for step in range(1, 2001):
        desk.run.log(step, {"train_loss": 1.0})
    desk.end()
    desk.intake.watch(JOB, desk.folder)
    lookers = [threading.Thread(target=desk.intake.look, args=(JOB, desk.folder)) for _ in range(4)]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join()
    desk.wait()
    sent = [point["step"] for event in desk.events("metric_points") for point in event["points"]]
    assert sent == list(range(1, 2001))


def test_a_later_intake_goes_on_where_the_earlier_one_stopped(desk: Desk) -> None:
    desk.run.log(1, {"train_loss": 1.0})
    desk.intake.watch(JOB, desk.folder)
    while not desk.events("metric_points"):
        desk.intake.look(JOB, desk.folder)
    desk.intake.close()
    desk.run.log(2, {"train_loss": 0.5})
    desk.end()
    desk.intake = Intake(desk.store, desk._take)
    desk.intake.watch(JOB, desk.folder)
    desk.wait()
    sent = [point["step"] for event in desk.events("metric_points") for point in event["points"]]
    assert sent == [1, 2]


def test_output_becomes_numbered_lines_the_last_unfinished_one_included(desk: Desk) -> None:
    (desk.folder / "output.log").write_bytes("eins\nzwei\u2028drei\r\nvier".encode())
    desk.end()
    desk.intake.watch(JOB, desk.folder)
    desk.wait()
    while desk.intake.look(JOB, desk.folder):
        pass
    said = [(event["first"], event["lines"]) for event in desk.events("log_lines")]
    assert said == [(0, ["eins", "zwei\u2028drei"]), (2, ["vier"])]
    assert desk.store.read(lambda reading: reading.job(JOB)).log_lines == 3


def test_a_long_output_is_never_cut_within_a_line(desk: Desk) -> None:
    written = [f"line {n:07d} ä" for n in range(150_000)]
    (desk.folder / "output.log").write_text("\n".join(written))
    desk.end()
    desk.intake.watch(JOB, desk.folder)
    desk.wait()
    while desk.intake.look(JOB, desk.folder):
        pass
    assert [line for event in desk.events("log_lines") for line in event["lines"]] == written


def test_progress_within_a_stage_is_thinned_and_changes_of_stage_never_are(desk: Desk) -> None:
    desk.intake.watch(JOB, desk.folder)
    for name in ("Data validation", "Data preprocessing"):
        with desk.run.stage(name, total=1000, unit="rows") as stage:
            for done in range(1, 1001):
                stage.advance(done)
    desk.end()
    desk.wait()
    whole = [event for event in desk.events("training_progress") if event["job"] is not None]
    ticks = [event for event in desk.events("training_progress") if event["job"] is None]
    assert [(e["current_stage"], e["stage"]["state"]) for e in whole] == [
        ("Data validation", "running"),
        ("Data validation", "done"),
        ("Data preprocessing", "running"),
        ("Data preprocessing", "done"),
    ]
    assert len(ticks) < 100


def test_nonsense_in_a_journal_costs_itself_only(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.run.tell(facts.StageStarted, stage="No such stage")
    desk.writer.append(b'{"fact":"unheard_of"}')
    desk.run.log(1, {"train_loss": 1.0})
    desk.end()
    desk.intake.watch(JOB, desk.folder)
    desk.wait()
    assert len(desk.events("metric_points")) == 1
    assert 'has no stage "No such stage"' in caplog.text
    assert "unheard_of" in caplog.text


def test_the_end_is_told_after_it_is_on_disk(desk: Desk) -> None:
    desk.run.tell(facts.WorkFinished)
    desk.end()
    desk.intake.watch(JOB, desk.folder)
    desk.wait()
    assert desk.taken[-1].job == desk.store.read(lambda reading: reading.job(JOB))
    assert [event["status"] for event in desk.events("training_completed")] == ["completed"]


def test_a_flipped_bit_in_a_journal_is_said_in_the_record_with_its_place_and_what_follows_is_read(
    desk: Desk,
) -> None:
    """F4."""
    ends = []
    for step in range(1, 4):
        desk.run.log(step, {"train_loss": 1.0})
        ends.append((desk.folder / "journal").stat().st_size)
    journal = bytearray((desk.folder / "journal").read_bytes())
    journal[ends[0] + 30] ^= 1
    (desk.folder / "journal").write_bytes(journal)
    desk.end()
    desk.intake.watch(JOB, desk.folder)
    desk.wait()
    job = desk.store.read(lambda reading: reading.job(JOB))
    sent = [point["step"] for event in desk.events("metric_points") for point in event["points"]]
    assert sent == [1, 3]
    assert [(found.code, found.message) for found in job.findings] == [
        (
            "journal_damaged",
            f"The job's journal is damaged at byte {ends[0]}: what was told there is missing.",
        )
    ]


@pytest.mark.parametrize("ended", [True, False])
def test_what_was_asked_while_the_store_refused_comes_before_what_the_job_wrote_since(
    desk: Desk, ended: bool
) -> None:
    """P5: also where it wrote nothing."""
    desk.read_all(JOB)
    desk.intake.close()
    if ended:
        desk.end(exit_code=130)
    desk.intake = Intake(desk.store, desk._take)
    desk.intake.owe(JOB, at(facts.StopAsked, by="grace"))
    desk.intake.owe(JOB, at(facts.StopAsked, by="somebody later"))
    desk.read_all(JOB)
    job = desk.store.read(lambda reading: reading.job(JOB))
    assert (job.status, job.stopped_by) == ("cancelled" if ended else "stopping", "grace")


def test_a_job_that_only_the_server_knows_the_end_of_is_read_to_the_last_line_and_let_go(
    tmp_path: Path,
) -> None:
    """Lost, or never started: no journal says so."""
    desk = Desk(tmp_path)
    desk.intake.close()
    let_go = threading.Event()
    desk.intake = Intake(desk.store, desk._take, lambda _: let_go.set())
    try:
        (desk.folder / "output.log").write_bytes(b"epoch 1\nepo")
        desk.read_all(JOB)
        while not desk.events("log_lines"):
            pass
        desk.happened(JOB, at(facts.JobVanished, why="its processes are gone."))
        desk.intake.over(JOB)
        assert let_go.wait(10)
        assert [event["lines"] for event in desk.events("log_lines")] == [["epoch 1"], ["epo"]]
    finally:
        desk.close()


def test_a_job_whose_files_cannot_be_read_is_said_once_and_slows_no_other_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P18: and is itself looked at once a second."""
    desk = Desk(tmp_path)
    try:
        no_folder = tmp_path / "file"
        no_folder.touch()
        desk.begin("j-bad000000000")
        looks: list[str] = []
        look = desk.intake.look
        monkeypatch.setattr(desk.intake, "look", lambda *of: (looks.append(of[0]), look(*of))[1])
        desk.intake.watch("j-bad000000000", no_folder)
        desk.intake.watch(JOB, desk.folder)
        began = time.monotonic()
        for step in range(1, 5):
            desk.run.log(step, {"train_loss": 1.0})
            while desk.steps() != list(range(1, step + 1)):
                assert time.monotonic() - began < 10
        assert time.monotonic() - began < 1.5
        said = [record for record in caplog.records if "j-bad000000000" in record.getMessage()]
        assert len(said) == 1
        assert looks.count("j-bad000000000") <= 3 < looks.count(JOB)
    finally:
        desk.close()


def test_a_file_system_that_hangs_keeps_no_server_from_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    reading, answers = threading.Event(), threading.Event()
    read = News.read

    def hangs(*of: Any, **how: Any) -> News:
        reading.set()
        assert answers.wait(30)
        return read(*of, **how)

    monkeypatch.setattr(intake, "CLOSING", 0.01)
    monkeypatch.setattr(News, "read", hangs)
    try:
        desk.intake.watch(JOB, desk.folder)
        assert reading.wait(10)
        desk.intake.close()
        assert desk.intake._thread.is_alive()
    finally:
        answers.set()
        desk.intake._thread.join(10)
        desk.close()


@pytest.mark.parametrize("left", ["half", "zeros", "nothing"])
def test_a_journal_that_lost_its_end_with_the_power_costs_nothing_that_was_taken_in(
    desk: Desk, left: str
) -> None:
    """P2: journals are not synced while a job runs, the store is."""
    for step in range(1, 101):
        desk.run.log(step, {"train_loss": 1 / step})
    desk.read_all(JOB)
    desk.intake.close()
    journal = desk.folder / "journal"
    whole = journal.read_bytes()
    half = {"half": whole[: len(whole) // 2], "zeros": bytes(len(whole)), "nothing": b""}[left]
    # Also what the store had not taken in is gone.
    journal.write_bytes(half + bytes(200) if left == "zeros" else half)
    desk.intake = Intake(desk.store, desk._take)
    desk.read_all(JOB)
    desk.happened(JOB, at(facts.JobVanished, why=remains.why(desk.folder, len(whole))))
    job = desk.store.read(lambda reading: reading.job(JOB))
    assert (job.status, job.findings, desk.steps()) == ("lost", (), list(range(1, 101)))
