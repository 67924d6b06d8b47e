"""A small disk of its own, which can be filled, made read-only and given room again."""

from __future__ import annotations

import contextlib
import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Disk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filling = folder / "filling"

    def fill(self) -> None:
        with self._filling.open("wb", buffering=0) as file:
            for block in (1 << 16, 1 << 9, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(block))

    def free(self) -> None:
        self._filling.unlink()

    def read_only(self, only: bool) -> None:
        _mount("-o", f"remount,{'ro' if only else 'rw'}", str(self.folder))

    def is_full(self) -> bool:
        try:
            (self.folder / "probe").write_bytes(bytes(1 << 13))
        except OSError as error:
            return error.errno == errno.ENOSPC
        return False


@contextmanager
def a_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Mounted at ``folder`` (needs root), unmounted at the end."""
    folder.mkdir(mode=0o700)
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder))
    try:
        yield Disk(folder)
    finally:
        # Lazily: what a test left open must not keep the mount.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)
