"""A pipeline below a cell: facts that last, and where a page can be fed its recipe to edit and its last run.

Not here: what is known of one (``client.pipelines``), and how a page is fed (``board``).
"""

from __future__ import annotations

from typing import Any

from mlops_jupyter.client.pipelines import Pipeline, facts, told
from mlops_jupyter.core import glyphs
from mlops_jupyter.notebook import board, marimo
from mlops_jupyter.notebook.cards import table


class PipelineCard(Pipeline):
    """A ``Pipeline`` that is shown. As it was, where it is not the newest version: that is not edited."""

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        html, text = table(self.name, facts(self.record)), glyphs.visible(told(self.record))
        if not self._lives:
            return {"text/html": html, "text/plain": text}
        return board.bundle("pipeline", html, text, self.id)

    def _display_(self) -> object:
        if self._lives:
            return marimo.element(board.widget("pipeline", self.id))
        return marimo.html(table(self.name, facts(self.record)))

    @property
    def _lives(self) -> bool:
        return self.record.version == self.record.newest and self.record.deleted is None
