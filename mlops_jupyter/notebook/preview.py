"""A dataset below a cell: what is suspicious, what each column holds, the first rows; what came of it.

Tables that need nothing of ours to be read. Not here: the live view of the panel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from msgspec import structs

from mlops_jupyter.client.answers import Lineage
from mlops_jupyter.client.dataset import Dataset, line
from mlops_jupyter.client.dataset_words import NOT_USED, held, previewed, record, used
from mlops_jupyter.client.lists import columns
from mlops_jupyter.client.session import Session
from mlops_jupyter.core import glyphs
from mlops_jupyter.core.datasets import Preview

_LEFT = 'style="text-align:left"'


class DatasetPreview(Preview, frozen=True, kw_only=True):
    """A ``Preview`` that is shown; ``title`` is the dataset's line."""

    title: str

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return {"text/plain": glyphs.visible(previewed(self.title, self)), "text/html": _html(self)}


class DatasetLineage(Lineage, frozen=True, kw_only=True):
    """A ``Lineage`` that is shown; ``title`` is the dataset's name."""

    title: str

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        head, rows = used(self)
        title = f"{self.title}: {'jobs that used it, and models they made' if rows else NOT_USED}"
        text = "\n".join([title, *([columns([head, *rows])] if rows else [])])
        html = f"<p><b>{_text(title)}</b></p>" + (_table(head, rows) if rows else "")
        return {"text/plain": glyphs.visible(text), "text/html": html}


class ShownDataset(Dataset):
    """A ``Dataset`` whose preview and lineage are shown."""

    def preview(self) -> DatasetPreview:
        return DatasetPreview(**structs.asdict(super().preview()), title=line(self))

    def lineage(self) -> DatasetLineage:
        return DatasetLineage(**structs.asdict(super().lineage()), title=self.name)


def shown(dataset: Dataset, session: Session) -> ShownDataset:
    known = record(dataset)
    return ShownDataset(known, known.version(dataset.version), session)


def _html(preview: DatasetPreview) -> str:
    # Columns, cells and messages are anybody's.
    problems = "".join(f"<li>{_text(each.message)}</li>" for each in preview.problems)
    target = preview.suggested_target
    hint = "" if target is None else f"<p>Target? <b>{_text(target.name)}</b>: {_text(target.reason)}</p>"
    names = [column.name for column in preview.columns]
    rows = [["" if cell is None else str(cell) for cell in row] for row in preview.rows]
    return (
        f"<p><b>{_text(preview.title)}</b></p>"
        + (f"<ul>{problems}</ul>" if problems else "")
        + hint
        + _table(*held(preview))
        + _table(names, rows)
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    names = "".join(f"<th {_LEFT}>{_text(name)}</th>" for name in head)
    lines = "".join(
        "<tr>" + "".join(f"<td {_LEFT}>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table>"


def _text(said: str) -> str:
    return escape(glyphs.on_a_line(said), quote=True)
