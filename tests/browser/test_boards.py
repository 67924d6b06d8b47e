"""The machine and the feed in cells of JupyterLab, fed by the page's own connection."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from mlops_jupyter.notebook.board import MIME
from tests.browser.lab import Lab

CELLS = ["import mlops_jupyter as mlops", "mlops.health()", "mlops.activity()"]


def test_strip_and_feed_move_in_their_cells_and_leave_no_widget_behind(lab: Lab) -> None:
    server = lab.server
    path = server.notebook("boards.ipynb", CELLS)
    lab.open_notebook(path)
    lab.run_all()
    strip, feed = lab.output(1), lab.output(2)
    expect(feed.get_by_test_id("mlops-feed")).to_be_attached()
    expect(strip.get_by_test_id("mlops-health")).to_have_text("Healthy")
    expect(strip.get_by_test_id("mlops-gauge-memory")).to_contain_text("GiB")
    expect(strip.get_by_test_id("mlops-this-kernel")).to_contain_text("MiB")
    expect(strip.get_by_test_id("mlops-connection")).to_contain_text("Live")
    for width in (480, 700, 1200):
        lab.set_width(width)
        wide = strip.evaluate("e => e.scrollWidth - e.clientWidth")
        assert wide == 0
        lab.screenshot(f"boards-{width}")
    lab.set_theme(dark=True)
    expect(lab.page.locator("#jupyterlab-splash")).to_have_count(0)
    lab.screenshot("boards-dark")
    lab.set_theme(dark=False)
    lab.save()
    cells = json.loads((server.root / path).read_text("utf-8"))["cells"]
    assert [set(cell["outputs"][0]["data"]) for cell in cells[1:]] == [{MIME, "text/html", "text/plain"}] * 2
