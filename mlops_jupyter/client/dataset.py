"""``Dataset``: a version of a dataset, as ``mlops.datasets.get`` gives it.

Not here: sending one (``uploading``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_jupyter.client.answers import Lineage
from mlops_jupyter.client.system import size
from mlops_jupyter.core import glyphs
from mlops_jupyter.core.datasets import DatasetVersion, Preview, RegisteredDataset

if TYPE_CHECKING:
    from mlops_jupyter.client.session import Session


class Dataset:
    """One version of a dataset: ``id``, ``name``, ``version``, ``rows``, ``columns``, ``bytes``, ``sha256``,
    ``filename``, ``created``, ``created_by``, ``path`` of one registered in place and ``url`` of one that was
    fetched. ``versions`` are all, the oldest first. ``mlops.train(dataset.ref, …)`` trains on it."""

    def __init__(self, record: RegisteredDataset, current: DatasetVersion, session: Session) -> None:
        self.id = record.id
        self.name = record.name
        self.versions = record.versions
        self.version = current.version
        self.rows = current.rows
        self.columns = current.columns
        self.bytes = current.bytes
        self.sha256 = current.sha256
        self.filename = current.filename
        self.created = current.created
        self.created_by = current.created_by
        self.path = current.path
        self.url = current.url
        self._session = session

    @property
    def ref(self) -> str:
        """``customers@3``: what it is got by, on any day."""
        return f"{self.name}@{self.version}"

    def preview(self) -> Preview:
        """Its first rows, what its columns hold, what is suspicious, and a target that may be meant."""
        return self._session.preview(self.id, self.version)

    def lineage(self) -> Lineage:
        """The jobs that used the dataset, and the models they made."""
        return self._session.lineage(self.id)

    def delete(self) -> None:
        """All versions, for good. Raises ``DatasetInUse`` when jobs used one, or a pipeline would."""
        self._session.delete_dataset(self.id)

    def __repr__(self) -> str:
        return glyphs.on_a_line(f"<Dataset {line(self)}>")


def line(dataset: Dataset) -> str:
    """``customers@3 · 7 043 rows × 21 columns · 0.9 MB · sha 9c1d2e3f``."""
    shape = f"{dataset.rows:,} rows × {dataset.columns:,} columns".replace(",", " ")
    return f"{dataset.ref} · {shape} · {size(dataset.bytes)} · sha {dataset.sha256[:8]}"
