"""What a job's folder still tells when its processes are gone and left no word of their end.

Not here: that they are gone (``executors``), what follows from it (``core.ends``).
"""

from __future__ import annotations

import os
from pathlib import Path

from mlops_jupyter.training.standby import tail


def why(folder: Path, read: int) -> str:
    """The rest of the sentence "The job is lost: …". ``read``: bytes of the journal that were taken in."""
    if folder.is_symlink():
        return "its folder was replaced by a link, and its processes are gone."
    if not folder.is_dir():
        return "its folder was removed, and its processes are gone."
    try:
        unread = (folder / "journal").stat().st_size - read
    except OSError:
        unread = 0
    if unread > 0:
        return f"its processes are gone, and the last {unread} bytes of its journal cannot be read."
    return "its processes are gone and left no word of their end."


def last_lines(folder: Path) -> tuple[str, ...]:
    """Of what the job wrote."""
    if folder.is_symlink():
        return ()
    try:
        log = os.open(folder / "output.log", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return tuple(tail(log))
        finally:
            os.close(log)
    except OSError:
        return ()
