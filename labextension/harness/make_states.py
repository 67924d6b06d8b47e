"""Writes ``states.json``: job records and measured series for the harness page and its pictures.

The curves, scores and errors are measured here with scikit-learn; the times around them are set by hand, so that
the same states can be drawn again. Not a part of the product.
"""

from __future__ import annotations

import json
import sys
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from mlops_jupyter.core import jobs, wire
from mlops_jupyter.core.stages import STAGES, Stage

EPOCHS = 40
START = datetime(2026, 11, 21, 14, 2, 0, tzinfo=UTC)
SECONDS = (0.1, 0.2, 0.2, 1.1, 6.9, 1.2, 0.5, 0.2)


def fitted() -> tuple[dict[str, list[dict[str, Any]]], dict[str, float]]:
    X, y = load_digits(return_X_y=True)
    X_rest, X_test, y_rest, y_test = train_test_split(X / 16, y, test_size=0.2, random_state=0, stratify=y)
    X_train, X_val, y_train, y_val = train_test_split(
        X_rest, y_rest, test_size=0.2, random_state=0, stratify=y_rest
    )
    model = MLPClassifier((64,), learning_rate_init=2e-3, random_state=0)
    series: dict[str, list[dict[str, Any]]] = {}
    for epoch in range(1, EPOCHS + 1):
        model.partial_fit(X_train, y_train, classes=np.unique(y))
        for split, rows, target in (("train", X_train, y_train), ("val", X_val, y_val)):
            chances = model.predict_proba(rows)
            guess = chances.argmax(axis=1)
            for name, value in (
                ("accuracy", accuracy_score(target, guess)),
                ("log_loss", log_loss(target, chances)),
                *((("f1_macro", f1_score(target, guess, average="macro")),) if split == "val" else ()),
            ):
                series.setdefault(f"{split}_{name}", []).append(
                    {"step": epoch, "value": round(float(value), 5)}
                )
    chances = model.predict_proba(X_test)
    guess = chances.argmax(axis=1)
    metrics = {
        "test_accuracy": accuracy_score(y_test, guess),
        "test_f1_macro": f1_score(y_test, guess, average="macro"),
        "test_log_loss": log_loss(y_test, chances),
        "baseline": float(np.bincount(y_test).max() / len(y_test)),
    }
    scores = cross_val_score(
        MLPClassifier((64,), learning_rate_init=2e-3, max_iter=EPOCHS, random_state=0), X_rest, y_rest
    )
    metrics |= {"cv_mean": scores.mean(), "cv_std": scores.std(ddof=1)}
    return series, {name: float(value) for name, value in metrics.items()}


def compared() -> list[jobs.Candidate]:
    X, y = load_digits(return_X_y=True)
    estimators = {
        "logistic": LogisticRegression(max_iter=200),
        "rf": RandomForestClassifier(50, random_state=0),
        "extra_trees": ExtraTreesClassifier(50, random_state=0),
        "svm": SVC(random_state=0),
        "knn": KNeighborsClassifier(),
        "tree": DecisionTreeClassifier(random_state=0),
        "naive_bayes": GaussianNB(),
        "mlp": MLPClassifier((64,), max_iter=60, random_state=0),
    }
    found = []
    for index, (label, estimator) in enumerate(estimators.items()):
        scores = cross_val_score(estimator, X / 16, y)
        found.append(
            jobs.Candidate(
                index=index,
                label=label,
                stage="Model selection",
                parameters={"random_state": 0},
                scores=tuple(float(s) for s in scores),
                mean=float(scores.mean()),
                spread=float(scores.std(ddof=1)),
                seconds=1.0,
            )
        )
    best = max(found, key=lambda candidate: candidate.mean or 0)
    return [jobs.msgspec.structs.replace(c, chosen=c is best) for c in found]


def stages(
    current: int, state: str = "running", done: int | None = None, total: int | None = None
) -> tuple[Stage, ...]:
    at, made = 0.0, []
    for i, name in enumerate(STAGES):
        unit = "epoch" if i == 4 else "fold" if i in (3, 5) else None
        if i < current:
            made.append(
                Stage(
                    name=name,
                    state="done",
                    share=0.125,
                    started=at,
                    elapsed=SECONDS[i],
                    unit=unit,
                    done=EPOCHS if i == 4 else 5,
                    total=EPOCHS if i == 4 else 5,
                )
            )
        elif i == current:
            ended = None if state == "running" else 4.8
            made.append(
                Stage(
                    name=name,
                    state=state,
                    share=0.4,
                    started=at,
                    elapsed=ended,
                    done=done,
                    total=total,
                    unit=unit,
                )
            )  # type: ignore[arg-type]
        else:
            made.append(Stage(name=name, share=0.125))
        at += SECONDS[i]
    return tuple(made)


