"""All processes below this one: suspended together, and let go on.

Standard library only: for the keeper. Not here: how they end (``keeper.sweep``).
"""

from __future__ import annotations

import os
import signal
import time

from mlops_jupyter.training import processes


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
