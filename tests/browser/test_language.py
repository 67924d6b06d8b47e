"""A card in a layout of ipywidgets, whose script is a bundle of its own, in the language JupyterLab has."""

from __future__ import annotations

import json

from playwright.sync_api import Route, expect

from tests.browser.lab import Lab
from tests.browser.test_first_training import job_id, notebook

#: As JupyterLab's server answers where a language pack is installed.
GERMAN = {
    "mlops_jupyter": {
        "": {"domain": "mlops_jupyter", "language": "de-DE", "plural_forms": "nplurals=2; plural=(n != 1);"},
        "Running": ["Läuft"],
        "Pause": ["Anhalten"],
    }
}
BOXED = """import ipywidgets, mlops_jupyter as mlops
job = mlops.train(
    "notebooks/data/penguins.csv", target="species", model="mlp", cv=0,
    params={"max_iter": 100_000, "n_iter_no_change": 100_000, "tol": 0.0},
)
"""
BOX = "ipywidgets.VBox([ipywidgets.HTML('above'), mlops.JobWidget(job)])"


def test_a_card_in_a_layout_speaks_the_language_of_jupyterlab(lab: Lab) -> None:
    def answer(route: Route) -> None:
        route.fulfill(content_type="application/json", body=json.dumps({"data": GERMAN, "message": ""}))

    lab.page.route("**/lab/api/translations/*", answer)
    notebook(lab, BOXED, BOX)
    lab.run_all()
    for cell in (0, 1):
        card = lab.output(cell).get_by_test_id("mlops-card")
        expect(card.get_by_test_id("mlops-state")).to_have_text("Läuft", timeout=30_000)
        expect(card.get_by_test_id("mlops-pause")).to_have_text("Anhalten")
    lab.server.stop_job(job_id(lab))
    assert lab.console_errors == []
