"""A fit that goes on for minutes without getting better is told, where minutes are left."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_jupyter.core.alerts import plateau
from mlops_jupyter.core.alerts.curve import Curve
from mlops_jupyter.core.directions import Measured
from mlops_jupyter.core.series import Point
from tests.core.alerts.builders import a_fit, curves, raised, said

RISES = [0.5 + 0.01 * step for step in range(40)]
FLAT = [*RISES, *[0.8] * 200]


def test_a_fit_that_gains_nothing_for_minutes_is_told() -> None:
    (alert,) = raised(a_fit(), curves(7.0, val_accuracy=FLAT))
    assert alert.message == "val_accuracy is no better than at epoch 40 (0.89), 5:01 and 43 epochs ago."
    assert alert.evidence == {
        "since_step": 40,
        "since_value": RISES[-1],
        "step": 83,
        "value": 0.8,
        "seconds": 301.0,
        "seconds_left": None,
    }


def test_a_hair_is_no_gain() -> None:
    """A thousandth of all that was gained is not what anybody waits for; a loss is best when low."""
    hair = [*[1 - value for value in RISES], *[0.5 - 0.0001 * step for step in range(200)]]
    job = a_fit(metric="log_loss", greater_is_better=False)
    assert said(raised(job, curves(7.0, val_log_loss=hair))) == [("plateau", "val_log_loss")]


def test_what_takes_no_minutes_is_no_plateau() -> None:
    assert raised(a_fit(), curves(1.0, val_accuracy=FLAT)) == ()
    assert raised(a_fit(), curves(60.0, val_accuracy=[0.5, *[0.4] * 18])) == ()


def test_one_that_is_nearly_over_is_left_alone() -> None:
    curve = Curve(Measured("accuracy", "val"), "up")
    for step, value in enumerate(FLAT, 1):
        curve.take(Point(name="val_accuracy", step=step, value=value, elapsed=7.0 * step), None)
    job = a_fit()
    assert plateau.check(curve, replace(job, estimated_remaining=299.0)) is None
    found = plateau.check(curve, replace(job, estimated_remaining=2400.0))
    assert found is not None
    assert found.message.endswith("200 epochs ago; about 40:00 are left.")


def test_other_metrics_than_the_jobs_own_and_training_rows_are_left_alone() -> None:
    assert raised(a_fit(), curves(7.0, val_loss=[1 - v for v in FLAT], train_accuracy=FLAT)) == ()
