"""The way to watch a given estimator; none where no way is known to be right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from mlops_jupyter.training.live import (
    forest,
    gradient_boosting,
    hist_gradient_boosting,
    logistic,
    mlp,
)
from mlops_jupyter.training.live.meter import Meter

WAYS = (logistic, gradient_boosting, hist_gradient_boosting, forest, mlp)


@contextmanager
def watched(estimator: Any, meter: Meter) -> Iterator[dict[str, Any]]:
    """While the body fits ``estimator``, ``meter`` hears of it; yields arguments that ``fit`` needs.

    An estimator nobody knows how to watch, or whose inside is not what we expect, is simply fitted:
    its length stays unknown and there are no points.
    """
    with ExitStack() as stack:
        arguments: dict[str, Any] = {}
        with meter.border:
            way = next((way for way in WAYS if way.knows(estimator)), None)
            if way is not None:
                arguments = stack.enter_context(way.watch(estimator, meter))
        yield arguments
    with meter.border:
        meter.end()
