"""What deployed models predict is counted, told and compared with what they were trained on."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from prometheus_client import generate_latest
from sklearn.tree import DecisionTreeClassifier

from mlops_jupyter.store.endpoints import hour_of
from tests.fitted import COLUMNS, fitted, numbers, penguins, registered, rows
from tests.server.test_serving import deployed, told  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def soon(monkeypatch) -> None:
    """Looks follow each other closely."""
    monkeypatch.setattr("mlops_jupyter.watches.LOOK", 0.05)


async def event(ask: Any, kind: str, wanted: Any) -> dict[str, Any]:
    """The first of this kind that is ``wanted``."""
    while True:
        _, answer = await ask("GET", "events?since=0")
        for each in answer["events"]:
            if each["type"] == kind and wanted(each):
                return each
        await ask("GET", f"events?since={answer['head']}&wait=20", request_timeout=30)


async def test_predictions_are_counted_by_the_hour_told_of_and_compared(rooms, ask, deployed) -> None:  # noqa: F811
    # Counters are of the whole process, and its tests.
    model = await registered(rooms, fitted(), job_id="j-020202020202")
    endpoint = await deployed(model)
    path, at = f"models/{model.model_id}/predict", f"endpoints/{endpoint['endpoint_id']}"
    known = rows(len(penguins()[0]))
    assert (await ask("POST", path, {"rows": known}))[0] == 200
    assert (await ask("POST", path, {"rows": [{}]}))[0] == 400
    _, seen = await ask("GET", f"{at}/monitoring")
    assert (seen["total"], seen["requests"], seen["errors"], seen["rate"]) == (344, 2, 1, 344.0)
    assert 0 < seen["p50"] == seen["p95"] < 40
    assert [(each["predictions"], each["requests"], each["errors"]) for each in seen["hours"]] == [
        (344, 2, 1)
    ]
    # Rows as in training, each once: nothing drifts, and PSI says so.
    assert (seen["drift_reason"], seen["unwatched"]) == (None, [])
    levels = {name: (each["level"], round(each["psi"], 6)) for name, each in seen["drift"].items()}
    assert levels == dict.fromkeys(COLUMNS, ("none", 0.0))
    volume = await event(ask, "prediction_volume", lambda each: each["milestone"] is None)
    assert (volume["name"], volume["version"], volume["total_predictions"]) == ("penguins", 1, 344)
    for _ in range(2):
        elsewhere = [{**row, "island": "Atlantis", "body_mass_g": 9000.0} for row in known]
        assert (await ask("POST", path, {"rows": elsewhere}))[0] == 200
    reached = await event(ask, "prediction_volume", lambda each: each["milestone"] is not None)
    assert (reached["milestone"], reached["total_predictions"]) == (1000, 1032)
    await event(
        ask, "prediction_volume", lambda each: each["total_predictions"] == 1032 and not each["milestone"]
    )
    raised = await told(ask, "drift_raised")
    assert {(each["column"], each["level"]) for each in raised} == {
        ("island", "drift"),
        ("body_mass_g", "drift"),
    }
    assert len(raised) == 2
    feed = (await ask("GET", "activity?kind=model"))[1]["activity"]
    assert [row["activity"]["title"] for row in feed].count("Input drift") == 2
    assert "1,000 predictions by penguins v1" in [row["activity"]["description"] for row in feed]
    lines = generate_latest().decode()
    assert f'mlops_predictions_total{{model_id="{model.model_id}"}} 1032.0' in lines
    assert "mlops_deployed_models 1.0" in lines


async def test_drift_is_told_again_when_it_was_away_for_as_long_as_it_is_counted(
    rooms,
    ask,
    deployed,  # noqa: F811
    monkeypatch,
) -> None:
    passed = {"hours": 0}
    for module in ("watches", "store.endpoints"):
        monkeypatch.setattr(
            f"mlops_jupyter.{module}.hour_of", lambda moment: hour_of(moment) + passed["hours"]
        )
    model = await registered(rooms, fitted(), job_id="j-030303030303")
    await deployed(model)
    known = rows(len(penguins()[0]))
    elsewhere = [{**row, "island": "Atlantis"} for row in known]

    async def raised(hours: int, asked: list[dict[str, Any]], total: int) -> int:
        """How often drift was told, once so many were predicted."""
        passed["hours"] = hours
        assert (await ask("POST", f"models/{model.model_id}/predict", {"rows": asked}))[0] == 200
        await event(
            ask,
            "prediction_volume",
            lambda each: each["total_predictions"] == total and not each["milestone"],
        )
        return len(await told(ask, "drift_raised"))

    # It begins and lasts, is away for hardly a day, and for more than one.
    asked = [(0, elsewhere), (1, elsewhere), (25, elsewhere), (60, known), (90, elsewhere)]
    seen = [await raised(hours, each, 344 * (n + 1)) for n, (hours, each) in enumerate(asked)]
    assert seen == [1, 1, 1, 1, 2]


async def test_columns_that_are_not_compared_are_named(rooms, ask, deployed) -> None:  # noqa: F811
    pipeline, table = numbers(DecisionTreeClassifier(), columns=2)
    table = table.assign(since=pd.date_range("2026-01-01", periods=len(table)))
    model = await registered(rooms, pipeline, table, job_id="j-030303030303")
    endpoint = await deployed(model)
    _, seen = await ask("GET", f"endpoints/{endpoint['endpoint_id']}/monitoring")
    assert (set(seen["drift"]), seen["unwatched"]) == ({"x0", "x1"}, ["since"])


async def test_a_model_from_before_has_no_drift_and_says_why(rooms, ask, deployed) -> None:  # noqa: F811
    model = await registered(rooms, fitted(), watched=False, job_id="j-010101010101")
    endpoint = await deployed(model)
    await ask("POST", f"models/{model.model_id}/predict", {"rows": rows(300)})
    _, seen = await ask("GET", f"endpoints/{endpoint['endpoint_id']}/monitoring?hours=1")
    assert (seen["total"], seen["drift"]) == (300, None)
    assert seen["drift_reason"] == "The model was trained before histograms of its rows were kept."
    await ask("POST", f"models/{model.model_id}/undeploy", {})
    status, answer = await ask("GET", f"endpoints/{endpoint['endpoint_id']}/monitoring")
    assert (status, answer["reason"]) == (409, "ModelStateError")
