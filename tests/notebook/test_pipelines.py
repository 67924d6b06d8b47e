"""A pipeline below a cell: live where a page can be fed, facts elsewhere, and what a page may ask of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from mlops_jupyter.client.pipelines import save
from mlops_jupyter.client.session import Session
from mlops_jupyter.core.jobs import Source
from mlops_jupyter.core.pipelines import Pipeline as Record
from mlops_jupyter.core.pipelines import Recipe
from mlops_jupyter.notebook.board import PipelineWidget
from mlops_jupyter.notebook.pipelines import PipelineCard
from tests.notebook.conftest import PENGUINS
from tests.notebook.test_display import run

VIEW = "application/vnd.jupyter.widget-view+json"
RECIPE = {"data": str(PENGUINS), "target": "species", "model": "logistic", "cv": 0}
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def card(name: str, version: int) -> PipelineCard:
    record = Record(
        id="p-7f3a00000000",
        name=name,
        version=version,
        newest=3,
        recipe=Recipe(data=Source(path=f"/data/{name}.csv"), target=name, model="rf"),
        created=NOW,
        updated=NOW,
        by=name,
    )
    return PipelineCard(record, cast(Session, None))


def test_a_version_that_was_is_facts_and_nothing_in_it_is_html() -> None:
    shown = card("<img src=x onerror=__pwn()>", 2)._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert "2 of 3" in shown["text/plain"]
    assert shown["text/html"].count("<tr>") == 6
    assert "<img" not in shown["text/html"]


def test_outside_of_a_kernel_it_is_text(shell: object) -> None:
    shown = card("churn", 3)._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    assert shown["text/plain"].splitlines()[0] == "churn"


def test_in_a_cell_it_lives_and_a_table_stays(tmp_path: Path) -> None:
    cells = [
        "import mlops_jupyter as mlops",
        f"churn = mlops.save_pipeline('churn', {RECIPE!r}); churn",
        "%load_ext mlops_jupyter\n%mlops pipelines set churn --cv 3",
        "mlops.pipeline('churn@1')",
        "churn.delete()",
    ]
    _, [live], [changed], [was], gone = run(tmp_path, *cells)
    for output in (live, changed):
        assert set(output["data"]) == {VIEW, "text/html", "text/plain"}
        assert "<table>" in output["data"]["text/html"]
    assert set(was["data"]) == {"text/html", "text/plain"}
    assert gone == []


def test_a_page_changes_it_through_the_kernel_on_the_version_it_has_seen(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = save("relayed", RECIPE, session)
    widget = PipelineWidget(session, "pipeline", pipeline.id)
    opening = json.loads(widget.opening)["answers"]
    assert [each["id"] for each in opening["pipelines"]["pipelines"]] == [pipeline.id]
    assert set(opening) == {"pipelines", "jobs?limit=50", "datasets"}
    said: list[tuple[dict[str, Any], Any]] = []
    monkeypatch.setattr(
        widget, "send", lambda content, buffers: said.append((content, json.loads(buffers[0])))
    )

    def asked(method: str, path: str, **more: Any) -> tuple[int, Any]:
        widget._answer({"ask": "a", "method": method, "path": path, **more})
        content, body = said.pop()
        return content["status"], body

    here = f"pipelines/{pipeline.id}"
    change = {"recipe": {**opening["pipelines"]["pipelines"][0]["recipe"], "cv": 3}, "name": "relayed"}
    assert asked("PUT", here, body=change)[0] == 428
    status, changed = asked("PUT", here, body=change, match='"1"')
    assert (status, changed["version"], changed["recipe"]["cv"]) == (200, 2, 3)
    assert asked("PUT", here, body={**change, "name": "late"}, match='"1"')[0] == 412
    assert asked("GET", f"{here}/compare?from=1&to=2")[1] == [{"name": "cv", "before": 0, "after": 3}]
    assert asked("POST", f"{here}/duplicate", body={"name": "copy"})[1]["name"] == "copy"
    known = [each["id"] for each in opening["datasets"]["datasets"]]
    assert [each["id"] for each in asked("GET", "datasets")[1]["datasets"]] == known
    keep = {"name": "kept", "recipe": change["recipe"]}
    assert asked("POST", "pipelines", body=keep)[1]["name"] == "kept"
    for method, path in (("POST", "datasets"), ("PUT", f"{here}/restore"), ("DELETE", "pipelines")):
        assert asked(method, path)[0] == 400
    assert asked("DELETE", here)[0] == 200
    widget.close()
