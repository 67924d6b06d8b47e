"""Models are kept as files that hold reviewed types only, and nothing of ours."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import stat
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
import skops
import skops.io
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, Matern, WhiteKernel
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skrub import tabular_pipeline

from mlops_jupyter.core import facts
from mlops_jupyter.core.errors import ModelChanged, ModelNotPortable
from mlops_jupyter.training.tabular import catalogue, estimators, model
from mlops_jupyter.training.tabular.catalogue import Task
from mlops_jupyter.training.tabular.trusted import TRUSTED
from tests.training.builders import trained
from tests.training.tabular import tables

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Found unknown categories"),
]
#: Fits that take longer than their types are worth.
QUICK: dict[str, dict[str, Any]] = {
    "rf": {"n_estimators": 2},
    "extra_trees": {"n_estimators": 2},
    "gradient_boosting": {"n_estimators": 2},
    "hist_gradient_boosting": {"max_iter": 2},
    "mlp": {"max_iter": 2},
    "logistic": {"max_iter": 5},
}
OFFERED = [
    pytest.param(name, task, id=f"{name}, {task}")
    for task in catalogue.TASKS
    for name, offer in catalogue.MODELS.items()
    if getattr(offer, task)
]


class Doubled(TransformerMixin, BaseEstimator):
    """A transformer of somebody's own."""

    def fit(self, X: Any, y: Any = None) -> Doubled:
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        return X * 2


@pytest.fixture(scope="module")
def messy() -> pd.DataFrame:
    return tables.messy(90)


def read(body: bytes) -> Any:
    return model.loads(body, hashlib.sha256(body).hexdigest())


def strange_types(body: bytes) -> set[str]:
    return set(skops.io.get_untrusted_types(data=body)) - set(TRUSTED)


@pytest.mark.parametrize(("name", "task"), OFFERED)
def test_whole_pipelines_over_all_kinds_of_columns_hold_reviewed_types_only(
    name: str, task: Task, messy: pd.DataFrame
) -> None:
    X = messy.drop(columns=["bought", "spent"])
    y = (messy.bought if task == "classification" else messy.spent).to_numpy()
    estimator = estimators.build(name, task).set_params(**QUICK.get(name, {}))
    body = model.dumps(tabular_pipeline(estimator).fit(X, y))
    assert strange_types(body) == set()
    assert type(read(body)[-1]) is type(estimator)


@pytest.mark.parametrize(
    "estimator",
    [
        VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"),
        StackingClassifier([("a", LogisticRegression()), ("b", GaussianNB())]),
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, scoring="f1_macro", cv=StratifiedShuffleSplit(2)),
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}),
        CalibratedClassifierCV(LogisticRegression()),
        CalibratedClassifierCV(GaussianNB(), method="isotonic", ensemble=False),
        GaussianProcessClassifier(1.0 * RBF() + WhiteKernel() + Matern()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_ensembles_searches_and_calibration_are_kept_and_predict_the_same(estimator: Any) -> None:
    frame = tables.flowers()
    y = frame.pop("species").to_numpy(dtype=object)
    fitted = estimator.fit(frame, y)
    body = model.dumps(fitted)
    assert strange_types(body) == set()
    assert (read(body).predict(frame) == fitted.predict(frame)).all()


def test_a_forest_of_thousands_of_trees_is_kept() -> None:
    frame = tables.flowers()
    y = frame.pop("species").to_numpy(dtype=object)
    fitted = ExtraTreesClassifier(2_100, max_depth=1).fit(frame, y)
    assert (read(model.dumps(fitted)).predict(frame) == fitted.predict(frame)).all()


@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingClassifier(max_iter=3, early_stopping=True, categorical_features=None),
        MLPClassifier(max_iter=2, solver="sgd"),
        MLPClassifier(max_iter=5, early_stopping=True),
        KNeighborsClassifier(algorithm="kd_tree"),
        KNeighborsClassifier(algorithm="ball_tree", p=1),
        KNeighborsClassifier(algorithm="ball_tree", p=3),
    ],
    ids=repr,
)
@pytest.mark.parametrize("target", ["text", "numbers", "yes or no"])
def test_other_parameters_and_labels_hold_reviewed_types_only(estimator: Any, target: str) -> None:
    frame = tables.flowers()
    y = pd.factorize(frame.pop("species"))[0]
    labels = {"text": np.array(["a", "b", "c"], dtype=object)[y], "numbers": y, "yes or no": y == 1}
    assert strange_types(model.dumps(make_pipeline(estimator).fit(frame, labels[target]))) == set()


