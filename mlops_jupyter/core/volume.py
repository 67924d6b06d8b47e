"""How much a model predicts, and how fast: counts that add up, percentiles, milestones. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import msgspec

#: Upper bounds of the buckets of latencies in seconds, a quarter wider each: 1 ms to 50 s, and beyond.
BOUNDS = tuple(0.001 * 1.25**step for step in range(49))
_BUCKETS = len(BOUNDS) + 1
FIRST_MILESTONE = 1000


class Counts(msgspec.Struct, frozen=True):
    """Of some time: requests that were answered, rows they predicted, requests that got none, and how many
    latencies fell into each bucket of ``BOUNDS``."""

    requests: int = 0
    predictions: int = 0
    errors: int = 0
    latency: tuple[int, ...] = (0,) * _BUCKETS

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.requests + other.requests,
            self.predictions + other.predictions,
            self.errors + other.errors,
            tuple(one + two for one, two in zip(self.latency, other.latency, strict=True)),
        )


def counts(requests: int, predictions: int, errors: int, latencies: Iterable[float]) -> Counts:
    """``latencies`` are those of requests that were predicted."""
    buckets = [0] * _BUCKETS
    for seconds in latencies:
        buckets[bisect_left(BOUNDS, seconds)] += 1
    return Counts(requests, predictions, errors, tuple(buckets))


def percentile(latency: Sequence[int], share: float) -> float | None:
    """Seconds within which this share of the requests was answered, to a quarter; None without any."""
    total = sum(latency)
    if total == 0:
        return None
    wanted, seen = math.ceil(share * total), 0
    for bound, count in zip((*BOUNDS, BOUNDS[-1]), latency, strict=True):
        seen += count
        if seen >= wanted:
            return bound
    return BOUNDS[-1]


def crossed(before: int, after: int) -> int | None:
    """The highest of 1,000, 10,000, 100,000 … that was come to between the two."""
    if after < FIRST_MILESTONE:
        return None
    highest: int = 10 ** (len(str(after)) - 1)
    return highest if before < highest <= after else None
