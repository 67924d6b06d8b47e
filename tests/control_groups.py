"""A control group with little memory, where this machine lets us make one."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_jupyter.training import container

LIMIT = "memory.limit_in_bytes"


def can_be_made() -> bool:
    """Version 2 gives a group memory of its own only where no process is beside it, as we are here."""
    return _own() is not None and os.access(_own() or "", os.W_OK)


@contextmanager
def limited(memory: int) -> Iterator[Path]:
    """A group whose processes may use so many bytes together; removed once none is left in it."""
    own = _own()
    assert own
    group = own / f"mlops-tests-{secrets.token_hex(4)}"
    group.mkdir()
    (group / LIMIT).write_text(str(memory))
    try:
        yield group
    finally:
        deadline = time.monotonic() + 10
        while (group / "cgroup.procs").read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        group.rmdir()


@contextmanager
def inside(group: Path) -> Iterator[None]:
    """What this process starts meanwhile belongs to the group."""
    (group / "cgroup.procs").write_text(str(os.getpid()))
    try:
        yield
    finally:
        (group.parent / "cgroup.procs").write_text(str(os.getpid()))


def _own() -> Path | None:
    groups = container._folders(container._ROOT, container._MEMBERSHIP)
    return next((Path(group) for group in groups if Path(group, LIMIT).exists()), None)
