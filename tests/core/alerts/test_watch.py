"""Each rule speaks once of a metric of a job, whoever watches, and not at all where it is muted."""

from __future__ import annotations

import time
from math import nan

import pytest

from mlops_jupyter.core import activities, alerts, events, facts
from mlops_jupyter.core.alerts.watch import MOST_CURVES, Watch
from mlops_jupyter.core.consequences import Publish
from mlops_jupyter.core.series import Series
from mlops_jupyter.core.transitions import advance
from tests.core.alerts.builders import a_fit, curves, raised, said
from tests.core.builders import WALL, a_running_job, at

BROKEN = curves(train_loss=[0.5, nan])
FOUND = at(
    facts.AlertFound, rule="overfitting", message="It overfits.", evidence={"step": 3}, metric="val_r2"
)


def test_an_alert_is_kept_in_the_record_and_told_once() -> None:
    job, told = advance(a_running_job(), FOUND)
    (alert,) = job.alerts
    assert (alert.rule, alert.metric, alert.evidence) == ("overfitting", "val_r2", {"step": 3})
    assert told == [
        Publish(
            events.AlertRaised(
                time=facts.moment(FOUND),
                job_id=job.job_id,
                rule="overfitting",
                metric="val_r2",
                message="It overfits.",
                evidence={"step": 3},
                job=job,
            )
        )
    ]
    assert advance(job, FOUND) == (job, [])


def test_what_a_server_has_told_the_next_one_does_not_tell_again() -> None:
    job = a_fit()
    first = raised(job, BROKEN)
    assert said(first) == [("not_finite", "train_loss")]
    found = at(facts.AlertFound, rule="not_finite", message="", evidence={}, metric="train_loss")
    again, _ = advance(job, found)
    assert raised(again, [*BROKEN, *curves(val_loss=[nan])]) == again.alerts


def test_one_that_begins_in_the_middle_knows_what_was_measured_before() -> None:
    """Its first value is not the fit's: what looks like running away from there may be nothing."""
    before, after = [1.0, *[0.01] * 30], curves(train_loss=[0.01, *[0.02] * 20])
    kept = {"train_loss": Series(count=31, points=tuple(curves(train_loss=before)))}
    watch = Watch()
    watch.catch_up(a_fit(), kept)
    assert raised(a_fit(), after, watch) == ()
    assert said(raised(a_fit(), after)) == [("diverging", "train_loss")]
    watch = Watch()
    watch.catch_up(a_fit(), kept)
    assert said(raised(a_fit(), curves(train_loss=[5.0] * 5), watch)) == [("diverging", "train_loss")]


def test_a_rule_that_is_muted_on_a_job_or_on_a_server_says_nothing() -> None:
    assert raised(a_fit(), BROKEN, Watch(frozenset({"not_finite"}))) == ()
    muted = at(facts.RuleMuted, rule="not_finite", by="ada")
    job, told = advance(a_fit(), muted)
    assert told == [
        Publish(
            events.AlertMuted(
                time=facts.moment(muted), job_id=job.job_id, rule="not_finite", muted=True, by="ada", job=job
            )
        )
    ]
    assert raised(job, BROKEN) == ()
    assert advance(job, muted) == (job, [])
    job, _ = advance(job, at(facts.RuleMuted, rule="not_finite", by="ada", muted=False))
    assert said(raised(job, BROKEN)) == [("not_finite", "train_loss")]


def test_alerts_of_a_job_that_is_over_can_be_muted_and_no_more_are_raised() -> None:
    job, _ = advance(a_running_job(), FOUND)
    job, _ = advance(job, at(facts.WorkFinished))
    job, _ = advance(job, at(facts.WorkerEnded, exit_code=0))
    assert advance(job, at(facts.AlertFound, rule="stalled", message="", evidence={})) == (job, [])
    job, _ = advance(job, at(facts.RuleMuted, rule="overfitting", by="ada"))
    assert job.muted_rules == ("overfitting",)


def test_a_job_with_thousands_of_metrics_has_a_bounded_number_of_alerts() -> None:
    broken = [point for n in range(2 * MOST_CURVES) for point in curves(**{f"m{n}": [nan]})]
    assert len(raised(a_fit(), broken)) == alerts.MOST


def test_a_point_costs_no_more_at_the_end_of_a_long_fit_than_at_its_beginning() -> None:
    """Nothing grows with the fit: the same work, within what a busy machine makes of it."""
    watch, job = Watch(), a_fit()
    values = [1.0 / (1 + step % 97) for step in range(4000)]
    points = curves(train_loss=values, val_loss=values)
    spent = []
    for part in (points[:2000], points[-2000:]):
        began = time.thread_time()
        for each in part:
            list(watch.take(job, at(facts.PointsLogged, points=(each,))))
        spent.append(time.thread_time() - began)
    assert spent[1] < 5 * spent[0]


@pytest.mark.parametrize("rule", alerts.TITLES)
def test_every_rule_has_a_row_of_the_feed(rule: str) -> None:
    job = a_running_job()
    event = events.AlertRaised(
        time=facts.moment(FOUND),
        seq=7,
        job_id=job.job_id,
        rule=rule,
        metric=None,
        message="So.",
        evidence={},
        job=job,
    )
    told = activities.row(event)
    assert told is not None
    assert (told.activity.title, told.activity.description) == (alerts.TITLES[rule], "penguins-rf: So.")
    assert (told.activity.subject, told.activity.status) == (job.job_id, "warning")


def test_time_comes_with_the_facts() -> None:
    (found,) = Watch().take(a_fit(), at(facts.PointsLogged, 5.0, points=tuple(curves(loss=[nan]))))
    assert found.time == WALL + 5.0
