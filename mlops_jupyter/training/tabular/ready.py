"""Imports what models are made of: a worker before it has a job, a host before it has a model. The estimators
on offer, and those of a model file, are imported by name later on, and are there by then.

skrub comes without ``matplotlib.pyplot``, which is a sixth of all that is imported: skrub has it for its
reports, which neither a worker nor a host makes. Whoever does plot gets the real one, which is imported then.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import sklearn.ensemble
import sklearn.linear_model
import sklearn.neighbors
import sklearn.neural_network
import sklearn.svm  # noqa: F401

_PYPLOT = "matplotlib.pyplot"


class _OnceUsed(ModuleType):
    """What skrub has instead of pyplot."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(_PYPLOT) is self:
            # Used while it is imported: by a skrub that plots more than those we know.
            del sys.modules[_PYPLOT]
        return getattr(importlib.import_module(_PYPLOT), name)


@contextmanager
def _without_pyplot() -> Iterator[None]:
    if _PYPLOT in sys.modules:
        yield
        return
    stand_in = sys.modules[_PYPLOT] = _OnceUsed(_PYPLOT)
    try:
        yield
    finally:
        if sys.modules.get(_PYPLOT) is stand_in:
            del sys.modules[_PYPLOT]


with _without_pyplot():
    import skrub  # noqa: F401
