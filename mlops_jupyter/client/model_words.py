"""What can be said of models to ``%mlops models`` and ``mlops models``: one definition for both.

Not here: the other words (``commands``), and what is then done (``notebook.magics``, ``cli``).
"""

from __future__ import annotations

import argparse
from typing import Any, Protocol

import msgspec

from mlops_jupyter.client import cards
from mlops_jupyter.client.model import Model
from mlops_jupyter.core.errors import OptionError

SERVING = ("deploy", "undeploy", "rollback", "predict", "monitor")
#: The words of serving may stand behind ``models``, too, and do the same.
OF_MODELS = ("ls", "show", "promote", "retire", "rm", "download", "onnx", *SERVING)
_REF = "name, name@3, name@alias, or an id"


class _Models(Protocol):
    """Who gives a model by what people call it."""

    def model(self, ref: str) -> Model: ...


def add(words: Any, common: argparse.ArgumentParser, options: dict[str, Any]) -> None:
    """``models`` and the words behind it."""
    models = words.add_parser(
        "models", help="the newest models; also: models ls|show|deploy|…", parents=[common]
    )
    models.add_argument("-n", dest="limit", type=int, default=20, help="how many")
    of_models = models.add_subparsers(dest="what", **options)
    ls = of_models.add_parser("ls", help="the newest models, or the versions of one", parents=[common])
    ls.add_argument("name", nargs="?", metavar="NAME", help="whose versions")
    ls.add_argument("-n", dest="limit", type=int, default=argparse.SUPPRESS, help="how many")
    meanings = {
        "show": "one model",
        "promote": "give a model an alias, from whichever version has it",
        "retire": "let nobody deploy a model any more; it is kept",
        "rm": "delete a model and its file; its job stays",
        "download": "the skops file of a model",
        "onnx": "a model of numbers as an ONNX file, where that is possible",
    }
    for word, meaning in meanings.items():
        command = of_models.add_parser(word, help=meaning, parents=[common])
        command.add_argument("model", metavar="MODEL", help=_REF)
        if word == "promote":
            command.add_argument("alias", nargs="?", default="champion", metavar="ALIAS", help="or champion")
        if word in ("promote", "retire"):
            command.add_argument("--undo", action="store_true", help="take it back")
        if word == "rm":
            command.add_argument("--yes", action="store_true", help="do it: nothing brings it back")
        if word in ("download", "onnx"):
            command.add_argument("path", nargs="?", metavar="PATH", help="a file or folder, or here")
    add_serving(of_models, common)


def add_serving(words: Any, common: argparse.ArgumentParser) -> None:
    """``deploy`` and the other words of models that answer."""
    meanings = {
        "deploy": "let a version of a model answer under its name",
        "undeploy": "let nothing answer under that name any more",
        "rollback": "let the version answer again that did before",
        "predict": "what a deployed model says of a row",
        "monitor": "what a deployed model did: predictions, latency, errors, drift",
    }
    for word, meaning in meanings.items():
        command = words.add_parser(word, help=meaning, parents=[common])
        command.add_argument("model", metavar="MODEL", help=_REF)
        if word == "predict":
            command.add_argument("row", metavar="ROW", help="a row or a list of rows: '{\"age\": 41}'")
        if word == "monitor":
            command.add_argument("--hours", type=int, default=24, metavar="N", help="of the last N hours")


def rows(text: str, prog: str) -> Any:
    """A row, or rows, as JSON."""
    try:
        return msgspec.json.decode(text.encode())
    except msgspec.DecodeError as error:
        example = f"{prog} predict MODEL '{{\"age\": 41}}'"
        raise OptionError(f"{prog} predict: the row is no JSON: {error}.", None, example) from error


def done(what: str, models: _Models, said: dict[str, Any], prog: str) -> tuple[Model, str]:
    """Do one of the words that are about one model; the model, and what is said of it then."""
    model = models.model(said["model"])
    if what == "promote":
        undo = said["undo"]
        (model.demote if undo else model.promote)(said["alias"])
        return model, f"{model.ref} is {'no longer' if undo else 'now'} {said['alias']}"
    if what == "retire":
        (model.restore if said["undo"] else model.retire)()
        return model, f"{model.ref} {model.status}"
    if what == "download":
        return model, str(model.download(said.get("path")))
    if what == "onnx":
        return model, str(model.to_onnx(said.get("path")))
    if what == "rm":
        if not said["yes"]:
            raise OptionError(
                f"{model.ref} ({model.model_id}) would be deleted with its file, for good.",
                None,
                f"{prog} models rm {model.model_id} --yes",
            )
        model.delete()
        return model, f"{model.ref} deleted"
    return model, cards.card(model.record)
