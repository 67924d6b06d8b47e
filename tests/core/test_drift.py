"""Drift: rows like those of training raise nothing, others do, and too few say nothing."""

from __future__ import annotations

import random

import numpy as np
import pytest

from mlops_jupyter.core.drift import Drift, Reference, drift

NUMBERS = Reference(name="age", edges=(1.0, 2.0, 3.0), counts=(250, 250, 250, 250, 0))


def test_the_numbers_are_those_of_the_textbook() -> None:
    found = drift(NUMBERS, (100, 200, 300, 400, 0))
    shares, ours = np.array([0.1, 0.2, 0.3, 0.4]), np.full(4, 0.25)
    psi = float(((shares - ours) * np.log(shares / ours)).sum())
    assert found == Drift(psi=pytest.approx(psi), ks=pytest.approx(0.2), level="warning", rows=1000)


def test_rows_as_in_training_are_no_drift_and_others_are() -> None:
    assert drift(NUMBERS, (251, 249, 250, 250, 0)).level == "none"
    assert drift(NUMBERS, (0, 0, 0, 1000, 0)).level == "drift"
    assert drift(NUMBERS, (125, 125, 125, 125, 500)).level == "drift"


def test_of_a_few_rows_nothing_is_said() -> None:
    assert drift(NUMBERS, (0, 0, 0, 199, 0)) == Drift(psi=None, ks=None, level="none", rows=199)


def test_names_have_no_order_to_compare() -> None:
    names = Reference(name="town", labels=("Ulm", "Bonn"), counts=(500, 400, 100, 0))
    found = drift(names, (50, 40, 910, 0))
    assert (found.ks, found.level) == (None, "drift")


def test_chance_alone_raises_hardly_ever() -> None:
    """The fewest rows of which anything is said, in as many bins as there can be."""
    chance = random.Random(0)
    names = Reference(name="town", labels=tuple(map(str, range(20))), counts=(*[40] * 20, 0, 0))
    raised = 0
    for _ in range(500):
        counts = [0] * 22
        for _ in range(200):
            counts[chance.randrange(20)] += 1
        raised += drift(names, counts).level != "none"
    assert raised <= 5
