"""Whether what a model is asked still looks like what it was trained on, column by column. Pure.

A reference is a histogram of the training rows; what is predicted is counted into the same bins. PSI says how
far the two are apart, KS how far the cumulated shares of numbers are. Not here: making (``training``) and
filling the histograms (``serving``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

import msgspec

Level = Literal["none", "warning", "drift"]
#: From which PSI on a column is told, and rows below which nothing is said.
WARNING, DRIFT = 0.1, 0.25
ENOUGH = 200
#: A bin nobody fell into counts as this share: its logarithm would be infinite.
LEAST = 1e-4


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the training rows. Of numbers ``edges`` part the bins, of others ``labels`` name them, with
    one more for all that are not named; ``counts`` are theirs and, last, of missing values."""

    name: str
    counts: tuple[int, ...]
    edges: tuple[float, ...] | None = None
    labels: tuple[str, ...] | None = None


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Of one column, over ``rows`` that were predicted. Null with too few, ``ks`` for what is no number."""

    psi: float | None
    ks: float | None
    level: Level
    rows: int


def split(references: Sequence[Reference], counts: Sequence[int]) -> list[Sequence[int]]:
    """The counts of each of the ``references``, which stand one after the other."""
    ends = list(accumulate(len(reference.counts) for reference in references))
    return [counts[end - len(each.counts) : end] for each, end in zip(references, ends, strict=True)]


def drift(reference: Reference, counts: Sequence[int]) -> Drift:
    """``counts`` of what was predicted, in the bins of ``reference``."""
    rows = sum(counts)
    if rows < ENOUGH or sum(reference.counts) == 0:
        return Drift(psi=None, ks=None, level="none", rows=rows)
    psi = _psi(reference.counts, counts)
    level: Level = "none"
    if psi > _chance(reference.counts, rows):
        level = "drift" if psi >= DRIFT else "warning" if psi >= WARNING else "none"
    return Drift(
        psi=psi,
        ks=_ks(reference.counts, counts) if reference.edges is not None else None,
        level=level,
        rows=rows,
    )


def _psi(expected: Sequence[int], found: Sequence[int]) -> float:
    """The population stability index."""
    total = 0.0
    for share, other in zip(_shares(expected), _shares(found), strict=True):
        total += (other - share) * math.log(other / share)
    return total


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts)
    return [max(count / whole, LEAST) for count in counts]


def _chance(expected: Sequence[int], rows: int) -> float:
    """The PSI that rows of the same kind stay below but for once in a thousand times: times a constant it is
    distributed like chi squared with a degree of freedom for each bin but one."""
    degrees = max(sum(count > 0 for count in expected) - 1, 1)
    unit = 1 / rows + 1 / sum(expected)
    return unit * (degrees + 3.1 * math.sqrt(2 * degrees))


def _ks(expected: Sequence[int], found: Sequence[int]) -> float | None:
    """The largest distance between the cumulated shares at the edges; missing values apart."""
    known, met = expected[:-1], found[:-1]
    if not sum(known) or not sum(met):
        return None
    ours, theirs = sum(known), sum(met)
    return max(
        abs(one / ours - two / theirs) for one, two in zip(accumulate(known), accumulate(met), strict=True)
    )
