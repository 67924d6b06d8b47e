"""A watched fit learns what an unwatched one learns, and keeps nothing of ours."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, r2_score, root_mean_squared_error
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from mlops_jupyter.core import facts
from mlops_jupyter.training.live import forest, hist_gradient_boosting, meter
from mlops_jupyter.training.live.meter import Meter, Rows
from mlops_jupyter.training.live.watching import WAYS, watched
from mlops_jupyter.training.tabular.metrics import LiveMeasures, metric
from tests.training.builders import Told, a_run, told

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}"
)

STAGE = "Training model"
Data = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def binary() -> Data:
    X, y = make_classification(300, 8, random_state=1)
    return X, np.array(["no", "yes"], dtype=object)[y]


def multiclass() -> Data:
    return make_classification(300, 8, n_informative=5, n_classes=3, random_state=1)


def numbers() -> Data:
    return make_regression(300, 8, noise=20.0, random_state=1)


CASES: dict[str, tuple[Any, Callable[[], Data]]] = {
    "logistic, binary": (LogisticRegression(), binary),
    "logistic, multiclass": (LogisticRegression(), multiclass),
    "logistic, no intercept": (LogisticRegression(fit_intercept=False), binary),
    "gradient boosting, binary": (GradientBoostingClassifier(n_estimators=15, random_state=0), binary),
    "gradient boosting, multiclass": (
        GradientBoostingClassifier(n_estimators=10, random_state=0),
        multiclass,
    ),
    "gradient boosting, exponential loss": (
        GradientBoostingClassifier(n_estimators=10, loss="exponential", random_state=0),
        binary,
    ),
    "gradient boosting, regression": (GradientBoostingRegressor(n_estimators=15, random_state=0), numbers),
    "gradient boosting, rows drawn": (
        GradientBoostingRegressor(n_estimators=15, subsample=0.5, random_state=0),
        numbers,
    ),
    "gradient boosting, stopping early": (
        GradientBoostingClassifier(n_estimators=80, n_iter_no_change=2, learning_rate=0.5, random_state=0),
        multiclass,
    ),
    "hist gradient boosting, binary": (HistGradientBoostingClassifier(max_iter=20, random_state=0), binary),
    "hist gradient boosting, multiclass": (
        HistGradientBoostingClassifier(max_iter=15, random_state=0),
        multiclass,
    ),
    "hist gradient boosting, regression": (
        HistGradientBoostingRegressor(max_iter=20, random_state=0),
        numbers,
    ),
    "hist gradient boosting, other link": (
        HistGradientBoostingRegressor(loss="poisson", max_iter=20, random_state=0),
        lambda: (numbers()[0], np.abs(numbers()[1])),
    ),
    "hist gradient boosting, stopping early": (
        HistGradientBoostingClassifier(
            max_iter=80, early_stopping=True, n_iter_no_change=2, learning_rate=0.5, random_state=0
        ),
        multiclass,
    ),
    "hist gradient boosting, stopping by a score": (
        HistGradientBoostingClassifier(
            max_iter=80, early_stopping=True, scoring="accuracy", n_iter_no_change=2, random_state=0
        ),
        binary,
    ),
    "forest, binary": (RandomForestClassifier(12, random_state=0), binary),
    "forest, multiclass, two cores": (RandomForestClassifier(12, n_jobs=2, random_state=0), multiclass),
    "forest, regression": (RandomForestRegressor(12, random_state=0), numbers),
    "forest, out of bag": (RandomForestRegressor(60, oob_score=True, n_jobs=2, random_state=0), numbers),
    "extra trees, multiclass": (ExtraTreesClassifier(12, random_state=0), multiclass),
    "extra trees, regression, two cores": (ExtraTreesRegressor(12, n_jobs=2, random_state=0), numbers),
    "mlp, binary": (MLPClassifier(hidden_layer_sizes=(8,), max_iter=25, random_state=0), binary),
    "mlp, multiclass": (MLPClassifier(hidden_layer_sizes=(8,), max_iter=25, random_state=0), multiclass),
    "mlp, regression": (MLPRegressor(hidden_layer_sizes=(8,), max_iter=25, random_state=0), numbers),
    "mlp, stopping early": (
        MLPClassifier(
            hidden_layer_sizes=(8,), max_iter=200, early_stopping=True, n_iter_no_change=3, random_state=0
        ),
        binary,
    ),
    "mlp, sgd": (
        MLPRegressor(
            hidden_layer_sizes=(8,), solver="sgd", max_iter=15, learning_rate_init=1e-4, random_state=0
        ),
        numbers,
    ),
}
UNKNOWN: dict[str, tuple[Any, Callable[[], Data]]] = {
    "ridge": (Ridge(), numbers),
    "logistic by another solver": (LogisticRegression(solver="newton-cholesky"), binary),
    "mlp by another solver": (
        MLPClassifier(hidden_layer_sizes=(4,), solver="lbfgs", max_iter=10, random_state=0),
        binary,
    ),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Teams of OpenMP threads wait for each other by spinning, which other tests would feel."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def no_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every unit is scored, whatever it costs: then watching has most to spoil."""
    monkeypatch.setattr(meter, "GRACE", 1e9)


