"""The first value of a metric that is no number is told, once, whatever rows it was measured on."""

from __future__ import annotations

from math import inf, nan

from tests.core.alerts.builders import a_fit, curves, raised, said


def test_the_first_value_that_is_no_number_is_told_with_the_one_before() -> None:
    alerts = raised(a_fit(), curves(train_loss=[0.5, 0.4, nan, nan]))
    (alert,) = alerts
    assert alert.message == "train_loss is NaN at epoch 3; it was 0.4 at epoch 2."
    assert alert.evidence == {"step": 3, "value": "nan", "step_before": 2, "value_before": 0.4}


def test_one_that_never_was_a_number_is_told_without() -> None:
    (alert,) = raised(a_fit(), curves(loss=[-inf]))
    assert alert.message == "loss is −∞ at epoch 1."
    assert alert.evidence == {"step": 1, "value": "-inf", "step_before": None, "value_before": None}


def test_training_and_validation_rows_are_one_warning_and_other_metrics_their_own() -> None:
    broken = [0.5, nan]
    alerts = raised(a_fit(), curves(train_loss=broken, val_loss=broken, train_r2=broken))
    assert said(alerts) == [("not_finite", "train_loss"), ("not_finite", "train_r2")]


def test_numbers_are_no_alert() -> None:
    assert raised(a_fit(), curves(train_loss=[1e300, -1e300, 0.0])) == ()
