"""Candidates fitted and scored fold by fold; every fold is told as it arrives.

Used to compare candidates (``selection``) and to measure the chosen one (``validation``).
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.run import Run, StageRun
from mlops_jupyter.training.tabular.candidates import Candidate
from mlops_jupyter.training.tabular.metrics import Metric
from mlops_jupyter.training.tabular.splits import Fold


class Scored(NamedTuple):
    """One candidate on one fold. ``score`` is None where its fit or its score failed."""

    candidate: int
    fold: int
    score: float | None
    rows: int
    seconds: float
    error: str | None


class Scores(NamedTuple):
    """One candidate on all folds; failed ones are None."""

    folds: tuple[float | None, ...]

    @property
    def known(self) -> list[float]:
        return [score for score in self.folds if score is not None]

    @property
    def mean(self) -> float | None:
        return float(np.mean(self.known)) if self.known else None

    @property
    def spread(self) -> float | None:
        """Standard deviation between the folds."""
        return float(np.std(self.known, ddof=1)) if len(self.known) > 1 else None


def compare(
    run: Run,
    stage: StageRun,
    candidates: Sequence[Candidate],
    X: pd.DataFrame,
    y: Array,
    folds: Sequence[Fold],
    metric: Metric,
    n_jobs: int,
) -> list[Scores]:
    """Scores of all candidates on all folds, told one by one. All candidates have their first fold
    scored before any has its second: the comparison means something from early on."""
    total = len(candidates) * len(folds)
    stage.advance(0, total, "folds")
    found: list[list[float | None]] = [[None] * len(folds) for _ in candidates]
    for done, scored in enumerate(_scored(candidates, X, y, folds, metric, n_jobs), 1):
        found[scored.candidate][scored.fold] = scored.score
        candidate = candidates[scored.candidate]
        run.candidate(
            stage=stage.name,
            candidate=scored.candidate,
            candidates=len(candidates),
            label=candidate.label,
            parameters=candidate.parameters,
            fold=scored.fold,
            folds=len(folds),
            score=scored.score,
            seconds=scored.seconds,
            error=scored.error,
        )
        run.predicted(scored.rows)
        stage.advance(done)
    return [Scores(tuple(scores)) for scores in found]


def _scored(
    candidates: Sequence[Candidate],
    X: pd.DataFrame,
    y: Array,
    folds: Sequence[Fold],
    metric: Metric,
    n_jobs: int,
) -> Iterator[Scored]:
    tasks = [(c, f) for f in range(len(folds)) for c in range(len(candidates))]
    if n_jobs == 1 or len(tasks) == 1:
        for c, f in tasks:
            yield score_fold(c, f, candidates[c].pipeline, X, y, folds[f], metric)
        return
    # Processes of joblib's own: preprocessing is Python and would not run side by side in threads.
    try:
        with Parallel(n_jobs=n_jobs, return_as="generator_unordered") as parallel:
            yield from parallel(
                delayed(score_fold)(c, f, _alone(candidates[c].pipeline), X, y, folds[f], metric)
                for c, f in tasks
            )
    finally:
        # They would wait five minutes for more, with a few hundred megabytes each; and a job that is
        # stopped would wait for their folds.
        get_reusable_executor().shutdown(wait=True, kill_workers=True)


def score_fold(
    candidate: int, fold: int, pipeline: Pipeline, X: pd.DataFrame, y: Array, rows: Fold, metric: Metric
) -> Scored:
    """Fit a fresh copy of the whole pipeline on the fold's inside, score it on its outside."""
    inside, outside = rows
    began = time.perf_counter()
    score: float | None = None
    error: str | None = None
    try:
        # Said once, by the fit that is kept; five folds would say it five times.
        with warnings.catch_warnings(action="ignore"):
            fitted = clone(pipeline).fit(X.iloc[inside], y[inside])
            score = metric.measure(fitted, X.iloc[outside], y[outside])
        if not np.isfinite(score):
            score, error = None, f"{metric.name} is not defined for these rows"
    except Exception as failure:  # noqa: BLE001 - a candidate that cannot be fitted is a result
        error = f"{type(failure).__name__}: {failure}".partition("\n")[0][:500]
    return Scored(candidate, fold, score, len(outside), time.perf_counter() - began, error)


def _alone(pipeline: Pipeline) -> Pipeline:
    """A copy that uses one core: the folds already share them."""
    copy: Any = clone(pipeline)
    final = copy.steps[-1][1]
    if final.get_params(deep=False).get("n_jobs") not in (None, 1):
        final.set_params(n_jobs=1)
    return copy
