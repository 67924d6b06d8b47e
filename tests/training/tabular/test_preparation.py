"""Preprocessing is skrub's, or the user's own where that can read the table; always in the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlops_jupyter.core import facts
from mlops_jupyter.training.tabular import preparation
from tests.training.builders import trained
from tests.training.tabular import tables

pytestmark = pytest.mark.filterwarnings("ignore:Found unknown categories")
SCALED = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression(max_iter=1000))])


class Squared(TransformerMixin, BaseEstimator):
    """A transformer of somebody's own that learns nothing, and says nothing of it."""

    def fit(self, X: Any, y: Any = None) -> Squared:
        return self

    def transform(self, X: Any) -> Any:
        return X**2


def table() -> tuple[pd.DataFrame, Any]:
    frame = tables.flowers()
    return frame, frame.pop("species").to_numpy(dtype=object)


def steps(pipeline: Pipeline) -> list[str]:
    return [name for name, _ in pipeline.steps]


def test_an_estimator_gets_the_preprocessing_it_needs() -> None:
    X, y = table()
    forest, remark = preparation.around(RandomForestClassifier(), X, y, seed=0)
    linear, _ = preparation.around(LogisticRegression(), X, y, seed=0)
    assert steps(forest) == ["tablevectorizer", "randomforestclassifier"]
    assert steps(linear) == ["tablevectorizer", "simpleimputer", "squashingscaler", "logisticregression"]
    assert remark is None


def test_what_skrub_draws_at_random_is_drawn_with_the_seed() -> None:
    X, y = table()
    forest, _ = preparation.around(RandomForestClassifier(random_state=None), X, y, seed=7)
    drawn = {name: value for name, value in forest.get_params().items() if name.endswith("random_state")}
    assert drawn == {
        "tablevectorizer__high_cardinality__random_state": 7,
        "randomforestclassifier__random_state": None,
    }


def test_a_pipeline_that_reads_the_table_is_taken_as_it_is() -> None:
    X, y = table()
    assert preparation.around(SCALED, X, y, seed=0) == (SCALED, None)


@pytest.mark.parametrize("change", ["text", "missing", "missing later"])
def test_a_pipeline_that_cannot_read_the_table_gets_skrubs_preprocessing_in_front(change: str) -> None:
    X, y = table()
    if change == "text":
        X["colour"] = "red"
    elif change == "missing":
        X.iloc[3, 0] = np.nan
    else:
        X, y = pd.concat([X] * 2, ignore_index=True), np.concatenate([y] * 2)
        X.iloc[preparation.TRIED_ON + 50, 0] = np.nan
    made, remark = preparation.around(SCALED, X, y, seed=0)
    assert steps(made) == ["tablevectorizer", "simpleimputer", "squashingscaler", "scale", "model"]
    assert (
        remark == "The pipeline cannot read this table by itself: skrub's preprocessing comes before scale."
    )
    clone(made).fit(X, y).predict(X)


def test_steps_of_the_users_keep_their_names() -> None:
    X, y = table()
    own = Pipeline([("simpleimputer", SimpleImputer()), ("model", LogisticRegression())])
    made, _ = preparation.around(own, X.assign(colour="red"), y, seed=0)
    assert steps(made) == [
        "tablevectorizer",
        "table_simpleimputer",
        "squashingscaler",
        "simpleimputer",
        "model",
    ]


def test_what_chooses_columns_or_holds_a_pipeline_is_taken_as_it_is() -> None:
    X, y = table()
    X["colour"] = "red"
    columns = make_column_transformer((OneHotEncoder(), ["colour"]), remainder="passthrough")
    chooses = make_pipeline(columns, LogisticRegression())
    search = GridSearchCV(chooses, {"logisticregression__C": [0.1, 1.0]})
    assert preparation.around(chooses, X, y, seed=0) == (chooses, None)
    made, remark = preparation.around(search, X, y, seed=0)
    assert (steps(made), remark) == (["gridsearchcv"], None)


def test_a_pipeline_of_the_users_learns_what_it_learns_alone(tmp_path: Path) -> None:
    frame, y = table()
    own = Pipeline(
        [("scale", StandardScaler()), ("model", GradientBoostingClassifier(n_estimators=4, random_state=0))],
        memory=str(tmp_path / "memory"),
    )
    journal = trained(tmp_path, frame.assign(species=y), "species", own, params={"max_depth": 2}, cv=0)
    assert journal.details()["Training model"] == "4 trees"
    assert journal.one(facts.TaskChosen).parameters == {
        "n_estimators": 4,
        "random_state": 0,
        "max_depth": 2,
    }
    assert journal.one(facts.ModelSaved).bytes > 0


@pytest.mark.parametrize("step", [Squared(), "passthrough"], ids=["learns nothing", "passes through"])
def test_a_step_that_learns_nothing_is_a_step(tmp_path: Path, step: Any) -> None:
    frame, y = table()
    own = Pipeline([("own", step), ("model", LogisticRegression(max_iter=1000))])
    journal = trained(tmp_path, frame.assign(species=y), "species", own, cv=2)
    assert "Performance evaluation" in journal.details()


def test_the_estimator_that_was_sent_is_not_touched(tmp_path: Path) -> None:
    frame, y = table()
    own = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    trained(tmp_path, frame.assign(species=y), "species", own, params={"C": 0.5}, cv=0)
    assert own.get_params()["logisticregression__C"] == 1.0
    assert not hasattr(own[-1], "coef_")
