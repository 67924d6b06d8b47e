"""Stage 5: the fit that is kept, watched while it runs.

The pipeline is fitted as ``Pipeline.fit`` does it, step by step, so that the last step's rows are at
hand to be scored. Not here: the ways of watching (``training.live``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from mlops_jupyter.training.live.meter import Array, Meter, Rows
from mlops_jupyter.training.live.watching import watched
from mlops_jupyter.training.run import Run, StageRun
from mlops_jupyter.training.tabular import metrics, preparation
from mlops_jupyter.training.tabular.cleaning import Part, Parts
from mlops_jupyter.training.tabular.metrics import LiveMeasures, Metric, Predictions
from mlops_jupyter.training.tabular.preparation import Prepared, transformed
from mlops_jupyter.training.tabular.wording import several

#: Rows of training and validation scored while fitting.
SAMPLE = 1000


class Fitted(NamedTuple):
    """The fitted pipeline and its exact scores on all training and validation rows."""

    pipeline: Pipeline
    scores: dict[str, float]


def fit(
    run: Run,
    stage: StageRun,
    pipeline: Pipeline,
    parts: Parts,
    metric: Metric,
    seed: int,
    prepared: Prepared | None,
) -> Fitted:
    """``prepared``: the preprocessing of this pipeline, where it was fitted before."""
    train = parts.train
    if prepared is None:
        prepared = preparation.prepare(pipeline, train.X, train.y)
    # With a memory, pipelines put fitted copies in the place of their steps.
    pipeline.steps[:-1] = prepared.steps
    final: Any = pipeline.steps[-1][1]
    samples = [
        Sample("train", parts.train, seed),
        Sample("val", parts.validation, seed),
    ]
    measures = LiveMeasures(metric, np.unique(train.y) if metric.classifies else None)
    ready = _as_last_step_takes(pipeline, samples)
    rows = [Rows(x, measures.of(each.split, each.y)) for each, x in zip(samples, ready, strict=True)]
    meter = Meter(run, stage, () if issparse(prepared.X) else rows)
    with watched(final, meter) as arguments:
        final.fit(prepared.X, train.y, **arguments)
    scores: dict[str, float] = {}
    last: dict[str, float] = {}
    for sample, (x, measure) in zip(samples, rows, strict=True):
        part = sample.part
        predictions = metrics.predict(final, x if sample.complete else transformed(pipeline, part.X))
        run.predicted(len(part.y))
        scores |= metrics.scores(sample.split, part.y, predictions, metric)
        if meter.done:
            last |= measure(_live(predictions)[sample.rows])
    if meter.scored < meter.done:
        run.log(meter.done, last)
    stage.detail = several(meter.done, meter.unit) if meter.done else None
    run.evaluated(scores)
    return Fitted(pipeline, scores)


def refit(stage: StageRun, pipeline: Pipeline, parts: Parts) -> Pipeline:
    """A fresh fit on training and validation rows together."""
    X = pd.concat([parts.train.X, parts.validation.X])
    y = np.concatenate([parts.train.y, parts.validation.y])
    again: Pipeline = clone(pipeline).fit(X, y)
    stage.detail = f"{stage.detail}, " if stage.detail else ""
    stage.detail += f"refitted on {several(len(y), 'training and validation row')}"
    return again


class Sample:
    """Up to ``SAMPLE`` rows of a part, drawn with the job's seed; all of them where there are no more."""

    def __init__(self, split: str, part: Part, seed: int) -> None:
        count = len(part.y)
        self.split = split
        self.part = part
        self.complete = count <= SAMPLE
        drawn = np.random.default_rng(seed).choice(count, min(count, SAMPLE), replace=False)
        self.rows = np.sort(drawn)
        self.X = part.X.iloc[self.rows]
        self.y = part.y[self.rows]


def _as_last_step_takes(pipeline: Pipeline, samples: Sequence[Sample]) -> list[Any]:
    """All samples in one go: the steps cost far more a call than a row."""
    made = transformed(pipeline, pd.concat([sample.X for sample in samples]))
    ready = []
    start = 0
    for sample in samples:
        end = start + len(sample.y)
        ready.append(made.iloc[start:end] if hasattr(made, "iloc") else made[start:end])
        start = end
    return ready


def _live(predictions: Predictions) -> Array:
    """What the ways of watching predict."""
    found = predictions.values if predictions.classes is None else predictions.probabilities
    assert found is not None
    return found
