"""What a kernel sends ahead of a job: a table as Parquet, an estimator as cloudpickle.

Kept as bytes under ids made here until a job takes them; nothing of them is read in this process.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from pathlib import Path
from typing import BinaryIO

from mlops_jupyter.core.errors import InputError

#: Inputs that no job took are removed after a day.
KEPT_SECONDS = 24 * 3600
_ID = re.compile(r"i-[0-9a-f]{24}")


class Inputs:
    """The files of one data directory's ``inputs`` folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self) -> tuple[str, BinaryIO]:
        """A new input and the file to write it to."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in self._folder.iterdir():
            if time.time() - old.stat().st_mtime > KEPT_SECONDS:
                old.unlink(missing_ok=True)
        input_id = f"i-{secrets.token_hex(12)}"
        return input_id, os.fdopen(_create(self._folder / f"{input_id}.part"), "wb")

    def finish(self, input_id: str, file: BinaryIO) -> None:
        """All bytes are there: from now on a job can take them."""
        file.close()
        (self._folder / f"{input_id}.part").rename(self._folder / input_id)

    def discard(self, input_id: str, file: BinaryIO) -> None:
        """The sender went away."""
        file.close()
        (self._folder / f"{input_id}.part").unlink(missing_ok=True)

    def link(self, input_id: str, target: Path) -> None:
        """Put the input at ``target`` too; ``InputError`` when there is no such input."""
        source = self._folder / input_id
        if not _ID.fullmatch(input_id) or not source.is_file():
            raise InputError(f'no input "{input_id}": send it again.')
        os.link(source, target)

    def remove(self, input_id: str) -> None:
        """A job has taken it."""
        (self._folder / input_id).unlink(missing_ok=True)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
