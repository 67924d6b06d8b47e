"""What can be said of pipelines to ``%mlops pipelines`` and ``mlops pipelines``: one definition for both.

Not here: the other words (``commands``), and what is then done (``notebook.magics``, ``cli``).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlops_jupyter.client import pipelines
from mlops_jupyter.client.pipelines import Pipeline

if TYPE_CHECKING:
    from mlops_jupyter.client.session import Session

OF_PIPELINES = ("ls", "show", "save", "run", "set", "duplicate", "compare", "script", "rm", "restore")
#: Of these flags that are no options are parameters of the estimator.
TRAINING = ("run", "set")
_MEANINGS = {
    "ls": "all of them",
    "show": "one, as it is or was: churn, churn@2",
    "save": "keep what a job was asked for under a name, or as the next version of it",
    "run": "train by it, with these changes for once",
    "set": "change it: a new version",
    "duplicate": "a new one with its recipe",
    "compare": "in what two versions differ",
    "script": "a Python script that trains the same model, without mlops",
    "rm": "delete it; for a day it can be restored",
    "restore": "undo that",
}


def add(
    words: Any,
    common: argparse.ArgumentParser,
    options: dict[str, Any],
    flags: Callable[[argparse.ArgumentParser, str], None],
) -> None:
    """``pipelines`` and the words behind it; ``flags`` adds the options of training."""
    top = words.add_parser(
        "pipelines", help="named recipes; also: pipelines run|save|set|…", parents=[common]
    )
    of_pipelines = top.add_subparsers(dest="what", **options)
    for word, meaning in _MEANINGS.items():
        command = of_pipelines.add_parser(word, help=meaning, parents=[common])
        if word == "save":
            command.add_argument("name", metavar="NAME")
            command.add_argument("job", metavar="ID", help="the job's id, or any unique beginning of it")
        elif word == "restore":
            command.add_argument("id", metavar="ID", help="its id, as rm and the feed tell it")
        elif word != "ls":
            command.add_argument("ref", metavar="PIPELINE", help="its name, name@version, or its id")
        if word == "duplicate":
            command.add_argument("name", metavar="NAME", help="what to call the new one")
        if word == "compare":
            command.add_argument("before", nargs="?", type=int, metavar="FROM", help="a version")
            command.add_argument("after", nargs="?", type=int, metavar="TO", help="another")
        if word in TRAINING:
            command.add_argument("--data", metavar="…", help="the table")
            flags(command, word)


def done(what: str, session: Session, said: dict[str, Any], prog: str) -> tuple[Any, str]:
    """Do one of the words that are about one pipeline and are no run; what it is about, and what is said of
    it then."""
    if what == "save":
        return _kept(pipelines.save(said["name"], said["job"], session))
    if what == "restore":
        return _kept(Pipeline(session.restore_pipeline(pipelines.whole(said["id"])), session))
    pipeline = pipelines.find(said.pop("ref"), session)
    if what == "set":
        return _kept(pipeline.update(**said))
    if what == "duplicate":
        return _kept(pipeline.duplicate(said["name"]))
    if what == "compare":
        found = pipeline.compare(said.get("before"), said.get("after"))
        return found, pipelines.differences(found)
    if what == "script":
        made = pipeline.script()
        return made, made.rstrip("\n")
    if what == "rm":
        pipeline.delete()
        return pipeline, f"{pipeline.name} deleted; for a day: {prog} pipelines restore {pipeline.id}"
    return pipeline, pipelines.told(pipeline.record)


def _kept(pipeline: Pipeline) -> tuple[Pipeline, str]:
    return pipeline, f"{pipeline.name} v{pipeline.version} {pipeline.id}"
