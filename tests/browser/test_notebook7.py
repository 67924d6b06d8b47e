"""Notebook 7: the same extension where there are no tabs, no status bar and no launcher."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Lab
from tests.browser.servers import LabServer
from tests.browser.test_first_training import LOAD, TRAIN, job_id, moves, notebook, state, trains
from tests.browser.test_surroundings import PANEL, submit

#: Notebook 7.6 logs it without any extension, too.
NOISE = r"uncaught Cannot read properties of undefined \(reading 'schema'\)"
#: What tells of a kernel's sleep: after a reload its page does not know.
ASLEEP = "import time; open('asleep', 'w').close(); time.sleep(60); open('awake', 'w').close()"


class NotebookServer(LabServer):
    """A server as ``jupyter notebook`` starts it, and its way to a notebook."""

    module = "notebook"

    def lab_path(self, notebook: str) -> str:
        return f"notebooks/{quote(notebook)}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    options = ["--JupyterNotebookApp.expose_app_in_browser=True"]
    server = NotebookServer(tmp_path_factory.mktemp("notebook"), options=options)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def lab(open_lab: Callable[..., Lab], server: LabServer) -> Lab:
    """A tab with Notebook 7."""
    tab = open_lab(server)
    tab.tolerate(NOISE)
    return tab


def test_the_card_lives_while_the_kernel_is_busy_and_after_a_reload(lab: Lab) -> None:
    notebook(lab, LOAD, TRAIN.replace("8000", "100000"), ASLEEP)
    assert lab.page.evaluate("() => window.jupyterapp.name") == "Jupyter Notebook"
    lab.run_all(wait=False)
    trains(lab)
    moves(lab)
    lab.save()
    lab.screenshot("notebook7-running")
    lab.reload()
    # Ours draws it, not the widget, which would wait for the kernel.
    expect(state(lab)).to_have_text("Running", timeout=15_000)
    moves(lab)
    assert {path.name for path in lab.server.root.glob("*")} & {"asleep", "awake"} == {"asleep"}
    lab.server.stop_job(job_id(lab))
    expect(state(lab)).to_have_text(re.compile("Cancelled"), timeout=15_000)
    assert lab.page.get_by_text("Loading widget").count() == 0
    assert lab.console_errors == []


def test_the_panel_is_there_and_a_job_opens_on_a_page_of_its_own(lab: Lab) -> None:
    notebook(lab, "1")
    lab.page.evaluate(PANEL)
    panel = lab.page.locator("#mlops-panel").get_by_test_id("mlops-panel")
    expect(panel.get_by_test_id("mlops-health")).to_be_visible()
    job = submit(lab.server, name="wrong", model="mlp", params={"hidden_layer_sizes": [0]})
    toast = lab.page.locator(".Toastify__toast")
    expect(toast).to_contain_text("wrong failed", timeout=30_000)
    lab.screenshot("notebook7-panel")
    for opening in (toast.get_by_text("Open"), panel.get_by_test_id("mlops-row").first):
        with lab.page.context.expect_page() as opened:
            opening.click()
        page = opened.value
        expect(page).to_have_url(f"{lab.server.url}mlops?job={job}")
        expect(page.get_by_test_id("mlops-state")).to_have_text("Failed")
        page.close()
    # The page of files has a panel, too, and what is in none of its places fails nothing.
    lab.page.goto(f"{lab.server.url}tree")
    lab.until("() => window.jupyterapp?.commands.hasCommand('mlops:open-panel')")
    # Not by its keys: Notebook 7.6 loads all shortcuts again and again while it starts.
    lab.page.evaluate(PANEL)
    expect(panel.get_by_test_id("mlops-row").first).to_contain_text("wrong")
    assert lab.console_errors == []
