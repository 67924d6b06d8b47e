"""Stage 6: how the chosen configuration does over folds, beside its training score and a dummy.

Not here: the hold-out (``evaluation``).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.run import Run, StageRun
from mlops_jupyter.training.tabular import crossvalidation
from mlops_jupyter.training.tabular.cleaning import Parts
from mlops_jupyter.training.tabular.metrics import Metric
from mlops_jupyter.training.tabular.selection import Chosen


def validate(
    run: Run,
    stage: StageRun,
    chosen: Chosen,
    parts: Parts,
    metric: Metric,
    train_score: float,
    n_jobs: int,
) -> dict[str, float]:
    """The folds of stage 4 where they exist, else made now. ``gap`` and ``over_baseline`` are positive
    when the training score, and the model, are the better ones."""
    scores = chosen.scores
    if scores is None:
        (scores,) = crossvalidation.compare(
            run, stage, [chosen.candidate], parts.train.X, parts.train.y, parts.folds, metric, n_jobs
        )
    else:
        stage.advance(len(parts.folds), len(parts.folds), "folds")
    y = parts.train.y
    guesses = [baseline(y[inside], y[outside], metric) for inside, outside in parts.folds]
    guess = float(np.mean(guesses))
    found = {"baseline": guess}
    sign = 1 if metric.greater_is_better else -1
    if scores.mean is None:
        run.finding("folds_failed", "No fold of the chosen configuration could be scored.")
        stage.detail = "no fold could be scored"
    else:
        found["cv_mean"] = scores.mean
        found["gap"] = sign * (train_score - scores.mean)
        found["over_baseline"] = sign * (scores.mean - guess)
        stage.detail = f"{metric.name} {scores.mean:.4g}"
    if scores.spread is not None:
        found["cv_std"] = scores.spread
        stage.detail = f"{stage.detail} ± {scores.spread:.2g}"
    run.evaluated(found)
    return found


def baseline(train: Array, held: Array, metric: Metric) -> float:
    """The score on ``held`` of guessing from the training targets alone; NaN where it has none."""
    dummy: Any = DummyClassifier(strategy="prior") if metric.classifies else DummyRegressor()
    dummy.fit(np.zeros((len(train), 1)), train)
    with warnings.catch_warnings(action="ignore"):
        try:
            return metric.measure(dummy, np.zeros((len(held), 1)), held)
        except ValueError:
            return float("nan")
