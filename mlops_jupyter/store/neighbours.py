"""Whether other servers use the same store: each holds a shared lock while it lives.

The lock is of the open file, so that it goes with its process, however that ends. Not here: what the
others wrote (``database``).
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path


class Neighbours:
    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, flock(fcntl.F_RDLCK))
        except OSError:
            # A file system without locks: nobody can be seen, so somebody may be there.
            self._blind = True
        else:
            self._blind = False

    def any(self) -> bool:
        """Whether another server lives, or may live."""
        if self._blind:
            return True
        asked = fcntl.fcntl(self._file, fcntl.F_OFD_GETLK, flock(fcntl.F_WRLCK))
        (kind,) = struct.unpack_from("h", asked)
        return bool(kind != fcntl.F_UNLCK)

    def close(self) -> None:
        os.close(self._file)


def flock(kind: int) -> bytes:
    """A ``struct flock`` over the whole file."""
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)
