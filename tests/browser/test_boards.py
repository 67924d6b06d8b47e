"""The machine and the feed in cells of JupyterLab, fed by the page's own connection."""

from __future__ import annotations

import json
import re
import time

from playwright.sync_api import Locator, expect

from mlops_jupyter.notebook.board import MIME
from tests.browser.lab import Lab
from tests.browser.test_surroundings import panel, submit

#: Four processes of joblib's that hold 100 MB each until ``go`` is there.
CROWD = """
import pathlib, time
import mlops_jupyter as mlops
from sklearn.base import BaseEstimator, ClassifierMixin

class Crowd(ClassifierMixin, BaseEstimator):
    def __init__(self, go):
        self.go = go
    def fit(self, X, y):
        import joblib
        def hold(path):
            import os, time
            held = bytearray(b"x" * 100_000_000)
            while not os.path.exists(path):
                time.sleep(0.01)
            return len(held)
        self.classes_ = sorted(set(y))
        joblib.Parallel(n_jobs=4, backend="loky")(joblib.delayed(hold)(self.go) for _ in range(4))
        return self
    def predict(self, X):
        return [self.classes_[0]] * len(X)

crowd = Crowd(str(pathlib.Path("go").resolve()))
"""
CELLS = [
    CROWD,
    "mlops.health()",
    "mlops.activity()",
    "mlops.train('notebooks/data/penguins.csv', target='species', model=crowd, cv=0, name='crowd')",
    "while not pathlib.Path('go').exists(): time.sleep(0.05)",
]


def moves(strip: Locator, times: int) -> None:
    """Wait until the line of the CPU has changed so often: it does with each sample."""
    line = strip.get_by_test_id("mlops-gauge-cpu").locator(".spark path").first
    for _ in range(times):
        drawn = line.get_attribute("d")
        assert drawn is not None
        expect(line).not_to_have_attribute("d", drawn, timeout=20_000)


def holds(told: Locator, least: int) -> None:
    """Wait until it tells of so many bytes, and of no less at its highest."""
    figures = re.compile(r"([\d.]+)\s(MiB|GiB),?\s*peak ([\d.]+)\s(MiB|GiB)")
    deadline = time.monotonic() + 60
    while True:
        found = figures.search(told.inner_text()) if told.is_visible() else None
        unit = {"MiB": 1 << 20, "GiB": 1 << 30}
        if found and float(found[1]) * unit[found[2]] >= least:
            assert float(found[3]) * unit[found[4]] >= least
            return
        assert time.monotonic() < deadline, f"tells {found}"
        told.page.wait_for_timeout(200)


def newest(feed: Locator) -> Locator:
    return feed.get_by_test_id("mlops-feed").get_by_role("listitem").first


def test_strip_and_feed_move_while_the_kernel_is_busy_and_leave_no_widget_behind(lab: Lab) -> None:
    server = lab.server
    server.copy("notebooks/data")
    path = server.notebook("boards.ipynb", CELLS)
    lab.open_notebook(path)
    for cell in (0, 1, 2, 3):
        lab.run_cell(cell)
    lab.run_cell(4, wait=False)
    lab.kernel_is("busy")
    strip, feed = lab.output(1), lab.output(2)
    expect(feed.get_by_test_id("mlops-feed")).to_be_attached()
    expect(strip.get_by_test_id("mlops-health")).to_have_text("Healthy")
    expect(strip.get_by_test_id("mlops-gauge-memory")).to_contain_text("GiB")
    expect(strip.get_by_test_id("mlops-this-kernel")).to_contain_text("MiB")
    expect(strip.get_by_test_id("mlops-connection")).to_contain_text("Live")
    moves(strip, times=2)
    # What a job takes is what all its processes take: in its row, and on its card.
    lab.set_width(1200)
    numbers = lab.output(3).get_by_test_id("mlops-card").locator(".numbers.rest")
    holds(numbers, 400_000_000)
    row = panel(lab).get_by_test_id("mlops-running").get_by_test_id("mlops-row").filter(has_text="crowd")
    holds(row, 400_000_000)
    expect(row).to_contain_text(re.compile(r"CPU \d+\s%"))
    expect(feed.locator("time").first).to_have_text(re.compile(r"(just now|\d+\ss ago)\d\d:\d\d"))
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
