"""``%mlops`` in a real IPython shell, with jobs that really run."""

from __future__ import annotations

import threading
from typing import Any

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter

from mlops_jupyter.client.job import Job
from mlops_jupyter.core.errors import ColumnNotFoundError, MlopsError, OptionError
from tests.notebook.conftest import PENGUINS

QUICK = "--model logistic --cv 0"


def do(shell: Any, line: str) -> Any:
    """The value of the cell ``line``; raises what the cell raises."""
    result = shell.run_cell(line)
    result.raise_error()
    return result.result


def told(shell: Any, line: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines a cell prints when it fails."""
    capsys.readouterr()
    assert not shell.run_cell(line).success
    printed = capsys.readouterr()
    return (printed.out + printed.err).strip().splitlines()


def completed(shell: Any, line: str) -> list[str]:
    """What Tab offers at the end of ``line``."""
    with provisionalcompleter():
        return [completion.text for completion in shell.Completer.completions(line, len(line))]


def test_train_returns_the_job(shell: Any) -> None:
    do(shell, f"job = %mlops train penguins.csv --target species {QUICK} --wait")
    job = shell.user_ns["job"]
    assert isinstance(job, Job)
    assert (job.status, job.name, job.params["max_iter"]) == ("completed", "penguins-logistic", 1000)


def test_a_dataframe_and_other_variables_are_meant_by_their_names(shell: Any) -> None:
    shell.user_ns |= {"birds": pd.read_csv(PENGUINS), "given": {"max_iter": 77}, "what": "species"}
    line = "job = %mlops train $birds --target {what} --model logistic --params $given --drop comments,region"
    do(shell, f"{line} --cv 0 --wait")
    job = shell.user_ns["job"]
    assert (job.record.dataset.name, job.target, job.params["max_iter"]) == ("birds", "species", 77)


def test_logs_jobs_status_pause_and_stop_speak_of_the_same_job(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = "--model mlp --hidden-layer-sizes [500,500] --max-iter 4000 --n-iter-no-change 4000 --cv 0"
    do(shell, f"job = %mlops train penguins.csv --target species {endless}")
    job = shell.user_ns["job"]
    assert do(shell, "%mlops jobs").loc[job.id, "name"] == "penguins-mlp"
    assert do(shell, f"%mlops show {job.id}") is job
    moved = threading.Event()
    job.on_change(lambda _: moved.set())
    for word, state in (("pause", "paused"), ("resume", "running")):
        while job.status not in ("running", "paused"):
            moved.wait(30)
            moved.clear()
        assert do(shell, f"%mlops {word} {job.id}") is job
        while job.status != state:
            assert moved.wait(30)
            moved.clear()
    assert do(shell, f"%mlops stop {job.id}") is job
    with pytest.raises(MlopsError):
        job.wait(30)
    do(shell, f"%mlops logs {job.id} --tail 5")
    capsys.readouterr()
    do(shell, "%mlops")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("private server ")
    assert [line.split()[:3] for line in lines if line.startswith(job.id)] == [[job.id, "penguins-mlp", "◼"]]


def test_an_error_is_its_words_and_nothing_of_ours(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(shell, "%mlops train penguins.csv --target specie", capsys)
    assert lines[:2] == [
        'ColumnNotFoundError: no column "specie" in penguins.csv (17 columns).',
        'Did you mean "species"?',
    ]
    assert len(lines) == 3
    assert told(shell, "%mlops trian", capsys) == [
        'OptionError: %mlops: no "trian".',
        'Did you mean "train"?',
        "%mlops help",
    ]
    assert told(shell, "%mlops train $nothing --target y", capsys) == [
        "OptionError: %mlops: no variable 'nothing' in this notebook."
    ]
    assert told(shell, "%mlops train it's.csv --target y", capsys) == [
        "OptionError: %mlops: no closing quotation: train it's.csv --target y",
        """Put a word that holds a quote in the other ones: "it's.csv\"""",
    ]


def test_frames_are_shown_on_demand(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    do(shell, "import mlops_jupyter as mlops; mlops.set(debug=True)")
    try:
        lines = told(shell, "mlops.train('penguins.csv', target='specie')", capsys)
    finally:
        do(shell, "mlops.set(debug=False)")
    assert any("submission.py" in line for line in lines)


def test_errors_are_the_ones_python_users_catch(shell: Any) -> None:
    with pytest.raises(ColumnNotFoundError):
        do(shell, "%mlops train penguins.csv --target specie")
    with pytest.raises(OptionError):
        do(shell, "%mlops train penguins.csv --target species --cv x")


def test_question_mark_shows_the_words(shell: Any) -> None:
    doc = shell.object_inspect("%mlops")["docstring"]
    assert "%mlops train FILE --target COLUMN" in doc


@pytest.mark.parametrize(
    ("line", "completions"),
    [
        ("%mlops tr", ["train"]),
        ("%mlops jobs s", ["show", "stop"]),
        ("%mlops pa", ["pause"]),
        ("job = %mlops st", ["status", "stop"]),
        ("%mlops train pen", ["penguins.csv"]),
        ("%mlops train penguins.csv --tar", ["--target", "--target-na"]),
        ("%mlops train penguins.csv --target spe", ["species"]),
        ("%mlops train $birds --target flipper", ["flipper_length_mm"]),
        ("%mlops train penguins.csv --target species --model hist", ["hist_gradient_boosting"]),
        ("%mlops train penguins.csv --metric roc_auc_ovr", ["roc_auc_ovr", "roc_auc_ovr_weighted"]),
        ("%mlops train penguins.csv --split g", ["group:"]),
    ],
)
def test_tab_completes(line: str, completions: list[str], shell: Any) -> None:
    shell.user_ns["birds"] = pd.read_csv(PENGUINS)
    assert completed(shell, line) == completions


def test_tab_completes_ids_and_starts_no_server_for_them(shell: Any) -> None:
    do(shell, f"job = %mlops train penguins.csv --target species {QUICK} --wait")
    job = shell.user_ns["job"]
    assert job.id in completed(shell, "%mlops logs j-")
