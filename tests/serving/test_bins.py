"""Values of rows to predict fall into the bins of the training rows by what they are, not by what Python
takes them for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops_jupyter.core.drift import Reference
from mlops_jupyter.serving.bins import Bins


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([1, 1.0, "1", True, "true", False, None], [3, 2, 1, 1]),
        ([1, 1.0, "1", "true", 2.5, None, None], [3, 1, 1, 2]),
        ([True, True, False], [0, 2, 1, 0]),
        ([None], [0, 0, 0, 1]),
    ],
)
def test_names_are_counted_as_training_spelled_them(values: list[Any], counts: list[int]) -> None:
    bins = Bins([Reference(name="level", labels=("1", "true"), counts=(0, 0, 0, 0))])
    bins.add({"level": values})
    assert np.frombuffer(bins.take(), dtype=np.int64).tolist() == counts
