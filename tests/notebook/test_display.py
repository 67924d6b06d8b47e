"""What a notebook holds after cells were run in a real kernel, and what it says when one fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from mlops_jupyter.notebook import snapshot
from tests.browser.servers import LabServer
from tests.notebook.conftest import PENGUINS

VIEW = "application/vnd.jupyter.widget-view+json"
TRAIN = f'job = mlops.train("{PENGUINS}", target="species", model="gradient_boosting", cv=0)'


def run(folder: Path, *cells: str) -> list[list[Any]]:
    """The outputs of the cells, run one after the other in one kernel."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, timeout=90, allow_errors=True, store_widget_state=False)
    client.resources = {"metadata": {"path": str(folder)}}
    client.execute()
    nbformat.validate(notebook)
    return [cell.outputs for cell in notebook.cells]


def kinds(outputs: Sequence[Any]) -> list[set[str]]:
    return [set(output["data"]) for output in outputs]


def test_the_end_replaces_the_live_view_by_what_needs_nothing_of_ours(tmp_path: Path) -> None:
    _, shown, _ = run(tmp_path, "import mlops_jupyter as mlops", TRAIN, "job.wait();")
    assert kinds(shown) == [{"text/plain"}, {snapshot.MIME, "text/html", "text/plain"}]
    final = shown[1]["data"]
    assert final[snapshot.MIME]["record"]["status"] == "completed"
    assert "finished in" in final["text/html"]
    assert 'src="data:image/png;base64,' in final["text/html"]
    assert final["text/plain"].splitlines()[0].startswith("penguins-gradient_boosting j-")
    assert len(final["text/plain"].splitlines()) == 3


def test_without_the_jobs_server_in_the_page_only_the_widget_is_live(tmp_path: Path) -> None:
    _, shown = run(tmp_path, "import mlops_jupyter as mlops", f"{TRAIN}; 1")
    assert kinds(shown) == [{"text/plain"}, {VIEW, "text/html", "text/plain"}, {"text/plain"}]
    assert 'reopen: mlops.get("j-' in shown[0]["data"]["text/plain"]


def test_a_cell_that_ends_with_the_job_shows_it_once(tmp_path: Path) -> None:
    cells = ["import mlops_jupyter as mlops", f"{TRAIN}; job", "job.wait()", "job"]
    _, first, waited, again = run(tmp_path, *cells)
    final = {snapshot.MIME, "text/html", "text/plain"}
    assert [kinds(first), kinds(waited), kinds(again)] == [[{"text/plain"}, final], [final], [final]]


def test_a_jupyter_server_of_the_kernels_own_is_told_to_the_page(tmp_path: Path) -> None:
    lab = LabServer(tmp_path / "lab")
    lab.start()
    try:
        assert lab.process is not None
        told = {"JPY_PARENT_PID": str(lab.process.pid), "JUPYTER_RUNTIME_DIR": str(lab.home / "runtime")}
        setting = f"import os; os.environ |= {told}; import mlops_jupyter as mlops"
        _, shown, waited = run(tmp_path, setting, f"{TRAIN}; job.in_page", "job.wait();")
    finally:
        lab.close()
    # The update at the end leaves one output, without the widget, in the cell that trained.
    assert kinds(shown) == [{snapshot.MIME, "text/html", "text/plain"}, {"text/plain"}]
    assert (shown[1]["data"]["text/plain"], waited) == ("True", [])


def test_errors_in_a_notebook_have_no_frames_of_ours(tmp_path: Path) -> None:
    wrong = 'mlops.train("penguin.csv", target="species")'
    _, (error,) = run(tmp_path, "import mlops_jupyter as mlops", wrong)
    assert (error["ename"], error["traceback"]) == (
        "DatasetNotFoundError",
        [
            (
                'DatasetNotFoundError: "penguin.csv" is neither a file in the notebook\'s folder '
                "nor an uploaded dataset."
            )
        ],
    )


def test_a_failed_job_raises_where_it_is_waited_for_and_shows_why(tmp_path: Path) -> None:
    cursed = """
import mlops_jupyter as mlops
from sklearn.base import BaseEstimator, ClassifierMixin

class Cursed(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        raise ValueError("these rows are cursed")

    def predict(self, X):
        return X
"""
    training = TRAIN.replace('"gradient_boosting"', "Cursed()")
    _, shown, (error,) = run(tmp_path, cursed, training, "job.wait()")
    told = error["traceback"][0].splitlines()
    assert told[0].endswith("failed at Training model: ValueError: these rows are cursed")
    assert (error["ename"], len(told)) == ("TrainingFailed", 2)
    assert "ValueError: these rows are cursed" in shown[1]["data"]["text/html"]
