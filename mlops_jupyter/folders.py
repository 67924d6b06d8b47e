"""The folders of datasets: each has the files of its versions, called by their content, and its record.

From the records a lost database gets its datasets back. Not here: which versions there are (``datasets``).
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from mlops_jupyter import meta
from mlops_jupyter.core import wire
from mlops_jupyter.core.datasets import DatasetVersion, Preview, RegisteredDataset
from mlops_jupyter.core.errors import UploadStateError
from mlops_jupyter.store import Reading, Transaction
from mlops_jupyter.training.journal import sync_folder

log = logging.getLogger(__name__)

#: Of a dataset that is being deleted, the end of its folder's name.
GONE = ".gone"


def place_of(datasets: Path, dataset: RegisteredDataset, version: DatasetVersion) -> Path:
    """Where the file of a version is."""
    if version.path is not None:
        return Path(version.path)
    return datasets / dataset.id / f"{version.sha256}.{version.format}"


def keep_preview(datasets: Path, dataset_id: str, sha256: str, preview: Preview) -> bytes:
    """What was found in a version, beside it; as it is sent."""
    body = wire.encode(preview)
    with suppress(OSError):
        meta.write(datasets / dataset_id, f"{sha256}.preview.json", body)
    return body


def preview(datasets: Path, dataset_id: str, sha256: str) -> bytes | None:
    """``None`` where none was kept."""
    try:
        return (datasets / dataset_id / f"{sha256}.preview.json").read_bytes()
    except FileNotFoundError:
        return None


def keep(datasets: Path, dataset: RegisteredDataset) -> None:
    """The record beside the files, so that a lost database gets it back. Blocks."""
    try:
        meta.write(datasets / dataset.id, "meta.json", wire.encode(dataset))
    except OSError as error:
        log.info("The record of dataset %s is in the database only: %s", dataset.id, error)


def place(source: Path, target: Path, file: BinaryIO) -> None:
    """The file that was read, under its new name, and on disk there."""
    target.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    target.unlink(missing_ok=True)
    os.link(source, target, follow_symlinks=False)
    if not os.path.samestat(target.lstat(), os.fstat(file.fileno())):
        target.unlink()
        raise UploadStateError("The file of this upload was replaced while it was read.")
    os.fsync(file.fileno())
    sync_folder(target.parent)
    sync_folder(target.parent.parent)


def discard(target: Path, alone: bool) -> None:
    target.unlink(missing_ok=True)
    if alone:
        with suppress(OSError):
            target.parent.rmdir()


def tidy(folder: Path, known: set[str]) -> None:
    """What a server left that was killed while it deleted a dataset."""
    for gone in folder.glob(f"d-*{GONE}"):
        dataset_id = gone.name.removesuffix(GONE)
        if dataset_id in known and not (folder / dataset_id).exists():
            gone.rename(folder / dataset_id)
        else:
            shutil.rmtree(gone, ignore_errors=True)


def lost(folder: Path, found: Reading) -> Iterator[Callable[[Transaction], bool]]:
    """The work that brings back datasets whose folders know of versions the database ``found`` does not."""
    known = {each.id: each for each in found.datasets()}
    for path, dataset in meta.below(folder, RegisteredDataset):
        before = known.get(dataset.id)
        if dataset.id == path.name and (before is None or len(before.versions) < len(dataset.versions)):
            yield _bringing_back(dataset)


def _bringing_back(dataset: RegisteredDataset) -> Callable[[Transaction], bool]:
    def work(tx: Transaction) -> bool:
        other = tx.dataset_named(dataset.name)
        if other is not None and other.id != dataset.id:
            # Somebody copied a folder.
            return False
        tx.put_dataset(dataset)
        return True

    return work
