"""All processes below this one: suspended together, let go on, and ended.

Standard library only: for the keeper. Not here: what a process is (``processes``).
"""

from __future__ import annotations

import os
import signal
import time
from resource import struct_rusage

from mlops_jupyter.training import processes

#: What the worker left running may end by itself for this long (helpers that tidy up do).
GRACE = 0.5


def suspend(patience: float = 1.0) -> None:
    """Stop everything below us, those included that were born meanwhile.

    A process in the hands of the kernel stops when it is given back; it runs none of its own code before."""
    began = time.monotonic()
    while time.monotonic() - began < patience:
        tree = processes.descendants(os.getpid())
        running = [pid for pid in tree if (found := processes.status(pid)) and found.state not in "TtZX"]
        if not running:
            return
        for pid in running:
            signal_ours(pid, signal.SIGSTOP, tree)
        time.sleep(0.001)


def resume() -> None:
    """Children first, so that no parent finds one that does not answer."""
    tree = processes.descendants(os.getpid())
    for pid in reversed(tree):
        signal_ours(pid, signal.SIGCONT, tree)


def sweep(grace: float = GRACE) -> list[struct_rusage]:
    """End all that is left below us; what each reaped process used.

    Orphans of any depth become our children, so without a child there is nothing left. A process that
    cannot be killed (it is in the hands of the kernel) is given up after five seconds."""
    usages: list[struct_rusage] = []
    began = time.monotonic()
    asked: set[int] = set()
    while (spent := time.monotonic() - began) < 5:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid:
            usages.append(usage)
            continue
        tree = processes.descendants(os.getpid())
        for other in tree:
            if spent >= grace:
                signal_ours(other, signal.SIGKILL, tree)
            elif other not in asked:
                signal_ours(other, signal.SIGTERM, tree)
                asked.add(other)
        time.sleep(0.005)
    return usages


def signal_ours(pid: int, number: signal.Signals, tree: list[int]) -> None:
    """Signal a descendant. Held by its pidfd and looked at once more, its pid cannot be a stranger's."""
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return
    try:
        found = processes.status(pid)
        if found and found.parent in (os.getpid(), *tree):
            signal.pidfd_send_signal(process, number)
    except ProcessLookupError:
        return
    finally:
        os.close(process)
