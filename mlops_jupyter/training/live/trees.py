"""Rows as compiled trees take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array

from mlops_jupyter.training.live.meter import Array


def as_trees_take(X: Any) -> Array:
    """Dense 32-bit floats, row by row; missing values stay."""
    rows: Array = check_array(X, dtype=np.float32, order="C", ensure_all_finite=False)
    return rows
