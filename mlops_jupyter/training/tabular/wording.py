"""Numbers and lists as they stand in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def counted(number: int) -> str:
    """``7043`` as ``7 043``."""
    return f"{number:,}".replace(",", " ")


def percents(share: float) -> str:
    """``0.31``, ``27``, ``99``: two digits; 100 is all of them and nothing less."""
    if share < 0.99:
        return f"{100 * share:.2g}"
    return "99" if share < 1 else "100"


def quoted(values: Sequence[object], most: int = 3) -> str:
    """``"a", "b", "c", +9``."""
    shown = ", ".join(f'"{value}"' for value in values[:most])
    return f"{shown}, +{counted(len(values) - most)}" if len(values) > most else shown


def rows_at(mask: np.ndarray[Any, Any]) -> str:
    """``rows 4, 19, 33, +9``: positions from 0."""
    where = np.flatnonzero(mask)
    more = f", +{counted(len(where) - 3)}" if len(where) > 3 else ""
    return f"row{'s' if len(where) > 1 else ''} {', '.join(map(str, where[:3]))}{more}"


def several(number: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``7 043 rows``."""
    return f"{counted(number)} {one if number == 1 else many or one + 's'}"
