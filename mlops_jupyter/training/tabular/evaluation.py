"""Stage 7: the hold-out, which no stage before has seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from mlops_jupyter.training.run import Run, StageRun
from mlops_jupyter.training.tabular import curves, importance, metrics, validation
from mlops_jupyter.training.tabular.cleaning import Part, Parts
from mlops_jupyter.training.tabular.metrics import Metric, Predictions
from mlops_jupyter.training.tabular.preparation import transformed
from mlops_jupyter.training.tabular.wording import several

STEPS = 3


def evaluate(
    run: Run, stage: StageRun, pipeline: Pipeline, parts: Parts, metric: Metric, seed: int
) -> dict[str, float]:
    """All metrics of the hold-out; the report is told part by part."""
    final: Any = pipeline.steps[-1][1]
    X, y = parts.test.X, parts.test.y

    def predict(rows: pd.DataFrame) -> Predictions:
        run.predicted(len(rows))
        return metrics.predict(final, transformed(pipeline, rows))

    predictions = predict(X)
    scores = metrics.scores("test", y, predictions, metric)
    scores["test_baseline"] = validation.baseline(parts.train.y, y, metric)
    main = scores[f"test_{metric.name}"]
    run.evaluated(scores, final_score=main if np.isfinite(main) else None)
    stage.detail = f"{metric.name} {main:.4g} on {several(len(y), 'hold-out row')}"
    stage.advance(1, STEPS, "steps")
    if metric.classifies:
        report = curves.of_classes(y, predictions)
    else:
        report = curves.of_numbers(y, predictions, seed)
    run.evaluated({}, report)
    stage.advance(2)
    run.evaluated({}, _importances(predict, predictions, parts.test, metric, seed))
    stage.advance(STEPS)
    return scores


def _importances(
    predict: Callable[[pd.DataFrame], Predictions],
    predicted: Predictions,
    test: Part,
    metric: Metric,
    seed: int,
) -> dict[str, Any]:
    try:
        found = importance.importances(predict, predicted, test.X, test.y, metric, seed)
    except ValueError as error:
        return {"importances": None, "importances_reason": f"{metric.name} has no value here: {error}"}
    if found.columns is None:
        return {"importances": None, "importances_reason": found.reason}
    columns = [each._asdict() for each in found.columns[:SHOWN]]
    return {
        "importances": {
            "columns": columns,
            "rows": found.rows,
            "repeats": importance.REPEATS,
            "metric": metric.name,
        }
    }


#: Importances that stand in a job's record.
SHOWN = 50
