"""The machine and the feed in cells of JupyterLab, fed by the page's own connection."""

from __future__ import annotations

import json

from playwright.sync_api import Locator, expect

from mlops_jupyter.notebook.board import MIME
from tests.browser.lab import Lab
from tests.browser.test_surroundings import submit

CELLS = [
    "import pathlib, time\nimport mlops_jupyter as mlops",
    "mlops.health()",
    "mlops.activity()",
    "while not pathlib.Path('go').exists(): time.sleep(0.05)",
]


def moves(strip: Locator, times: int) -> None:
    """Wait until the line of the CPU has changed so often: it does with each sample."""
    line = strip.get_by_test_id("mlops-gauge-cpu").locator(".spark path").first
    for _ in range(times):
        drawn = line.get_attribute("d")
        assert drawn is not None
        expect(line).not_to_have_attribute("d", drawn, timeout=20_000)


def newest(feed: Locator) -> Locator:
    return feed.get_by_test_id("mlops-feed").get_by_role("listitem").first


def test_strip_and_feed_move_while_the_kernel_is_busy_and_leave_no_widget_behind(lab: Lab) -> None:
    server = lab.server
    path = server.notebook("boards.ipynb", CELLS)
    lab.open_notebook(path)
    for cell in (0, 1, 2):
        lab.run_cell(cell)
    lab.run_cell(3, wait=False)
    lab.kernel_is("busy")
    strip, feed = lab.output(1), lab.output(2)
    expect(feed.get_by_test_id("mlops-feed")).to_be_attached()
    expect(strip.get_by_test_id("mlops-health")).to_have_text("Healthy")
    expect(strip.get_by_test_id("mlops-gauge-memory")).to_contain_text("GiB")
    expect(strip.get_by_test_id("mlops-this-kernel")).to_contain_text("MiB")
    expect(strip.get_by_test_id("mlops-connection")).to_contain_text("Live")
    moves(strip, times=2)
    for name in ("first-of-two", "second-of-two"):
        submit(server, name=name)
        expect(newest(feed)).to_contain_text(name, timeout=30_000)
    lab.kernel_is("busy")
    (server.root / "go").touch()
    lab.kernel_is("idle")
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
    assert [set(cell["outputs"][0]["data"]) for cell in cells[1:3]] == [{MIME, "text/html", "text/plain"}] * 2
