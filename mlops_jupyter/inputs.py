"""What a kernel sends ahead of a job: a table as Parquet, an estimator as cloudpickle.

Kept as bytes under ids made here until a job takes them; nothing of them is read in this process.
What waits is bounded in number, bytes and time, and leaves the disk room for the jobs themselves.
Not here: the time of day, which may be set while they wait (docs/decisions).
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mlops_jupyter.core import limits
from mlops_jupyter.core.errors import InputError, NoRoom

#: Inputs that no job took are removed after a day.
KEPT_SECONDS = 24 * 3600
#: The boot it was sent in, the second of it, and a random number.
_ID = re.compile(r"i-([0-9a-f]{16})[0-9a-f]{8}")
_STAMP = re.compile(r"([0-9a-f]{8})([0-9a-f]{8})")
#: What file systems without hard links say: those of USB sticks, some served by a program or a network.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


class Ages:
    """Tells what has waited too long, whatever anybody does to the clock on the wall.

    ``boot`` names this boot of the machine, ``clock`` gives the seconds since, sleep included."""

    def __init__(
        self,
        boot: str,
        clock: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> None:
        self._clock = clock
        self._boot = f"{zlib.crc32(boot.encode()):08x}"
        # What has a stamp of another boot, or none, and when it was first seen.
        self._met: dict[str, float] = {}

    def stamp(self) -> str:
        """This moment, as 16 characters."""
        return f"{self._boot}{int(self._clock()):08x}"

    def old(self, stamps: Mapping[str, str | None]) -> list[str]:
        """The names of those, of all there are, that go."""
        now = self._clock()
        # Several threads may be here at once.
        met = self._met = {name: self._met.get(name, now) for name in stamps}
        since = {name: self._since(stamp) for name, stamp in stamps.items()}
        return [name for name, at in since.items() if now - (met[name] if at is None else at) > KEPT_SECONDS]

    def _since(self, stamp: str | None) -> float | None:
        """None for a stamp of an earlier boot, or of another machine that shares the folder."""
        told = _STAMP.fullmatch(stamp or "")
        return int(told[2], 16) if told is not None and told[1] == self._boot else None


class Inputs:
    """The files of one data directory's ``inputs`` folder."""

    def __init__(self, folder: Path, ages: Ages) -> None:
        self._folder = folder
        self._ages = ages

    def create(self, expected: int = 0) -> tuple[str, BinaryIO]:
        """A new input and the file to write it to; ``NoRoom`` where there is none for ``expected`` bytes."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._remove_old()
        if len(self._waiting()) >= limits.INPUTS:
            raise NoRoom(f"{limits.INPUTS} inputs wait for their jobs already.", "Submit these first.")
        self.check_room(expected)
        input_id = f"i-{self._ages.stamp()}{secrets.token_hex(4)}"
        return input_id, os.fdopen(create(self._folder / f"{input_id}.part"), "wb")

    def check_room(self, more: int) -> None:
        """``NoRoom`` when ``more`` bytes are too many for what may wait, or for the disk."""
        if sum(found.st_size for _, found in self._waiting()) + more > limits.INPUTS_BYTES:
            most = limits.INPUTS_BYTES >> 30
            raise NoRoom(f"What waits for its jobs may have {most} GiB.", "Submit these first.")
        check_disk(self._folder, more)

    def write(self, file: BinaryIO, chunk: bytes) -> None:
        """``NoRoom`` where the disk does not take it: a quota, or others were quicker."""
        with taken_by_the_disk():
            file.write(chunk)

    def finish(self, input_id: str, file: BinaryIO) -> None:
        """All bytes are there: from now on a job can take them. On disk, as the job will be."""
        try:
            with taken_by_the_disk():
                file.flush()
                os.fsync(file.fileno())
        except NoRoom:
            self.discard(input_id, file)
            raise
        file.close()
        (self._folder / f"{input_id}.part").rename(self._folder / input_id)

    def discard(self, input_id: str, file: BinaryIO) -> None:
        """The sender went away, or the disk is full: what is still to be written need not be."""
        with suppress(OSError):
            file.close()
        (self._folder / f"{input_id}.part").unlink(missing_ok=True)

    def link(self, input_id: str, target: Path) -> None:
        """Put the input at ``target`` too; ``InputError`` when there is no such input."""
        try:
            if _ID.fullmatch(input_id):
                return linked(self._folder / input_id, target)
        except FileNotFoundError:
            # Another job may have taken it just now.
            pass
        raise InputError(f'no input "{input_id}": send it again.')

    def _waiting(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self._folder.iterdir():
            # Another server of this user may have taken it meanwhile.
            with suppress(FileNotFoundError):
                found.append((path, path.stat()))
        return found

    def _remove_old(self) -> None:
        stamps = {
            path.name: told[1] if (told := _ID.match(path.name)) else None for path, _ in self._waiting()
        }
        for name in self._ages.old(stamps):
            (self._folder / name).unlink(missing_ok=True)

    def remove(self, input_id: str) -> None:
        """A job has taken it."""
        (self._folder / input_id).unlink(missing_ok=True)


def linked(source: Path, target: Path) -> None:
    """The file at ``source`` at ``target``, too; a copy of it, on disk, where there are no hard links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with source.open("rb") as file, os.fdopen(create(target), "wb") as copy, taken_by_the_disk():
            shutil.copyfileobj(file, copy)
            copy.flush()
            os.fsync(copy.fileno())


@contextmanager
def taken_by_the_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NoRoom(f"The disk does not take it: {error.strerror}.") from error


def check_disk(folder: Path, more: int) -> None:
    """``NoRoom`` when ``more`` bytes would leave the disk too little."""
    free = shutil.disk_usage(folder).free
    if free - more < limits.FREE_BYTES:
        raise NoRoom(
            f"The disk has {free / (1 << 30):.1f} GiB free, and {limits.FREE_BYTES >> 30} GiB stay free."
        )


def create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
