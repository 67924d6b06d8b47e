"""Counts add up, percentiles come from buckets, milestones are come to once."""

from __future__ import annotations

import pytest

from mlops_jupyter.core.volume import Counts, counts, crossed, percentile


def test_counts_of_two_times_are_those_of_both() -> None:
    one, two = counts(3, 5, 1, [0.002, 0.004]), counts(1, 1, 0, [0.004])
    assert one + two == counts(4, 6, 1, [0.002, 0.004, 0.004])
    assert Counts() + one == one


def test_percentiles_are_right_to_a_quarter() -> None:
    latencies = [0.001 * step for step in range(1, 1001)]
    found = counts(1000, 1000, 0, latencies).latency
    for share in (0.5, 0.95):
        exact = share * 1.0
        assert percentile(found, share) == pytest.approx(exact, rel=0.25)
    assert percentile(Counts().latency, 0.5) is None
    assert percentile(counts(1, 1, 0, [1e9]).latency, 0.5) == pytest.approx(44.8, rel=0.01)


@pytest.mark.parametrize(
    ("before", "after", "reached"),
    [
        (0, 999, None),
        (999, 1000, 1000),
        (1000, 1001, None),
        (998, 1500, 1000),
        (9_000, 9_999, None),
        (9_999, 250_000, 100_000),
        (100_000, 999_999, None),
    ],
)
def test_of_milestones_the_highest_that_was_crossed_is_told(
    before: int, after: int, reached: int | None
) -> None:
    assert crossed(before, after) == reached
