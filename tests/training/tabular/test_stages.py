"""The eight stages of a job, as its journal tells them."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

from mlops_jupyter.core import facts
from mlops_jupyter.core.errors import (
    ColumnNotFoundError,
    DataError,
    DatasetNotFoundError,
    OptionError,
    SubmissionError,
    TargetError,
)
from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.core.stages import STAGES
from mlops_jupyter.training.tabular import importance, model, recipe
from tests.training.builders import Told, a_run, kept, told, trained
from tests.training.tabular import tables

pytestmark = pytest.mark.filterwarnings("ignore:Found unknown categories")
SMALL: dict[str, Any] = {"model": "rf", "params": {"n_estimators": 5}}


def course(journal: Told) -> list[tuple[str, str]]:
    """Stages as they began, ended or were skipped."""
    words = {facts.StageStarted: "began", facts.StageEnded: "ended", facts.StageSkipped: "skipped"}
    return [
        (fact.stage, words[type(fact)])
        for fact in journal.facts
        if isinstance(fact, facts.StageStarted | facts.StageEnded | facts.StageSkipped)
    ]


def test_a_job_goes_through_all_eight_stages_in_their_order(tmp_path: Path) -> None:
    journal = trained(tmp_path, tables.flowers(), "species", **SMALL)
    skipped = STAGES[3]
    assert course(journal) == [
        (name, word) for name in STAGES for word in (["skipped"] if name == skipped else ["began", "ended"])
    ]
    assert [fact.reason for fact in journal.all(facts.StageSkipped)] == ["One candidate: rf"]
    size = (tmp_path / "model" / "model.skops").stat().st_size
    assert journal.details() == {
        "Data validation": "150 rows × 5 columns",
        "Data preprocessing": "96 training, 24 validation, 30 hold-out rows",
        "Feature engineering": "4 columns → 4 features",
        "Training model": "5 trees",
        "Model validation": journal.details()["Model validation"],
        "Performance evaluation": f"accuracy {journal.metrics['test_accuracy']:.4g} on 30 hold-out rows",
        "Finalizing model": f"{size / 1e6:.1f} MB, predicts the same when read again",
    }


def test_the_first_stage_says_what_the_data_are_and_what_is_learned(tmp_path: Path) -> None:
    journal = trained(tmp_path, tables.flowers(), "species", cv=0, file="flowers.csv", **SMALL)
    described = journal.one(facts.DataDescribed)
    sha256 = hashlib.sha256((tmp_path / "flowers.csv").read_bytes()).hexdigest()
    assert (described.rows, described.columns, described.sha256, described.name) == (
        150,
        5,
        sha256,
        "flowers.csv",
    )
    chosen = journal.one(facts.TaskChosen)
    assert chosen == facts.TaskChosen(
        time=chosen.time,
        elapsed=chosen.elapsed,
        task="classification",
        estimator="RandomForestClassifier",
        parameters={"n_estimators": 5, "random_state": 0},
        metric="accuracy",
        greater_is_better=True,
        classes=("setosa", "versicolor", "virginica"),
    )
    found = {fact.code: fact.message for fact in journal.all(facts.FindingMade)}
    assert found["task"].startswith(
        '"species" has 3 classes ("setosa", "versicolor", "virginica"): classification'
    )
    assert found["duplicate_rows"].startswith("1 row is a repetition of another")


def test_progress_within_stages_counts_folds_trees_and_steps(tmp_path: Path) -> None:
    journal = trained(tmp_path, tables.flowers(), "species", **SMALL)
    last = {fact.stage: (fact.done, fact.total, fact.unit) for fact in journal.all(facts.StageAdvanced)}
    assert last == {
        "Feature engineering": (1, 1, "preparations"),
        "Training model": (5, 5, "tree"),
        "Model validation": (5, 5, "folds"),
        "Performance evaluation": (3, 3, "steps"),
    }


def test_auto_compares_candidates_fold_by_fold_and_trains_the_best(tmp_path: Path) -> None:
    journal = trained(tmp_path, tables.flowers(), "species", model="auto", cv=3)
    scored = journal.all(facts.CandidateScored)
    assert [(fact.candidate, fact.fold, fact.label) for fact in scored] == [
        (candidate, fold, label)
        for fold in range(3)
        for candidate, label in enumerate(("logistic", "rf", "hist_gradient_boosting"))
    ]
    means = [np.mean([fact.score for fact in scored if fact.candidate == c]) for c in range(3)]
    chosen = journal.one(facts.CandidateChosen)
    assert chosen.candidate == int(np.argmax(means))
    assert journal.metrics["cv_mean"] == pytest.approx(max(means))
    first, last = journal.all(facts.TaskChosen)
    assert first.estimator == "auto"
    assert (
        last.estimator
        == {
            "logistic": "LogisticRegression",
            "rf": "RandomForestClassifier",
            "hist_gradient_boosting": "HistGradientBoostingClassifier",
        }[chosen.label]
    )
    assert {fact.stage for fact in scored} == {"Model selection"}
    assert course(journal)[-4:-2] == [
        ("Performance evaluation", "began"),
        ("Performance evaluation", "ended"),
    ]


def test_a_grid_is_searched_by_short_parameter_names(tmp_path: Path) -> None:
    grid = {"max_depth": [1, 3], "min_samples_leaf": [1, 40]}
    journal = trained(tmp_path, tables.flowers(), "species", grid=grid, cv=2, **SMALL)
    scored = journal.all(facts.CandidateScored)
    assert [fact.label for fact in scored[:4]] == [
        "max_depth=1, min_samples_leaf=1",
        "max_depth=1, min_samples_leaf=40",
        "max_depth=3, min_samples_leaf=1",
        "max_depth=3, min_samples_leaf=40",
    ]
    chosen = journal.one(facts.CandidateChosen)
    assert chosen.parameters == {"n_estimators": 5, "max_depth": 3, "min_samples_leaf": 1}
    saved = saved_in(tmp_path)
    assert saved[-1].get_params()["max_depth"] == 3


def saved_in(folder: Path) -> Any:
    body = (folder / "model" / "model.skops").read_bytes()
    return model.loads(body, hashlib.sha256(body).hexdigest())


def test_class_weights_find_their_labels_though_json_made_text_of_them(tmp_path: Path) -> None:
    weights = {"class_weight": {"0": 1.0, "1": 9.0}}
    trained(tmp_path, tables.tumours(), "target", cv=0, model="rf", params=weights | {"n_estimators": 3})
    saved = saved_in(tmp_path)
    assert saved[-1].class_weight == {0: 1.0, 1: 9.0}


def test_a_grid_may_search_the_preprocessing(tmp_path: Path) -> None:
    grid = {"tablevectorizer__drop_if_constant": [False, True]}
    table = tables.flowers().assign(country="NO")
    journal = trained(tmp_path, table, "species", grid=grid, cv=2, **SMALL)
    assert journal.details()["Feature engineering"] == (
        "5 columns → 5 features for tablevectorizer__drop_if_constant=False, "
        "4 features for tablevectorizer__drop_if_constant=True"
    )


def test_a_parameter_no_step_has_is_an_error_with_the_steps(tmp_path: Path) -> None:
    with pytest.raises(OptionError) as refused:
        trained(tmp_path, tables.flowers(), "species", params={"tablevectorizer__drop_iff": True})
    assert refused.value.code is not None
    assert refused.value.code.startswith("Steps: tablevectorizer, histgradientboostingclassifier.")


def test_folds_are_scored_side_by_side_and_told_as_they_come(tmp_path: Path) -> None:
    alone, together = tmp_path / "1", tmp_path / "2"
    alone.mkdir()
    together.mkdir()
    options: dict[str, Any] = {"grid": {"max_depth": [1, 3]}, "cv": 3, **SMALL}
    one = trained(alone, tables.flowers(), "species", **options)
    two = trained(together, tables.flowers(), "species", n_jobs=2, **options)
    scores = [
        {(fact.candidate, fact.fold): fact.score for fact in journal.all(facts.CandidateScored)}
        for journal in (one, two)
    ]
    assert scores[0] == scores[1]
    moments = [fact.elapsed for fact in two.all(facts.CandidateScored)]
    assert moments[0] < moments[-1]
    assert one.metrics == two.metrics


def test_a_candidate_that_cannot_be_fitted_shows_its_error_and_the_others_go_on(tmp_path: Path) -> None:
    grid = {"max_features": ["sqrt", 0.5], "n_estimators": [5], "class_weight": [None, {"nothing": 1}]}
    journal = trained(tmp_path, tables.flowers(), "species", model="rf", grid=grid, cv=2)
    failed = [fact for fact in journal.all(facts.CandidateScored) if fact.error]
    assert {fact.label for fact in failed} == {
        "class_weight={'nothing': 1}, max_features=sqrt, n_estimators=5",
        "class_weight={'nothing': 1}, max_features=0.5, n_estimators=5",
    }
    assert {fact.score for fact in failed} == {None}
    assert journal.one(facts.CandidateChosen).label == "class_weight=None, max_features=sqrt, n_estimators=5"


def test_when_no_candidate_can_be_fitted_the_job_fails_with_the_reason(tmp_path: Path) -> None:
    grid = {"class_weight": [{"nothing": 1}, {"nowhere": 2}]}
    with pytest.raises(DataError, match="None of the 2 candidates could be fitted"):
        trained(tmp_path, tables.flowers(), "species", model="rf", grid=grid, cv=2)
    assert course(told(tmp_path))[-1] == ("Model selection", "began")


def test_without_folds_candidates_are_compared_on_the_validation_rows(tmp_path: Path) -> None:
    journal = trained(tmp_path, tables.flowers(), "species", grid={"max_depth": [1, 3]}, cv=0, **SMALL)
    scored = journal.all(facts.CandidateScored)
    assert [(fact.fold, fact.folds) for fact in scored] == [(0, 1), (0, 1)]
    assert scored[1].score == pytest.approx(journal.metrics["val_accuracy"])
    assert [fact.reason for fact in journal.all(facts.StageSkipped)] == ["cv=0: no folds were asked for"]


def test_the_report_of_a_classification_is_complete(tmp_path: Path) -> None:
    journal = trained(tmp_path, tables.tumours(), "target", cv=0, **SMALL)
    report = journal.report
    assert np.sum(report["confusion_matrix"]["rows"]) == 40
    assert report["confusion_matrix"]["labels"] == ["0", "1"]
    (roc,) = report["roc"]
    assert roc["label"] == "1"
    assert (roc["false_positive_rate"][0], roc["true_positive_rate"][-1]) == (0.0, 1.0)
    assert len(report["precision_recall"]) == 1
    assert sum(report["calibration"]["counts"]) == 40
    assert len(json.dumps(report)) < 20_000


def test_the_report_of_a_regression_shows_residuals(tmp_path: Path) -> None:
    journal = trained(tmp_path, tables.patients(), "target", model="ridge", cv=0)
    residuals = journal.report["residuals"]
    assert (residuals["rows"], len(residuals["actual"]), sum(residuals["counts"])) == (89, 89, 89)
    assert "confusion_matrix" not in journal.report


def test_what_a_model_cannot_give_is_null_with_the_reason(tmp_path: Path) -> None:
    journal = trained(tmp_path, tables.tumours(), "target", model="ridge", cv=0)
    assert journal.report["calibration"] is None
    assert journal.report["calibration_reason"] == "the model gives no probabilities"
    assert len(journal.report["roc"]) == 1
    assert "test_log_loss" not in journal.metrics


def test_importances_that_would_take_too_long_are_null_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importance, "BATCH", 1)
    monkeypatch.setattr(importance.importances, "__defaults__", (0.0,))
    journal = trained(tmp_path, tables.tumours(), "target", cv=0, **SMALL)
    assert journal.report["importances"] is None
    assert journal.report["importances_reason"] == "6 columns would take longer than 0 s"


def test_rows_that_were_predicted_are_counted(tmp_path: Path) -> None:
    journal = trained(tmp_path, tables.patients(), "target", model="ridge", cv=0)
    train, validation, test = 282, 71, 89
    shuffled = 10 * 5 * test
    read_again = 2 * test
    assert sum(fact.rows for fact in journal.all(facts.RowsPredicted)) == (
        train + validation + test + shuffled + read_again
    )


def test_missing_targets_are_dropped_on_request_and_told(tmp_path: Path) -> None:
    table = tables.flowers()
    table.loc[[3, 70, 140], "species"] = None
    journal = trained(tmp_path, table, "species", target_na="drop", cv=0, **SMALL)
    found = {fact.code: fact.message for fact in journal.all(facts.FindingMade)}
    assert found["target_missing"] == '3 rows without "species" left out (rows 3, 70, 140).'
    assert journal.details()["Data preprocessing"] == "93 training, 24 validation, 30 hold-out rows"


def test_infinite_values_are_read_as_missing_and_told(tmp_path: Path) -> None:
    table = tables.flowers()
    table.iloc[5, 1] = np.inf
    journal = trained(tmp_path, table, "species", cv=0, **SMALL)
    found = {fact.code: fact.message for fact in journal.all(facts.FindingMade)}
    assert found["infinite_values"] == '1 infinite value in "sepal width (cm)" read as missing.'


def test_dropped_columns_are_not_learned_from(tmp_path: Path) -> None:
    trained(tmp_path, tables.flowers(), "species", drop=("sepal width (cm)",), cv=0, **SMALL)
    meta = json.loads((tmp_path / "model" / "meta.json").read_bytes())
    names = [each["name"] for each in meta["signature"]["inputs"]]
    assert names == ["sepal length (cm)", "petal length (cm)", "petal width (cm)"]


def test_a_table_of_the_users_own_is_the_hold_out(tmp_path: Path) -> None:
    table = tables.flowers().sample(frac=1, random_state=1)
    test = kept(tmp_path, table.tail(40), "test.csv")
    journal = trained(tmp_path, table.head(110), "species", test=test, cv=0, **SMALL)
    assert journal.details()["Data preprocessing"] == "88 training, 22 validation, 40 hold-out rows"
    assert np.sum(journal.report["confusion_matrix"]["rows"]) == 40


def test_a_column_of_another_kind_in_the_users_own_table_is_told_and_stops_nothing(tmp_path: Path) -> None:
    table = tables.flowers().sample(frac=1, random_state=1)
    held = table.tail(40).assign(**{"petal width (cm)": "wide"})
    test = kept(tmp_path, held, "test.csv")
    journal = trained(tmp_path, table.head(110), "species", test=test, cv=0, **SMALL)
    told = {found.code: found.column for found in journal.all(facts.FindingMade)}
    assert told["other_kind_in_test"] == "petal width (cm)"
    assert "test_accuracy" in journal.metrics


def test_problems_of_the_data_are_fatal_findings_and_stop_the_first_stage(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError) as refused:
        trained(tmp_path, tables.flowers().head(50), "species", model="rff", drop=("petal",))
    assert [problem.error for problem in refused.value.problems] == [
        "ColumnNotFoundError",
        "TargetError",
        "OptionError",
    ]
    journal = told(tmp_path)
    fatal = [fact.code for fact in journal.all(facts.FindingMade) if fact.severity == "fatal"]
    assert fatal == ["column_not_found", "target", "option"]
    assert course(journal) == [("Data validation", "began")]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"target": "specis"}, ColumnNotFoundError),
        ({"target": "species", "metric": "r2"}, OptionError),
        ({"target": "sepal width (cm)", "task": "classification"}, TargetError),
    ],
)
def test_a_single_problem_is_raised_as_itself(tmp_path: Path, options: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        trained(tmp_path, tables.flowers(), **options)


def test_columns_that_cannot_be_learned_from_are_refused_with_the_way_out(tmp_path: Path) -> None:
    table = tables.flowers().assign(tags=[["x"], ["y", "z"]] * 75)
    with pytest.raises(DataError) as refused:
        trained(tmp_path, table, "species")
    assert str(refused.value).splitlines() == [
        '"tags" holds ndarrays, which cannot be learned from.',
        "Leave it out, or make columns of what is in it:",
        "mlops.train(…, drop=['tags'])",
    ]
    with pytest.raises(DataError, match="Every column to learn from is empty"):
        trained(tmp_path, pd.DataFrame({"x": [np.nan] * 60, "y": ["a", "b"] * 30}), "y")


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        ([True, False, None] * 20, "classification", ("False", "True")),
        ([Decimal("1.5"), Decimal("2.25"), Decimal(7)] * 20, "regression", None),
        (
            pd.Categorical(["low", "high", "low"] * 20, ["low", "high", "never"]),
            "classification",
            ("high", "low"),
        ),
        (pd.array([1, 2, None] * 20, dtype="Int64"), "classification", ("1", "2")),
    ],
    ids=["booleans with gaps", "decimals", "categories", "whole numbers with gaps"],
)
def test_targets_of_every_kind_are_learned(tmp_path: Path, values: Any, task: str, classes: Any) -> None:
    table = pd.DataFrame({"x": np.arange(60.0), "y": values})
    journal = trained(tmp_path, table, "y", target_na="drop", cv=0, **SMALL)
    chosen = journal.one(facts.TaskChosen)
    assert (chosen.task, chosen.classes) == (task, classes)


def test_a_file_that_is_gone_is_an_error_with_its_name(tmp_path: Path) -> None:
    run, writer = a_run(tmp_path)
    spec = JobSpec(data=Source(path=str(tmp_path / "gone"), name="gone.csv"), target="y")
    with pytest.raises(DatasetNotFoundError, match=r'"gone\.csv" is no file any more'):
        recipe.train(run, spec, tmp_path, None)
    writer.close()


def test_the_same_seed_gives_the_same_job(tmp_path: Path) -> None:
    told_twice = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        told_twice.append(
            trained(folder, tables.messy(90)[["age", "note", "bought"]], "bought", cv=0, seed=5, **SMALL)
        )
    assert told_twice[0].metrics == told_twice[1].metrics
    assert told_twice[0].report == told_twice[1].report


def test_a_grid_search_of_the_users_own_is_taken_as_it_is(tmp_path: Path) -> None:
    journal = trained(tmp_path, tables.tumours(), "target", RandomForestClassifier(4, random_state=0), cv=0)
    assert journal.one(facts.TaskChosen).estimator == "RandomForestClassifier"
    assert isinstance(saved_in(tmp_path)[-1], RandomForestClassifier)


def test_a_regressor_of_the_users_own_decides_the_task(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": np.arange(60) % 7, "grade": np.arange(60) % 5})
    journal = trained(tmp_path, table, "grade", LinearRegression(), cv=0)
    assert journal.one(facts.TaskChosen).task == "regression"
