"""A loaded model answers several requests in one go, each as if it had been alone."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neural_network import MLPClassifier

from mlops_jupyter.core.drift import drift
from mlops_jupyter.serving.messages import Charge
from mlops_jupyter.serving.model import ARGMAX, Served
from mlops_jupyter.training.tabular import model
from mlops_jupyter.training.tabular.reference import references
from tests.fitted import fitted, penguins, rows

CHARGE = Charge(model_id="m-7f3a00000000", name="penguins", version=4, folder="", sha256="", memory=2 << 30)
ESTIMATORS = [
    ExtraTreesClassifier(n_estimators=4, random_state=0),
    GradientBoostingClassifier(n_estimators=4, random_state=0),
    HistGradientBoostingClassifier(max_iter=4, random_state=0),
    LogisticRegression(max_iter=1000),
    MLPClassifier(hidden_layer_sizes=(4,), max_iter=20, random_state=0),
    RandomForestClassifier(n_estimators=4, random_state=0),
]


def served(pipeline: Any) -> Served:
    X = penguins()[0]
    inputs = model.signature(X, "species", pipeline.classes_).inputs
    return Served(CHARGE, pipeline, inputs, json.loads(msgspec.json.encode(references(X))))


def body(*asked: dict[str, Any]) -> bytes:
    return json.dumps({"rows": asked}).encode()


def test_each_request_of_a_batch_gets_its_own_answer() -> None:
    pipeline = fitted()
    good, other = rows(3), rows(4, start=200)
    answers = served(pipeline).answers([body(*good), body({"island": 3}), b"{", body(*other)])
    assert [answer.status for answer in answers] == [200, 400, 400, 200]
    found = [json.loads(answers[n].body)["predictions"] for n in (0, 3)]
    X = penguins()[0]
    assert found == [pipeline.predict(X[:3]).tolist(), pipeline.predict(X[200:204]).tolist()]


def test_a_request_that_cannot_be_predicted_spoils_no_other() -> None:
    too_large = {**rows(1)[0], "body_mass_g": 1e308}
    answers = served(fitted()).answers([body(*rows(2)), body(too_large), body(*rows(1))])
    assert [(answer.status, answer.rows) for answer in answers] == [(200, 2), (400, 0), (200, 1)]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: type(each).__name__)
def test_predictions_are_those_of_the_models_own_predict(estimator: Any) -> None:
    pipeline = fitted(estimator)
    X = penguins()[0]
    found = served(pipeline).predict(X)
    assert found.values.tolist() == pipeline.predict(X).tolist()
    np.testing.assert_array_equal(found.probabilities, pipeline.predict_proba(X))


def test_a_model_without_probabilities_says_so() -> None:
    (answer,) = served(fitted(RidgeClassifier())).answers([body(*rows(2))])
    found = json.loads(answer.body)
    assert (len(found["predictions"]), found["probabilities"]) == (2, None)


def test_all_estimators_that_are_asked_once_are_compared_with_themselves() -> None:
    assert {type(estimator).__name__ for estimator in ESTIMATORS} == set(ARGMAX)


def test_the_rows_of_training_fall_into_the_bins_of_training() -> None:
    X = penguins()[0]
    ours = served(fitted())
    ours.answers([body(*rows(len(X)))])
    counted = np.frombuffer(ours.bins.take(), dtype=np.int64).tolist()
    assert counted == [count for each in references(X) for count in each.counts]
    assert not np.frombuffer(ours.bins.take(), dtype=np.int64).any()
    assert {drift(each, each.counts).level for each in references(X)} == {"none"}
