"""A marimo notebook: a card, the machine and the feed, fed by its kernel from a private server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests import processes
from tests.browser.lab import SCREENSHOTS
from tests.browser.servers import ROOT, free_port
from tests.browser.test_boards import moves

NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import pathlib, time
    import mlops_jupyter as mlops
    return mlops, pathlib, time


@app.cell
def _(mlops, pathlib, time):
    job = mlops.train(
        {data!r}, target="species", model="mlp", cv=0,
        params={{"max_iter": 100_000, "n_iter_no_change": 100_000, "tol": 0.0}},
    )
    while not pathlib.Path("go").exists():
        time.sleep(0.05)
    return (job,)


@app.cell
def _(job):
    job
    return


if __name__ == "__main__":
    app.run()
"""


#: Its last cell ends when somebody says so; until then nothing in the page can be heard by the kernel.
BOARDS = """
import marimo

app = marimo.App()


@app.cell
def _():
    import pathlib, time
    import mlops_jupyter as mlops
    return mlops, pathlib, time


@app.cell
def _(mlops):
    mlops.health()
    return


@app.cell
def _(mlops):
    mlops.activity()
    return


@app.cell
def _(mlops, pathlib, time):
    for name in ("first-of-two", "second-of-two"):
        mlops.train({data!r}, target="species", model="knn", cv=0, name=name)
        while not pathlib.Path(name).exists():
            time.sleep(0.05)
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture
def marimo(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a notebook that runs by itself in a server of marimo's own."""
    cells: str = getattr(request, "param", NOTEBOOK)
    (tmp_path / "notebook.py").write_text(cells.format(data=str(ROOT / "notebooks/data/penguins.csv")))
    (tmp_path / "pyproject.toml").write_text("[tool.marimo.runtime]\nauto_instantiate = true\n")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("JPY_", "JUPYTER_"))},
        "HOME": str(tmp_path),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "xdg"),
        "OPENBLAS_NUM_THREADS": "1",
    }
    port = free_port()
    command = [
        *(sys.executable, "-m", "marimo", "--yes", "edit", "notebook.py", "--headless", "--no-token"),
        *("--skip-update-check", "--host", "127.0.0.1", "--port", str(port)),
    ]
    log = tmp_path / "marimo.log"
    with log.open("wb") as told:
        server = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=told, stderr=told
        )
    try:
        address = f"http://127.0.0.1:{port}/"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and server.poll() is None:
            try:
                if httpx.get(f"{address}health", timeout=5).is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        else:
            raise RuntimeError(f"marimo did not start:\n{log.read_text()[-4000:]}")
        yield address
    finally:
        server.terminate()
        server.wait(15)
        processes.end(processes.belonging_to(tmp_path))


def part(card: Locator, name: str) -> Locator:
    return card.locator(f'[data-testid="mlops-{name}"]')


def test_a_card_lives_while_the_cell_runs_and_its_buttons_when_it_does_not(
    marimo: str, page: Page, tmp_path: Path
) -> None:
    wrong = errors(page)
    page.goto(marimo)
    shown = page.locator("[data-testid=mlops-card]")
    card = shown.first
    expect(part(card, "state")).to_have_text("Running", timeout=60_000)
    expect(part(card, "connection")).to_have_text("Relay")
    count = part(card, "numbers")
    before = count.inner_text()
    expect(count).not_to_have_text(before)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "marimo-busy.png")
    part(card, "pause").click()
    told = card.get_by_text("The kernel is busy")
    expect(told).to_contain_text("in a terminal: mlops jobs pause j-")
    (tmp_path / "go").touch()
    # The cell after it shows the job, too.
    for one in (card, shown.nth(1)):
        expect(part(one, "state")).to_have_text("Paused")
    expect(told).to_have_count(0)
    part(card, "pause").click()
    expect(part(card, "state")).to_have_text("Running")
    stop(card)
    part(card, "rerun").click()
    expect(part(card, "attempt")).to_have_text("attempt 2")
    expect(part(card, "state")).to_have_text("Running", timeout=30_000)
    before = count.inner_text()
    expect(count).not_to_have_text(before)
    page.screenshot(path=SCREENSHOTS / "marimo-again.png")
    stop(card)
    assert wrong == []


@pytest.mark.parametrize("marimo", [BOARDS], indirect=True, ids=["boards"])
def test_strip_and_feed_move_while_the_cell_runs(marimo: str, page: Page, tmp_path: Path) -> None:
    wrong = errors(page)
    page.goto(marimo)
    strip, feed = (page.locator(f"[data-testid=mlops-{part}-board]") for part in ("system", "activity"))
    for name in ("first-of-two", "second-of-two"):
        # Queued, started and finished are rows of their own, each above the one before it; a warm machine
        # may have its row above them all.
        row = part(feed, "feed").locator("li").filter(has_text=name).first
        expect(row).to_contain_text("finished", timeout=60_000)
        moves(strip, times=2)
        expect(part(strip, "connection")).to_have_text("Relay")
        assert not (tmp_path / name).exists()
        page.screenshot(path=SCREENSHOTS / f"marimo-{name}.png")
        (tmp_path / name).touch()
    row.get_by_role("button").click()
    expect(part(feed, "shown-by")).to_contain_text("in a terminal: mlops jobs show j-")
    assert wrong == []


def errors(page: Page) -> list[str]:
    """What goes wrong in the page from now on."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"uncaught {error}"))
    page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    return wrong


def stop(card: Locator) -> None:
    part(card, "stop").click()
    if part(card, "stop").inner_text() != "Stop":
        # Of a job that has run for ten seconds it is asked first.
        part(card, "stop").click()
    expect(part(card, "state")).to_contain_text("Cancelled")
