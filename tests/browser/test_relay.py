"""JupyterLab with both of our extensions disabled: the card is fed by the kernel, from a private server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import Lab
from tests.browser.servers import PAGE_CONFIG, ROOT, LabServer

TRAIN = """
job = mlops.train(
    "notebooks/data/penguins.csv", target="species", model="mlp", cv=0,
    params={"max_iter": 100_000, "n_iter_no_change": 100_000, "tol": 0.0},
)
"""
BUSY = "while not pathlib.Path('go').exists(): time.sleep(0.05)"
#: The cell in which a job finished.
_FINISHED = """() => window.jupyterapp.shell.currentWidget.content.widgets.findIndex(cell =>
  (cell.model.outputs?.toJSON() ?? []).some(one => "application/vnd.mlops.job+json" in (one.data ?? {})))"""
_TRUSTED = "i => window.jupyterapp.shell.currentWidget.content.widgets[i].model.trusted"
BOARDS = ["mlops.health()", "mlops.activity()"]
PIPELINE = """mlops.save_pipeline("relayed", {
    "data": "notebooks/data/penguins.csv", "target": "species", "model": "logistic", "cv": 0,
})"""
CELLS = ["import pathlib, time\nimport mlops_jupyter as mlops", TRAIN, BUSY, *BOARDS]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """A server in which neither the server's extension nor JupyterLab's is enabled."""
    home = tmp_path_factory.mktemp("bare")
    server = LabServer(home)
    disabled = {**PAGE_CONFIG["disabledExtensions"], "mlops_jupyter": True}
    (home / "config" / "labconfig" / "page_config.json").write_text(
        json.dumps({"disabledExtensions": disabled})
    )
    off = json.loads((home / "config" / "jupyter_server_config.json").read_text())
    off["ServerApp"] = {"jpserver_extensions": {"mlops_jupyter": False}}
    (home / "config" / "jupyter_server_config.json").write_text(json.dumps(off))
    server.copy("notebooks/data")
    with closing(server):
        server.start()
        yield server


def part(card: Locator, name: str) -> Locator:
    return card.locator(f'[data-testid="mlops-{name}"]')


def test_a_card_lives_by_the_kernel_while_it_is_busy(bare: LabServer, open_lab: Callable[..., Lab]) -> None:
    lab = open_lab(bare)
    lab.open_notebook(bare.notebook("relay.ipynb", CELLS))
    lab.run_cell(0)
    lab.run_cell(1)
    lab.run_cell(2, wait=False)
    card = lab.output(1).last
    expect(part(card, "state")).to_have_text("Running", timeout=30_000)
    lab.kernel_is("busy")
    expect(part(card, "connection")).to_have_text("Relay")
    count = part(card, "numbers")
    before = count.inner_text()
    expect(count).not_to_have_text(before)
    lab.screenshot("relay-busy", card)
    # A button says what can be done while nobody hears it.
    part(card, "pause").click()
    told = card.get_by_text("The kernel is busy")
    expect(told).to_contain_text("in a terminal: mlops jobs pause j-")
    (bare.root / "go").touch()
    expect(part(card, "state")).to_have_text("Paused")
    expect(told).to_have_count(0)
    part(card, "connection").click()
    expect(part(card, "connection-details")).to_contain_text("Relay through the kernel")
    part(card, "connection").press("Escape")
    part(card, "pause").click()
    expect(part(card, "state")).to_have_text("Running")
    part(card, "stop").click()
    # Ten seconds old it asks first.
    part(card, "stop").or_(lab.output(1).last).first.click()
    expect(lab.output(1).last).to_contain_text("cancelled by ")
    lab.run_cell(3)
    lab.run_cell(4)
    strip, feed = lab.output(3), lab.output(4)
    expect(part(strip, "connection")).to_have_text("Relay")
    expect(part(strip, "gauge-memory")).to_contain_text("GiB")
    row = part(feed, "feed").locator("li").filter(has_text="penguins-mlp").first
    expect(row).to_be_visible()
    lab.screenshot("relay-boards")
    # There is no tab to open the job in: the row says what shows it.
    row.get_by_role("button").click()
    expect(part(feed, "shown-by")).to_have_text(
        re.compile(r'mlops\.get\("j-\w{4}"\) · in a terminal: mlops jobs show j-\w{4}$')
    )
    assert lab.console_errors == []


def test_a_pipeline_is_changed_and_run_through_the_kernel(
    bare: LabServer, open_lab: Callable[..., Lab]
) -> None:
    lab = open_lab(bare)
    path = bare.notebook("pipeline.ipynb", ["import mlops_jupyter as mlops", PIPELINE])
    lab.open_notebook(path)
    lab.run_all()
    card = lab.output(1).last
    expect(part(card, "pipeline-title")).to_have_text("relayed v1")
    card.get_by_role("button", name="Edit: Training model").click()
    part(card, "field-params").fill('{"C": 0.5}')
    part(card, "save-pipeline").click()
    expect(part(card, "pipeline-title")).to_have_text("relayed v2", timeout=30_000)
    part(card, "pipeline-run").click()
    expect(part(card, "state")).to_have_text("Finished", timeout=60_000)
    lab.screenshot("relay-pipeline", card)
    # No view of a widget, which the next kernel would not know: a table.
    lab.save()
    output = json.loads((bare.root / path).read_text("utf-8"))["cells"][1]["outputs"][-1]["data"]
    assert set(output) == {"text/html", "text/plain"}
    assert lab.console_errors == []


def test_a_saved_strip_and_feed_move_again_after_a_reload_and_are_tables_in_the_next_kernel(
    bare: LabServer, open_lab: Callable[..., Lab]
) -> None:
    lab = open_lab(bare)
    path = bare.notebook("boards.ipynb", ["import mlops_jupyter as mlops", *BOARDS])
    lab.open_notebook(path)
    lab.run_all()
    # Above the strip stands where jobs go without our server.
    for board in (lab.output(1).last, lab.output(2).last):
        expect(part(board, "connection")).to_have_text("Relay", timeout=20_000)
        expect(board.locator("table")).to_be_hidden()
    lab.save()
    cells = json.loads((bare.root / path).read_text("utf-8"))
    for cell in cells["cells"][1:]:
        assert set(cell["outputs"][-1]["data"]) == {"text/html", "text/plain"}
    lab.reload(ready=True)
    expect(part(lab.output(1).last, "connection")).to_have_text("Relay", timeout=20_000)
    # What JupyterLab and its widgets asked of the kernel that ends.
    lab.tolerate(r"Canceled future for \w+ message before replies were done")
    lab.restart_kernel()
    lab.save()
    lab.reload(ready=True)
    tables_alone(lab, trusted=True)
    # By mail, changed on the way: nobody trusts it.
    cells["cells"][0]["source"] += "\n"
    (bare.root / "mailed.ipynb").write_text(json.dumps(cells), "utf-8")
    other = open_lab(bare)
    other.open_notebook("mailed.ipynb")
    tables_alone(other, trusted=False)


def tables_alone(lab: Lab, *, trusted: bool) -> None:
    """What was known when the notebook was saved, and not a word of what is missing."""
    assert lab.page.evaluate(_TRUSTED, 1) is trusted
    for index, told in ((1, "memory"), (2, "title")):
        board = lab.output(index).last
        expect(board.locator("table")).to_contain_text(told)
        expect(board.locator("table")).to_be_visible()
        expect(board.locator("[data-testid]")).to_have_count(0)
        expect(board).not_to_contain_text(re.compile("not found|error|loading", re.IGNORECASE))
    assert lab.console_errors == []


def test_a_notebook_nobody_trusts_shows_its_jobs_as_table_and_picture(
    bare: LabServer, open_lab: Callable[..., Lab]
) -> None:
    """One that came by mail, where nothing of ours is enabled."""
    bare.copy("notebooks")
    lab = open_lab(bare)
    lab.open_notebook("notebooks/01-first-training.ipynb")
    index = lab.page.evaluate(_FINISHED)
    assert lab.page.evaluate(_TRUSTED, index) is False
    shown = lab.output(index).last
    shown.scroll_into_view_if_needed()
    picture = shown.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    expect(shown.locator("table")).to_contain_text("test_accuracy")
    assert lab.console_errors == []


def test_exported_by_nbconvert_a_job_is_a_table_and_a_picture(page: Page, tmp_path: Path) -> None:
    source = ROOT / "notebooks" / "01-first-training.ipynb"
    convert = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--output-dir", str(tmp_path)]
    subprocess.run([*convert, str(source)], check=True, capture_output=True)
    # What the template of nbconvert fetches from elsewhere is not needed for it.
    page.route("http*://**", lambda route: route.abort())
    page.goto((tmp_path / "01-first-training.html").as_uri(), wait_until="domcontentloaded")
    picture = page.locator(".jp-OutputArea img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    expect(page.locator(".jp-OutputArea table", has_text="test_accuracy").first).to_be_visible()
    assert page.get_by_text("model not found").count() == 0
