"""The whole way in one JupyterLab: a file becomes a dataset, a job, a model that answers, and is watched."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.lab import Lab
from tests.browser.servers import ROOT, LabServer
from tests.browser.test_surroundings import panel

COLUMNS = [
    "species",
    "island",
    "culmen_length_mm",
    "culmen_depth_mm",
    "flipper_length_mm",
    "body_mass_g",
]
LOAD = """import pandas as pd
import mlops_jupyter as mlops
table = pd.read_csv("noted.csv").drop(columns="species")
rows = pd.concat([table] * 3, ignore_index=True).head(1000)"""
TRAIN = 'job = mlops.train("{name}", target="species", model="{model}", cv=0, name="{name}")'
ASK = "len(mlops.model(job).predict(rows))"
SHIFTED = 'len(mlops.model(job).predict(rows.assign(body_mass_g=rows["body_mass_g"] / 1000)))'


def deploy(lab: Lab, cell: int) -> tuple[str, Locator]:
    """By the card of the job below a cell; the model's id and its card, once it answers."""
    card = lab.output(cell).get_by_test_id("mlops-card")
    expect(card.get_by_test_id("mlops-state")).to_have_text("Finished", timeout=60_000)
    card.get_by_test_id("mlops-job-deploy").click()
    tab = lab.page.locator('[id^="mlops-model-"]:visible')
    tab.get_by_test_id("mlops-deploy").click(timeout=30_000)
    tab.get_by_test_id("mlops-deploy-now").click()
    expect(tab.get_by_test_id("mlops-model-state")).to_have_text("deployed", timeout=60_000)
    tab_id = str(tab.get_attribute("id"))
    return tab_id.removeprefix("mlops-model-"), lab.page.locator(f"#{tab_id}")


def look_at(lab: Lab, tab: str) -> None:
    lab.page.get_by_role("tab", name=tab).click()
    expect(lab.page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize(
    "times",
    [
        # On the function, a timeout would be that of both.
        pytest.param(1, marks=pytest.mark.timeout(400)),
        pytest.param(10, id="ten times", marks=[pytest.mark.soak, pytest.mark.timeout(1800)]),
    ],
)
def test_from_a_file_to_a_model_that_is_watched_replaced_and_brought_back(
    start_lab: Callable[..., LabServer], open_lab: Callable[..., Lab], tmp_path: Path, times: int
) -> None:
    server = start_lab()
    noted = pd.read_csv(ROOT / "notebooks/data/penguins.csv")[COLUMNS].dropna(subset="body_mass_g")
    noted.to_csv(server.root / "noted.csv", index=False)
    for turn in range(times):
        name = f"noted-{turn}"
        # A version of a dataset is its content: each turn has rows of its own.
        file = tmp_path / f"{name}.csv"
        noted.iloc[turn:].to_csv(file, index=False)
        go(open_lab(server), name, file)


def go(lab: Lab, name: str, file: Path) -> None:
    notebook = f"{name}.ipynb"
    cells = [
        LOAD,
        TRAIN.format(name=name, model="logistic"),
        ASK,
        SHIFTED,
        TRAIN.format(name=name, model="knn"),
    ]
    lab.open_notebook(lab.server.notebook(notebook, cells))
    shown = panel(lab)
    shown.get_by_test_id("mlops-upload-file").set_input_files(file)
    uploaded = shown.get_by_test_id("mlops-upload").last.get_by_test_id("mlops-upload-state")
    expect(uploaded).to_have_text(re.compile(r"rows × 6\scolumns"), timeout=60_000)
    kept = shown.get_by_test_id("mlops-datasets").get_by_test_id("mlops-entry")
    expect(kept.filter(has_text=name)).to_be_visible()

    lab.run_cell(0)
    lab.run_cell(1)
    first, card = deploy(lab, 1)
    look_at(lab, notebook)
    lab.run_cell(2)
    expect(lab.output(2)).to_have_text("1000", timeout=60_000)
    look_at(lab, f"{name} v1")
    expect(card.get_by_test_id("mlops-volume")).to_contain_text(
        re.compile(r"^1\s000 predictions"), timeout=40_000
    )
    weight = card.get_by_test_id("mlops-drift").get_by_role("row").filter(has_text="body_mass_g")
    expect(weight).to_contain_text("as in training", timeout=40_000)

    look_at(lab, notebook)
    lab.run_cell(3)
    expect(lab.output(3)).to_have_text("1000", timeout=60_000)
    drifts = shown.get_by_test_id("mlops-feed").get_by_role("button").filter(has_text="Input drift")
    expect(drifts.filter(has_text=name).first).to_be_visible(timeout=40_000)
    look_at(lab, f"{name} v1")
    expect(weight).to_contain_text("has moved far", timeout=40_000)
    expect(card.get_by_test_id("mlops-volume")).to_contain_text(
        re.compile(r"^2\s000 predictions"), timeout=40_000
    )

    look_at(lab, notebook)
    lab.run_cell(4)
    second, card = deploy(lab, 4)
    assert second != first
    card.get_by_test_id("mlops-rollback").click(timeout=30_000)
    expect(card.get_by_test_id("mlops-deploy-state")).to_contain_text(
        f"{name} v1 is deployed", timeout=60_000
    )
    endpoints = lab.server.get("mlops/api/endpoints").json()["endpoints"]
    live = {each["name"]: (each["model_id"], each["total_predictions"]) for each in endpoints}
    assert live[name] == (first, 2000)
