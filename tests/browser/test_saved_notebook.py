"""What a notebook file holds after a job ran in JupyterLab, and what the page shows where our server
extension is off."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from mlops_jupyter.notebook import snapshot
from tests.browser.lab import Lab
from tests.browser.servers import LabServer

VIEW = "application/vnd.jupyter.widget-view+json"
CELLS = [
    "import mlops_jupyter as mlops",
    'job = mlops.train("notebooks/data/penguins.csv", target="species", model="knn", cv=0)',
    "job.wait().status",
]


def outputs(server: LabServer, notebook: str) -> list[list[dict[str, Any]]]:
    """The outputs of the saved file, cell by cell."""
    cells = json.loads((server.root / notebook).read_text("utf-8"))["cells"]
    return [cell["outputs"] for cell in cells]


def test_the_live_view_is_replaced_when_the_job_ends_after_its_cell(lab: Lab) -> None:
    lab.server.copy("notebooks/data")
    path = lab.server.notebook("saved.ipynb", CELLS)
    lab.open_notebook(path)
    lab.run_cell(0)
    lab.run_cell(1)
    lab.kernel_is("idle")
    expect(lab.output(1).first).to_contain_text("penguins-knn", timeout=30_000)
    replaced = f"""() => {{
      const cell = window.jupyterapp.shell.currentWidget.content.widgets[1];
      const [output] = cell.model.outputs.toJSON();
      return output.data["text/plain"].includes("finished") && !("{VIEW}" in output.data);
    }}"""
    lab.until(replaced)
    lab.save()
    [(shown,)] = [cell for cell in outputs(lab.server, path) if cell]
    # P31: what opens the server is in no notebook, nor in the widgets' state it may hold.
    saved = (lab.server.root / path).read_text("utf-8")
    told = [json.loads(file.read_text()) for file in (lab.server.home / "runtime").glob("mlops-*.json")]
    assert [key for key in (lab.server.token, *(each["secret"] for each in told)) if key in saved] == []
    assert set(shown["data"]) == {snapshot.MIME, "text/html", "text/plain"}
    assert lab.console_errors == []


def test_with_the_extension_off_the_private_server_takes_the_job(
    start_lab: Callable[..., LabServer], open_lab: Callable[..., Lab], tmp_path: Path
) -> None:
    off = tmp_path / "off.json"
    off.write_text(json.dumps({"ServerApp": {"jpserver_extensions": {"mlops_jupyter": False}}}))
    lab = open_lab(start_lab(options=[f"--config={off}"]))
    lab.server.copy("notebooks/data")
    path = lab.server.notebook("off.ipynb", CELLS)
    # The page asks for a server that is not there.
    lab.tolerate("404")
    lab.open_notebook(path)
    lab.run_all()
    expect(lab.output(1).first).to_contain_text("installed but not enabled in this Jupyter server (pid ")
    expect(lab.output(2)).to_have_text("'completed'")
    lab.save()
    _, shown, _ = outputs(lab.server, path)
    final = {snapshot.MIME, "text/html", "text/plain"}
    assert [set(output.get("data", ())) for output in shown] == [set(), {"text/plain"}, final]
    expect(lab.output(1).last).to_contain_text("penguins-knn")
