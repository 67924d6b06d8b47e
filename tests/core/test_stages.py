"""Eight stages whose shares sum to one."""

from __future__ import annotations

import msgspec
import pytest

from mlops_jupyter.core.stages import FIRST_SHARES, STAGES, fresh_stages, learned_shares, overall_progress


def test_the_eight_stages_have_these_titles_in_this_order() -> None:
    assert STAGES == (
        "Data validation",
        "Data preprocessing",
        "Feature engineering",
        "Model selection",
        "Training model",
        "Model validation",
        "Performance evaluation",
        "Finalizing model",
    )


def test_shares_sum_to_one_whatever_is_given() -> None:
    assert sum(stage.share for stage in fresh_stages([3.0] * 8)) == pytest.approx(1.0)
    assert sum(FIRST_SHARES) == pytest.approx(1.0)


def test_shares_are_learned_from_earlier_runs_each_counting_the_same() -> None:
    long = {"Training model": 900.0, "Data validation": 100.0}
    short = {"Training model": 0.7, "Data validation": 0.3}
    shares = dict(zip(STAGES, learned_shares([long, short]), strict=True))
    assert shares["Training model"] == pytest.approx(0.8, abs=0.01)
    assert shares["Data validation"] == pytest.approx(0.2, abs=0.01)
    assert all(share > 0 for share in shares.values())


def test_without_earlier_runs_the_first_shares_hold() -> None:
    assert learned_shares([]) == FIRST_SHARES
    assert learned_shares([{}]) == FIRST_SHARES


def test_a_skipped_stage_is_no_progress_and_takes_none_away() -> None:
    stages = list(fresh_stages([1] * 8))
    stages[0] = msgspec.structs.replace(stages[0], state="done")
    before = overall_progress(stages, 0.0)
    stages[1:4] = [msgspec.structs.replace(stage, state="skipped") for stage in stages[1:4]]
    assert [before, overall_progress(stages, before)] == [12.5, 20.0]
    everything = [msgspec.structs.replace(stage, state="skipped") for stage in stages]
    assert overall_progress(everything, 20.0) == 100.0
