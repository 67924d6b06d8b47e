"""Live and final scores are those of plain scikit-learn for the same rows, split and seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, get_scorer, log_loss, r2_score, root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score, train_test_split
from sklearn.neural_network import MLPRegressor
from skrub import tabular_pipeline

from mlops_jupyter.core import facts
from mlops_jupyter.training.live import meter
from mlops_jupyter.training.tabular import fitting
from tests.training.builders import Told, trained
from tests.training.tabular import tables

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Found unknown categories"),
]
SEED = 3


@pytest.fixture(autouse=True)
def every_unit_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "GRACE", 1e9)


class Case(NamedTuple):
    """A job, and the estimator plain scikit-learn users would write for it."""

    table: Callable[[], pd.DataFrame]
    target: str
    model: str
    plain: Any
    params: dict[str, Any]


def mixed() -> pd.DataFrame:
    """Some of each kind of column: all of them would only take longer."""
    return tables.messy()[["age", "member", "joined", "town", "street", "note", "bought", "spent"]]


CLASSIFIERS = {
    "logistic": Case(
        tables.wines, "target", "logistic", LogisticRegression(max_iter=1000, random_state=SEED), {}
    ),
    "forest": Case(
        tables.flowers, "species", "rf", RandomForestClassifier(9, random_state=SEED), {"n_estimators": 9}
    ),
    "gradient boosting": Case(
        tables.tumours,
        "target",
        "gradient_boosting",
        GradientBoostingClassifier(n_estimators=6, random_state=SEED),
        {"n_estimators": 6},
    ),
    "hist gradient boosting, messy": Case(
        mixed,
        "bought",
        "hist_gradient_boosting",
        HistGradientBoostingClassifier(max_iter=7, random_state=SEED),
        {"max_iter": 7},
    ),
}
REGRESSORS = {
    "extra trees": Case(
        tables.patients,
        "target",
        "extra_trees",
        ExtraTreesRegressor(9, random_state=SEED),
        {"n_estimators": 9},
    ),
    "gradient boosting, messy": Case(
        mixed,
        "spent",
        "gradient_boosting",
        GradientBoostingRegressor(n_estimators=6, random_state=SEED),
        {"n_estimators": 6},
    ),
    "hist gradient boosting": Case(
        tables.patients,
        "target",
        "hist_gradient_boosting",
        HistGradientBoostingRegressor(max_iter=7, random_state=SEED),
        {"max_iter": 7},
    ),
    "mlp": Case(
        tables.patients,
        "target",
        "mlp",
        MLPRegressor(hidden_layer_sizes=(9,), max_iter=12, random_state=SEED),
        {"hidden_layer_sizes": [9], "max_iter": 12},
    ),
}
CASES = CLASSIFIERS | REGRESSORS


class Plain(NamedTuple):
    """What somebody would write without us."""

    model: Any
    train: tuple[Any, Any]
    validation: tuple[Any, Any]
    test: tuple[Any, Any]


def by_hand(case: Case, *, classifies: bool) -> Plain:
    X = case.table()
    y = X.pop(case.target).to_numpy()
    for other in ("bought", "spent"):
        X = X.drop(columns=other, errors="ignore")
    rest, X_test, y_rest, y_test = train_test_split(
        X, y, test_size=0.2, random_state=SEED, stratify=y if classifies else None
    )
    X_train, X_val, y_train, y_val = train_test_split(
        rest, y_rest, test_size=0.2, random_state=SEED, stratify=y_rest if classifies else None
    )
    model = tabular_pipeline(clone(case.plain))
    for name in model.get_params():
        if name.endswith("random_state") and "__random_state" in name and "vectorizer" in name:
            model.set_params(**{name: SEED})
    return Plain(model.fit(X_train, y_train), (X_train, y_train), (X_val, y_val), (X_test, y_test))


def job(case: Case, folder: Path, **options: Any) -> Told:
    drop = tuple({"bought", "spent"} & set(case.table().columns) - {case.target})
    spec = {"model": case.model, "params": case.params, "seed": SEED, "drop": drop}
    return trained(folder, case.table(), case.target, **(spec | options))


@pytest.mark.parametrize("name", CASES)
def test_final_scores_are_those_of_plain_scikit_learn(name: str, tmp_path: Path) -> None:
    case, classifies = CASES[name], name in CLASSIFIERS
    plain = by_hand(case, classifies=classifies)
    journal = job(case, tmp_path)
    main = "accuracy" if classifies else "r2"
    score = accuracy_score if classifies else r2_score
    expected = {
        f"{split}_{main}": score(y, plain.model.predict(X))
        for split, (X, y) in {"train": plain.train, "val": plain.validation, "test": plain.test}.items()
    }
    X_test, y_test = plain.test
    if classifies:
        expected["test_log_loss"] = log_loss(y_test, plain.model.predict_proba(X_test))
    else:
        expected["test_rmse"] = root_mean_squared_error(y_test, plain.model.predict(X_test))
    X, y = plain.train
    dummy = DummyClassifier(strategy="prior") if classifies else DummyRegressor()
    splitter = StratifiedKFold if classifies else KFold
    folds = splitter(5, shuffle=True, random_state=SEED)
    scores = cross_val_score(plain.model, X, y, cv=folds, scoring=main)
    expected |= {
        "cv_mean": scores.mean(),
        "cv_std": scores.std(ddof=1),
        "gap": expected[f"train_{main}"] - scores.mean(),
        "baseline": cross_val_score(dummy, X, y, cv=folds, scoring=main).mean(),
        "test_baseline": score(y_test, dummy.fit(X, y).predict(X_test)),
    }
    found = journal.metrics
    assert {key: found[key] for key in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)
    final = [fact.final_score for fact in journal.all(facts.Evaluated) if fact.final_score is not None]
    assert final == [found[f"test_{main}"]]


def staged(model: Any, X: Any, case: Case, step: int) -> Any:
    """What the estimator predicted after ``step`` units, by its own means or a shorter fit."""
    final = model[-1]
    rows = model[:-1].transform(X)
    if hasattr(final, "staged_predict"):
        return list(final.staged_predict(rows))[step - 1]
    return None


@pytest.mark.parametrize("name", [n for n in CASES if "boosting" in n])
def test_each_live_point_is_the_score_of_the_ensemble_so_far(name: str, tmp_path: Path) -> None:
    case, classifies = CASES[name], name in CLASSIFIERS
    plain = by_hand(case, classifies=classifies)
    journal = job(case, tmp_path, cv=0)
    main, score = ("accuracy", accuracy_score) if classifies else ("r2", r2_score)
    for split, (X, y) in {"train": plain.train, "val": plain.validation}.items():
        series = journal.series(f"{split}_{main}")
        assert len(series) >= 1
        expected = {step: score(y, staged(plain.model, X, case, step)) for step in series}
        assert series == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "limit"), [("logistic", "max_iter"), ("forest", "n_estimators"), ("mlp", "max_iter")]
)
def test_each_live_point_is_the_score_of_a_fit_that_long(name: str, limit: str, tmp_path: Path) -> None:
    case, classifies = CASES[name], name in CLASSIFIERS
    journal = job(case, tmp_path, cv=0)
    main, score = ("accuracy", accuracy_score) if classifies else ("r2", r2_score)
    series = journal.series(f"val_{main}")
    for step in (1, 4, max(series)):
        shorter = case._replace(plain=clone(case.plain).set_params(**{limit: step}))
        X, y = by_hand(shorter, classifies=classifies).validation
        model = by_hand(shorter, classifies=classifies).model
        assert series[step] == pytest.approx(score(y, model.predict(X)), rel=1e-9)


def test_a_sample_of_the_rows_is_scored_while_fitting_and_all_of_them_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "SAMPLE", 20)
    case = CLASSIFIERS["gradient boosting"]
    plain = by_hand(case, classifies=True)
    journal = job(case, tmp_path, cv=0)
    X, y = plain.validation
    rows = np.sort(np.random.default_rng(SEED).choice(len(y), 20, replace=False))
    sampled = accuracy_score(y[rows], plain.model.predict(X.iloc[rows]))
    assert journal.series("val_accuracy")[6] == pytest.approx(sampled)
    assert journal.metrics["val_accuracy"] == pytest.approx(accuracy_score(y, plain.model.predict(X)))


def test_importances_are_those_of_plain_scikit_learn(tmp_path: Path) -> None:
    case = REGRESSORS["extra trees"]
    plain = by_hand(case, classifies=False)
    found = job(case, tmp_path, cv=0).report["importances"]
    X, y = plain.test
    expected = permutation_importance(plain.model, X, y, n_repeats=5, random_state=SEED)
    order = np.argsort(-expected.importances_mean, kind="stable")
    assert {each["column"]: each["mean"] for each in found["columns"]} == pytest.approx(
        {X.columns[column]: expected.importances_mean[column] for column in order}, rel=1e-9, abs=1e-12
    )
    assert found["columns"][0]["column"] == X.columns[order[0]]
    assert (found["rows"], found["repeats"], found["metric"]) == (len(y), 5, "r2")


@pytest.mark.parametrize(
    ("metric", "name", "sign"),
    [("roc_auc", "roc_auc", 1), ("neg_log_loss", "log_loss", -1), ("f1_macro", "f1_macro", 1)],
)
def test_any_scorer_of_scikit_learn_may_be_the_main_metric(
    metric: str, name: str, sign: int, tmp_path: Path
) -> None:
    case = CLASSIFIERS["gradient boosting"]
    plain = by_hand(case, classifies=True)
    journal = job(case, tmp_path, metric=metric)
    scorer = get_scorer(metric)
    X, y = plain.test
    assert journal.metrics[f"test_{name}"] == pytest.approx(sign * scorer(plain.model, X, y))
    X, y = plain.validation
    assert journal.series(f"val_{name}")[6] == pytest.approx(sign * scorer(plain.model, X, y))
    chosen = journal.one(facts.TaskChosen)
    assert (chosen.metric, chosen.greater_is_better) == (name, sign > 0)
    folds = [fact.score for fact in journal.all(facts.CandidateScored)]
    X, y = plain.train
    expected = cross_val_score(
        plain.model, X, y, cv=StratifiedKFold(5, shuffle=True, random_state=SEED), scoring=metric
    )
    assert folds == pytest.approx(list(sign * expected))


@pytest.mark.parametrize("metric", ["neg_log_loss", "roc_auc_ovr"])
def test_a_class_that_the_validation_rows_lack_leaves_one_metric_out_and_the_fit_goes_on(
    metric: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(SEED)
    rows = 120
    # By time: the rarest class came early and never again.
    label = np.where(np.arange(rows) < 20, "early", rng.choice(["a", "b"], rows))
    table = pd.DataFrame({"when": np.arange(rows), "x": rng.normal(size=rows), "y": label})
    job = trained(
        tmp_path, table, "y", model="logistic", split="time:when", metric=metric, cv=0, task="classification"
    )
    name = metric.removeprefix("neg_")
    assert job.metrics[f"val_{name}"] is None
    assert job.series(f"val_{name}") == {}
    assert len(job.series("val_accuracy")) > 1
    assert job.series(f"train_{name}")
    assert job.one(facts.ModelSaved)


def test_a_metric_that_counts_one_class_of_two_words_counts_the_last(tmp_path: Path) -> None:
    case = CLASSIFIERS["hist gradient boosting, messy"]
    plain = by_hand(case, classifies=True)
    journal = job(case, tmp_path, metric="recall", cv=0)
    X, y = plain.test
    right = ((plain.model.predict(X) == "yes") & (y == "yes")).sum() / (y == "yes").sum()
    assert journal.metrics["test_recall"] == pytest.approx(right)


def test_refit_uses_the_validation_rows_too(tmp_path: Path) -> None:
    case = Case(tables.patients, "target", "ridge", Ridge(random_state=SEED), {})
    plain = by_hand(case, classifies=False)
    journal = job(case, tmp_path, refit=True, cv=0)
    X = pd.concat([plain.train[0], plain.validation[0]])
    y = np.concatenate([plain.train[1], plain.validation[1]])
    again = clone(plain.model).fit(X, y)
    assert journal.metrics["test_r2"] == pytest.approx(r2_score(plain.test[1], again.predict(plain.test[0])))
    assert journal.metrics["val_r2"] == pytest.approx(
        r2_score(plain.validation[1], plain.model.predict(plain.validation[0]))
    )
    assert journal.details()["Training model"] == "refitted on 353 training and validation rows"
