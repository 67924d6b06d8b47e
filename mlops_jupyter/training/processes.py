"""What the kernel of the machine says about processes: who one is, what hangs below it, what it uses.

Standard library only, Linux only (``/proc``). Not here: what to do about it (``keeper``, ``executors``).
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

#: Every process of a job carries the identity of its keeper in this environment variable.
MARK = "MLOPS_JUPYTER_KEEPER"


class Identity(NamedTuple):
    """Proves who a process is: pids are reused, start ticks within one boot and namespace are not."""

    pid: int
    ticks: int
    boot_id: str
    pid_namespace: str

    @property
    def mark(self) -> str:
        """As one word, the value of ``MARK``."""
        return f"{self.boot_id}/{self.pid_namespace}/{self.pid}/{self.ticks}"


class Status(NamedTuple):
    """One line of ``/proc/<pid>/stat``; ``cpu_seconds`` without children."""

    state: str
    parent: int
    ticks: int
    cpu_seconds: float


def read(path: str) -> str | None:
    """A small file of the kernel's; None when it is not there (any more) or not ours to read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib is 1 MB more
            return file.read()
    except OSError:
        return None


@cache
def boot_id() -> str:
    """Names this boot of the machine: known once, also to those who have no file left to ask with."""
    return (read("/proc/sys/kernel/random/boot_id") or "").strip()


def pid_namespace() -> str:
    """Names the space in which our pids mean something."""
    return os.readlink("/proc/self/ns/pid")  # noqa: PTH115


def status(pid: int) -> Status | None:
    """None when there is no such process."""
    return parsed(read(f"/proc/{pid}/stat"))


def parsed(text: str | None) -> Status | None:
    """What ``/proc/<pid>/stat`` says; None when it says nothing."""
    if not text:
        return None
    # The name before the last parenthesis may hold anything, spaces and parentheses included.
    fields = text.rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / _TICKS
    return Status(fields[0], int(fields[1]), int(fields[19]), cpu)


def identify(pid: int) -> Identity | None:
    """None when there is no such process, or only a zombie of it."""
    found = status(pid)
    if found is None or found.state in "ZX":
        return None
    return Identity(pid, found.ticks, boot_id(), pid_namespace())


def lives(identity: Identity) -> bool:
    """Whether this very process, of this boot and namespace, is there and no zombie."""
    return identify(identity.pid) == identity


def descendants(pid: int) -> list[int]:
    """Children, their children and so on, zombies included; what comes and goes meanwhile may be missed."""
    if read(f"/proc/{pid}/task/{pid}/children") is None:
        return scanned_descendants(pid)
    found: list[int] = []
    pending = [pid]
    while pending:
        children = _children(pending.pop())
        found += children
        pending += children
    return found


def scanned_descendants(pid: int) -> list[int]:
    """The same for kernels built without the ``children`` files: reads all of ``/proc``."""
    parents: dict[int, list[int]] = {}
    for other in pids():
        found = status(other)
        if found:
            parents.setdefault(found.parent, []).append(other)
    tree: list[int] = []
    pending = [pid]
    while pending:
        children = parents.get(pending.pop(), [])
        tree += children
        pending += children
    return tree


def pids() -> list[int]:
    """All processes we can see."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def _children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208
    except OSError:
        return []
    files = (read(f"/proc/{pid}/task/{thread}/children") for thread in threads)
    return [int(child) for text in files if text for child in text.split()]


def memory(tree: Iterable[int]) -> int:
    """Bytes in memory that belong to these processes together.

    One process is asked for its resident size, which costs nothing. Several are asked for their
    share of each page, or forks and shared arrays would be counted many times; that walks page tables.
    """
    tree = list(tree)
    if len(tree) == 1:
        fields = (read(f"/proc/{tree[0]}/statm") or "0 0").split()
        return int(fields[1]) * _PAGE
    return sum(_share(pid) for pid in tree)


def limit_memory(more: int) -> None:
    """This process may take ``more`` bytes from now on: what libraries have reserved by now, which are
    gigabytes of addresses without memory behind them, does not count."""
    taken = int((read("/proc/self/statm") or "0").split()[0]) * _PAGE
    resource.setrlimit(resource.RLIMIT_AS, (taken + more, taken + more))


def limit_reader(size: int, cpu: int) -> None:
    """This process may take ``size`` bytes of addresses and ``cpu`` seconds of processors; what is over a
    limit ends it alone, and leaves no core file."""
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _share(pid: int) -> int:
    for line in (read(f"/proc/{pid}/smaps_rollup") or "").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
