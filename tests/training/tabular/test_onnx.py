"""What is exported to ONNX predicts what the pipeline predicts; what cannot be is refused by name."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from skrub import tabular_pipeline

from mlops_jupyter.core.errors import ModelNotPortable
from mlops_jupyter.executors import export
from mlops_jupyter.executors.export import Exports
from mlops_jupyter.training.tabular import catalogue, estimators, model, onnx
from mlops_jupyter.training.tabular.catalogue import Task
from tests.training.builders import trained
from tests.training.tabular import tables
from tests.training.tabular.test_model import OFFERED, QUICK

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
FORESTS = ("rf", "extra_trees")


def numbers(*, missing: bool) -> pd.DataFrame:
    """Columns as tables have them: of a mixture of sizes, a constant, one that is mostly 0."""
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "a": generator.normal(size=200) * 10,
            "b": generator.integers(0, 50, 200),
            "c d": generator.random(200),
            "constant": 1.0,
            "mostly 0": np.where(np.arange(200) % 20 == 0, 3.5, 0.0),
        }
    )
    if missing:
        frame.loc[::17, "a"] = np.nan
    return frame


def fitted(name: str, task: Task, *, missing: bool) -> tuple[Pipeline, pd.DataFrame, Any]:
    X = numbers(missing=missing)
    value = X["b"] + 10 * X["c d"]
    y = value.to_numpy()
    if task == "classification":
        y = pd.cut(value, 3, labels=["low", "mid", "high"]).astype(str).to_numpy(dtype=object)
    estimator = estimators.build(name, task).set_params(**QUICK.get(name, {}))
    return tabular_pipeline(estimator).fit(X, y), X, model.signature(X, "y", None).inputs


@pytest.mark.parametrize("missing", [False, True], ids=["whole", "missing"])
@pytest.mark.parametrize(("name", "task"), OFFERED)
def test_every_model_on_offer_predicts_the_same_as_onnx(name: str, task: Task, missing: bool) -> None:
    pipeline, X, inputs = fitted(name, task, missing=missing)
    if missing and name in FORESTS:
        with pytest.raises(ModelNotPortable, match='does with missing values, as in "a"'):
            onnx.exported(pipeline, inputs)
        return
    session = onnxruntime.InferenceSession(onnx.exported(pipeline, inputs))
    columns = json.loads(session.get_modelmeta().custom_metadata_map["columns"])
    assert columns == list(X.columns)
    values, *probabilities = session.run(None, {"X": X[columns].to_numpy(np.float32)})
    if task == "regression":
        np.testing.assert_allclose(values.ravel(), pipeline.predict(X), rtol=1e-4, atol=1e-3)
        return
    assert list(values) == list(pipeline.predict(X))
    if getattr(catalogue.MODELS[name], "probabilities", False):
        np.testing.assert_allclose(probabilities[0], pipeline.predict_proba(X), atol=1e-4)


def test_columns_that_are_no_numbers_are_named() -> None:
    X = tables.messy(90).drop(columns=["bought", "spent"])
    y = np.arange(90) % 2
    pipeline = tabular_pipeline(LogisticRegression()).fit(X, y)
    with pytest.raises(ModelNotPortable, match=r"Only tables of numbers .* \(DatetimeEncoder\)"):
        onnx.exported(pipeline, model.signature(X, "y", None).inputs)


def test_a_pipeline_of_the_users_own_is_exported_where_its_steps_are_known() -> None:
    X = numbers(missing=False)
    y = (X["b"] > 20).to_numpy()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    inputs = model.signature(X, "y", None).inputs
    session = onnxruntime.InferenceSession(onnx.exported(pipeline, inputs))
    (values, _) = session.run(None, {"X": X.to_numpy(np.float32)})
    assert (values == pipeline.predict(X)).all()


def test_an_export_that_predicts_something_else_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, _, inputs = fitted("logistic", "classification", missing=False)
    affine = onnx._affine
    monkeypatch.setattr(onnx, "_affine", lambda scaler: (affine(scaler)[0], affine(scaler)[1] * 2))
    with pytest.raises(ModelNotPortable, match="it predicted something else"):
        onnx.exported(pipeline, inputs)


def test_without_the_packages_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, _, inputs = fitted("logistic", "classification", missing=False)
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ModelNotPortable) as raised:
        onnx.exported(pipeline, inputs)
    assert raised.value.code == 'pip install "mlops_jupyter[onnx]"'


def test_a_model_file_is_exported_by_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P27: a file that was changed, one that is gone, one that takes too long."""
    frame = tables.flowers()
    trained(tmp_path, frame, "species", model="logistic", cv=0)
    (source,) = tmp_path.rglob("model.skops")
    sha256 = json.loads((source.parent / "meta.json").read_text("utf-8"))["sha256"]
    target = tmp_path / "model.onnx"

    def export_it(path: Path, of: str) -> None:
        asyncio.run(Exports().onnx(path, of, target))

    export_it(source, sha256)
    assert onnxruntime.InferenceSession(target.read_bytes()).get_inputs()[0].name == "X"
    with pytest.raises(Exception, match="not the model file that was registered"):
        export_it(source, "ab" * 32)
    with pytest.raises(Exception, match="is gone"):
        export_it(tmp_path / "none.skops", sha256)
    monkeypatch.setattr(export, "PATIENCE", 0.01)
    with pytest.raises(ModelNotPortable, match=r"longer than 0\.01 s"):
        export_it(source, sha256)