def rows_of(estimator: Any, X: Any, y: Any) -> list[Rows]:
    """The first 200 rows as training rows, the rest as validation rows."""
    classes = np.unique(y) if is_classifier(estimator) else None
    measures = LiveMeasures(metric("r2" if classes is None else "accuracy", classes), classes)
    return [Rows(X[:200], measures.of("train", y[:200])), Rows(X[200:], measures.of("val", y[200:]))]


def watched_fit(estimator: Any, X: Any, y: Any, folder: Path) -> tuple[Any, Told]:
    """A copy of ``estimator`` fitted on the first 200 rows while it is watched, and what was told."""
    fitted = clone(estimator)
    run, writer = a_run(folder)
    rows = rows_of(fitted, X, y)
    with closing(writer), run.stage(STAGE) as stage, watched(fitted, Meter(run, stage, rows)) as arguments:
        fitted.fit(X[:200], y[:200], **arguments)
    return fitted, told(folder)


def learned(value: Any) -> Any:
    """All that a fitted object holds, as plain values; compiled parts by their state."""
    if isinstance(value, np.ndarray):
        if value.dtype.names:
            return {name: value[name].tolist() for name in value.dtype.names}
        return [learned(item) for item in value.flat] if value.dtype == object else value.tolist()
    if isinstance(value, dict):
        return {key: learned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [learned(item) for item in value]
    if isinstance(value, np.random.RandomState):
        return learned(value.get_state())
    if isinstance(value, np.random.Generator):
        return learned(value.bit_generator.state)
    if type(value).__module__.startswith("sklearn") and not isinstance(value, type):
        state = (
            value.__getstate__()
            if type(value).__dict__.get("__getstate__")
            else getattr(value, "__dict__", {})
        )
        return type(value).__name__, learned(state)
    return repr(value)


def test_callbacks_of_the_user_are_called_and_kept(tmp_path: Path) -> None:
    began: list[str] = []

    class Mine:
        def setup(self, estimator: Any, context: Any) -> None: ...

        def teardown(self, estimator: Any, context: Any) -> None: ...

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            began.append(context.task_name)

        def on_fit_task_end(self, estimator: Any, context: Any) -> None: ...

    mine = Mine()
    fitted, seen = watched_fit(LogisticRegression().set_callbacks(mine), *binary(), tmp_path)
    assert "lbfgs-iter" in began
    assert vars(fitted)["_skl_callbacks"] == [mine]
    assert seen.series("val_accuracy")


@pytest.mark.usefixtures("no_budget")
@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in (CASES | UNKNOWN).items()])
def test_watching_never_changes_what_is_learned(case: Any, tmp_path: Path) -> None:
    estimator, data = case
    X, y = data()
    plain = clone(estimator).fit(X[:200], y[:200])
    seen, _ = watched_fit(estimator, X, y, tmp_path)
    assert learned(vars(seen)) == learned(vars(plain))
    for fitted in (seen, plain):
        # Threads would add up the votes of trees in the order they come.
        fitted.set_params(**{name: 1 for name in ("n_jobs",) if "n_jobs" in fitted.get_params()})
    np.testing.assert_array_equal(seen.predict(X), plain.predict(X))
    assert b"mlops_jupyter" not in pickle.dumps(seen)


@pytest.mark.usefixtures("no_budget")
@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_the_last_point_is_the_score_of_the_fitted_model(case: Any, tmp_path: Path) -> None:
    estimator, data = case
    X, y = data()
    fitted, journal = watched_fit(estimator, X, y, tmp_path)
    if isinstance(fitted, MLPClassifier) and fitted.early_stopping:
        # It goes back to its best epoch: the last one is not what is kept.
        assert len(journal.series("val_accuracy")) == fitted.n_iter_
        return
    held, true = X[200:], y[200:]
    expected = (
        {"val_accuracy": fitted.score(held, true), "val_loss": log_loss(true, fitted.predict_proba(held))}
        if is_classifier(fitted)
        else {
            "val_r2": r2_score(true, fitted.predict(held)),
            "val_rmse": root_mean_squared_error(true, fitted.predict(held)),
        }
    )
    last = journal.all(facts.PointsLogged)[-1].points
    measured = {point.name: point.value for point in last if point.name.startswith("val_")}
    assert measured == pytest.approx(expected, rel=1e-6)


