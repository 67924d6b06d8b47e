"""Alerts of jobs that write, as the store has them: once, behind what was measured, after a restart too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import nan
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_jupyter import intake
from mlops_jupyter.alerts import Alerts
from mlops_jupyter.core import facts
from mlops_jupyter.core.alerts import stalled
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.intake import Intake
from tests.desk import JOB, Desk
from tests.samples import a_sample, a_use

GB = 10**9


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def record(desk: Desk) -> Job:
    return desk.store.read(lambda reading: reading.job(JOB))


def raised(desk: Desk) -> list[tuple[str, str | None]]:
    return [(event["rule"], event["metric"]) for event in desk.events("alert_raised")]


def broken(desk: Desk, *steps: int) -> None:
    for step in steps:
        desk.run.log(step, {"train_loss": nan, "val_loss": nan})


def test_an_alert_stands_behind_the_points_it_saw_and_before_its_row_of_the_feed(desk: Desk) -> None:
    desk.run.log(1, {"train_loss": 0.5})
    broken(desk, 2, 3)
    desk.read_all(JOB)
    (event,) = desk.events("alert_raised")
    assert event["message"] == "train_loss is NaN at step 2; it was 0.5 at step 1."
    assert event["evidence"] == {"step": 2, "value": "nan", "step_before": 1, "value_before": 0.5}
    assert [alert["rule"] for alert in event["job"]["alerts"]] == ["not_finite"]
    assert desk.events("metric_points")[0]["seq"] < event["seq"]
    row = desk.events("activity_update")[-1]
    assert row["seq"] == event["seq"] + 1
    assert (row["activity"]["title"], row["activity"]["subject"]) == ("Not finite", JOB)
    assert [alert.rule for alert in record(desk).alerts] == ["not_finite"]


def test_the_next_server_tells_nothing_again_and_knows_what_was_measured_before(desk: Desk) -> None:
    for step, value in enumerate([1.0, *[0.01] * 30], 1):
        desk.run.log(step, {"train_error": value})
    broken(desk, 1)
    desk.read_all(JOB)
    desk.intake.close()
    broken(desk, 2)
    # Twice as much as before, but nothing against where the fit began.
    for step in range(32, 60):
        desk.run.log(step, {"train_error": 0.02})
    desk.intake = Intake(desk.store, desk._take)
    desk.read_all(JOB)
    assert raised(desk) == [("not_finite", "train_loss")]


def test_what_the_store_refused_is_told_when_it_takes_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(desk, 1)
    desk.intake.watch(JOB, desk.jobs / "elsewhere")
    with monkeypatch.context() as patch:
        patch.setattr(Intake, "_tick", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            desk.intake.look(JOB, desk.folder)
    assert raised(desk) == []
    desk.intake.look(JOB, desk.folder)
    assert raised(desk) == [("not_finite", "train_loss")]


def test_a_rule_muted_on_the_server_or_the_job_is_not_told(desk: Desk) -> None:
    desk.happened(JOB, facts.RuleMuted(time=time.time(), rule="not_finite", by="ada"))
    broken(desk, 1)
    desk.read_all(JOB)
    desk.happened(JOB, facts.RuleMuted(time=time.time(), rule="not_finite", by="ada", muted=False))
    desk.intake.close()
    desk.intake = Intake(desk.store, desk._take, muted=frozenset({"not_finite"}))
    broken(desk, 2)
    desk.read_all(JOB)
    assert raised(desk) == []
    assert [event["muted"] for event in desk.events("alert_muted")] == [True, False]


def test_a_record_that_cannot_be_read_is_followed_all_the_same(desk: Desk) -> None:
    desk.store.write(lambda tx: tx._db.execute("UPDATE jobs SET record='?'")).result(10)
    desk.intake.watch(JOB, desk.folder)


def test_a_mute_is_in_the_jobs_folder_too(tmp_path: Path) -> None:
    """So that it outlives a database that is lost."""
    desk = Desk(tmp_path)
    desk.happened(JOB, facts.RuleMuted(time=time.time(), rule="plateau", by="ada"))
    desk.close()
    for file in tmp_path.glob("store.sqlite*"):
        file.unlink()
    found = Desk(tmp_path, found=True)
    try:
        assert record(found).muted_rules == ("plateau",)
    finally:
        found.close()


def test_a_fit_that_stands_still_is_told_and_a_move_begins_anew(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalled, "SECONDS", 0.3)
    monkeypatch.setattr(stalled, "TIMES", 0.0)
    monkeypatch.setattr(stalled, "PAUSES", 0)
    monkeypatch.setattr(intake, "ASK_AGAIN", 0.05)
    with desk.run.stage("Training model", total=20, unit="tree") as stage:
        for done in range(1, 8):
            stage.advance(done)
        desk.intake.watch(JOB, desk.folder)
        while not raised(desk):
            time.sleep(0.02)
        (event,) = desk.events("alert_raised")
        assert event["rule"] == "stalled"
        assert (event["evidence"]["done"], event["evidence"]["total"]) == (7, 20)
        assert event["evidence"]["seconds"] >= 0.3
        stage.advance(20)
    desk.end()
    desk.wait()
    assert raised(desk) == [("stalled", None)]


async def test_memory_near_the_limit_is_told_of_two_samples_in_a_row_once() -> None:
    told: list[facts.Fact] = []

    async def happened(job_id: str, fact: facts.Fact) -> None:
        assert job_id == "j-1"
        told.append(fact)

    keepers: Any = SimpleNamespace(happened=happened)
    use = a_use(id="j-1", memory=3 * GB)
    much = a_sample(memory_percent=95.0, memory_used=38 * GB // 10, memory_limit=4 * GB, jobs=(use,))
    little = a_sample(memory_percent=40.0, memory_used=2 * GB, memory_limit=4 * GB, jobs=(use,))
    alerts = Alerts(keepers, frozenset())
    for sample in (much, little, much):
        await alerts.sampled(sample)
    assert told == []
    for sample in (much, much, little, much, much):
        await alerts.sampled(sample)
    assert [getattr(fact, "rule", None) for fact in told] == ["memory"]
    muted = Alerts(keepers, frozenset({"memory"}))
    for sample in (much, much):
        await muted.sampled(sample)
    assert len(told) == 1
