"""Models that answer, from Python and the shell, against a real server: the private one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.client import serving
from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.model import Model
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.view import Nobody
from mlops_jupyter.core.errors import InputError, ModelStateError, ServingFailed

PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"
NAME = "to deploy"


@pytest.fixture(scope="module")
def models() -> list[str]:
    """Ids of two versions of one name."""
    session = Session(Finder.of_this_process(), Nobody())
    options: dict[str, Any] = {"model": "logistic", "cv": 0, "name": NAME}
    jobs = [session.train(PENGUINS, "species", Options(**options)).wait(100) for _ in range(2)]
    session.close()
    return [str(job.model_id) for job in jobs]


def penguins() -> pd.DataFrame:
    return pd.read_csv(PENGUINS).drop(columns="species")


def shell(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlops_jupyter.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_one_is_one_and_many_are_many() -> None:
    found = {"errors": 0, "rate": None, "p50": None, "p95": None, "drift": {}, "unwatched": []}
    assert serving.told({**found, "total": 1, "requests": 1}).splitlines()[0] == (
        "1 prediction, 0 of 1 request without one"
    )
    assert serving.told({**found, "total": 1234, "requests": 2}).splitlines()[0] == (
        "1,234 predictions, 0 of 2 requests without one"
    )


def test_columns_that_are_not_watched_are_named() -> None:
    found = {"total": 2, "errors": 0, "requests": 2, "rate": None, "p50": None, "p95": None, "drift": {}}
    told = serving.told({**found, "unwatched": ["since", *(f"c{n}" for n in range(6))]})
    assert told.splitlines()[-2:] == ["no drift seen", "not watched: since, c0, c1, c2, c3, +2"]


@pytest.mark.timeout(240)
def test_a_version_is_deployed_asked_replaced_and_rolled_back(models: list[str], session: Session) -> None:
    one, two = (session.model(model_id) for model_id in models)
    with pytest.raises(ModelStateError, match="to deploy v1 is not deployed"):
        one.predict(penguins().head(1))
    assert one.deploy().status == "deployed"
    X = penguins().head(5).set_axis(list("abcde"))
    found, pipeline = one.predict(X), one.load()
    assert found["prediction"].tolist() == pipeline.predict(X).tolist()
    assert list(found.index) == list("abcde")
    probabilities = found.drop(columns="prediction")
    assert list(probabilities.columns) == [f"p({label})" for label in pipeline.classes_]
    np.testing.assert_array_equal(probabilities.to_numpy(), pipeline.predict_proba(X))
    with pytest.raises(InputError, match='to deploy v1 needs 16 columns; missing "island"'):
        one.predict(X.drop(columns="island"))
    assert two.deploy().status == "deployed"
    assert session.model(one.model_id).status == "registered"
    # Of a name alone, whichever answers.
    assert session.live(NAME).version == 2
    assert two.rollback().version == 1
    row = json.dumps(
        {name: None if pd.isna(value) else value for name, value in X.iloc[0].items()}, default=int
    )
    done = shell("predict", NAME, row, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["prediction"] == found["prediction"].iloc[0]
    wrong = shell("predict", NAME, '{"island": 3}')
    assert (wrong.returncode, wrong.stderr.splitlines()[0][:44]) == (
        2,
        "InputError: to deploy v1 needs 16 columns; m",
    )
    seen = session.live(NAME).monitoring()
    assert (seen["version"], seen["total"], seen["errors"]) == (1, 6, 2)
    assert shell("monitor", NAME).stdout.splitlines()[0] == "6 predictions, 2 of 4 requests without one"
    assert shell("undeploy", NAME).stdout == "to deploy@1 registered\n"
    assert shell("predict", NAME, row).returncode == 2


@pytest.mark.timeout(240)
def test_a_version_that_cannot_answer_raises_why(
    models: list[str], session: Session, monkeypatch: Any
) -> None:
    model: Model = session.model(models[0])
    jobs = Path(os.environ["JUPYTER_DATA_DIR"]) / "mlops" / "jobs"
    path = jobs / model.provenance.job_id / "model" / "model.skops"
    body = path.read_bytes()
    path.write_bytes(b"no model")
    try:
        with pytest.raises(ServingFailed, match="this is not the model file that was registered"):
            model.deploy()
        assert model.status == "failed"
    finally:
        path.write_bytes(body)
    assert model.deploy().undeploy().status == "registered"


def test_rows_go_out_as_json_can_say_them() -> None:
    table = pd.DataFrame(
        {
            "n": [1.5, np.nan],
            "d": pd.to_datetime(["2026-03-01 12:00", None]),
            "t": pd.to_timedelta(["2 days", None]),
            "c": pd.Categorical(["a", None]),
            0: np.array([1, 2], dtype="int8"),
        }
    )
    assert serving.rows(table) == [
        {"n": 1.5, "d": "2026-03-01T12:00:00", "t": "2 days 00:00:00", "c": "a", "0": 1},
        {"n": None, "d": None, "t": None, "c": None, "0": 2},
    ]
    assert serving.rows({"n": 1}) == [{"n": 1}]
    with pytest.raises(InputError, match="not ndarray"):
        serving.rows(np.zeros((2, 2)))


def test_many_rows_go_in_requests_that_are_short_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [{"n": number} for number in range(12_000)]
    sent = [msgspec.json.decode(body)["rows"] for body in serving.bodies(asked)]
    assert ([len(rows) for rows in sent], [row for rows in sent for row in rows]) == (
        [5000, 5000, 2000],
        asked,
    )
    monkeypatch.setattr("mlops_jupyter.core.limits.PREDICT_BODY", 1000)
    sent = [msgspec.json.decode(body)["rows"] for body in serving.bodies(asked[:300])]
    assert [row for rows in sent for row in rows] == asked[:300]
    assert max(len(body) for body in serving.bodies(asked[:300])) <= 1000
