"""What watching costs a fit: bare and watched fits in turn, one BLAS thread, the median of pairs.

    python benchmarks/cost_to_fit.py [--pairs 15] [--only forest] [--cpu]

``progress`` tells how far the fit is, ``score`` measures 1,000 training and 1,000 validation rows
besides, within its budget. Read the ratios for fits over 0.2 s and the milliseconds for those below.
``--cpu`` counts the CPU time of the process on one thread: what a busy machine can still measure. It
charges fits watched from a thread for that thread, which would otherwise have a core of its own.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits, make_classification
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from mlops_jupyter.training.journal import Writer
from mlops_jupyter.training.live.meter import Meter, Rows
from mlops_jupyter.training.live.watching import watched
from mlops_jupyter.training.run import Run
from mlops_jupyter.training.tabular.metrics import LiveMeasures, metric

SAMPLE = 1000
Clock = Callable[[], float]


class Case(NamedTuple):
    """A fit to measure: its estimator and the table it is fitted on."""

    name: str
    estimator: Any
    table: str


CASES = [
    Case("logistic", LogisticRegression(max_iter=1000), "large"),
    Case("gradient boosting", GradientBoostingClassifier(n_estimators=5, random_state=0), "medium"),
    Case("hist gradient boosting", HistGradientBoostingClassifier(max_iter=50, random_state=0), "large"),
    Case("forest", RandomForestClassifier(8, random_state=0), "medium"),
    Case("forest, 2 cores", RandomForestClassifier(8, n_jobs=2, random_state=0), "medium"),
    Case("mlp", MLPClassifier(max_iter=8, random_state=0), "medium"),
    Case("logistic", LogisticRegression(max_iter=1000), "digits"),
    Case("gradient boosting", GradientBoostingClassifier(n_estimators=5, random_state=0), "small"),
    Case("hist gradient boosting", HistGradientBoostingClassifier(max_iter=20, random_state=0), "small"),
    Case("forest", RandomForestClassifier(50, random_state=0), "small"),
    Case("mlp", MLPClassifier(max_iter=20, random_state=0), "small"),
]


def tables() -> dict[str, tuple[Any, Any]]:
    def made(rows: int, columns: int) -> tuple[Any, Any]:
        return make_classification(rows + SAMPLE, columns, n_informative=10, random_state=0)

    X, y = load_digits(return_X_y=True)
    return {
        "large": made(100_000, 30),
        "medium": made(20_000, 30),
        "small": made(400, 20),
        "digits": (X / 16, y),
    }


@contextmanager
def journal() -> Iterator[Run]:
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder) / "journal")
        yield Run(writer)
        writer.close()


def bare(clock: Clock, estimator: Any, X: Any, y: Any, _: list[Rows]) -> float:
    began = clock()
    estimator.fit(X, y)
    return clock() - began


def seen(clock: Clock, estimator: Any, X: Any, y: Any, rows: list[Rows]) -> float:
    with journal() as run, run.stage("Training model") as stage:
        began = clock()
        with watched(estimator, Meter(run, stage, rows)) as arguments:
            estimator.fit(X, y, **arguments)
        return clock() - began


def measured(case: Case, X: Any, y: Any, pairs: int, clock: Clock) -> str:
    held = min(SAMPLE, len(y) // 5)
    X, y, X_held, y_held = X[:-held], y[:-held], X[-held:], y[-held:]
    classes = np.unique(y) if is_classifier(case.estimator) else None
    measures = LiveMeasures(metric("accuracy", classes), classes)
    sample = np.random.default_rng(0).choice(len(y), min(SAMPLE, len(y)), replace=False)
    rows = [
        Rows(X[sample], measures.of("train", y[sample])),
        Rows(X_held, measures.of("val", y_held)),
    ]
    ways: dict[str, tuple[Callable[..., float], list[Rows]]] = {
        "bare": (bare, []),
        "progress": (seen, []),
        "score": (seen, rows),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for pair in range(pairs + 1):
        # The order changes, so that what the one leaves behind is not always the other's burden.
        for name in list(ways) if pair % 2 else reversed(list(ways)):
            way, watch = ways[name]
            gc.collect()
            took = way(clock, clone(case.estimator), X, y, watch)
            if pair:
                times[name].append(took)
    alone = statistics.median(times["bare"])
    cells = [f"{case.name:24}{case.table:8}{1000 * alone:9.1f} ms"]
    for name in ("progress", "score"):
        ratio = statistics.median(w / b for w, b in zip(times[name], times["bare"], strict=True))
        more = statistics.median(w - b for w, b in zip(times[name], times["bare"], strict=True))
        cells.append(f"{ratio:9.3f} ×{1000 * more:+9.2f} ms")
    return "".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--only", default="", help="cases whose name or table contains this")
    parser.add_argument("--cpu", action="store_true", help="CPU time of the process, on one thread")
    arguments = parser.parse_args()
    clock = time.process_time if arguments.cpu else time.perf_counter
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"{'fit':24}{'table':8}{'bare':>12}{'progress':>23}{'score':>23}")
    with threadpool_limits(1, user_api=None if arguments.cpu else "blas"):
        found = tables()
        for case in CASES:
            if arguments.only in f"{case.name} {case.table}":
                print(measured(case, *found[case.table], arguments.pairs, clock))
                sys.stdout.flush()


if __name__ == "__main__":
    main()
