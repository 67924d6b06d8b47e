"""Stage 4: which candidate is to be trained, by its mean score over the folds of the training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlops_jupyter.core.errors import DataError
from mlops_jupyter.training.run import Run, StageRun
from mlops_jupyter.training.tabular import crossvalidation
from mlops_jupyter.training.tabular.candidates import Candidate
from mlops_jupyter.training.tabular.cleaning import Parts
from mlops_jupyter.training.tabular.crossvalidation import Scores
from mlops_jupyter.training.tabular.metrics import Metric
from mlops_jupyter.training.tabular.wording import several


class Chosen(NamedTuple):
    """``scores`` are those on the folds of the training rows; None where none were made."""

    candidate: Candidate
    scores: Scores | None


def select(
    run: Run, stage: StageRun, candidates: Sequence[Candidate], parts: Parts, metric: Metric, n_jobs: int
) -> Chosen:
    """Compare ``candidates``; the first of equals wins. Without folds the validation rows decide."""
    X, y, folds = parts.train.X, parts.train.y, parts.folds
    if not folds:
        X = pd.concat([parts.train.X, parts.validation.X])
        y = np.concatenate([parts.train.y, parts.validation.y])
        middle = len(parts.train.y)
        folds = [(np.arange(middle), np.arange(middle, len(y)))]
    scores = crossvalidation.compare(run, stage, candidates, X, y, folds, metric, n_jobs)
    best = _best(scores, metric)
    if best is None:
        raise DataError(
            f"None of the {several(len(candidates), 'candidate')} could be fitted.",
            "Each candidate shows its own error; training one alone shows the whole traceback:",
            f'mlops.train(…, model="{candidates[0].label}")' if candidates[0].label.isidentifier() else None,
        )
    chosen = candidates[best]
    run.chosen(best, chosen.label, chosen.parameters)
    mean = scores[best].mean
    stage.detail = (
        f"{chosen.label}: {metric.name} {mean:.4g}, best of {several(len(candidates), 'candidate')}"
    )
    return Chosen(chosen, scores[best] if parts.folds else None)


def _best(scores: Sequence[Scores], metric: Metric) -> int | None:
    best: int | None = None
    for index, each in enumerate(scores):
        # A mean over fewer folds is of other rows: it may not win by what it left out.
        if each.mean is None or len(each.known) < max(len(other.known) for other in scores):
            continue
        if best is None or metric.better(each.mean, scores[best].mean or 0.0):
            best = index
    return best
