"""What a test holds of the system: threads, children, open files. Compared before and after it."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from tests import processes

#: Threads that the libraries keep for the rest of the process once they were needed.
KEPT_THREADS = ("asyncio_", "IPythonHistorySavingThread", "pymain", "tqdm_monitor")
#: Helpers that multiprocessing and joblib start once and share.
KEPT_CHILDREN = ("resource_tracker", "loky", "forkserver")
#: Kinds of file descriptors a test must give back, besides files below its own directories.
KINDS = ("socket:", "pipe:", "anon_inode:[pidfd]")


class Held(NamedTuple):
    """Names of what is held; two of them are compared with ``leaked``."""

    threads: frozenset[str]
    children: frozenset[str]
    files: frozenset[str]

    @classmethod
    def now(cls, folder: Path | None) -> Held:
        """``folder``: the test's own, if it has one."""
        return cls(_threads(), _children(folder), _files(folder))

    def leaked_since(self, before: Held) -> list[str]:
        """What is held now and was not ``before``."""
        return sorted(item for now, then in zip(self, before, strict=True) for item in now - then)


def leaked(before: Held, folder: Path | None, patience: float = 15.0) -> list[str]:
    """What was not given back within ``patience`` seconds; ends take their time."""
    deadline = time.monotonic() + patience
    collected = False
    while rest := Held.now(folder).leaked_since(before):
        if time.monotonic() > deadline:
            return rest
        if not collected:
            gc.collect()
            collected = True
        time.sleep(0.02)
    return []


def _threads() -> frozenset[str]:
    return frozenset(
        f"thread {thread.name} ({thread.ident})"
        for thread in threading.enumerate()
        if not thread.name.startswith(KEPT_THREADS)
    )


def _children(folder: Path | None) -> frozenset[str]:
    found = psutil.Process().children(recursive=True)
    if folder:
        found += processes.belonging_to(folder)
    told = set()
    for process in found:
        command = processes.command(process)
        if command and not any(kept in command for kept in KEPT_CHILDREN):
            told.add(f"process {process.pid}: {command}")
    return frozenset(told)


def _files(folder: Path | None) -> frozenset[str]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:
            continue
        if target.startswith(KINDS) or (folder and target.startswith(str(folder))):
            found.add(f"file {entry.name}: {target}")
    return frozenset(found)
