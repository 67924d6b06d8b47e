"""Multi-layer perceptrons, by a wrapper round the check they make after each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils import check_array

from mlops_jupyter.training.live.meter import Array, Meter

UNIT = "epoch"


def knows(estimator: Any) -> bool:
    """Epochs are what the stochastic solvers count; ``lbfgs`` has none."""
    return (
        isinstance(estimator, MLPClassifier | MLPRegressor)
        and estimator.solver in ("adam", "sgd")
        and all(hasattr(estimator, name) for name in ("_update_no_improvement_count", "_forward_pass_fast"))
    )


@contextmanager
def watch(estimator: Any, meter: Meter) -> Iterator[dict[str, Any]]:
    meter.begin(UNIT, estimator.max_iter)
    check = estimator._update_no_improvement_count
    rows = meter.prepared(check_array)

    def predict(index: int) -> Array:
        return _outputs(estimator, rows[index])

    def check_and_report(*arguments: Any, **named: Any) -> Any:
        result = check(*arguments, **named)
        with meter.border:
            epoch = estimator.n_iter_
            meter.reached(epoch)
            if meter.affordable(epoch):
                meter.measure(epoch, predict)
        return result

    estimator._update_no_improvement_count = check_and_report
    try:
        yield {}
    finally:
        del estimator._update_no_improvement_count


def _outputs(estimator: Any, X: Array) -> Array:
    output: Array = estimator._forward_pass_fast(X, check_input=False)
    if not is_classifier(estimator):
        return output[:, 0]
    return np.hstack([1 - output, output]) if output.shape[1] == 1 else output