def test_the_file_is_what_skops_writes() -> None:
    frame = tables.flowers()
    y = frame.pop("species").to_numpy(dtype=object)
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, y)
    ours, theirs = (ZipFile(io.BytesIO(body)) for body in (model.dumps(fitted), skops.io.dumps(fitted)))
    assert json.loads(ours.read("schema.json")).keys() == json.loads(theirs.read("schema.json")).keys()
    assert sorted(ours.namelist()) == sorted(theirs.namelist())
    again = skops.io.loads(model.dumps(fitted), trusted=list(TRUSTED))
    np.testing.assert_array_equal(again.predict_proba(frame), fitted.predict_proba(frame))


def test_a_models_folder_is_whole_private_and_described(tmp_path: Path) -> None:
    journal = trained(tmp_path, tables.flowers(), "species", model="logistic", cv=0, name="iris")
    folder = tmp_path / "model"
    assert sorted(file.name for file in folder.iterdir()) == ["meta.json", "model.skops"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())] == [
        0o700,
        0o600,
        0o600,
    ]
    saved = journal.one(facts.ModelSaved)
    meta = json.loads((folder / "meta.json").read_bytes())
    assert (meta["sha256"], meta["bytes"]) == (saved.sha256, (folder / "model.skops").stat().st_size)
    assert meta["signature"] == saved.signature
    assert saved.signature["output"] == {
        "name": "species",
        "kind": "class",
        "classes": ["setosa", "versicolor", "virginica"],
    }
    assert saved.signature["inputs"][0] == {
        "name": "sepal length (cm)",
        "kind": "number",
        "dtype": "float64",
        "missing": False,
    }
    assert (meta["name"], meta["data"]["rows"], meta["rows"]) == (
        "iris",
        150,
        {"train": 96, "validation": 24, "test": 30},
    )
    assert meta["metrics"]["test_accuracy"] == journal.metrics["test_accuracy"]


def test_a_job_whose_model_cannot_be_kept_still_completes(tmp_path: Path) -> None:
    frame = tables.flowers()
    pipeline = make_pipeline(Doubled(), LogisticRegression(max_iter=1000))
    journal = trained(tmp_path, frame, "species", pipeline, cv=0)
    reason = journal.one(facts.ModelNotSaved).reason
    assert reason.startswith("The model holds types that cannot be kept safely: ")
    assert "Doubled" in reason
    assert not (tmp_path / "model").exists()
    assert isinstance(journal.facts[-1], facts.StageEnded)


def test_a_function_without_a_name_cannot_be_kept(tmp_path: Path) -> None:
    pipeline = make_pipeline(FunctionTransformer(lambda X: X), LogisticRegression(max_iter=1000))
    journal = trained(tmp_path, tables.flowers(), "species", pipeline, cv=0)
    assert journal.one(facts.ModelNotSaved).reason


def test_a_model_that_reads_back_differently_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = tables.flowers()
    y = frame.pop("species").to_numpy(dtype=object)
    other = make_pipeline(LogisticRegression(C=1e-6)).fit(frame, y)
    monkeypatch.setattr(model, "loads", lambda *_: other)
    journal = trained(tmp_path, tables.flowers(), "species", model="logistic", cv=0)
    assert journal.one(facts.ModelNotSaved).reason == "Read from its file, it predicted something else."


def test_other_functions_than_reviewed_ones_are_refused() -> None:
    for function in (os.getcwd, partial(os.getcwd)):
        with pytest.raises(ModelNotPortable, match="getcwd"):
            read(skops.io.dumps(FunctionTransformer(function)))


