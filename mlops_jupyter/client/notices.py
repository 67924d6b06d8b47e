"""Warnings that point at the user's line, not at ours."""

from __future__ import annotations

import sys
import warnings


def warn(notice: Warning) -> None:
    """Issue ``notice`` as if the first caller outside this package had."""
    level = 1
    frame = sys._getframe()  # noqa: SLF001 - the documented way to a frame without its source lines
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("mlops_jupyter"):
        frame = frame.f_back
        level += 1
    warnings.warn(notice, stacklevel=level)
