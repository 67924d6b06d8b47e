"""What can be said to ``%mlops`` and to ``mlops`` on the command line, and how: one definition for both.

Flags are the keyword names of ``mlops.train`` with ``-``; flags it does not have are parameters of the
estimator. Not here: what is then done (``notebook.magics``, ``cli``).
"""

from __future__ import annotations

import argparse
import ast
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from mlops_jupyter.client import dataset_words, model_words, pipeline_words
from mlops_jupyter.core.alerts import TITLES
from mlops_jupyter.core.errors import OptionError, did_you_mean

OF_JOBS = ("ls", "show", "logs", "stop", "pause", "resume", "watch", "mute", "rm")
WORDS = (
    *("train", "jobs", "datasets", "models", "pipelines", "status", "show", "logs", "stop"),
    *("pause", "resume", "watch", "mute", "rerun", "activity", "health", "notify", "open", "doctor", "help"),
    *model_words.SERVING,
)
#: What may stand behind a word that is a noun.
BEHIND = {
    "jobs": OF_JOBS,
    "datasets": dataset_words.OF_DATASETS,
    "models": model_words.OF_MODELS,
    "pipelines": pipeline_words.OF_PIPELINES,
}


class Command(NamedTuple):
    """``word`` is what to do; ``said`` the arguments by their names."""

    word: str
    said: dict[str, Any]


class Flag(NamedTuple):
    """One option of ``train``: how to read its value (None: it is a switch), and its meaning."""

    read: Any
    meaning: str


