"""Control groups with little memory: one made here where this machine lets us, and always a recorded one.

A recorded group is a folder as the kernel shows one, and a thread that does what the kernel does: ends the
process that takes too much, and counts it. What runs in it reads that folder.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_jupyter.executors import pair
from mlops_jupyter.training import container, processes

#: The file of a limit, of version 1 and of version 2.
LIMITS = ("memory.limit_in_bytes", "memory.max")


def kinds() -> list[str]:
    return ["recorded", "real"] if place() is not None else ["recorded"]


def place(root: str = container._ROOT, membership: str = container._MEMBERSHIP) -> Path | None:
    """The nearest group above us, or our own, in which one with memory of its own can be made; None without.

    Version 2 makes them only below a group that hands memory on: such a group has no process itself."""
    for group in map(Path, container._folders(root, membership)):
        handed = group / "cgroup.subtree_control"
        makes = "memory" in handed.read_text().split() if handed.exists() else (group / LIMITS[0]).exists()
        if makes and os.access(group, os.W_OK):
            return group
    return None


class Real:
    """Its processes may use so many bytes together; removed once none is left in it."""

    def __init__(self, memory: int) -> None:
        above = place()
        assert above
        self._group = above / f"mlops-tests-{secrets.token_hex(4)}"
        self._group.mkdir()
        limit = next(file for name in LIMITS if (file := self._group / name).exists())
        limit.write_text(str(memory))
        folders = map(Path, container._folders(container._ROOT, container._MEMBERSHIP))
        self._home = next(file for group in folders if (file := group / "cgroup.procs").exists())

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What this process starts meanwhile belongs to the group."""
        (self._group / "cgroup.procs").write_text(str(os.getpid()))
        try:
            yield
        finally:
            self._home.write_text(str(os.getpid()))

    def charge(self, worker: int) -> None:
        """The kernel does."""

    @contextmanager
    def filled(self, memory: int) -> Iterator[None]:
        """A process of the group holds so many bytes meanwhile."""
        # Each page is written to, once: copied, it would need twice the room for a moment, and be ended.
        write = "held[::4096] = b'x' * len(held[::4096])"
        code = f"held = bytearray({memory}); {write}; print('held', flush=True); input()"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with self.inside():
            process = subprocess.Popen([sys.executable, "-c", code], **pipes)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            yield
        finally:
            process.communicate(b"\n", timeout=10)

    def remove(self) -> None:
        deadline = time.monotonic() + 10
        while (self._group / "cgroup.procs").read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        self._group.rmdir()


class Recorded:
    """Three processes of it were ended before."""

    def __init__(self, memory: int, folder: Path) -> None:
        self._memory = memory
        self._folder = folder / "group"
        self._folder.mkdir()
        self._membership = folder / "membership"
        self._membership.write_text("0::/\n")
        (self._folder / "memory.max").write_text(f"{memory}\n")
        (self._folder / "memory.current").write_text(f"{memory // 4}\n")
        #: What ``container``'s functions take.
        self.place = str(self._folder), str(self._membership)
        self._count(3)
        self._kernel: threading.Thread | None = None

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Keepers started meanwhile read of this group."""
        before = pair._KEEPER
        reads = (
            "from mlops_jupyter.training import container as c; "
            f"c.oom_kills.__defaults__ = c.memory_limit.__defaults__ = {self.place}; "
            "from mlops_jupyter.training"
        )
        pair._KEEPER = before.replace("from mlops_jupyter.training", reads, 1)  # type: ignore[misc]
        try:
            yield
        finally:
            pair._KEEPER = before  # type: ignore[misc]

    def charge(self, worker: int) -> None:
        """From now on ``worker`` may not use more than the group has."""
        self._kernel = threading.Thread(target=self._end_when_too_large, args=(worker,))
        self._kernel.start()

    @contextmanager
    def filled(self, memory: int) -> Iterator[None]:
        """The group's folder says so meanwhile."""
        used = self._folder / "memory.current"
        before = used.read_text()
        used.write_text(f"{int(before) + memory}\n")
        yield
        used.write_text(before)

    def remove(self) -> None:
        if self._kernel is not None:
            self._kernel.join(10)

    def _end_when_too_large(self, worker: int) -> None:
        while (used := processes.memory([worker])) <= self._memory:
            if used == 0:
                return
            time.sleep(0.005)
        self._count(4)
        os.kill(worker, signal.SIGKILL)

    def _count(self, ended: int) -> None:
        (self._folder / "memory.events").write_text(f"oom_kill {ended}\n")


@contextmanager
def limited(kind: str, memory: int, folder: Path) -> Iterator[Real | Recorded]:
    group = Real(memory) if kind == "real" else Recorded(memory, folder)
    try:
        yield group
    finally:
        group.remove()
