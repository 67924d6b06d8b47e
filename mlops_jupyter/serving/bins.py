"""Counts the values of predicted rows into the bins of the training rows (``core.drift``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mlops_jupyter.core.drift import Reference
from mlops_jupyter.training.tabular.reference import spelled


class Bins:
    """All bins of all columns, one after the other."""

    def __init__(self, references: Sequence[Reference]) -> None:
        self._references = references
        self._counts = self._none()

    def add(self, values: Mapping[str, list[Any]]) -> None:
        """``values`` of each column, as they were checked: a step of a model may write into its table."""
        at = 0
        for reference in self._references:
            size = len(reference.counts)
            of = _numbers if reference.edges is not None else _names
            self._counts[at : at + size] += of(reference, values[reference.name])
            at += size

    def take(self) -> bytes:
        """What was counted since the last time; nothing where there are no references."""
        taken, self._counts = self._counts, self._none()
        return taken.tobytes()

    def _none(self) -> np.ndarray:
        return np.zeros(sum(len(reference.counts) for reference in self._references), dtype=np.int64)


def _numbers(reference: Reference, values: list[Any]) -> np.ndarray:
    assert reference.edges is not None
    numbers = np.array(values, dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    bins = np.searchsorted(reference.edges, known, side="right")
    counted = np.bincount(bins, minlength=len(reference.counts))
    counted[-1] = len(values) - len(known)
    return counted


def _names(reference: Reference, values: list[Any]) -> np.ndarray:
    assert reference.labels is not None
    # There are few of them, however many rows there are.
    met: Counter[str] = Counter()
    for value, times in _counted(values):
        if value is not None:
            met[spelled(value)] += times
    named = [met[label] for label in reference.labels]
    known = met.total()
    return np.array([*named, known - sum(named), len(values) - known])


def _counted(values: list[Any]) -> list[tuple[Any, int]]:
    if bool not in set(map(type, values)):
        return list(Counter(values).items())
    # To Python true is 1; here they are two.
    typed = Counter(zip(map(type, values), values, strict=True))
    return [(value, times) for (_, value), times in typed.items()]
