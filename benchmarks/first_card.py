"""From running a cell to a card in the page, and to its first curve, in a real JupyterLab in Chromium.

Each round runs three cells of one warm kernel: one that displays a line of HTML, which is what JupyterLab,
kernel and browser take for themselves; one that shows an anywidget with nothing in it; and one with
`mlops.train` on a DataFrame. Times are of the page's own clock, from the command that runs the cell to the
first frame that has what is waited for. The first round is the first job of a new server, too.

    python -m benchmarks.first_card
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.chromium import executable
from tests.browser.conftest import FLAGS
from tests.browser.lab import Lab
from tests.browser.servers import LabServer

ROUNDS = 7
SETUP = (
    "import pandas as pd, anywidget, mlops_jupyter as mlops; df = pd.read_csv('notebooks/data/penguins.csv')"
)
HTML = "from IPython.display import HTML; HTML('<p class=\"bare\">there</p>')"
WIDGET = (
    "class Bare(anywidget.AnyWidget):\n"
    "    _esm = 'export default { render({ el }) { el.innerHTML = `<p class=\"bare\">there</p>` } }'\n"
    "Bare()"
)
OURS = (
    "job = mlops.train(df, target='species', model='mlp', cv=0, "
    "params=dict(max_iter=3000, tol=0, n_iter_no_change=3000))"
)
CELLS = [SETUP, HTML, WIDGET, OURS, "job.stop()"]
SHOWN = {
    "a line of HTML": (1, ".bare"),
    "an anywidget with nothing in it": (2, ".bare"),
    "ours: card with name and stages": (3, "[data-testid=mlops-card] [data-testid=mlops-stage]"),
    "ours: the first curve": (3, "[data-testid=mlops-chart] canvas, [data-testid=mlops-chart] svg path"),
}
#: Run the cell; for each selector, after how many milliseconds a frame has it.
_TIMED = """async ([index, selectors]) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.activeCellIndex = index;
  content.deselectAll();
  const cell = content.widgets[index].node;
  // Our views live in shadow trees of their own.
  const has = (root, selector) => root.querySelector(selector) !== null ||
    [...root.querySelectorAll(".jp-OutputArea-output *")]
      .some(e => e.shadowRoot && has(e.shadowRoot, selector));
  const began = performance.now();
  const found = {};
  const whole = new Promise(resolve => {
    const look = () => {
      for (const selector of selectors) {
        if (!(selector in found) && has(cell, selector)) found[selector] = performance.now() - began;
      }
      if (Object.keys(found).length === selectors.length) resolve();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  window.jupyterapp.commands.execute("notebook:run-cell");
  await whole;
  return selectors.map(selector => found[selector]);
}"""
_CLEAR = "() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')"


def measure(page: Page, taken: dict[str, list[float]]) -> None:
    page.evaluate(_CLEAR)
    for index in sorted({index for index, _ in SHOWN.values()}):
        names = [name for name, (of, _) in SHOWN.items() if of == index]
        found = page.evaluate(_TIMED, [index, [SHOWN[name][1] for name in names]])
        for name, milliseconds in zip(names, found, strict=True):
            taken[name].append(milliseconds)


def main() -> None:
    taken: dict[str, list[float]] = {name: [] for name in SHOWN}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LabServer(Path(folder) / "home")
        browser = playwright.chromium.launch(executable_path=str(executable()), args=FLAGS)
        try:
            server.start()
            server.copy("notebooks/data")
            lab = Lab(browser.new_page(), server)
            lab.open_notebook(server.notebook("n.ipynb", CELLS))
            lab.run_cell(0)
            for _ in range(ROUNDS + 1):
                measure(lab.page, taken)
                lab.run_cell(4)
                expect(lab.page.get_by_test_id("mlops-state")).to_contain_text("Cancelled", timeout=30_000)
        finally:
            browser.close()
            server.close()
    print(f"{'milliseconds in the page':36} {'first':>8} {'median':>8} {'max':>8}")
    for name, (first, *later) in taken.items():
        print(f"{name:36} {first:8.0f} {statistics.median(later):8.0f} {max(later):8.0f}")


if __name__ == "__main__":
    main()
