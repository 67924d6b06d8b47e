"""The machine and the feed: tables for code, a live view for a cell, and what a file keeps of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlops_jupyter.notebook import board
from tests.notebook.test_display import run

VIEW = "application/vnd.jupyter.widget-view+json"
IMPORT = "import mlops_jupyter as mlops"


def test_they_are_values_for_code_and_live_in_a_cell(tmp_path: Path) -> None:
    feed = "feed = mlops.activity(); feed"
    plain = "print(type(feed[feed.kind == 'job']).__name__, feed.drop(columns='kind').shape[1])"
    cells = [
        IMPORT,
        "mlops.health()",
        "now = mlops.health(); print(now.health, now.system.cpus)",
        feed,
        plain,
    ]
    _, [shown], [told], [rows], [derived] = run(tmp_path, *cells)
    for output, word in ((shown, "memory"), (rows, "title")):
        data = output["data"]
        # No server of ours in the page: a widget that the kernel feeds, and what stays without it.
        assert set(data) == {VIEW, "text/html", "text/plain"}
        assert word in data["text/html"]
        assert word in data["text/plain"]
        assert not any(part in data["text/html"] for part in ("<script", "<style", "<svg", "<img"))
    health, cpus = told["text"].split()
    assert health in ("healthy", "warning", "critical")
    assert float(cpus) > 0
    assert derived["text"].split() == ["DataFrame", "5"]


def test_text_of_a_fact_is_only_text() -> None:
    assert "<b>" not in board.table([("<b>gpu</b>", "a\nb<script>")])


def test_outside_of_a_kernel_they_are_text(shell: object) -> None:
    from mlops_jupyter.notebook.listing import Activity  # noqa: PLC0415 - after the shell is there

    feed = Activity({"title": ["Training finished"]})
    assert set(feed._repr_mimebundle_()) == {"text/plain"}
    assert isinstance(feed.head(), pd.DataFrame)
    assert not isinstance(feed.head(), Activity)
