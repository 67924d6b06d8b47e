"""Pipelines on the page of ``jupyter mlops`` and in JupyterLab: edited, called anew, brought back and run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from mlops_jupyter.notebook.board import MIME
from tests.browser.lab import Lab
from tests.browser.servers import LabServer
from tests.browser.test_page import FITS, MlopsServer, seen_by_axe
from tests.browser.test_surroundings import panel

NAME = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    server = MlopsServer(tmp_path_factory.mktemp("pipelines"))
    try:
        server.start()
        yield server
    finally:
        server.close()


def asked(
    server: LabServer,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    more: dict[str, str] | None = None,
) -> Any:
    """``more``: headers beside the usual."""
    headers = {"Authorization": f"token {server.token}", **(more or {})}
    answer = httpx.request(method, f"{server.url}mlops/api/{path}", json=body, headers=headers, timeout=60)
    return answer.raise_for_status().json()


def kept(server: LabServer, name: str) -> str:
    """The id of a new pipeline."""
    server.copy("notebooks/data")
    path = str(server.root / "notebooks/data/penguins.csv")
    data = {"path": path, "name": "penguins.csv"}
    recipe = {"data": data, "target": "species", "model": "logistic", "cv": 0}
    return str(asked(server, "POST", "pipelines", {"name": name, "recipe": recipe})["id"])


def test_a_pipeline_is_edited_compared_called_anew_and_brought_back(
    open_lab: Callable[..., Lab], server: LabServer
) -> None:
    tab = open_lab(server)
    page = tab.page
    page.goto(f"{server.url}mlops?token={server.token}")
    expect(page.get_by_test_id("mlops-pipelines")).to_contain_text("No pipelines yet")
    pipeline = kept(server, NAME)
    # Told by an event: nothing was reloaded.
    shown = page.get_by_test_id("mlops-pipelines")
    named = shown.get_by_test_id("mlops-pipeline-open")
    expect(named).to_have_text(NAME)
    told = shown.get_by_test_id("mlops-pipelines-told")
    assert seen_by_axe(tab) == []

    shown.get_by_test_id("mlops-pipeline-edit").press("Enter")
    stages = shown.get_by_test_id("mlops-recipe")
    expect(stages.locator("> li")).to_have_count(8)
    stages.get_by_role("button", name="Edit: Training model").press("Enter")
    stages.get_by_test_id("mlops-field-params").fill('{"C": 0.5}')
    page.keyboard.press("Enter")
    expect(told).to_have_text(f"{NAME} is at version 2.", timeout=30_000)
    assert asked(server, "GET", f"pipelines/{pipeline}")["recipe"]["params"] == {"C": 0.5}

    def choose(entry: str) -> None:
        shown.get_by_test_id("mlops-pipeline-more").press("Enter")
        shown.get_by_test_id(f"mlops-menu-pipeline-{entry}").press("Enter")

    choose("compare")
    expect(shown.get_by_test_id("mlops-differences")).to_have_text("C— → 0.5")
    assert seen_by_axe(tab) == []
    choose("duplicate")
    expect(shown.get_by_test_id("mlops-naming")).to_have_value(f"{NAME}-2")
    page.keyboard.press("Enter")
    expect(named).to_have_text([NAME, f"{NAME}-2"], timeout=30_000)
    copy = shown.locator("[data-pipeline]").nth(1)
    copy.get_by_test_id("mlops-pipeline-more").press("Enter")
    copy.get_by_test_id("mlops-menu-pipeline-rename").press("Enter")
    shown.get_by_test_id("mlops-naming").fill("weights")
    page.keyboard.press("Enter")
    expect(named).to_have_text([NAME, "weights"], timeout=30_000)

    remove = copy.get_by_test_id("mlops-pipeline-delete")
    remove.click()
    expect(remove).to_have_text("Delete?")
    remove.click()
    expect(named).to_have_text([NAME])
    shown.get_by_test_id("mlops-undo").press("Enter")
    expect(named).to_have_text([NAME, "weights"])
    page.get_by_test_id("mlops-kind-pipeline").click()
    expect(page.get_by_test_id("mlops-feed")).to_contain_text("Pipeline restored")


def test_a_pipeline_has_a_place_of_its_own_with_its_last_run(
    open_lab: Callable[..., Lab], server: LabServer
) -> None:
    pipeline = kept(server, "in its place")
    tab = open_lab(server)
    page = tab.page
    page.goto(f"{server.url}mlops?token={server.token}")
    shown = page.get_by_test_id("mlops-pipelines")
    shown.get_by_role("button", name="in its place").press("Enter")
    expect(page).to_have_url(f"{server.url}mlops?pipeline={pipeline}")
    card = page.get_by_test_id("mlops-pipeline")
    expect(card.get_by_test_id("mlops-pipeline-title")).to_have_text("in its place v1")

    # Its table is another version of a dataset, one of those that are offered.
    for rows in (1, 2):
        file = server.root / "customers.csv"
        file.write_bytes((server.root / "notebooks/data/penguins.csv").read_bytes().rstrip() + b"\n" * rows)
        asked(server, "POST", "datasets", {"path": str(file), "name": "customers"})
    page.reload()
    card.get_by_role("button", name="Edit: Data validation").press("Enter")
    table = card.get_by_test_id("mlops-field-data")
    offered = "e => [...e.list.options].map(option => option.value)"
    expect(card.get_by_test_id("mlops-tables").locator("option")).to_have_count(3)
    assert table.evaluate(offered) == ["customers v2", "customers v1", "customers"]
    for version in (1, 2):
        table.fill(f"customers v{version}")
        table.press("Enter")
        expect(card.get_by_test_id("mlops-pipeline-title")).to_have_text(
            f"in its place v{version + 1}", timeout=30_000
        )
        recipe = asked(server, "GET", f"pipelines/{pipeline}")["recipe"]
        assert (recipe["data"]["version"], recipe["data"]["path"]) == (version, None)
        card.get_by_role("button", name="Edit: Data validation").press("Enter")
        expect(table).to_have_value(f"customers v{version}")
    assert seen_by_axe(tab) == []
    card.get_by_test_id("mlops-pipeline-run").click()
    state = card.get_by_test_id("mlops-card").get_by_test_id("mlops-state")
    expect(state).to_have_text("Finished", timeout=60_000)
    page.reload()
    expect(state).to_have_text("Finished", timeout=30_000)
    expect(page).to_have_title("in its place · mlops")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert seen_by_axe(tab) == []
        for width in (480, 700, 1200):
            page.set_viewport_size({"width": width, "height": 800})
            tab.until(FITS)
            tab.screenshot(f"pipeline-{scheme}-{width}")

    # From the panel a run leads to its job; what a job that has ended was asked for is kept from its card.
    shown.locator(f'[data-pipeline="{pipeline}"]').get_by_test_id("mlops-pipeline-run").click()
    expect(page).to_have_url(re.compile(r"\?job=j-"), timeout=30_000)
    job = page.get_by_test_id("mlops-card")
    expect(job.get_by_test_id("mlops-state")).to_have_text("Finished", timeout=60_000)
    job.get_by_test_id("mlops-more").press("Enter")
    job.get_by_test_id("mlops-menu-keep").press("Enter")
    expect(job.get_by_test_id("mlops-naming")).to_be_focused()
    page.keyboard.type("weekly")
    assert seen_by_axe(tab) == []
    page.keyboard.press("Enter")
    expect(job.get_by_test_id("mlops-sentence")).to_have_text("Kept as pipeline weekly.", timeout=30_000)
    expect(shown.get_by_test_id("mlops-pipeline-open").filter(has_text="weekly")).to_be_visible()


SAVE = """churn = mlops.save_pipeline("in a cell", {
    "data": "notebooks/data/penguins.csv", "target": "species", "model": "logistic", "cv": 0,
})
churn"""


def test_below_a_cell_a_pipeline_is_edited_and_run_and_its_row_has_a_menu(lab: Lab) -> None:
    server, page = lab.server, lab.page
    server.copy("notebooks/data")
    path = server.notebook("pipelines.ipynb", ["import mlops_jupyter as mlops", SAVE])
    lab.open_notebook(path)
    lab.run_cell(0)
    lab.run_cell(1)
    card = lab.output(1).get_by_test_id("mlops-pipeline")
    title = card.get_by_test_id("mlops-pipeline-title")
    expect(title).to_have_text("in a cell v1")
    card.get_by_role("button", name="Edit: Training model").press("Enter")
    # Letters are the field's, and no commands of the notebook. What the server refuses, browsers log.
    lab.tolerate("status of 400")
    page.keyboard.type('{"C": 0.5, "dab": 1}')
    page.keyboard.press("Enter")
    expect(card.get_by_test_id("mlops-recipe-told")).to_contain_text("dab", timeout=30_000)
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(2)
    card.get_by_test_id("mlops-field-params").fill('{"C": 0.5}')
    page.keyboard.press("Enter")
    expect(title).to_have_text("in a cell v2", timeout=30_000)
    card.get_by_test_id("mlops-pipeline-run").click()
    expect(card.get_by_test_id("mlops-state")).to_have_text("Finished", timeout=60_000)
    for dark in (False, True):
        lab.set_theme(dark=dark)
        for width in (480, 700, 1200):
            lab.set_width(width)
            assert card.evaluate("e => e.scrollWidth - e.clientWidth") == 0
            lab.screenshot(f"pipeline-cell-{'dark' if dark else 'light'}-{width}", lab.output(1))
    lab.set_theme(dark=False)
    lab.save()
    output = json.loads((server.root / path).read_text("utf-8"))["cells"][1]["outputs"][0]["data"]
    assert set(output) == {MIME, "text/html", "text/plain"}

    # What its row, and that of the model it has made, have in their menus.
    shown = panel(lab)
    entries = page.locator(".lm-Menu-item:visible")
    shown.get_by_role("button", name="in a cell").and_(shown.get_by_test_id("mlops-pipeline-open")).click(
        button="right"
    )
    expect(entries).to_have_text(["Open", "Run", "Copy Pipeline Id", "Copy as Code"])
    entries.filter(has_text="Open").click()
    tab = page.locator("[id^=mlops-pipeline-p]")
    expect(tab.get_by_test_id("mlops-pipeline-title")).to_have_text("in a cell v2")
    expect(tab.get_by_test_id("mlops-state")).to_have_text("Finished", timeout=30_000)
    shown.get_by_test_id("mlops-models").get_by_test_id("mlops-entry").filter(has_text="in a cell").click(
        button="right"
    )
    expect(entries).to_have_text(["Open", "Deploy…", "Copy Model Id", "Copy as Code"])
    entries.filter(has_text="Deploy").click()
    expect(page.locator("[id^=mlops-model-m]").get_by_test_id("mlops-deploy")).to_be_visible()
    # Any button in somebody's notebook can run the palette's: what trains asks first.
    page.evaluate("() => { window.jupyterapp.commands.execute('mlops:run-pipeline'); }")
    asks = page.locator(".jp-Dialog")
    expect(asks.get_by_role("combobox")).to_contain_text("in a cell · p-")
    asks.get_by_role("button", name="Cancel").click()
