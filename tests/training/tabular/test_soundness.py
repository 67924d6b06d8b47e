"""A model file whose indices lead astray is refused before anything follows them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.interpolate import BSpline
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

from mlops_jupyter.core.errors import ModelNotPortable
from mlops_jupyter.training.tabular import model

GENERATOR = np.random.default_rng(0)
X = GENERATOR.random((60, 4))
y = np.arange(60) % 3
CATEGORIES = np.array([["a"], ["b"], ["c"], ["d"]] * 15, dtype=object)


def read(body: bytes) -> Any:
    return model.loads(body, hashlib.sha256(body).hexdigest())


def refused(forged: Any) -> None:
    with pytest.raises(ModelNotPortable, match=r"that no training has made|is damaged"):
        read(model.dumps(make_pipeline(StandardScaler(), forged)))


def with_state(tree: Any, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what a compiled tree holds."""
    state = tree.__getstate__()
    state = {name: np.copy(part) if isinstance(part, np.ndarray) else part for name, part in state.items()}
    change(state)
    tree.__setstate__(state)


def node(field: str, value: int) -> Callable[[dict[str, Any]], None]:
    """The root's ``field``."""

    def change(state: dict[str, Any]) -> None:
        state["nodes"][field][0] = value

    return change


def count(state: dict[str, Any]) -> None:
    state["node_count"] = 10_000


TREES = [
    pytest.param(node("left_child", 2**40), id="child"),
    pytest.param(node("right_child", -7), id="child before the first"),
    pytest.param(node("left_child", 0), id="its own child"),
    pytest.param(node("feature", 99), id="feature"),
    pytest.param(node("feature", -3), id="feature before the first"),
    pytest.param(count, id="count"),
]


@pytest.mark.parametrize("change", TREES)
def test_a_tree_that_leads_astray_is_refused_wherever_it_is(change: Callable[..., None]) -> None:
    """P27, F50."""
    alone = DecisionTreeClassifier(max_depth=3).fit(X, y)
    forest = RandomForestClassifier(3, max_depth=3).fit(X, y)
    boosted = GradientBoostingClassifier(n_estimators=2).fit(X, y)
    for fitted, tree in (
        (alone, alone.tree_),
        (forest, forest.estimators_[2].tree_),
        (boosted, boosted.estimators_[1, 2].tree_),
    ):
        read(model.dumps(fitted))
        with_state(tree, change)
        refused(fitted)


def test_a_tree_of_more_columns_than_its_forest_is_refused() -> None:
    forest = RandomForestClassifier(3).fit(X, y)
    forest.estimators_[1] = RandomForestClassifier(1).fit(np.hstack([X, X]), y).estimators_[0]
    refused(forest)
    alone = DecisionTreeClassifier().fit(X, y)
    alone.n_features_in_ = 2
    refused(alone)


@pytest.mark.parametrize(
    ("field", "value"),
    [("left", 10**6), ("right", 0), ("feature_idx", 77), ("is_categorical", 1), ("bitset_idx", 9)],
)
def test_a_tree_of_histograms_that_leads_astray_is_refused(field: str, value: int) -> None:
    categories = [0] if field == "bitset_idx" else None
    fitted = HistGradientBoostingClassifier(max_iter=2, categorical_features=categories, min_samples_leaf=2)
    rows = np.hstack([GENERATOR.integers(0, 5, (60, 1)), X])
    fitted.fit(rows, rows[:, 0].astype(int) % 2)
    read(model.dumps(fitted))
    nodes = fitted._predictors[0][0].nodes
    nodes[field][nodes["is_leaf"] == 0] = value
    refused(fitted)


@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
@pytest.mark.parametrize("part", ["idx_start", "idx_end", "is_leaf", "index", "bounds"])
def test_a_tree_of_neighbours_that_leads_astray_is_refused(algorithm: str, part: str) -> None:
    fitted = KNeighborsClassifier(algorithm=algorithm, leaf_size=10).fit(X, y)
    read(model.dumps(fitted))
    state = list(fitted._tree.__getstate__())
    data, index, nodes, bounds = (np.array(each) for each in state[:4])
    if part == "index":
        index[3] = 10**6
    elif part == "bounds":
        bounds = np.ascontiguousarray(bounds[:, :2])
    else:
        nodes[part][-1] = {"idx_start": -5, "idx_end": 10**6, "is_leaf": 0}[part]
    fitted._tree.__setstate__((data, index, nodes, bounds, *state[4:]))
    refused(fitted)


def vectors(**changes: Any) -> list[Any]:
    fitted = [SVC().fit(X, y), SVR().fit(X, y.astype(float))]
    for each in fitted:
        read(model.dumps(each))
        vars(each).update(changes)
    return fitted


@pytest.mark.parametrize(
    "changes",
    [
        {"support_vectors_": X[:5]},
        {"_dual_coef_": np.zeros((1, 3))},
        {"_intercept_": np.zeros(0)},
        {"support_": np.full(60, 10**6, dtype=np.int32)},
        {"_n_support": np.array([1], dtype=np.int32)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_support_vectors_of_other_shapes_are_refused(changes: dict[str, Any]) -> None:
    for forged in vectors(**changes):
        refused(forged)


def test_splines_words_and_categories_that_lead_astray_are_refused() -> None:
    spline = BSpline(np.arange(8.0), np.arange(4.0), 3)
    words = CountVectorizer().fit(["one two three"])
    categories = OneHotEncoder(min_frequency=20, sparse_output=False).fit(CATEGORIES[:-20])
    scaler = StandardScaler().fit(X)
    for held in (words, categories):
        read(model.dumps(held))
    scaler.extra = {"deep": (spline,)}
    read(model.dumps(scaler))
    object.__setattr__(spline, "_t" if hasattr(spline, "_t") else "t", np.zeros(2))
    refused(scaler)
    words.vocabulary_["one"] = 10**6
    refused(words)
    categories._n_features_outs = [0]
    refused(categories)


FOLLOWED = """
import sys, hashlib, pathlib
from mlops_jupyter.training.tabular import model, soundness
import numpy as np
if sys.argv[2] == "unchecked":
    soundness.check = lambda model: None
body = pathlib.Path(sys.argv[1]).read_bytes()
forest = model.loads(body, hashlib.sha256(body).hexdigest())
for _ in range(50):
    forest.predict(np.random.rand(10_000, 4))
"""


def test_what_is_refused_would_have_ended_the_process(tmp_path: Path) -> None:
    """Fact 14, in a process of its own: without the look, a signal; with it, words."""
    forest = RandomForestClassifier(3, max_depth=3).fit(X, y)
    with_state(forest.estimators_[0].tree_, node("left_child", 2**40))
    path = tmp_path / "forged.skops"
    path.write_bytes(model.dumps(forest))
    ends = {}
    for how in ("unchecked", "checked"):
        command = [sys.executable, "-c", FOLLOWED, str(path), how]
        ends[how] = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ends["unchecked"].returncode == -11
    assert ends["checked"].returncode == 1
    assert "that no training has made" in ends["checked"].stderr
