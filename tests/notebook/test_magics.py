"""``%mlops`` in a real IPython shell, with jobs that really run."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter

from mlops_jupyter.client.job import Job
from mlops_jupyter.client.system import System
from mlops_jupyter.core.errors import (
    ColumnNotFoundError,
    DatasetInUse,
    MlopsError,
    ModelNotFoundError,
    ModelNotPortable,
    OptionError,
)
from mlops_jupyter.core.limits import CHUNK
from mlops_jupyter.notebook import session as public
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


def test_the_machine_and_what_happened_are_values_of_their_cells(shell: Any) -> None:
    do(shell, f"job = %mlops train penguins.csv --target species {QUICK} --name told --wait")
    health = do(shell, "%mlops health")
    assert isinstance(health, System)
    facts = dict(line.split(maxsplit=1) for line in repr(health).splitlines())
    assert facts.keys() >= {"health", "cpu", "memory", "disk"}
    feed = do(shell, "%mlops activity -n 20")
    assert isinstance(feed, pd.DataFrame)
    assert len(feed) <= 20
    about = feed[feed["subject"] == shell.user_ns["job"].record.job_id]
    assert about["title"].iloc[0] == "Training finished"


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
        ("%mlops models r", ["retire", "rm", "rollback"]),
        ("%mlops pipelines s", ["show", "save", "set", "script"]),
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


def test_models_are_listed_shown_promoted_downloaded_and_deleted(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    do(shell, f"job = %mlops train penguins.csv --target species {QUICK} --name magic --wait")
    job = shell.user_ns["job"]
    assert do(shell, "%mlops models").loc["magic@1", "job_id"] == job.job_id
    assert list(do(shell, "%mlops models ls magic").index) == ["magic@1"]
    model = do(shell, "%mlops models show magic")
    assert (model.model_id, model.aliases) == (job.model_id, ())
    assert do(shell, "%mlops models promote magic@1").aliases == ("champion",)
    assert do(shell, "%mlops models promote magic@champion prod").aliases == ("champion", "prod")
    assert do(shell, "%mlops models promote magic prod --undo").aliases == ("champion",)
    assert "magic@champion" in completed(shell, "%mlops models show magic@")
    assert completed(shell, "%mlops models ls magi") == ["magic"]
    refs = ["magic", "magic@champion", "magic@1"]
    assert completed(shell, "%mlops deploy magi") == refs
    assert completed(shell, "%mlops models deploy magi") == refs
    assert "magic" not in completed(shell, "%mlops predict magi")
    here = public.session()
    here.deploy(job.model_id, wait=False, timeout=None)
    for word in ("predict", "monitor", "rollback", "undeploy"):
        assert completed(shell, f"%mlops {word} magi") == ["magic"]
    here.undeploy(job.model_id)
    assert "magic" not in completed(shell, "%mlops undeploy magi")
    assert do(shell, "%mlops models retire magic").status == "retired"
    assert do(shell, "%mlops models retire magic --undo").status == "registered"
    capsys.readouterr()
    assert do(shell, "%mlops models download magic") is None
    assert capsys.readouterr().out == "magic-v1.skops\n"
    with pytest.raises(ModelNotPortable, match="Only tables of numbers are exported to ONNX"):
        do(shell, "%mlops models onnx magic")
    with pytest.raises(OptionError, match="would be deleted"):
        do(shell, "%mlops models rm magic")
    do(shell, "%mlops models rm magic --yes")
    with pytest.raises(ModelNotFoundError, match="every version of it was deleted"):
        do(shell, "%mlops models show magic")
    assert public.get(job.id).model_id is None
    with pytest.raises(ModelNotFoundError, match="has no model: magic v1 was deleted by"):
        public.model(job)


def test_tab_completes_ids_and_starts_no_server_for_them(shell: Any) -> None:
    do(shell, f"job = %mlops train penguins.csv --target species {QUICK} --wait")
    job = shell.user_ns["job"]
    assert job.id in completed(shell, "%mlops logs j-")


def test_pipelines_are_kept_changed_run_and_deleted(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    do(shell, f"job = %mlops train penguins.csv --target species {QUICK} --wait")
    job, name = shell.user_ns["job"], "of-magics"
    kept = do(shell, f"%mlops pipelines save {name} $job")
    assert (kept.name, kept.version, kept.recipe["target"]) == (name, 1, "species")
    assert do(shell, f"%mlops pipelines save {name} {job.id}").version == 1
    changed = do(shell, f"%mlops pipelines set {name} --C 0.5 --seed 7")
    assert (changed.version, changed.recipe["params"], changed.recipe["seed"]) == (2, {"C": 0.5}, 7)
    capsys.readouterr()
    do(shell, f"%mlops pipelines compare {name}")
    assert capsys.readouterr().out.splitlines() == ["seed  0     →  7", "C     None  →  0.5"]
    run = do(shell, f"%mlops pipelines run {name}@1 --wait")
    assert (run.status, run.pipeline.name, run.pipeline.version) == ("completed", name, 1)
    listed = do(shell, "%mlops pipelines").loc[name]
    assert (listed["version"], listed["model"], listed["data"]) == (2, "logistic", "penguins.csv")
    assert name in completed(shell, "%mlops pipelines run of-m")
    do(shell, f"%mlops pipelines rm {name}")
    assert f"%mlops pipelines restore {kept.id}" in capsys.readouterr().out
    assert do(shell, f"%mlops pipelines restore {kept.id}").version == 2
    do(shell, f"%mlops pipelines rm {name}")


def test_a_file_in_several_parts_tells_below_the_cell_how_much_of_it_is_sent(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    size = CHUNK // 2 * 3
    Path("parts.csv").write_bytes(b"a,b\n" + b"1,2\n" * (size // 4 - 1))
    do(shell, "parts = %mlops datasets upload parts.csv --name magicparts")
    assert capsys.readouterr().out == "\r 67 % sent\r100 % sent\n"
    do(shell, "%mlops datasets rm magicparts --yes")


def test_datasets_are_sent_looked_at_trained_on_and_deleted(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    do(shell, "birds = %mlops datasets upload penguins.csv --name magicbirds")
    birds = shell.user_ns["birds"]
    assert (birds.ref, birds.rows) == ("magicbirds@1", 344)
    assert do(shell, "%mlops datasets upload penguins.csv --name magicbirds").ref == "magicbirds@1"
    assert do(shell, "%mlops datasets").loc["magicbirds@1", "id"] == birds.id
    assert do(shell, "%mlops datasets ls").loc["magicbirds@1", "rows"] == 344
    capsys.readouterr()
    do(shell, "%mlops datasets preview magicbirds")
    assert 'target? "species": It is called so; 3 classes.' in capsys.readouterr().out
    do(shell, f"job = %mlops train magicbirds@1 --target species {QUICK} --name of-birds --wait")
    job = shell.user_ns["job"]
    assert (job.status, job.record.dataset.version) == ("completed", 1)
    capsys.readouterr()
    do(shell, "%mlops datasets lineage magicbirds")
    assert job.job_id in capsys.readouterr().out
    assert told(shell, "%mlops train magicbirbs --target species", capsys)[1] == (
        'Close: dataset "magicbirds" (v1)'
    )
    assert told(shell, "%mlops datasets register s3://bucket/a.csv", capsys)[0] == (
        "DatasetNotFoundError: s3://bucket/a.csv is not fetched: this server fetches nothing."
    )
    for words in ("train", "datasets preview", "datasets rm"):
        assert completed(shell, f"%mlops {words} magicb") == ["magicbirds", "magicbirds@1"]
    assert completed(shell, "%mlops datasets upload pen") == ["penguins.csv"]
    with pytest.raises(DatasetInUse):
        do(shell, f"%mlops datasets rm {birds.id} --yes")
    do(shell, "%mlops datasets upload penguins.csv --name magicunused")
    with pytest.raises(OptionError, match="would be deleted"):
        do(shell, "%mlops datasets rm magicunused")
    capsys.readouterr()
    do(shell, "%mlops datasets rm magicunused --yes")
    assert capsys.readouterr().out == "magicunused deleted\n"
