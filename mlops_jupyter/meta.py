"""Records in the folders of models, endpoints, datasets and pipelines, ``meta.json`` and its kin.

From these a lost database gets back what it knew. Not here: what each keeps there (``shelves``, ``ledgers``,
``folders``, ``recipes``).
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.inputs import create
from mlops_jupyter.training.journal import sync_folder

log = logging.getLogger(__name__)
T = TypeVar("T")


def write(folder: Path, name: str, body: bytes) -> None:
    """The file ``name`` of ``folder``, whole and on disk or as it was before; makes the folder. ``OSError``
    where the disk refuses. Blocks."""
    # Parents that mkdir makes by itself are open to whom the umask lets in.
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    # Two servers may write at once: each its own file, the last renamed is there.
    part = folder / f"{name}.{secrets.token_hex(4)}.part"
    try:
        with os.fdopen(create(part), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.rename(folder / name)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(folder)
    sync_folder(folder.parent)


def below(folder: Path, kind: type[T]) -> Iterator[tuple[Path, T]]:
    """The folders in ``folder`` that have a ``meta.json``, by name, and what it says; what cannot be read is
    logged and left out."""
    try:
        with os.scandir(folder) as entries:
            folders = sorted(Path(each.path) for each in entries if each.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return
    for path in folders:
        try:
            yield path, wire.decode((path / "meta.json").read_bytes(), kind)
        except FileNotFoundError:
            continue
        except (OSError, msgspec.DecodeError) as error:
            log.warning("The record in %s cannot be read: %s", path, error)
