"""Registered models against a real server: the private one, with models of jobs that were trained."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.job import Job
from mlops_jupyter.client.model import Model
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.view import Nobody
from mlops_jupyter.core.errors import ModelChanged, ModelNotFoundError, ModelNotPortable, ModelStateError
from tests.client.test_serving import shell

PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"


@pytest.fixture(scope="module")
def jobs() -> list[Job]:
    """Two jobs of one name, each with its model."""
    session = Session(Finder.of_this_process(), Nobody())
    options: dict[str, Any] = {"model": "logistic", "cv": 0, "name": "to register"}
    jobs = [session.train(PENGUINS, "species", Options(**options)).wait(100) for _ in range(2)]
    session.close()
    return jobs


@pytest.fixture
def models(jobs: list[Job], session: Session) -> list[Model]:
    return [session.model(str(job.model_id)) for job in jobs]


def test_a_model_knows_what_it_was_made_of(models: list[Model], jobs: list[Job]) -> None:
    model, job = models[0], jobs[0]
    assert (model.name, model.version, model.ref) == ("to register", 1, "to register@1")
    assert (model.metric, model.score, model.metrics) == ("accuracy", job.final_score, job.record.metrics)
    assert model.provenance.dataset.hash == hashlib.sha256(PENGUINS.read_bytes()).hexdigest()
    assert model.environment["scikit-learn"].startswith("1.")
    assert {column["name"] for column in model.signature["inputs"]} >= {"island", "sex"}
    assert (model.split.rule, model.split.test_size) == ("random", 0.2)
    assert "score" in dir(model)
    with pytest.raises(AttributeError, match="a Model has no attribute 'accuracy'"):
        _ = model.accuracy


def test_a_model_is_got_by_version_alias_and_the_beginning_of_its_id(
    models: list[Model], session: Session
) -> None:
    one, two = models
    assert one.promote() is one
    assert repr(one).startswith("<Model to register v1 (champion) ○ registered, accuracy ")
    for ref in ("to register@1", "to register@champion", one.model_id, one.model_id[:-1]):
        assert session.model(ref).record == one.record
    assert session.model("to register").record == two.record
    two.promote("champion")
    assert session.model("to register@champion").version == 2
    assert session.model("to register@1").aliases == ()
    two.demote("champion")
    with pytest.raises(ModelNotFoundError, match='There is "to register" \\(v1–v2\\)'):
        session.model("to register@champion")
    with pytest.raises(ModelNotFoundError) as raised:
        session.model("to regitser")
    assert (raised.value.hint, raised.value.code) == (
        'Did you mean "to register" (v1–v2)?',
        "List: mlops.models()",
    )
    assert [model.version for model in session.models(10, "to register")] == [2, 1]


def test_a_retired_model_is_passed_over_until_it_is_restored(models: list[Model], session: Session) -> None:
    _, two = models
    assert two.retire().status == "retired"
    assert session.model("to register").version == 1
    with pytest.raises(ModelStateError, match="Bring it back first"):
        two.promote()
    assert two.restore().status == "registered"
    assert session.model("to register").version == 2


def test_a_model_is_downloaded_whole_or_not_at_all(
    models: list[Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4."""
    model = models[0]
    monkeypatch.chdir(tmp_path)
    path = model.download()
    assert str(path) == "to-register-v1.skops"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == model.sha256
    assert path.stat().st_size == model.size
    named = model.download(tmp_path / "mine.skops")
    assert named.read_bytes() == path.read_bytes()
    monkeypatch.setattr(Session, "model_file", lambda *_: b"another")
    with pytest.raises(ModelChanged, match="nothing was written"):
        model.download(named)
    assert named.read_bytes() == path.read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.skops", "to-register-v1.skops"]


def test_a_model_is_loaded_and_predicts(models: list[Model], jobs: list[Job], session: Session) -> None:
    rows = pd.read_csv(PENGUINS).drop(columns=["species", "comments"]).head(20).assign(comments=None)
    loaded = models[0].load()
    job = session.get(jobs[0].job_id)
    assert list(loaded.predict(rows)) == list(job.model.predict(rows))


@pytest.mark.timeout(240)
def test_what_is_exported_to_onnx_predicts_the_same_and_what_cannot_be_is_not_written(
    models: list[Model], session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    measured = pd.read_csv(PENGUINS)[["culmen_length_mm", "body_mass_g", "species"]].dropna()
    options = Options(model="logistic", cv=0, name="to export")
    model = session.model(str(session.train(measured, "species", options).wait(100).model_id))
    path = model.to_onnx()
    assert str(path) == "to-export-v1.onnx"
    runtime = onnxruntime.InferenceSession(path.read_bytes())
    columns = json.loads(runtime.get_modelmeta().custom_metadata_map["columns"])
    X, pipeline = measured[columns], model.load()
    labels, probabilities = runtime.run(None, {"X": X.to_numpy(np.float32)})
    assert list(labels) == list(pipeline.predict(X))
    np.testing.assert_allclose(probabilities, pipeline.predict_proba(X), atol=1e-4)
    done = shell("models", "onnx", "to export", "mine.onnx")
    assert (done.returncode, done.stdout, done.stderr) == (0, "mine.onnx\n", "")
    assert Path("mine.onnx").read_bytes() == path.read_bytes()
    with pytest.raises(ModelNotPortable, match="Only tables of numbers are exported to ONNX; no numbers are"):
        models[0].to_onnx()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.onnx", "to-export-v1.onnx"]


def test_a_deleted_model_is_gone_and_its_job_says_so(session: Session) -> None:
    job = session.train(PENGUINS, "species", Options(model="logistic", cv=0, name="to delete")).wait(100)
    model = session.model(str(job.model_id))
    model.delete()
    for order in (model.delete, model.load, model.promote, lambda: session.model("to delete")):
        with pytest.raises(ModelNotFoundError):
            order()
    again = session.get(job.job_id)
    assert again is job
    assert (job.status, job.model_id) == ("completed", None)
    assert job.model_missing_reason.startswith("to delete v1 was deleted by ")
