from __future__ import annotations

import inspect
import shlex

import pytest

from mlops_jupyter.client import commands
from mlops_jupyter.client.commands import Command, parse
from mlops_jupyter.client.options import Options
from mlops_jupyter.core.errors import OptionError
from mlops_jupyter.notebook import session

SWITCHES = {"json": "one document", "quiet": "no progress"}


def said(line: str) -> Command:
    return parse(shlex.split(line), "mlops", SWITCHES)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("", Command("status", {})),
        ("status --json", Command("status", {"json": True})),
        ("--json", Command("status", {"json": True})),
        ("-q --json status", Command("status", {"json": True, "quiet": True})),
        ("help --json", Command("help", {"json": True})),
        ("-j train --help", Command("help", {"json": True, "topic": "train"})),
        ("--json jobs stop j-7f3a", Command("stop", {"limit": 20, "job": "j-7f3a", "json": True})),
        (
            "--json train a.csv --warm-start",
            Command("train", {"data": "a.csv", "params": {"warm_start": True}, "wait": False, "json": True}),
        ),
        ("jobs", Command("jobs", {"limit": 20})),
        ("jobs ls", Command("jobs", {"limit": 20})),
        ("jobs -n 5", Command("jobs", {"limit": 5})),
        ("jobs --json ls", Command("jobs", {"limit": 20, "json": True})),
        ("show j-7f3a", Command("show", {"job": "j-7f3a"})),
        ("logs j-7f3a --tail 50", Command("logs", {"job": "j-7f3a", "tail": 50})),
        ("jobs stop j-7f3a -q", Command("stop", {"limit": 20, "job": "j-7f3a", "quiet": True})),
        ("pause j-7f3a", Command("pause", {"job": "j-7f3a"})),
        ("open", Command("open", {"what": "panel"})),
        ("open j-7f3a --json", Command("open", {"what": "j-7f3a", "json": True})),
        ("jobs rm j-7f3a --yes", Command("rm", {"limit": 20, "job": "j-7f3a", "yes": True})),
        ("mute j-7f3a stalled", Command("mute", {"job": "j-7f3a", "rule": "stalled", "undo": False})),
        ("jobs resume j-7f3a", Command("resume", {"limit": 20, "job": "j-7f3a"})),
        (
            "rerun j-7f3a --cv 0 --max-depth 5",
            Command("rerun", {"job": "j-7f3a", "cv": 0, "wait": False, "params": {"max_depth": 5}}),
        ),
        ("models deploy churn@4", Command("deploy", {"model": "churn@4"})),
        ("models predict churn {}", Command("predict", {"model": "churn", "row": "{}"})),
        ("pipelines", Command("pipelines", {"what": "ls"})),
        ("pipelines show churn@2", Command("pipelines", {"what": "show", "ref": "churn@2"})),
        (
            "pipelines save churn j-7f3a",
            Command("pipelines", {"what": "save", "name": "churn", "job": "j-7f3a"}),
        ),
        (
            "pipelines run churn --seed 7 --max-depth 5 --wait",
            Command(
                "pipelines",
                {"what": "run", "ref": "churn", "seed": 7, "wait": True, "params": {"max_depth": 5}},
            ),
        ),
        (
            "pipelines set churn --name churn-2 --data b.csv",
            Command("pipelines", {"what": "set", "ref": "churn", "name": "churn-2", "data": "b.csv"}),
        ),
        (
            "pipelines compare churn 1 3",
            Command("pipelines", {"what": "compare", "ref": "churn", "before": 1, "after": 3}),
        ),
        ("help train", Command("help", {"topic": "train"})),
        ("--help", Command("help", {})),
        ("-h", Command("help", {})),
        ("train --help", Command("help", {"topic": "train"})),
        ("jobs stop -h", Command("help", {"topic": "jobs"})),
        (
            "train a.csv --target y --model rf --n-estimators 200 --wait",
            Command(
                "train",
                {
                    "data": "a.csv",
                    "target": "y",
                    "model": "rf",
                    "params": {"n_estimators": 200},
                    "wait": True,
                },
            ),
        ),
        (
            "train --C=0.5 --warm-start --class-weight balanced a.csv --target y",
            Command(
                "train",
                {
                    "data": "a.csv",
                    "target": "y",
                    "params": {"C": 0.5, "warm_start": True, "class_weight": "balanced"},
                    "wait": False,
                },
            ),
        ),
        (
            """train a.csv --target y --grid '{"max_depth": [3, None]}' --drop "id, name" --refit""",
            Command(
                "train",
                {
                    "data": "a.csv",
                    "target": "y",
                    "grid": {"max_depth": [3, None]},
                    "drop": ["id", "name"],
                    "refit": True,
                    "wait": False,
                },
            ),
        ),
        ("train $df --params $p", Command("train", {"data": "$df", "params": "$p", "wait": False})),
    ],
)
def test_words_are_understood(line: str, command: Command) -> None:
    assert said(line) == command


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("tran a.csv", 'mlops: no "tran".\nDid you mean "train"?\nmlops help'),
        ("--json tran", 'mlops: no "tran".\nDid you mean "train"?\nmlops help'),
        ("jobs list", 'mlops jobs: no "list".\nDid you mean "ls"?\nmlops help'),
        (
            "fly",
            f'mlops: no "fly".\nOne of: {", ".join(commands.WORDS)}\nmlops help',
        ),
        ("train", "mlops train: the following arguments are required: FILE.\nmlops help train"),
        ("logs", "mlops logs: the following arguments are required: ID.\nmlops help logs"),
        ("logs j-7f3a extra", "mlops: unrecognized arguments: extra.\nmlops help"),
        (
            "train a.csv --cv many",
            "mlops train: argument --cv: invalid int value: 'many'.\nmlops help train",
        ),
        (
            "train a.csv --grid depth",
            (
                "mlops train: argument --grid: 'depth' is no dict, e.g. '{\"max_depth\": [3, 5]}'.\n"
                "mlops help train"
            ),
        ),
        (
            "train a.csv --params $p --n-estimators 5",
            "mlops train: either --params $p or a flag for each parameter.",
        ),
    ],
)
def test_what_is_not_understood_is_told_in_a_line_or_three(line: str, told: str) -> None:
    with pytest.raises(OptionError) as error:
        said(line)
    assert str(error.value) == told


