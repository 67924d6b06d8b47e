"""A fit that runs away is told; one that swings, begins badly or only overfits is not."""

from __future__ import annotations

import pytest

from tests.core.alerts.builders import a_fit, curves, raised, said


def test_a_loss_that_runs_away_is_told_with_where_it_came_from() -> None:
    (alert,) = raised(a_fit(), curves(train_loss=[1.0, 0.8, *[3.0] * 5]))
    assert alert.message == "train_loss is 3 at epoch 7: it was 1 at epoch 1 and 0.8 at its best."
    assert alert.evidence == {
        "first_step": 1,
        "first_value": 1.0,
        "best_step": 2,
        "best_value": 0.8,
        "step": 7,
        "value": 3.0,
    }


def test_one_that_never_was_better_than_at_its_beginning_says_so_once() -> None:
    (alert,) = raised(a_fit(), curves(train_loss=[1.0, *[3.0] * 5]))
    assert alert.message == "train_loss is 3 at epoch 6: it was 1 at epoch 1."


def test_a_score_diverges_downwards() -> None:
    alerts = raised(a_fit(), curves(train_r2=[0.1, 0.4, *[-3.0] * 5]))
    assert said(alerts) == [("diverging", "train_r2")]
    assert raised(a_fit(), curves(train_r2=[-3.0, -2.0, *[0.4] * 20])) == ()


def test_the_direction_of_the_jobs_own_metric_is_the_jobs() -> None:
    rising = curves(train_distance=[1.0, 0.8, *[3.0] * 5])
    assert said(raised(a_fit(metric="distance", greater_is_better=False), rising)) == [
        ("diverging", "train_distance")
    ]
    assert raised(a_fit(metric="distance", greater_is_better=True), rising) == ()
    # Nobody says which way it is better.
    assert raised(a_fit(), rising) == ()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1.0, 0.8, *[3.0] * 4], id="not for long enough"),
        pytest.param([1.0, 0.8, *[3.0, 3.0, 3.0, 0.9] * 10], id="it swings"),
        pytest.param([1.0, 0.1, *[1.4] * 20], id="not by as much as was gained"),
        pytest.param([0.0, *[0.0] * 20], id="nothing to gain"),
        pytest.param([2e-16, *[0.06] * 20], id="the first tree knew its rows by heart"),
        pytest.param([9.0, 5.0, *[1.0] * 20], id="it falls"),
    ],
)
def test_what_is_no_divergence(values: list[float]) -> None:
    assert raised(a_fit(), curves(train_loss=values)) == ()


def test_on_validation_rows_it_would_be_overfitting() -> None:
    assert raised(a_fit(), curves(val_loss=[1.0, 0.8, *[3.0] * 5])) == ()
