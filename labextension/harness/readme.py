"""Takes the pictures of README.md: real jobs in a real JupyterLab with default settings, light and dark.

    PYTHONPATH=. python labextension/harness/readme.py docs/pictures

Takes some three minutes, on a machine that does nothing else. Each wants to be looked at before it is kept.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Locator, ViewportSize, expect, sync_playwright

from tests.browser.chromium import executable
from tests.browser.conftest import FLAGS
from tests.browser.lab import Lab
from tests.browser.servers import LabServer
from tests.browser.test_surroundings import panel, submit

MINUTE = 60_000
SMALL = ViewportSize(width=1080, height=520)
#: The whole panel, as it is when it is opened first.
LARGE = ViewportSize(width=1080, height=1440)
#: What went before: a dataset, jobs of every end, a pipeline, and a model that is asked.
BEFORE = """
import pandas as pd
import mlops_jupyter as mlops
penguins = pd.read_csv("penguins.csv").dropna(subset=["sex", "body_mass_g"])
mlops.datasets.upload(penguins, name="penguins")
rows = penguins.drop(columns="species")
def ends(model, **options):
    job = mlops.train("penguins", target="species", model=model, cv=0, **options)
    job.wait()
    return job
ends("logistic")
forest = ends("rf")
mlops.save_pipeline("penguins-nightly", forest)
champion = mlops.model(forest)
champion.deploy()
for _ in range(4):
    champion.predict(rows)
"""
FIRST = (
    "%load_ext mlops_jupyter\n"
    "job = %mlops train penguins.csv --target sex --target-na drop --model mlp --name penguins-mlp --cv 0 "
    "--max-iter 20000 --n-iter-no-change 20000 --tol 0"
)
MORE = ["import mlops_jupyter as mlops\nmlops.health()", "mlops.activity()"]
NAP = "import time; time.sleep(120)"
COMPARES = (
    "%load_ext mlops_jupyter\n"
    "job = %mlops train penguins.csv --target sex --target-na drop --model auto --name penguins-auto --cv 5"
)
ENDS = (
    "%load_ext mlops_jupyter\n"
    "job = %mlops train penguins.csv --target sex --target-na drop --model mlp --name penguins-mlp --cv 5 "
    "--max-iter 600 --n-iter-no-change 600"
)


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(prefix="mlops-") as home:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        for name, take in {"cards": cards, "lab": whole}.items():
            server = LabServer(Path(home) / name)
            # No setting of the tests: thresholds, and a worker that stands by, as users have them.
            (server.home / "config" / "jupyter_server_config.json").write_text("{}")
            server.copy("notebooks/data")
            shutil.copy(server.root / "notebooks/data/penguins.csv", server.root)
            try:
                server.start()
                take(Lab(browser.new_page(), server), out)
            finally:
                server.close()


def cards(lab: Lab, out: Path) -> None:
    page, server = lab.page, lab.server
    page.set_viewport_size(SMALL)
    lab.open_notebook(server.notebook("first-training.ipynb", [FIRST, NAP]))
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    lab.run_all(wait=False)
    is_far(lab.output(0).get_by_test_id("mlops-percent"))
    lab.kernel_is("busy")
    both(lab, out / "running")
    server.stop_job(server.get("mlops/api/jobs").json()["jobs"][0]["job_id"])
    for name, cell, told in (
        ("candidates", COMPARES, re.compile(r"folds (9|10|11)/15")),
        ("finished", ENDS, "Finished"),
    ):
        lab.open_notebook(server.notebook(f"{name}.ipynb", [cell]))
        lab.run_all(wait=False)
        card = lab.output(0).get_by_test_id("mlops-card")
        expect(card).to_be_visible(timeout=MINUTE)
        lab.set_width(900)
        expect(card).to_contain_text(told, timeout=2 * MINUTE)
        page.mouse.move(5, 5)
        card.screenshot(path=out / f"{name}.png")
        page.set_viewport_size(SMALL)


def whole(lab: Lab, out: Path) -> None:
    """The panel and what stands beside it; then the same at widths that cells may have, to be looked at."""
    server = lab.server
    subprocess.run([sys.executable, "-c", BEFORE], cwd=server.root, env=server.environment, check=True)
    submit(server, name="penguins-mlp", model="mlp", params={"hidden_layer_sizes": [0]})
    lab.page.set_viewport_size(LARGE)
    lab.open_notebook(server.notebook("penguins.ipynb", [FIRST, *MORE]))
    shown = panel(lab)
    lab.run_all()
    is_far(shown.get_by_test_id("mlops-running").locator(".figures"))
    both(lab, out / "panel")
    for width in (480, 700, 1200):
        lab.set_width(width, height=1100)
        panel(lab)
        lab.screenshot(f"readme-{width}")


def is_far(figures: Locator) -> None:
    expect(figures).to_contain_text(re.compile(r"3[5-9]\s%"), timeout=4 * MINUTE)


def both(lab: Lab, name: Path) -> None:
    for theme in ("light", "dark"):
        lab.set_theme(dark=theme == "dark")
        expect(lab.page.locator("#jupyterlab-splash")).to_have_count(0)
        lab.page.mouse.move(5, 5)
        lab.page.screenshot(path=f"{name}-{theme}.png")
    lab.set_theme(dark=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
