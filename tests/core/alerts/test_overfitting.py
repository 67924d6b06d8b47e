"""What a fit gains on training rows and loses on validation rows is told, of the job's own metric."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.alerts.builders import a_fit, curves, raised, said

#: In thousandths, so that ten rows of a thousand are a hundredth.
BETTER = [0.5 + 0.001 * step for step in range(401)]
WORSE = [*[0.5 + 0.002 * step for step in range(101)], *[0.7 - 0.001 * step for step in range(300)]]
FLIPPED: dict[str, Any] = {"metric": "log_loss", "greater_is_better": False}


def test_validation_rows_that_get_worse_while_training_rows_get_better_are_told() -> None:
    (alert,) = raised(a_fit(), curves(train_accuracy=BETTER, val_accuracy=WORSE))
    assert alert.rule == "overfitting"
    # Half of what was gained has been lost, and the best is more than half of the fit ago.
    assert alert.message == (
        "val_accuracy was best at epoch 101 (0.7) and is 0.596 at epoch 206, while train_accuracy went on "
        "from 0.6 to 0.705."
    )
    assert alert.evidence == {
        "best_step": 101,
        "best_value": pytest.approx(0.7),
        "step": 206,
        "value": pytest.approx(0.596),
        "train_metric": "train_accuracy",
        "train_value_at_best": pytest.approx(0.6),
        "train_value": pytest.approx(0.705),
    }


def test_a_loss_overfits_upwards() -> None:
    points = curves(train_log_loss=[1 - v for v in BETTER], val_log_loss=[1 - v for v in WORSE])
    assert said(raised(a_fit(**FLIPPED), points)) == [("overfitting", "val_log_loss")]
    # Of a classifier that is scored by its accuracy the loss says how sure it is, not how often it is right.
    assert raised(a_fit(), points) == ()


def test_rows_named_behind_the_metric_are_the_same() -> None:
    points = curves(**{"accuracy/train": BETTER, "accuracy/val": WORSE})
    assert said(raised(a_fit(), points)) == [("overfitting", "accuracy/val")]


@pytest.mark.parametrize(
    ("train", "val"),
    [
        pytest.param([1.0] * 400, [0.7, *[0.8] * 399], id="a gap that was there from the start"),
        pytest.param(WORSE, WORSE, id="both get worse"),
        pytest.param(BETTER, BETTER, id="both get better"),
        pytest.param(BETTER, [*WORSE[:200], *[0.69, 0.55] * 100], id="it comes near its best again"),
        pytest.param(BETTER, [0.9, 0.95, *[0.9] * 399], id="two rows of forty"),
        pytest.param(
            BETTER[:131],
            [*WORSE[:101], *[0.55 - 0.001 * step for step in range(30)]],
            id="for less than half of the fit",
        ),
        pytest.param(BETTER, [*WORSE[:101], *[0.65] * 300], id="less than half of what was gained"),
        pytest.param(
            [0.7 + value / 4 for value in BETTER],
            [0.41, 0.4346, *[0.38 - 1e-6 * step for step in range(399)]],
            id="little of the gap",
        ),
        pytest.param([], WORSE, id="no training rows were scored"),
    ],
)
def test_what_is_no_overfitting(train: list[float], val: list[float]) -> None:
    assert raised(a_fit(), curves(train_accuracy=train, val_accuracy=val)) == ()