def job(**fields: Any) -> dict[str, Any]:
    base = {
        "job_id": "j-7f3a2b4c5d6e",
        "name": "digits-mlp",
        "status": "running",
        "submitted_time": START,
        "start_time": START,
        "target": "digit",
        "task": "classification",
        "metric": "accuracy",
        "greater_is_better": True,
        "estimator": "MLPClassifier",
        "parameters": {"hidden_layer_sizes": [64], "learning_rate_init": 0.002, "max_iter": EPOCHS},
        "dataset": jobs.Dataset(name="digits.csv", rows=1797, columns=65, hash="9c1"),
        "submitted_by": "ada",
    }
    return json.loads(wire.encode(jobs.Job(**{**base, **fields})))


def main(path: Path) -> None:
    warnings.simplefilter("ignore")
    series, metrics = fitted()
    candidates = compared()
    until = lambda n: {name: points[:n] for name, points in series.items()}  # noqa: E731
    at23 = {name: points[22]["value"] for name, points in series.items()}
    best = jobs.Best(name="val_accuracy", value=max(p["value"] for p in series["val_accuracy"][:22]), step=22)
    running = {
        "status": "running",
        "progress": 58.0,
        "current_stage": STAGES[4],
        "stages": stages(4, done=23, total=EPOCHS),
        "stages_completed": 4,
        "elapsed_time": 6.4,
        "estimated_remaining": 4.2,
        "estimated_total_time": 10.6,
        "live_metrics": at23,
        "best": best,
    }
    finding = jobs.Finding(
        code="D04", severity="warning", message="is the same in all rows; it was dropped", column="pixel_0_0"
    )
    half = [
        jobs.msgspec.structs.replace(
            c, chosen=False, scores=(*c.scores[: 5 - (i + 2) % 4], *(None,) * ((i + 2) % 4))
        )
        for i, c in enumerate(candidates)
    ]
    over = {"end_time": START + timedelta(seconds=10.4), "elapsed_time": 10.4}
    log = ("epoch 21: 0.061", "epoch 22: 0.058", "epoch 23: 0.055")
    best_over = jobs.Best(name="val_accuracy", value=max(p["value"] for p in series["val_accuracy"]), step=37)
    finished = {
        **over,
        "status": "completed",
        "progress": 100.0,
        "current_stage": STAGES[7],
        "stages": stages(8),
        "stages_completed": 8,
        "metrics": metrics,
        "final_score": metrics["test_accuracy"],
        "final_accuracy": metrics["test_accuracy"],
        "best": best_over,
        "model_id": "m-7f3a2b4c5d6e",
        "resources": jobs.Resources(cpu_seconds=11.8, peak_memory_bytes=312_000_000),
        "findings": (finding,),
    }
    diverged = {
        "train_log_loss": [
            {"step": i + 1, "value": v} for i, v in enumerate([2.3, 2.1, 2.4, 3.9, 8.8, 40.2, 512.0])
        ]
        + [{"step": i, "value": None, "nf": "nan"} for i in range(8, 13)],
    }
    rng = np.random.default_rng(0)
    long = np.exp(-np.arange(100_000) / 30_000) + 0.01 * rng.standard_normal(100_000)
    states = {
        "queued": {"record": job(status="queued", ahead=2, start_time=None, stages=stages(-1))},
        "starting": {"record": job(status="starting", start_time=None, stages=stages(-1))},
        "preprocessing": {
            "record": job(
                **{
                    **running,
                    "progress": 6.0,
                    "current_stage": STAGES[1],
                    "stages": stages(1),
                    "elapsed_time": 0.2,
                    "estimated_remaining": None,
                    "estimated_total_time": None,
                    "best": None,
                    "live_metrics": {},
                }
            )
        },
        "selecting": {
            "record": job(
                **{
                    **running,
                    "name": "digits-auto",
                    "progress": 31.0,
                    "current_stage": STAGES[3],
                    "stages": stages(3, done=22, total=40),
                    "elapsed_time": 3.4,
                    "best": None,
                    "candidates": tuple(half),
                    "live_metrics": {},
                }
            )
        },
        "running": {"record": job(**{**running, "findings": (finding,)}), "series": until(23)},
        "running after selection": {
            "record": job(**{**running, "candidates": tuple(candidates), "findings": (finding, finding)}),
            "series": until(23),
        },
        "length unknown": {
            "record": job(
                **{
                    **running,
                    "name": "digits-svm",
                    "stages": stages(4),
                    "estimated_remaining": None,
                    "estimated_total_time": None,
                    "best": None,
                    "live_metrics": {},
                    "progress": 31.0,
                }
            )
        },
        "overdue": {
            "record": job(**{**running, "estimated_total_time": 6.0, "estimated_remaining": None}),
            "series": until(23),
        },
        "stale": {"record": job(**running), "series": until(23), "quiet": 11},
        "polling": {
            "record": job(**running),
            "series": until(23),
            "link": {"transport": "polling", "rtt": None},
        },
        "stopping": {"record": job(**{**running, "status": "stopping"}), "series": until(23)},
        "reconnecting": {
            "record": job(**running),
            "series": until(23),
            "link": {"phase": "waiting", "transport": None, "attempt": 3, "retryIn": 4, "downFor": 11},
        },
        "server gone": {
            "record": job(**running),
            "series": until(23),
            "link": {"phase": "waiting", "transport": None, "attempt": 7, "retryIn": 20, "downFor": 60},
        },
        "not finite": {
            "record": job(**{**running, "stages": stages(4, done=12, total=EPOCHS), "best": None}),
            "series": diverged,
        },
        "long": {
            "record": job(**{**running, "stages": stages(4, done=100_000, total=200_000)}),
            "series": {
                "train_log_loss": [
                    {"step": i + 1, "value": round(float(v), 4)} for i, v in enumerate(long) if i % 100 == 0
                ]
            },
            "counts": {"train_log_loss": 100_000},
        },
        "finished": {"record": job(**finished), "series": series},
        "finished after selection": {
            "record": job(**{**finished, "candidates": tuple(candidates)}),
            "series": series,
        },
        "finished without curves": {
            "record": job(
                **{
                    **finished,
                    "name": "digits-svm",
                    "best": None,
                    "candidates": (jobs.msgspec.structs.replace(candidates[3], stage=STAGES[5], index=0),),
                }
            )
        },
        "finished, model not kept": {
            "record": job(
                **{
                    **finished,
                    "model_id": None,
                    "model_missing_reason": "the pipeline holds my_steps.Clipper, a type that cannot be kept safely",
                }
            ),
            "series": series,
        },
        "failed early": {
            "record": job(
                status="failed",
                reason="error",
                progress=4.0,
                current_stage=STAGES[1],
                stages=stages(1, "failed"),
                end_time=START,
                elapsed_time=0.3,
                error='Target column "churn" has 12 missing values (rows 4, 19, 33, +9).',
                hint='Drop them, or fill them before training:\ntarget_na="drop"',
                traceback='Traceback (most recent call last):\n  File "target.py", line 31\nTargetError: missing values',
            )
        },
        "killed": {
            "record": job(
                **{
                    **running,
                    **over,
                    "status": "failed",
                    "reason": "signal",
                    "signal": 9,
                    "stages": stages(4, "failed", 23, EPOCHS),
                    "error": "The worker was killed by signal 9 in stage Training model.",
                    "estimated_remaining": None,
                    "log_tail": log,
                    "log_lines": 40,
                }
            ),
            "series": until(23),
        },
        "cancelled": {
            "record": job(
                **{
                    **running,
                    **over,
                    "status": "cancelled",
                    "reason": "cancelled",
                    "stopped_by": "ada",
                    "stages": stages(4, "cancelled", 23, EPOCHS),
                    "estimated_remaining": None,
                }
            ),
            "series": until(23),
        },
        "lost": {
            "record": job(
                **{
                    **running,
                    **over,
                    "status": "lost",
                    "reason": "lost",
                    "stages": stages(4, "failed", 23, EPOCHS),
                    "error": "The job is lost: its processes are gone and left no word.",
                    "estimated_remaining": None,
                    "log_tail": log,
                    "log_lines": 40,
                }
            ),
            "series": until(23),
        },
        "saved while running": {
            "record": job(**running),
            "series": until(23),
            "source": "saved",
            "as_of": "2026-11-21T14:02:07Z",
        },
        "hostile": {
            "record": job(**{**running, "name": "<img src=x onerror=alert(1)>" * 3, "findings": (finding,)}),
            "series": {
                "train_<b>loss</b>": series["train_log_loss"][:23],
                "__proto__": series["val_log_loss"][:23],
            },
        },
    }
    path.write_text(json.dumps(states, separators=(",", ":")))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("states.json")))
