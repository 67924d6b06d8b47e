"""The machine, the feed or a pipeline in a cell: live where a page can be fed, and a table that lasts.

In JupyterLab with our extension the output is of a MIME type of ours, whose renderer is fed by the page's own
connection; elsewhere the kernel feeds a widget, in the table's place where Jupyter serves the page.
Not here: the machine in words (``client.system``), jobs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import traitlets
from ipykernel.connect import get_connection_file
from IPython import get_ipython

from mlops_jupyter.client import system
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.system import System
from mlops_jupyter.core import glyphs
from mlops_jupyter.notebook import marimo
from mlops_jupyter.notebook.relay import Relayed, relay
from mlops_jupyter.notebook.widgets import STATIC

MIME = "application/vnd.mlops.board+json"
Part = Literal["system", "activity", "pipeline"]
_QUESTIONS: dict[Part, tuple[str, ...]] = {
    "system": ("system",),
    "activity": ("activity?limit=200",),
    "pipeline": ("pipelines", "jobs?limit=50", "datasets"),
}
_CELL = 'style="text-align:left"'


class BoardWidget(Relayed):
    """A view of the server's machine (``part`` is ``"system"``), or of what happened (``"activity"``).

    ``place``: the class of the elements whose place it takes by itself, on pages that a Jupyter server
    serves. An output that is a view of a widget would stay in the file, and have no model in the next kernel.
    """

    _esm = STATIC / "board.js"

    part = traitlets.Unicode().tag(sync=True)
    subject = traitlets.Unicode().tag(sync=True)
    kernel = traitlets.Unicode(allow_none=True).tag(sync=True)
    place = traitlets.Unicode().tag(sync=True)

    def __init__(self, session: Session, part: Part, subject: str = "") -> None:
        self._questions = _QUESTIONS[part]
        place = f"mlops-{uuid4().hex}" if os.environ.get("JPY_SESSION_NAME") else ""
        super().__init__(session, relayed=True, part=part, subject=subject, kernel=_kernel_id(), place=place)
        relay(session).serve(self)

    @property
    def questions(self) -> tuple[str, ...]:
        return self._questions


class PipelineWidget(BoardWidget):
    """A view of the pipeline whose id is ``subject``: its recipe to edit, and its last run."""

    _esm = STATIC / "pipeline.js"


class Machine(System, frozen=True, kw_only=True):
    """What ``mlops.health()`` returns: fields of ``GET system``, shown as a strip that moves."""

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return bundle("system", table(system.facts(self)), repr(self))

    def _display_(self) -> object:
        return marimo.element(widget("system"))


def in_kernel() -> bool:
    """Whether a notebook, or another front end of a kernel, shows what this process displays."""
    return getattr(get_ipython(), "kernel", None) is not None


def bundle(part: Part, html: str, text: str, subject: str = "") -> dict[str, Any]:
    """One output. Our MIME type only where its renderer is fed, as for jobs; the view of a widget only where
    nothing else moves: what nobody replaces stays in the file."""
    from mlops_jupyter.notebook.session import session  # noqa: PLC0415 - it imports what shows these

    if not in_kernel():
        return {"text/plain": text}
    told: dict[str, Any] = {"text/html": html, "text/plain": text}
    if session().in_page:
        about = {"subject": subject} if subject else {}
        return {MIME: {"version": 1, "part": part, "kernel": _kernel_id(), **about}, **told}
    shown = widget(part, subject)
    if shown.place:
        return {**told, "text/html": f'<div class="{shown.place}">{html}</div>'}
    view = {"version_major": 2, "version_minor": 1, "model_id": shown.model_id}
    return {"application/vnd.jupyter.widget-view+json": view, **told}


def table(facts: Sequence[tuple[str, str]]) -> str:
    """Facts by their names, as HTML that needs nothing and can do nothing."""
    lines = [
        f"<tr><th {_CELL}>{_text(name)}</th><td {_CELL}>{_text(value)}</td></tr>" for name, value in facts
    ]
    return f"<table>{''.join(lines)}</table>"


def _text(value: str) -> str:
    return escape(glyphs.visible(" ".join(value.split()))[:500], quote=True)


_widgets: dict[tuple[Part, str], BoardWidget] = {}


def widget(part: Part, subject: str = "") -> BoardWidget:
    """One for all outputs: nobody tells a kernel that an output is gone. In marimo somebody does."""
    from mlops_jupyter.notebook.session import session  # noqa: PLC0415 - as above

    shown = _widgets.get((part, subject))
    if shown is None or shown.closed or marimo.running():
        kind = PipelineWidget if part == "pipeline" else BoardWidget
        shown = _widgets[part, subject] = kind(session(), part, subject)
    return shown


def _kernel_id() -> str | None:
    """As Jupyter's server calls this kernel; None where it is no kernel, or not a server's."""
    if not in_kernel():
        return None
    found = re.fullmatch(r"kernel-(.+)\.json", Path(get_connection_file()).name)
    return found[1] if found else None