def units(fitted: Any) -> int:
    """How many units an estimator says it has fitted."""
    for name in ("n_iter_", "n_estimators_"):
        if hasattr(fitted, name):
            return int(np.max(getattr(fitted, name)))
    return len(fitted.estimators_)


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_progress_ends_at_what_was_fitted(case: Any, tmp_path: Path) -> None:
    estimator, data = case
    fitted, journal = watched_fit(estimator, *data(), tmp_path)
    advanced = [fact.done for fact in journal.all(facts.StageAdvanced)]
    assert advanced == sorted(advanced)
    assert advanced[-1] == units(fitted)


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in UNKNOWN.items()])
def test_what_nobody_can_watch_has_no_length_and_no_points(case: Any, tmp_path: Path) -> None:
    estimator, data = case
    _, journal = watched_fit(estimator, *data(), tmp_path)
    assert [type(fact) for fact in journal.facts] == [facts.StageStarted, facts.StageEnded]


def test_the_length_is_told_where_it_is_known(tmp_path: Path) -> None:
    totals = {}
    for number, name in enumerate(("logistic, binary", "forest, binary", "mlp, binary")):
        folder = tmp_path / str(number)
        folder.mkdir()
        estimator, data = CASES[name]
        _, journal = watched_fit(estimator, *data(), folder)
        last = journal.all(facts.StageAdvanced)[-1]
        totals[name] = (last.total, last.unit)
    assert totals == {
        "logistic, binary": (None, "iteration"),
        "forest, binary": (12, "tree"),
        "mlp, binary": (25, "epoch"),
    }


def test_scores_stay_within_their_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "GRACE", -1.0)
    monkeypatch.setattr(meter, "SHARE", -1.0)
    estimator, data = CASES["forest, multiclass, two cores"]
    _, journal = watched_fit(estimator, *data(), tmp_path)
    assert journal.all(facts.PointsLogged) == []
    assert journal.all(facts.StageAdvanced)[-1].done == 12


BROKEN: dict[str, tuple[type[Any], str]] = {
    "forest, binary": (forest.Grove, "_predict"),
    "hist gradient boosting, binary": (hist_gradient_boosting.Observer, "_predict"),
    "mlp, binary": (Meter, "measure"),
    "logistic, binary": (Meter, "measure"),
    "gradient boosting, binary": (Meter, "measure"),
}


@pytest.mark.usefixtures("no_budget")
@pytest.mark.parametrize("name", BROKEN)
def test_an_error_of_ours_never_breaks_the_fit_and_is_logged_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("our fault")

    kind, method = BROKEN[name]
    monkeypatch.setattr(kind, method, fail)
    estimator, data = CASES[name]
    X, y = data()
    fitted, journal = watched_fit(estimator, X, y, tmp_path)
    assert learned(vars(fitted)) == learned(vars(clone(estimator).fit(X[:200], y[:200])))
    assert [record.message for record in caplog.records] == ["The fit goes on, but is not watched any more."]
    assert journal.all(facts.PointsLogged) == []


@pytest.mark.parametrize(
    ("name", "kind", "hook"),
    [
        ("forest, binary", RandomForestClassifier, "_make_estimator"),
        ("mlp, binary", MLPClassifier, "_forward_pass_fast"),
        ("hist gradient boosting, binary", HistGradientBoostingClassifier, "_preprocess_X"),
        ("logistic, binary", LogisticRegression, "set_callbacks"),
    ],
)
def test_an_estimator_whose_inside_has_changed_counts_as_unknown(
    name: str, kind: type[Any], hook: str
) -> None:
    class Changed:
        """An estimator of this class without its private part."""

        def __getattribute__(self, attribute: str) -> Any:
            if attribute == "__class__":
                return kind
            if attribute == hook:
                raise AttributeError(attribute)
            return getattr(CASES[name][0], attribute)

    assert [way.__name__ for way in WAYS if way.knows(Changed())] == []


class Interrupted(BaseException):
    """What a worker raises when its job is stopped."""


@pytest.mark.parametrize(
    "name", ["logistic, binary", "forest, multiclass, two cores", "mlp, binary", "gradient boosting, binary"]
)
def test_a_stop_goes_through_the_watching(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise Interrupted

    monkeypatch.setattr(Meter, "reached", stop)
    estimator, data = CASES[name]
    with pytest.raises(Interrupted):
        watched_fit(estimator, *data(), tmp_path)
