"""The machine and the feed in a cell: live where a page can be fed, and a table that lasts.

In JupyterLab with our extension the output is of a MIME type of ours, whose renderer is fed by the page's own
connection; elsewhere a widget, fed by the kernel. Not here: the machine in words (``client.system``), jobs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Literal

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
Part = Literal["system", "activity"]
_QUESTIONS: dict[Part, str] = {"system": "system", "activity": "activity?limit=200"}
_CELL = 'style="text-align:left"'


class BoardWidget(Relayed):
    """A view of the server's machine (``part`` is ``"system"``), or of what happened (``"activity"``)."""

    _esm = STATIC / "board.js"

    part = traitlets.Unicode().tag(sync=True)

    def __init__(self, session: Session, part: Part) -> None:
        self._question = _QUESTIONS[part]
        super().__init__(session, relayed=True, part=part)
        relay(session).serve(self)

    @property
    def questions(self) -> tuple[str, ...]:
        return (self._question,)


class Machine(System, frozen=True, kw_only=True):
    """What ``mlops.health()`` returns: fields of ``GET system``, shown as a strip that moves."""

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return bundle("system", table(system.facts(self)), repr(self))

    def _display_(self) -> object:
        return marimo.element(widget("system"))


def in_kernel() -> bool:
    """Whether a notebook, or another front end of a kernel, shows what this process displays."""
    return getattr(get_ipython(), "kernel", None) is not None


def bundle(part: Part, html: str, text: str) -> dict[str, Any]:
    """One output. Our MIME type only where its renderer is fed, as for jobs; the widget only where not: what
    nobody replaces stays in the file."""
    from mlops_jupyter.notebook.session import session  # noqa: PLC0415 - it imports what shows these

    if not in_kernel():
        return {"text/plain": text}
    told: dict[str, Any] = {"text/html": html, "text/plain": text}
    if session().in_page:
        return {MIME: {"version": 1, "part": part, "kernel": _kernel_id()}, **told}
    view = {"version_major": 2, "version_minor": 1, "model_id": widget(part).model_id}
    return {"application/vnd.jupyter.widget-view+json": view, **told}


def table(facts: Sequence[tuple[str, str]]) -> str:
    """Facts by their names, as HTML that needs nothing and can do nothing."""
    lines = [
        f"<tr><th {_CELL}>{_text(name)}</th><td {_CELL}>{_text(value)}</td></tr>" for name, value in facts
    ]
    return f"<table>{''.join(lines)}</table>"


def _text(value: str) -> str:
    return escape(glyphs.visible(" ".join(value.split()))[:500], quote=True)


_widgets: dict[Part, BoardWidget] = {}


def widget(part: Part) -> BoardWidget:
    """One for all outputs: nobody tells a kernel that an output is gone. In marimo somebody does."""
    from mlops_jupyter.notebook.session import session  # noqa: PLC0415 - as above

    shown = _widgets.get(part)
    if shown is None or shown.closed or marimo.running():
        shown = _widgets[part] = BoardWidget(session(), part)
    return shown


def _kernel_id() -> str | None:
    """As Jupyter's server calls this kernel."""
    found = re.fullmatch(r"kernel-(.+)\.json", Path(get_connection_file()).name)
    return found[1] if found else None