def test_every_option_of_train_is_a_flag_and_no_other_is() -> None:
    options = inspect.signature(session.train).parameters.keys() - {"data"}
    assert set(commands.TRAIN) == options == {*Options._fields, "target"} - {"data_name"}


def test_defaults_are_the_same_everywhere() -> None:
    python = {
        name: parameter.default
        for name, parameter in inspect.signature(session.train).parameters.items()
        if name in Options._fields
    }
    assert {**python, "data_name": None} == Options()._asdict()


def test_help_names_every_flag() -> None:
    text = commands.help_text("%mlops", "train")
    flags = [f"--{name.replace('_', '-')}" for name in commands.TRAIN]
    assert [flag for flag in flags if flag not in text] == []


def test_help_says_each_word_and_its_meaning_on_one_line() -> None:
    lines = [line.split() for line in commands.help_text("mlops", None).splitlines()]
    assert [line[0] for line in lines if len(line) > 2 and line[0] in commands.WORDS] == [
        *("train", "rerun", "jobs", "show", "logs", "stop", "pause", "resume", "mute", "watch"),
        *("datasets", "models", "pipelines", "deploy", "undeploy", "rollback", "predict", "monitor"),
        *("status", "activity", "health", "notify", "open", "doctor", "help"),
    ]


@pytest.mark.parametrize("line", ["train", "stop", "jobs show", "jobs ls -n x", "help nothing", "--nothing"])
def test_the_help_an_error_names_is_there(line: str) -> None:
    with pytest.raises(OptionError) as error:
        said(line)
    assert error.value.code is not None
    assert said(error.value.code.removeprefix("mlops ")).word == "help"