def value(text: str) -> Any:
    """``200`` as a number, ``None``, ``True``, lists; anything else is the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False, "none": None, "null": None}.get(text, text)


def listed(text: str) -> list[str]:
    """``a,b`` as two names."""
    return [name.strip() for name in text.split(",") if name.strip()]


def mapping(text: str) -> Any:
    """A Python or JSON dict; ``$name`` is left for the notebook."""
    if text.startswith("$"):
        return text
    found = value(text)
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is no dict, e.g. '{{\"max_depth\": [3, 5]}}'")
    return found


TRAIN: dict[str, Flag] = {
    "target": Flag(str, "the column to predict"),
    "model": Flag(str, "logistic, rf, extra_trees, gradient_boosting, … or auto"),
    "params": Flag(mapping, "parameters of the estimator as a dict; or each as a flag of its own"),
    "grid": Flag(mapping, "lists of values to compare, by parameter, as a dict"),
    "split": Flag(str, "random, group:<column> or time:<column>"),
    "test": Flag(str, "a table of your own to score the model on"),
    "test_size": Flag(float, "share of the rows held out, 0-1"),
    "metric": Flag(str, "a scikit-learn scorer"),
    "drop": Flag(listed, "columns to leave out, separated by commas"),
    "cv": Flag(int, "folds of the cross-validation; 0 skips it"),
    "refit": Flag(None, "fit the saved model again on training and validation rows"),
    "n_jobs": Flag(int, "cores to use, -1 for all"),
    "name": Flag(str, "what to call the job"),
    "timeout": Flag(float, "seconds after which the job is ended"),
    "priority": Flag(int, "of jobs that wait, the higher starts first"),
    "seed": Flag(int, "of splits and estimator"),
    "task": Flag(str, "classification or regression"),
    "target_na": Flag(str, "drop: leave out rows without a target"),
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong by raising, so that a notebook's kernel does not exit."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, add_help=False, **options)

    def error(self, message: str) -> NoReturn:
        prog, *words = self.prog.split()
        topic = next((word for word in reversed(words) if word in WORDS), "")
        raise OptionError(f"{self.prog}: {message}.", None, f"{prog} help {topic}".rstrip())


def parser(prog: str, switches: Mapping[str, str] | None = None) -> argparse.ArgumentParser:
    """``prog`` is ``%mlops`` or ``mlops``; ``switches`` go with every word."""
    common = _Parser()
    for switch, meaning in (switches or {}).items():
        common.add_argument(
            f"--{switch}", f"-{switch[0]}", action="store_true", default=argparse.SUPPRESS, help=meaning
        )
    # Shorter, and argparse would break each line behind its word.
    options: dict[str, Any] = {"parser_class": _Parser, "metavar": "WORD [FLAG]", "title": "words"}

    top = _Parser(prog=prog, description="Train models, and look after jobs and models.", parents=[common])
    words = top.add_subparsers(dest="word", **options)
    train = words.add_parser("train", help="train a model on a table", parents=[common])
    train.add_argument(
        "data", metavar="FILE", help="a CSV or Parquet file, or a dataset; in a notebook also $df"
    )
    _options(train, TRAIN)
    rerun = words.add_parser("rerun", help="train again, with other options perhaps", parents=[common])
    rerun.add_argument("job", metavar="ID", help="its id, or any unique beginning of it")
    _options(rerun, {name: flag for name, flag in TRAIN.items() if name not in ("target", "test")})
    jobs = words.add_parser(
        "jobs", help="the newest jobs; also: jobs ls|show|logs|stop|pause|…", parents=[common]
    )
    jobs.add_argument("-n", dest="limit", type=int, default=20, help="how many")
    of_jobs = jobs.add_subparsers(dest="what", **options)
    ls = of_jobs.add_parser("ls", help="the newest jobs", parents=[common])
    ls.add_argument("-n", dest="limit", type=int, default=argparse.SUPPRESS, help="how many")
    for place in (words, of_jobs):
        _of_one_job(place, common)
    rm = of_jobs.add_parser("rm", help="delete a job that has ended; its model stays", parents=[common])
    rm.add_argument("job", metavar="ID", help="its id, or any unique beginning of it")
    rm.add_argument("--yes", action="store_true", help="do it: nothing brings it back")
    dataset_words.add(words, common, options)
    model_words.add(words, common, options)
    pipeline_words.add(words, common, options, _changeable)
    model_words.add_serving(words, common)
    words.add_parser("status", help="the server, and the last jobs", parents=[common])
    activity = words.add_parser("activity", help="what happened, the newest first", parents=[common])
    activity.add_argument("-n", dest="limit", type=int, default=20, help="how many")
    words.add_parser("health", help="the machine: CPUs, memory, disk, what jobs take", parents=[common])
    words.add_parser("notify", help="send a message by every channel set up, to try them", parents=[common])
    page = words.add_parser("open", help="where a browser finds a job, or all of them", parents=[common])
    page.add_argument("what", nargs="?", default="panel", metavar="panel|ID", help="all jobs, or one")
    words.add_parser("doctor", help="whether all is as it should be", parents=[common])
    topic = words.add_parser("help", help="this, or more about one word", parents=[common])
    topic.add_argument("topic", nargs="?", choices=WORDS)
    return top


def _changeable(command: argparse.ArgumentParser, word: str) -> None:
    """Of a pipeline: its name, too, where it is changed for good."""
    left_out = ("priority",) if word == "set" else ("priority", "name")
    flags = {name: flag for name, flag in TRAIN.items() if name not in left_out}
    _options(command, flags, wait=word == "run")


def _options(command: argparse.ArgumentParser, flags: Mapping[str, Flag], *, wait: bool = True) -> None:
    for name, flag in flags.items():
        option = f"--{name.replace('_', '-')}"
        if flag.read is None:
            command.add_argument(option, dest=name, action="store_true", default=None, help=flag.meaning)
        else:
            command.add_argument(option, dest=name, type=flag.read, metavar="…", help=flag.meaning)
    if wait:
        command.add_argument("--wait", action="store_true", help="wait for the end")


def _of_one_job(words: Any, common: argparse.ArgumentParser) -> None:
    meanings = {
        "show": "one job",
        "logs": "what a job wrote",
        "stop": "stop a job",
        "pause": "suspend a running job",
        "resume": "let a paused job go on",
        "mute": "hear no more of a rule of alerts about a job",
        "watch": "follow a job to its end; with --json a line each time",
    }
    for word, meaning in meanings.items():
        command = words.add_parser(word, help=meaning, parents=[common])
        command.add_argument("job", metavar="ID", help="its id, or any unique beginning of it")
        if word == "logs":
            command.add_argument("--tail", type=int, metavar="N", help="only the last N lines")
        if word == "mute":
            command.add_argument("rule", metavar="RULE", choices=tuple(TITLES), help=", ".join(TITLES))
            command.add_argument("--undo", action="store_true", help="hear of it again")


def parse(words: list[str], prog: str, switches: Mapping[str, str] | None = None) -> Command:
    """Raises ``OptionError`` for what cannot be understood."""
    # A switch may stand before the word, too; what the word is decides how the rest is read.
    spelled = {form: switch for switch in switches or {} for form in (f"--{switch}", f"-{switch[0]}")}
    before = list(itertools.takewhile(spelled.__contains__, words))
    words = words[len(before) :]
    if {"--help", "-h"} & {*words}:
        about = {"topic": words[0]} if words[0] in WORDS else {}
        given = {spelled[word]: True for word in (*before, *words) if word in spelled}
        return Command("help", {**given, **about})
    _known(words, WORDS, prog)
    for noun in words[:1]:
        _known(words[1:], BEHIND.get(noun, words[1:]), f"{prog} {noun}")
    training = words[:1] in (["train"], ["rerun"]) or words[:2] in (
        ["pipelines", "run"],
        ["pipelines", "set"],
    )
    rest, params = _apart(words) if training else (list(words), {})
    said = vars(parser(prog, switches).parse_args([*before, *rest]))
    word = said.pop("word") or "status"
    if word == "jobs":
        what = said.pop("what")
        word = what if what not in (None, "ls") else word
    elif word == "models" and said["what"] in model_words.SERVING:
        del said["limit"]
        word = said.pop("what")
    elif word == "pipelines":
        said["what"] = said["what"] or "ls"
    said = {name: each for name, each in said.items() if each is not None}
    if params:
        whole = said.get("params", {})
        if not isinstance(whole, dict):
            raise OptionError(f"{prog} {word}: either --params {whole} or a flag for each parameter.")
        said["params"] = {**params, **whole}
    return Command(word, said)


def _known(words: Sequence[str], known: Sequence[str], prog: str) -> None:
    if words and not words[0].startswith("-") and words[0] not in known:
        hint = did_you_mean(words[0], known) or f"One of: {', '.join(known)}"
        raise OptionError(f'{prog}: no "{words[0]}".', hint, f"{prog.partition(' ')[0]} help")


def _apart(words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Flags that words which train do not have are parameters: ``--n-estimators 200 --warm-start``. One
    without a value is True."""
    ours = {*TRAIN, "data", "wait", "json", "quiet"}
    rest: list[str] = []
    params: dict[str, Any] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        flag, equals, text = word[2:].partition("=")
        name = flag.replace("-", "_")
        if not word.startswith("--") or name in ours:
            rest.append(word)
        elif equals:
            params[name] = value(text)
        else:
            params[name] = value(left.pop(0)) if left and not left[0].startswith("--") else True
    return rest, params


def help_text(prog: str, topic: str | None, switches: Mapping[str, str] | None = None) -> str:
    """What ``help`` prints; a topic's own text with its flags."""
    top = parser(prog, switches)
    if topic is None:
        return top.format_help()
    (words,) = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    text: str = words.choices[topic].format_help()
    if topic in ("train", "rerun"):
        text += "\nAny other flag is a parameter of the estimator: --n-estimators 200\n"
    return text
