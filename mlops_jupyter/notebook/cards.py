"""A registered model below a cell: a table of facts that needs nothing of ours to be read."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from mlops_jupyter.client import cards
from mlops_jupyter.client.model import Model
from mlops_jupyter.core import glyphs

_LEFT = 'style="text-align:left"'


class ModelCard(Model):
    """A ``Model`` that is shown."""

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        html = table(self.record.label, cards.facts(self.record))
        return {"text/plain": glyphs.visible(cards.card(self.record)), "text/html": html}


def table(title: str, facts: Iterable[tuple[str, str]]) -> str:
    """Facts by their names, below a title."""
    # Names of models, columns and classes are anybody's.
    rows = "".join(
        f"<tr><th {_LEFT}>{_text(name)}</th><td {_LEFT}>{_text(value)}</td></tr>" for name, value in facts
    )
    return f"<table><caption {_LEFT}><b>{_text(title)}</b></caption>{rows}</table>"


def _text(said: str) -> str:
    return escape(glyphs.on_a_line(said), quote=True)
