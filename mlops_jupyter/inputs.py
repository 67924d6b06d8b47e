"""What a kernel sends ahead of a job: a table as Parquet, an estimator as cloudpickle.

Kept as bytes under ids made here until a job takes them; nothing of them is read in this process.
What waits is bounded in number and bytes, and leaves the disk room for the jobs themselves.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from mlops_jupyter.core import limits
from mlops_jupyter.core.errors import InputError, NoRoom

#: Inputs that no job took are removed after a day.
KEPT_SECONDS = 24 * 3600
_ID = re.compile(r"i-[0-9a-f]{24}")


class Inputs:
    """The files of one data directory's ``inputs`` folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, expected: int = 0) -> tuple[str, BinaryIO]:
        """A new input and the file to write it to; ``NoRoom`` where there is none for ``expected`` bytes."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._remove_old()
        if len(self._waiting()) >= limits.INPUTS:
            raise NoRoom(f"{limits.INPUTS} inputs wait for their jobs already.", "Submit these first.")
        self.check_room(expected)
        input_id = f"i-{secrets.token_hex(12)}"
        return input_id, os.fdopen(_create(self._folder / f"{input_id}.part"), "wb")

    def check_room(self, more: int) -> None:
        """``NoRoom`` when ``more`` bytes are too many for what may wait, or for the disk."""
        if sum(found.st_size for _, found in self._waiting()) + more > limits.INPUTS_BYTES:
            most = limits.INPUTS_BYTES >> 30
            raise NoRoom(f"What waits for its jobs may have {most} GiB.", "Submit these first.")
        free = shutil.disk_usage(self._folder).free
        if free - more < limits.FREE_BYTES:
            raise NoRoom(
                f"The disk has {free / (1 << 30):.1f} GiB free, and {limits.FREE_BYTES >> 30} GiB stay free."
            )

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

    def _waiting(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self._folder.iterdir():
            # Another server of this user may have taken it meanwhile.
            with suppress(FileNotFoundError):
                found.append((path, path.stat()))
        return found

    def _remove_old(self) -> None:
        for path, found in self._waiting():
            if time.time() - found.st_mtime > KEPT_SECONDS:
                path.unlink(missing_ok=True)

    def remove(self, input_id: str) -> None:
        """A job has taken it."""
        (self._folder / input_id).unlink(missing_ok=True)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
