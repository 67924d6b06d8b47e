"""``mlops`` as a shell runs it: a process of its own, its two streams and its exit code."""

from __future__ import annotations

import argparse
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter import cli
from mlops_jupyter.client import commands
from mlops_jupyter.client.session import Session
from mlops_jupyter.core.errors import NoRoom, StoreUnavailable
from mlops_jupyter.core.jobs import Job

PENGUINS = str(Path(__file__).parents[1] / "notebooks" / "data" / "penguins.csv")
QUICK = ("--target", "species", "--model", "logistic", "--cv", "0")
ENDLESS = (
    *("--target", "species", "--model", "mlp", "--cv", "0"),
    *("--hidden-layer-sizes", "[500,500]", "--max-iter", "4000", "--tol", "0", "--n-iter-no-change", "4000"),
)


def mlops(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlops_jupyter.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def answer(*words: str) -> Any:
    """The JSON document of a command that went well."""
    done = mlops(*words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_health_is_a_fact_a_line_or_one_document() -> None:
    done = mlops("health")
    assert (done.returncode, done.stderr) == (0, "")
    facts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert re.match(r"(● healthy|▲ warning: .*|■ critical: .*)$", facts["health"])
    assert re.match(r"[\d.]+ [MG]iB of [\d.]+ [MG]iB \(\d+ %\), (host|container)$", facts["memory"])
    found = answer("health")
    assert found["system"]["host"]["memory_limit"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert found["history"]


def test_activity_is_a_line_each_or_one_document() -> None:
    job = answer("train", PENGUINS, *QUICK, "--name", "told-of", "--wait", "--quiet")
    done = mlops("activity", "-n", "30")
    assert (done.returncode, done.stderr) == (0, "")
    told = [re.split(r"  +", line) for line in done.stdout.splitlines()]
    titles = [title for _, title, what in told if what.startswith("told-of")]
    # The newest first.
    assert titles[0] == "Training finished"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", day) for day, *_ in told)
    rows = [row["activity"] for row in answer("activity", "-n", "30")]
    assert [row["title"] for row in rows if row["subject"] == job["job_id"]] == titles
    assert len(answer("activity", "-n", "1")) == 1


def test_train_and_wait_tells_the_way_on_stderr_and_the_result_on_stdout() -> None:
    done = mlops("train", PENGUINS, *QUICK, "--wait")
    assert done.returncode == 0
    way = done.stderr.splitlines()
    assert all(re.match(r"penguins-logistic j-\w{4}  ", line) for line in way)
    assert len(way) == len(set(way)) <= 8 + 10 + 1
    assert "✓ finished in " in way[-1]
    facts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines()[1:])
    assert facts["estimator"] == "LogisticRegression"
    assert re.fullmatch(r"accuracy (0\.9\d*|1)", facts["score"])
    assert facts["model"].startswith("m-")


def test_json_is_the_record_and_nothing_else() -> None:
    done = mlops("train", PENGUINS, *QUICK, "--wait", "--json", "--quiet")
    record = json.loads(done.stdout)
    assert (record["status"], done.stderr, done.returncode) == ("completed", "", 0)
    assert record.keys() == set(Job.__struct_fields__)


def test_quiet_is_also_said_by_the_environment() -> None:
    assert mlops("train", PENGUINS, *QUICK, "--wait", MLOPS_QUIET="1").stderr == ""


@pytest.fixture
def endless() -> Iterator[list[str]]:
    """Put ids of jobs here that would go on for ever; they are stopped."""
    ids: list[str] = []
    yield ids
    for job_id in ids:
        assert answer("stop", job_id)["status"] in ("stopping", "cancelled")


def test_without_wait_it_answers_with_the_id_and_the_job_goes_on(endless: list[str]) -> None:
    submitted = mlops("train", PENGUINS, *ENDLESS)
    job_id = submitted.stdout.strip()
    endless.append(job_id)
    assert (submitted.returncode, submitted.stderr) == (0, "")
    assert answer("jobs", "show", job_id)["status"] in ("queued", "starting", "running")
    assert answer("jobs", "ls", "-n", "1")[0]["job_id"].startswith(job_id)
    assert len(answer("logs", job_id, "--tail", "3")["lines"]) <= 3


def test_watch_follows_a_job_to_its_end_as_lines_of_json() -> None:
    job_id = mlops("train", PENGUINS, *QUICK).stdout.strip()
    watched = mlops("jobs", "watch", job_id, "--json", "--quiet")
    records = [json.loads(line) for line in watched.stdout.splitlines()]
    assert (watched.returncode, watched.stderr, records[-1]["status"]) == (0, "", "completed")
    progress = [record["progress"] or 0.0 for record in records]
    assert progress == sorted(progress)
    # Of one that is over there is one line more to tell.
    assert [json.loads(line) for line in mlops("watch", job_id, "--json").stdout.splitlines()] == records[-1:]
    assert "✓ finished in " in mlops("watch", job_id).stdout


def of_parser(words: argparse.ArgumentParser) -> Iterator[tuple[str, ...]]:
    """All that can be said, by its words, as the parser knows it."""
    yield ()
    for action in words._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield from ((word, *rest) for rest in of_parser(below))


#: What is said before the bar, of what behind it, in an order in which each can be done.
WALK = """
train            | {table} --target y --model logistic --cv 0 --name walked --wait
rerun            | {job} --C 0.5 --wait
show             | {job}
logs             | {job}
watch            | {job}
jobs show        | {job}
jobs logs        | {job}
jobs watch       | {job}
pause            | {going}
resume           | {going}
jobs pause       | {going}
jobs resume      | {going}
mute             | {going} plateau
jobs mute        | {going} plateau --undo
stop             | {going}
jobs stop        | {going}
                 |
jobs             |
jobs ls          |
status           |
activity         |
health           |
notify           |
doctor           |
help             |
datasets upload  | {table} --name walked
datasets register | {there}
datasets         |
datasets ls      |
datasets preview | walked
datasets lineage | walked
datasets rm      | walked --yes
pipelines save   | walked {job}
pipelines        |
pipelines ls     |
pipelines set    | walked --C 0.5
pipelines show   | walked@1
pipelines compare | walked
pipelines script | walked
pipelines duplicate | walked walked-2
pipelines run    | walked --wait
pipelines rm     | walked
pipelines restore | {pipeline}
models           |
models ls        | walked
models show      | walked
models promote   | walked
models download  | walked {folder}
models onnx      | walked {folder}
deploy           | walked@1
models deploy    | walked@2
rollback         | walked
deploy           | walked@2
models rollback  | walked
predict          | walked {row}
models predict   | walked {row}
monitor          | walked
models monitor   | walked
undeploy         | walked
deploy           | walked@1
models undeploy  | walked
models retire    | walked@3
models rm        | walked@3 --yes
jobs rm          | {job} --yes
"""


@pytest.mark.timeout(300)
def test_all_that_can_be_said_answers_with_one_document(tmp_path: Path, endless: list[str]) -> None:
    table = tmp_path / "walked.csv"
    table.write_text("a,b,y\n" + "".join(f"{n % 7},{n % 3},{n % 2}\n" for n in range(60)))
    # Of the files of others, a private server reads those in Jupyter's data directory only.
    there = Path(os.environ["JUPYTER_DATA_DIR"], "there.csv")
    there.parent.mkdir(exist_ok=True)
    there.write_text("a,y\n1,2\n3,4\n")
    endless.append(mlops("train", PENGUINS, *ENDLESS).stdout.strip())
    while answer("show", endless[0])["status"] != "running":
        pass
    known = {
        "table": table,
        "there": there,
        "folder": tmp_path,
        "going": endless[0],
        "row": '{"a": 1, "b": 2}',
    }
    # There is no browser that could open anything.
    said: set[tuple[str, ...]] = {("open",)}
    for line in WALK.strip("\n").splitlines():
        words, arguments = (part.split() for part in line.split("|"))
        done = mlops("--json", *words, *(word.format_map(known) for word in arguments))
        assert (words, done.returncode, len(done.stdout.splitlines())) == (words, 0, 1)
        document = json.loads(done.stdout)
        known |= {"job": document["job_id"]} if words == ["train"] else {}
        known |= {"pipeline": document["id"]} if words == ["pipelines", "save"] else {}
        said.add((*words,))
    assert said == set(of_parser(commands.parser("mlops", cli.SWITCHES)))


def test_a_file_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    answer("train", PENGUINS, *QUICK, "--name", "unwritten", "--wait", "--quiet")
    path = tmp_path / "missing" / "m.skops"
    done = mlops("models", "download", "unwritten", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        f'FileNotFoundError: "{path}": no such file or directory.\n',
    )
    assert mlops("models", "rm", "unwritten", "--yes").returncode == 0


def test_status_names_the_server_and_the_newest_jobs() -> None:
    lines = mlops("status").stdout.splitlines()
    assert lines[0].startswith("private server ")
    assert answer("status")["private"] is True


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("trian",), 2, 'OptionError: mlops: no "trian".\nDid you mean "train"?\nmlops help\n'),
        (("train",), 2, "OptionError: mlops train: the following arguments are required: FILE.\n"),
        (("train", PENGUINS, "--target", "specie"), 2, 'ColumnNotFoundError: no column "specie" in '),
        (("train", "no.csv", "--target", "y"), 4, 'DatasetNotFoundError: "no.csv" is neither a file in'),
        (("train", "no.csv", "--target", "y", "--cv", "1"), 2, "SubmissionError: 2 things to change:\n1. "),
        (("show", "j-0000"), 4, 'JobNotFoundError: no job "j-0000".\nList: mlops jobs\n'),
        (("stop", "nonsense"), 4, 'JobNotFoundError: no job "nonsense".\n'),
    ],
)
def test_exit_codes_tell_what_kind_of_wrong(words: tuple[str, ...], code: int, told: str) -> None:
    done = mlops(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(told)
    assert len(done.stderr.splitlines()) <= 4


@pytest.mark.parametrize("error", [StoreUnavailable("the disk is full."), NoRoom("1,000 jobs wait.")])
def test_a_server_that_cannot_now_is_no_wrong_command(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Session, "jobs", refuse)
    assert cli.main(["jobs"]) == 3
    assert capsys.readouterr().err == f"{type(error).__name__}: {error}\n"


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help"]) == 0
    told = capsys.readouterr().out.partition("exit codes: ")[2]
    assert {int(code) for code in re.findall(r"\b\d+\b", told)} == {0, *cli.CODES.values()}


def waiting_for_ever(endless: list[str]) -> tuple[subprocess.Popen[str], str]:
    """A command that waits for an endless job, and the job's id."""
    waiting = subprocess.Popen(
        [sys.executable, "-m", "mlops_jupyter.cli", "train", PENGUINS, *ENDLESS, "--wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    job_id = waiting.stderr.readline().split()[1]
    endless.append(job_id)
    return waiting, job_id


def test_a_stopped_job_is_a_failure_for_who_waits(endless: list[str]) -> None:
    waiting, job_id = waiting_for_ever(endless)
    mlops("stop", job_id)
    out, err = waiting.communicate()
    assert waiting.returncode == 1
    assert out.splitlines()[2].split(maxsplit=1)[1].startswith("◼ cancelled by ")
    assert err.splitlines()[-2].startswith(f"TrainingCancelled: penguins-mlp {job_id} cancelled by ")


def test_ctrl_c_ends_the_waiting_and_says_how_to_stop_the_job(endless: list[str]) -> None:
    waiting, job_id = waiting_for_ever(endless)
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate()
    assert (waiting.returncode, out) == (130, "")
    assert err.splitlines()[-2:] == [
        f"Stopped waiting; penguins-mlp {job_id} goes on.",
        f"Stop it: mlops stop {job_id}",
    ]
    assert answer("show", job_id)["status"] == "running"


def test_no_server_is_an_exit_code_of_its_own(tmp_path: Path) -> None:
    nowhere = {"JUPYTER_RUNTIME_DIR": str(tmp_path), "JUPYTER_DATA_DIR": "/dev/null/data"}
    done = mlops("status", **nowhere)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "ServerUnreachable: no mlops server answers (refused, 3 tries in 2 s).\n"
        "Private server: could not start, [Errno 20] Not a directory: '/dev/null/data'.\n"
        "Details: mlops doctor\n"
    )
    # What is to be pasted works, says why, and is heard by scripts.
    pasted = mlops("doctor", **nowhere)
    assert (pasted.returncode, pasted.stderr) == (3, "")
    why = "✕ data directory: /dev/null/data/mlops cannot be written: Not a directory"
    assert why in pasted.stdout.splitlines()


def on_a_terminal(*words: str, **environment: str) -> str:
    """What a command writes to a terminal of 80 columns."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_jupyter.cli", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=side,
        env={**os.environ, "COLUMNS": "80", **environment},
    )
    os.close(side)
    written = b""

    def read() -> None:
        nonlocal written
        try:
            while more := os.read(main, 65536):
                written += more
        except OSError:
            # The terminal's other side was closed.
            return

    reader = threading.Thread(target=read)
    reader.start()
    process.wait()
    reader.join()
    os.close(main)
    return written.decode()


def test_a_terminal_gets_one_line_that_moves_and_colours_that_can_be_refused() -> None:
    shown = on_a_terminal("train", PENGUINS, *QUICK, "--wait")
    moving = [part.removesuffix("\x1b[K") for part in shown.split("\r") if "▱" in part]
    assert moving
    assert all(len(part) < 80 for part in moving)
    assert "\x1b[32m✓ finished in " in shown
    plain = on_a_terminal("train", PENGUINS, *QUICK, "--wait", NO_COLOR="1")
    assert "\x1b[32m" not in plain
    assert "✓ finished in " in plain


def test_the_doctor_finds_the_server_its_websocket_and_where_it_keeps_things() -> None:
    mlops("status")
    checks = {check["name"]: check for check in answer("doctor")}
    names = ("server", "version", "websocket", "data directory", "disk")
    assert [checks[name]["well"] for name in names] == [True] * 5
    lines = mlops("doctor").stdout.splitlines()
    assert [
        line for line in lines if re.match(r"✓ websocket: opens from here, \d+\.\d ms there and back$", line)
    ]
    folder = Path(answer("status")["data_dir"])
    assert folder == Path(os.environ["JUPYTER_DATA_DIR"], "mlops")
    assert f"✓ data directory: {folder} can be written" in lines
    assert re.match(r"✓ disk: [\d.]+ GiB free of [\d.]+ GiB$", lines[-1])


def test_a_rule_is_muted_for_a_job_and_channels_are_tried(endless: list[str]) -> None:
    job_id = mlops("train", PENGUINS, *ENDLESS).stdout.strip()
    endless.append(job_id)
    assert mlops("mute", job_id, "plateau").stdout.endswith(f" {job_id} plateau muted\n")
    assert answer("jobs", "mute", job_id, "plateau", "--undo")["muted_rules"] == []
    told = "no channel is set up: MlopsExtension.notify_file (docs/troubleshooting.md)\n"
    assert mlops("notify").stdout == told


def test_open_tells_where_and_says_what_to_run_where_no_browser_could() -> None:
    answer("status")
    done = mlops("open")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[-1] == "Run: jupyter mlops — its page shows the same jobs."


def test_a_job_is_deleted_when_that_was_said_twice() -> None:
    job = answer("train", PENGUINS, *QUICK, "--name", "gone", "--wait", "--quiet")
    refused = mlops("jobs", "rm", job["job_id"])
    assert (refused.returncode, refused.stderr.splitlines()) == (
        2,
        [
            f"OptionError: gone ({job['job_id']}) would be deleted with its metrics and its log, for good.",
            f"mlops jobs rm {job['job_id']} --yes",
        ],
    )
    assert answer("jobs", "rm", job["job_id"], "--yes")["job_id"] == job["job_id"]
    again = mlops("jobs", "rm", job["job_id"], "--yes")
    assert (again.returncode, again.stdout) == (4, "")
    assert again.stderr.startswith(f"DeletedJobError: gone {job['job_id']} was deleted by ")
    assert ", which was deleted," in mlops("models", "show", "gone").stdout


def test_models_are_found_promoted_and_deleted_by_what_people_call_them(tmp_path: Path) -> None:
    job = answer("train", PENGUINS, *QUICK, "--name", "shell", "--wait", "--quiet")
    listed = answer("models", "ls", "shell")
    assert [(model["model_id"], model["version"]) for model in listed] == [(job["model_id"], 1)]
    assert "shell@1" in mlops("models").stdout
    assert answer("models", "promote", "shell", "prod")["aliases"] == ["prod"]
    shown = mlops("models", "show", "shell@prod")
    assert (shown.returncode, shown.stdout.splitlines()[0]) == (0, "shell v1")
    path = tmp_path / "shell.skops"
    done = mlops("models", "download", "shell", str(path))
    assert (done.returncode, done.stdout) == (0, f"{path}\n")
    assert path.stat().st_size == listed[0]["size"]
    misspelt = mlops("models", "show", "shel")
    assert (misspelt.returncode, misspelt.stdout) == (4, "")
    assert misspelt.stderr.splitlines() == [
        'ModelNotFoundError: no model "shel".',
        'Did you mean "shell" (v1, v1 prod)?',
        "List: mlops models",
    ]
    refused = mlops("models", "rm", "shell")
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (
        2,
        f"mlops models rm {job['model_id']} --yes",
    )
    assert mlops("models", "rm", "shell", "--yes").stdout == "shell@1 deleted\n"
    assert answer("models", "ls", "shell") == []


def test_pipelines_speak_the_same_words_in_the_shell() -> None:
    job_id = mlops("train", PENGUINS, *QUICK).stdout.strip()
    # It waits for the job, and says how far that is.
    kept = json.loads(mlops("pipelines", "save", "of-shell", job_id, "--json").stdout)
    assert (kept["version"], kept["recipe"]["target"]) == (1, "species")
    assert answer("pipelines", "set", "of-shell", "--C", "0.5")["version"] == 2
    assert answer("pipelines", "compare", "of-shell") == [{"name": "C", "before": None, "after": 0.5}]
    assert "of-shell" in [each["name"] for each in answer("pipelines")]
    assert "penguins.csv" in mlops("pipelines", "show", "of-shell").stdout
    gone = mlops("pipelines", "rm", "of-shell")
    assert gone.stdout == f"of-shell deleted; for a day: mlops pipelines restore {kept['id']}\n"
    missing = mlops("pipelines", "show", "of-shell")
    assert (missing.returncode, missing.stderr.splitlines()[-1]) == (4, "List: mlops pipelines")
