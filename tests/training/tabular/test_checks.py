"""Everything that stands against a submission is said at once, with the nearest right answer."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlops_jupyter.core.errors import (
    ColumnNotFoundError,
    OptionError,
    Problem,
    SubmissionError,
    TargetError,
    error_for,
)
from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.training.tabular import catalogue, estimators
from mlops_jupyter.training.tabular.checks import check, chosen_task, needed
from mlops_jupyter.training.tabular.data import look

ROWS = 100
TABLE = pd.DataFrame(
    {
        "churn": ["Yes", "No"] * (ROWS // 2),
        "income": np.arange(ROWS) * 1.5,
        "site": list("abcde") * (ROWS // 5),
        "grade": [1, 2, 3, 4, 5] * (ROWS // 5),
        "visits": np.arange(ROWS),
        "joined": pd.date_range("2020-01-01", periods=ROWS),
        "constant": ["No"] * ROWS,
        "customer": [f"c-{n}" for n in range(ROWS)],
    }
)


def spec(target: str = "churn", **options: Any) -> JobSpec:
    return JobSpec(data=Source(path="/data/customers.csv"), target=target, **options)


def checked(
    table: pd.DataFrame, asked: JobSpec, estimator: Any = None, test: pd.DataFrame | None = None
) -> list[Problem]:
    return check(
        look(table, needed(asked.target, asked.split)),
        asked,
        estimator=estimator,
        test=None if test is None else look(test, [asked.target]),
    )


def problems(
    target: str = "churn", table: pd.DataFrame = TABLE, estimator: Any = None, **options: Any
) -> list[str]:
    found = checked(table, spec(target, **options), estimator=estimator)
    return [f"{problem.error}: {problem}" for problem in found]


def lines(*arguments: Any, **options: Any) -> list[str]:
    """The only problem, line by line."""
    (problem,) = problems(*arguments, **options)
    return problem.splitlines()


def test_a_table_that_can_be_learned_has_no_problems() -> None:
    assert problems("churn") == problems("income") == problems("grade") == problems("visits") == []


def test_an_unknown_column_names_the_closest_and_all_others() -> None:
    assert lines("chrn") == [
        'ColumnNotFoundError: no column "chrn" in customers.csv (8 columns).',
        'Did you mean "churn"?',
        "Columns: churn, income, site, grade, visits, joined, constant, customer",
    ]


def test_one_class_is_no_target() -> None:
    assert lines("constant") == [
        'TargetError: "constant" has one class ("No", 100 rows); a classifier needs 2 or more.',
        'Filter too strict? For a constant or numeric target use task="regression".',
    ]


def test_missing_targets_are_counted_and_may_be_dropped() -> None:
    table = TABLE.assign(churn=TABLE.churn.where(TABLE.index % 9 != 4))
    assert lines(table=table) == [
        'TargetError: "churn" has 11 missing values (rows 4, 13, 22, +8).',
        'mlops.train(..., target_na="drop") drops them (11 % of rows).',
    ]
    assert problems(table=table, target_na="drop") == []


def test_classes_too_rare_to_be_split_are_named() -> None:
    table = TABLE.assign(site=["a"] * 97 + ["b", "b", "c"])
    assert lines("site", table) == [
        'TargetError: 2 classes have too few rows of "site" to split: "b" (2), "c" (1); each class needs 3.',
        "Drop or merge rare classes:",
        'df = df[df.groupby("site")["site"].transform("size") >= 3]',
    ]
    assert problems("site", table, split="group:grade") == []


def test_too_many_classes_for_the_parts_are_refused() -> None:
    table = TABLE.head(20).assign(churn=[letter for letter in "abcde" for _ in range(4)])
    assert lines(table=table)[0].startswith('TargetError: 20 rows are too few for the 5 classes of "churn"')


@pytest.mark.parametrize(
    ("target", "options", "expected"),
    [
        ("customer", {}, '"customer" has 100 different values in 100 rows; these are names or ids.'),
        ("joined", {}, '"joined" holds dates or times, which are neither classes nor numbers.'),
        ("churn", {"task": "regression"}, '"churn" holds text ("Yes", "No"); regression needs numbers.'),
        ("income", {"task": "classification"}, '"income" holds numbers with decimals (100 distinct values)'),
        (
            "visits",
            {"task": "classification"},
            '"visits" has 100 different values in 100 rows; these are numbers',
        ),
    ],
)
def test_a_target_that_suits_no_model_says_why(target: str, options: Any, expected: str) -> None:
    (problem,) = problems(target, **options)
    assert problem.startswith(f"TargetError: {expected}")


def test_numbers_kept_as_text_are_recognised() -> None:
    table = TABLE.assign(charges=[str(n) if n % 9 else " " for n in range(ROWS)])
    many = '"charges" has 89 different values in 100 rows'
    assert lines("charges", table) == [
        f'TargetError: {many}, most of them numbers kept as text (but for instance " ").',
        "Convert it; what is no number becomes missing:",
        'df["charges"] = pd.to_numeric(df["charges"], errors="coerce")',
    ]


def test_infinite_and_constant_numbers_are_no_target() -> None:
    table = TABLE.assign(income=TABLE.income.where(TABLE.index != 7, np.inf), flat=0.5)
    assert problems("income", table)[0].startswith('TargetError: "income" has 1 infinite value (row 7).')
    labels = TABLE.assign(grade=TABLE["grade"].astype(float).where(TABLE.index != 7, np.inf))
    for task in ("classification", "regression"):
        (found,) = problems("grade", labels, task=task)
        assert found.startswith('TargetError: "grade" has 1 infinite value (row 7).')
    assert problems("flat", table, task="regression")[0].startswith(
        'TargetError: "flat" is 0.5 in all 100 rows'
    )


def test_a_handful_of_rows_is_no_table() -> None:
    (problem,) = problems(table=TABLE.head(6))
    assert problem.startswith('DataError: 6 rows have a value of "churn"')


RF = {"model": "rf"}
WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"model": "random_forest"}, ['no model "random_forest".', 'Did you mean "rf"?']),
    ({"model": "SVC"}, ['no model "SVC".', 'Did you mean "svm"?']),
    ({"model": "RandomForestClassifier"}, ['no model "RandomForestClassifier".', 'Did you mean "rf"?']),
    ({"model": "extra_tree"}, ['no model "extra_tree".', 'Did you mean "extra_trees"?']),
    ({"metric": "acuracy"}, ['no metric "acuracy".', 'Did you mean "accuracy"?']),
    ({"metric": "auc"}, ['no metric "auc".', 'Did you mean "roc_auc"?']),
    ({"metric": "rmse"}, ['metric "rmse" does not score classification.', 'Did you mean "accuracy"?']),
    (
        {"metric": "log_loss", "model": "svm"},
        ['metric "log_loss" needs probabilities, which "svm" does not give.'],
    ),
    (
        {"split": "groups:site"},
        [
            'split="groups:site" is none of "random", "group:<column>", "time:<column>".',
            'Did you mean "group:site"?',
        ],
    ),
    ({"split": "time"}, ['split="time" names no column.', 'split="time:<column>"']),
    (
        RF | {"params": {"n_estimator": 5}},
        [
            '"n_estimator" is no parameter of RandomForestClassifier (model "rf").',
            'Did you mean "n_estimators"?',
        ],
    ),
    (RF | {"grid": {"max_depth": 3}}, ['grid["max_depth"] is no list of values.', 'grid={"max_depth": [3]}']),
    (
        {"model": "auto", "params": {"max_depth": 3}},
        ['model="auto" compares several models; params would fit only one of them.'],
    ),
    (
        {"model": "auto", "grid": {"max_depth": [3]}},
        ['model="auto" compares several models; grid would fit only one of them.'],
    ),
    ({"model": "rf", "grid": {}}, ["grid={} names no parameter.", 'grid={"max_depth": [3, 5, 8]}']),
    (
        {"model": "rf", "grid": {"max_depth": []}},
        ['grid["max_depth"] is empty: there is nothing to try.', "Name values, or leave it out."],
    ),
    (
        {"model": "rf", "params": {"tablevectorizer__cardinality_treshold": 5}},
        [
            (
                '"tablevectorizer__cardinality_treshold" is no parameter of RandomForestClassifier '
                '(model "rf") or of a step before it.'
            ),
            'Did you mean "tablevectorizer__cardinality_threshold"?',
        ],
    ),
    ({"test_size": 1.5}, ["test_size=1.5 is no share of the rows."]),
    ({"cv": 1}, ["cv=1 is no number of folds."]),
    ({"n_jobs": 0}, ["n_jobs=0 would run nothing."]),
    ({"seed": -1}, ["seed=-1 is no seed."]),
    ({"timeout": 0.0}, ["timeout=0 leaves no time to train."]),
    ({"drop": ("churn",)}, ['"churn" is the target and cannot be dropped.']),
    ({"split": "time:churn"}, ['split="time:churn" uses the target itself.']),
]


@pytest.mark.parametrize(("options", "expected"), WRONG)
def test_an_option_that_does_not_exist_names_the_nearest_that_does(
    options: dict[str, Any], expected: list[str]
) -> None:
    assert lines(**options)[: len(expected)] == [f"OptionError: {expected[0]}", *expected[1:]]


def test_every_value_of_a_grid_is_checked() -> None:
    grid = {"max_depth": [3, -1], "criterion": ["gini", "ginny"]}
    assert [problem.split(" must")[0] for problem in problems(model="rf", grid=grid)] == [
        "OptionError: The 'max_depth' parameter of RandomForestClassifier",
        "OptionError: The 'criterion' parameter of RandomForestClassifier",
    ]


def test_models_and_metrics_must_suit_the_task() -> None:
    assert lines("income", model="logistic") == [
        'OptionError: "logistic" cannot predict numbers, and "income" is a regression target.',
        'Did you mean model="ridge"?',
    ]
    assert lines("grade", metric="f1") == [
        'OptionError: metric "f1" is for two classes; "grade" has 5.',
        'Did you mean "f1_macro"?',
    ]


def test_a_table_with_nothing_to_learn_from_is_refused() -> None:
    columns = tuple(TABLE.columns.drop("churn"))
    assert problems(drop=columns) == ['DataError: customers.csv has no column left to predict "churn" from.']


def test_columns_of_the_same_name_are_refused() -> None:
    table = TABLE[["visits", "churn", "visits"]].set_axis(["a", "churn", "a"], axis=1)
    found = checked(table, spec())
    assert [problem.message for problem in found] == ['customers.csv has several columns named "a".']


def test_a_test_table_needs_the_same_columns() -> None:
    own = spec(test=Source(path="/t.csv", name="t.csv"))
    found = checked(TABLE, own, test=TABLE.drop(columns="churn"))
    assert [problem.message for problem in found] == ['t.csv lacks "churn", which the training table has.']


def test_all_problems_come_at_once() -> None:
    found = checked(TABLE, spec("chrn", model="rff", metric="acuracy", split="tme:joined", drop=("sight",)))
    error = error_for(found)
    assert isinstance(error, SubmissionError)
    assert [type(error_for([problem])) for problem in error.problems] == [
        ColumnNotFoundError,
        ColumnNotFoundError,
        OptionError,
        OptionError,
        OptionError,
    ]
    assert str(error).splitlines()[:4] == [
        "5 things to change:",
        '1. ColumnNotFoundError: no column "chrn" in customers.csv (8 columns).',
        '   Did you mean "churn"?',
        "   Columns: churn, income, site, grade, visits, joined, constant, customer",
    ]


def test_errors_are_those_that_people_catch() -> None:
    problem = Problem(error="ColumnNotFoundError", message='no column "x".', hint='Did you mean "y"?')
    error = error_for([problem])
    assert isinstance(error, KeyError)
    assert str(error) == 'no column "x".\nDid you mean "y"?'
    assert isinstance(error_for([Problem(error="TargetError", message="")]), ValueError)
    assert error.problems == (problem,)


def test_the_task_is_what_was_asked_for_else_the_models_else_the_targets() -> None:
    grade, income = TABLE["grade"], TABLE["income"]
    assert chosen_task(grade, spec("grade")) == "classification"
    assert chosen_task(TABLE["visits"], spec("visits")) == "regression"
    assert chosen_task(income, spec("income")) == "regression"
    assert chosen_task(TABLE["churn"] == "Yes", spec()) == "classification"
    assert chosen_task(grade, spec("grade", task="regression")) == "regression"
    assert chosen_task(grade, spec("grade"), RandomForestRegressor()) == "regression"
    assert chosen_task(TABLE["visits"], spec("visits", model="logistic")) == "classification"
    assert (
        chosen_task(grade, spec("grade"), make_pipeline(StandardScaler(), LinearRegression())) == "regression"
    )


def test_parameters_of_a_users_pipeline_may_name_any_step() -> None:
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier())
    good = {"standardscaler__with_mean": False, "max_depth": 3, "randomforestclassifier__n_estimators": 5}
    assert problems(estimator=pipeline, params=good) == []
    assert problems(estimator=pipeline, params={"max_dept": 3})[0].startswith(
        'OptionError: "max_dept" is no parameter of Pipeline.\nDid you mean "max_depth"?'
    )


def test_parameters_of_a_named_model_may_name_a_step_of_the_preprocessing() -> None:
    assert problems(model="rf", params={"tablevectorizer__cardinality_threshold": 5}) == []
    assert (
        problems(estimator=RandomForestClassifier(), grid={"tablevectorizer__drop_if_constant": [True]}) == []
    )


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        pytest.param(
            StandardScaler(), "StandardScaler has no predict() and predicts no target.", id="transformer"
        ),
        pytest.param(KMeans(), "KMeans is a clusterer and predicts no target.", id="clusterer"),
        pytest.param(
            make_pipeline(StandardScaler()),
            "Pipeline has no predict() and predicts no target.",
            id="pipeline",
        ),
        pytest.param(
            IsolationForest(), "IsolationForest is an outlier detector and predicts no target.", id="outliers"
        ),
    ],
)
def test_what_predicts_no_target_is_refused(estimator: Any, message: str) -> None:
    (problem,) = problems(estimator=estimator)
    assert problem.splitlines()[0] == f"OptionError: {message}"


@pytest.mark.parametrize("wrap", [lambda stack: stack, lambda stack: make_pipeline(StandardScaler(), stack)])
def test_what_predicts_once_it_is_fitted_is_accepted(wrap: Any) -> None:
    stack = StackingClassifier([("a", LogisticRegression()), ("b", RandomForestClassifier())])
    assert problems(estimator=wrap(stack)) == []


def test_an_estimator_without_probabilities_cannot_be_scored_by_them() -> None:
    (problem,) = problems(estimator=RidgeClassifier(), metric="neg_log_loss")
    assert problem.startswith('OptionError: metric "neg_log_loss" needs probabilities, which RidgeClassifier')


def kinds_of_scorers() -> dict[str, str]:
    """What scikit-learn's scorers score, by where their functions live."""
    found = {}
    for name in get_scorer_names():
        function = get_scorer(name)._score_func
        if "cluster" in function.__module__ or name.endswith("_samples"):
            continue
        found[name] = "regression" if function.__module__.endswith("_regression") else "classification"
    return found


