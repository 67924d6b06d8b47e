"""Is this process still that process? Everything that looks at or signals a keeper goes through here.

A pid alone proves nothing: pids are reused, zombies answer signals, and another container or boot has
its own. Not here: what follows from it (``core``).
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from mlops_jupyter.core.jobs import Process
from mlops_jupyter.training import processes
from mlops_jupyter.training.processes import Identity

#: This process, or the machine, has nothing left to look with.
_SHORTAGE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
#: What may be over in a moment, so that a file can be made after all.
_FOR_NOW = {*_SHORTAGE, errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def handle(process: Process) -> int | None:
    """A pidfd of exactly this process, readable once it has exited; None when it is not there, ``OSError``
    where that cannot be told, because no more files can be opened.

    What is read after the pidfd was made is of the same process: a file of ``/proc`` that was opened before
    says nothing once its process is gone."""
    if (process.boot_id, process.pid_namespace) != (processes.boot_id(), processes.pid_namespace()):
        return None
    try:
        with ExitStack() as unless, open(f"/proc/{process.pid}/stat", errors="replace") as stat:  # noqa: PTH123
            opened = os.pidfd_open(process.pid)
            unless.callback(os.close, opened)
            found = processes.parsed(stat.read())
            if found is None or found.ticks != process.ticks or found.state in "ZX":
                return None
            unless.pop_all()
            return opened
    except OSError as error:
        if error.errno in _SHORTAGE:
            raise
        return None


def alive(process: Process) -> bool:
    """Whether this very process runs; a zombie does not."""
    opened = handle(process)
    if opened is None:
        return False
    os.close(opened)
    return True


def tell(process: Process, number: signal.Signals) -> bool:
    """Signal exactly this process; False when it is not there."""
    opened = handle(process)
    if opened is None:
        return False
    try:
        return send(opened, number)
    finally:
        os.close(opened)


def send(opened: int, number: signal.Signals) -> bool:
    """Signal the process of this pidfd; False when it is gone."""
    try:
        signal.pidfd_send_signal(opened, number)
    except ProcessLookupError:
        return False
    return True


async def gone(opened: int) -> None:
    """Wait until the process of this pidfd has exited; closes it."""
    loop = asyncio.get_running_loop()
    exited = asyncio.Event()
    loop.add_reader(opened, exited.set)
    try:
        await exited.wait()
    finally:
        loop.remove_reader(opened)
        os.close(opened)


def whereabouts(process: Process, journal: Path) -> Literal["here", "elsewhere", "gone"]:
    """Where the keeper of a job is, for a server that finds the job in its store."""
    if alive(process):
        return "here"
    ours = (process.boot_id, process.pid_namespace) == (processes.boot_id(), processes.pid_namespace())
    return "gone" if ours or not kept_elsewhere(journal) else "elsewhere"


def kept_elsewhere(journal: Path) -> bool:
    """Whether a keeper holds this journal, wherever it runs: for jobs of another boot, container or
    machine, whose processes we cannot see. ``OSError`` where that cannot be told."""
    try:
        file = os.open(journal, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _SHORTAGE:
            raise
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        # A file system without locks. Nobody can know; what shares one is mostly a pod after its restart.
        return False
    finally:
        os.close(file)
    return False


def forbid(journal: Path) -> bool:
    """Make the claim of a job that nobody has begun, so that no keeper can begin it any more; False where
    one has, ``OSError`` where that cannot be told now."""
    try:
        os.close(os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in _FOR_NOW:
            raise
        # Without a folder nobody can begin it either.
        return True
    return True


def sweep(process: Process, patience: float = 2.0) -> None:
    """End what a keeper that is gone left behind. A keeper in order leaves nothing; one that was killed
    takes its worker with it, but not the worker's own children. They carry its mark. Blocks."""
    mark = f"{processes.MARK}={_identity(process).mark}".encode()
    end = time.monotonic() + patience
    while time.monotonic() < end:
        ended = [pid for pid in processes.pids() if _end_marked(pid, mark)]
        if not ended:
            return
        time.sleep(0.01)


def _end_marked(pid: int, mark: bytes) -> bool:
    """Kill this process if it carries the mark; True when it did."""
    if not _carries(pid, mark):
        return False
    try:
        opened = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not _carries(pid, mark):
            return False
        signal.pidfd_send_signal(opened, signal.SIGKILL)
    except ProcessLookupError:
        return False
    finally:
        os.close(opened)
    return True


def _carries(pid: int, mark: bytes) -> bool:
    """Zombies have no environment, other users' processes show us none."""
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _identity(process: Process) -> Identity:
    return Identity(process.pid, process.ticks, process.boot_id, process.pid_namespace)
