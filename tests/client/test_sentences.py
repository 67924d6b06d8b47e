from __future__ import annotations

from typing import Any

import pytest

from mlops_jupyter.client import sentences, terminal
from mlops_jupyter.core.jobs import Best
from tests.core.builders import a_job


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"status": "queued"}, "◷ queued"),
        ({"status": "queued", "ahead": 2}, "◷ queued, 2 ahead"),
        ({"status": "starting"}, "● starting"),
        ({"status": "running", "progress": 58.4}, "● running 58 %"),
        ({"status": "running", "progress": 99.9}, "● running 99 %"),
        ({"status": "completed", "elapsed_time": 10.44}, "✓ finished in 10.4 s"),
        ({"status": "failed", "current_stage": "Training model"}, "✕ failed at Training model"),
        ({"status": "lost"}, "✕ lost"),
        ({"status": "running", "unreadable": True}, "? record unreadable, running"),
        ({"status": "cancelled", "stopped_by": "ada", "progress": 58.0}, "◼ cancelled by ada at 58 %"),
        ({"status": "cancelled"}, "◼ cancelled at —"),
    ],
)
def test_every_state_has_its_words(fields: dict[str, Any], state: str) -> None:
    assert sentences.state(a_job(**fields)) == state


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "—"), (0.04, "0.0 s"), (59.9, "59.9 s"), (65.0, "1:05"), (7390.0, "2:03:10")],
)
def test_durations_are_as_exact_as_they_are_of_use(seconds: float | None, words: str) -> None:
    assert sentences.seconds(seconds) == words


@pytest.mark.parametrize(
    ("remaining", "words"),
    [
        (None, None),
        (0.2, "left ~0:01"),
        (3.6, "left ~0:04"),
        (121.0, "left ~2:05"),
        (1000.0, "left ~17:00"),
        (-3.0, "longer than estimated"),
    ],
)
def test_what_is_left_is_rounded_up_and_never_nothing(remaining: float | None, words: str | None) -> None:
    assert sentences.left(a_job(status="running", estimated_remaining=remaining)) == words


def test_a_job_that_is_over_has_nothing_left() -> None:
    assert sentences.left(a_job(status="completed", estimated_remaining=3.0)) is None


def test_ids_are_shortened_as_far_as_they_stay_apart() -> None:
    ids = ["j-7f3a00000000", "j-7f3a10000000", "j-7c4400000000"]
    assert [sentences.short(job_id, ids) for job_id in ids] == ["j-7f3a0", "j-7f3a1", "j-7c44"]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([1.0, 1.0], "▁▁"),
        ([0.0, None, 7.0], "▁█"),
        (list(map(float, range(100))), "▁▂▃▃▄▅▆▆▇█"),
    ],
)
def test_a_sparkline_goes_from_the_lowest_to_the_highest(values: list[float | None], line: str) -> None:
    assert sentences.sparkline(values) == line


def test_the_line_of_a_terminal_tells_what_is_known() -> None:
    running = a_job(
        status="running",
        progress=58.0,
        current_stage="Training model",
        elapsed_time=6.0,
        estimated_remaining=4.0,
        live_metrics={"train_loss": 0.055, "val_loss": 0.141, "val_accuracy": 0.972},
        best=Best(name="val_accuracy", value=0.98, step=22),
    )
    assert terminal.line(running) == (
        " 58 % ▰▰▰▰▰▰▰▱▱▱▱▱ Training model 5/8 · 6.0 s · left ~0:04 · val_accuracy 0.972"
    )
    assert terminal.line(a_job(status="queued", ahead=1)) == f"    — {'▱' * 12} queued, 1 ahead · —"


def test_scores_name_their_metric() -> None:
    job = a_job(final_score=0.97421, best=Best(name="val_loss", value=0.12, step=37))
    assert (sentences.score(job), sentences.best(job)) == ("accuracy 0.9742", "best val_loss 0.12 @ 37")
    assert (sentences.score(a_job()), sentences.best(a_job())) == (None, None)