def test_the_metrics_on_offer_are_those_of_scikit_learn() -> None:
    ours = {name: "classification" if kind == "binary" else kind for name, kind in catalogue.METRICS.items()}
    assert ours == kinds_of_scorers()


def test_the_offered_models_exist_and_take_what_we_give_them() -> None:
    for task in catalogue.TASKS:
        for name, offer in catalogue.MODELS.items():
            if getattr(offer, task) is not None:
                built = estimators.build(name, task, seed=7, n_jobs=2)
                assert built.get_params().get("random_state", 7) == 7
                if task == "classification":
                    assert hasattr(built, "predict_proba") == offer.probabilities


def test_what_is_suggested_exists() -> None:
    assert set(catalogue.ALSO_KNOWN_AS.values()) <= set(catalogue.MODELS)
    assert all(catalogue.scorer_name(name) for name in catalogue.METRIC_SHORTHAND.values())
    assert set(catalogue.FOR_MANY_CLASSES) == {n for n, kind in catalogue.METRICS.items() if kind == "binary"}
    assert all(catalogue.METRICS[name] == "classification" for name in catalogue.FOR_MANY_CLASSES.values())
    assert isinstance(error_for([Problem(error="TargetError", message="x")]), TargetError)


def test_checking_costs_a_kernel_no_import_of_scikit_learn() -> None:
    code = (
        "import sys; from mlops_jupyter.training.tabular import checks, data; print('sklearn' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param([], "t.csv has no rows: nothing can be measured on it.", id="empty"),
        pytest.param(
            [None, None], 't.csv has no value of "churn" in any row: nothing can be measured on it.', id="nan"
        ),
        pytest.param(
            [1, 0], '"churn" holds words in the training table and numbers in t.csv.', id="other-kind"
        ),
    ],
)
def test_a_test_table_nothing_can_be_measured_on_is_refused_at_once(
    target: list[object], message: str
) -> None:
    own = spec(test=Source(path="/t.csv", name="t.csv"))
    test = TABLE.head(len(target)).assign(churn=pd.Series(target))
    found = checked(TABLE, own, test=test)
    assert [problem.message for problem in found] == [message]


def test_a_test_table_with_infinite_targets_is_refused_at_once() -> None:
    own = spec("income", test=Source(path="/t.csv", name="t.csv"))
    found = checked(TABLE, own, test=TABLE.head(2).assign(income=[1.5, np.inf]))
    assert [problem.message for problem in found] == ['"income" has 1 infinite value in t.csv (row 1).']