@pytest.mark.parametrize("body", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_model_file_is_refused(body: bytes) -> None:
    with pytest.raises(ModelNotPortable):
        read(body)


def test_a_file_swapped_for_another_model_is_refused_before_it_is_read() -> None:
    """P4, F49."""
    registered, swapped = (skops.io.dumps(LogisticRegression(C=C)) for C in (1.0, 2.0))
    sha256 = hashlib.sha256(registered).hexdigest()
    assert model.loads(registered, sha256).C == 1.0
    for other in (swapped, registered[:-1], b""):
        with pytest.raises(ModelChanged, match=f"of the model {sha256[:12]}"):
            model.loads(other, sha256)


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        {"schema.json": bytes(50_000_000)},
        {"schema.json": b"{}", "x.npy": bytes(827 << 20)},
        {"schema.json": b"{}"} | {f"{n}.npy": b"" for n in range(model.MOST_MEMBERS)},
        {"schema.json": b"{}"} | {f"{n}.npy": b"" for n in range(100_000)},
        {"schema.json": b"{}", "../x.npy": b""},
        {"schema.json": b"{}", "/x.npy": b""},
        {"schema.json": b"{}", "a/../../x.npy": b""},
        {"schema.json": b"{}", "\\\\host\\x.npy": b""},
        {"schema.json": b"{}", "C:x.npy": b""},
    ],
    ids=["bomb", "827 MiB", "many", "100k", "outside", "absolute", "further outside", "share", "drive"],
)
def test_archives_that_would_do_harm_are_refused_before_they_are_read(
    members: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """P27, F50."""
    body = archive(members)
    monkeypatch.setattr(ZipFile, "open", lambda *_: pytest.fail("a part was unpacked"))
    with pytest.raises(ModelNotPortable):
        read(body)


class Gadget:
    """Unpickled, it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def foreign_files(mark: Path) -> dict[str, bytes]:
    """What people keep models in, each with a gadget, called ``.skops``."""
    pickled, archived, array = pickle.dumps(Gadget(mark)), io.BytesIO(), io.BytesIO()
    joblib.dump(Gadget(mark), archived)
    np.save(array, np.array([Gadget(mark)], dtype=object), allow_pickle=True)
    node = {"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode", "__id__": 1}
    schema = {**node, "type": "numpy", "file": "x.npy", "protocol": 2, "_skops_version": skops.__version__}
    return {
        "pickle": pickled,
        "joblib": archived.getvalue(),
        "cloudpickle": cloudpickle.dumps(Gadget(mark)),
        "npy": array.getvalue(),
        "torch": archive({"archive/data.pkl": pickled, "archive/version": b"3"}),
        "h5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "skops around npy": archive({"schema.json": json.dumps(schema).encode(), "x.npy": array.getvalue()}),
        "skops around pickle": archive({"schema.json": pickled}),
    }


def test_a_file_of_another_kind_is_refused_and_nothing_in_it_is_done(tmp_path: Path) -> None:
    """P27, F49."""
    mark = tmp_path / "done"
    pickle.loads(pickle.dumps(Gadget(mark)))
    assert mark.exists()
    mark.unlink()
    for kind, body in foreign_files(mark).items():
        with pytest.raises(ModelNotPortable):
            read(body)
        assert not mark.exists(), kind


def test_a_file_that_says_what_no_file_says_is_called_damaged() -> None:
    """F50."""
    whole = model.dumps(LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
    with ZipFile(io.BytesIO(whole)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    deep = b'{"__loader__": ' * 50_000 + b"1" + b"}" * 50_000
    members["more.npy"] = np.random.default_rng(0).bytes(20_000)
    for schema in (b"", b"[]", b"null", b'{"__loader__": "NoNode"}', deep):
        with pytest.raises(ModelNotPortable, match="damaged"):
            read(archive({**members, "schema.json": schema}))
    missing = {"schema.json": members["schema.json"]}
    with pytest.raises(ModelNotPortable, match="damaged"):
        read(archive(missing))
    middle = len(whole) // 2
    with pytest.raises(ModelNotPortable):
        read(whole[:100] + bytes(60) + whole[160:])
    with pytest.raises(ModelNotPortable):
        read(whole[:middle])


def test_a_model_is_not_written_through_a_link_that_took_the_place_of_its_folder(tmp_path: Path) -> None:
    """F9."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "job").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError):
        model._write(tmp_path / "job", {"model.skops": b"x"})
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_row_kept_as_an_example_is_a_real_one_that_json_can_hold_and_the_model_can_be_asked() -> None:
    table = pd.DataFrame(
        {
            "gap": [None, 1.5, 2.5],
            "whole": np.array([1, 2, 3], dtype="int64"),
            "wide": np.array([1, 2**60, 3], dtype="int64"),
            "yes": [True, False, True],
            "endless": [0.0, np.inf, 1.0],
            "day": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]),
            "took": pd.to_timedelta(["1h", "2h", "3h"]),
            "kind": pd.Categorical(["a", "b", "c"]),
            "long": ["x", "y" * 1000, "z"],
            "lists": [[1], [2, 3], []],
        },
        index=[7, 7, 7],
    )
    kept = model.example(table)
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
    took = kept.pop("took")
    assert kept == {
        "gap": 1.5,
        "whole": 2,
        "wide": float(2**60),
        "yes": False,
        "endless": None,
        "day": "2026-01-02T00:00:00",
        "kind": "b",
        "long": "y" * model.LONGEST,
        "lists": "[2, 3]",
    }
    assert pd.to_timedelta(took) == table["took"].iloc[1]
