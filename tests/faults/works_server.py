"""A Jupyter server whose jobs do the works of these tests. Run as ``python -m``, with Jupyter's options.

With ``TERMINAL`` in its environment it lives in that terminal, as one does that was started by hand; with
``EVENTS`` its store keeps so many events, and prunes the others every few seconds. With ``DIES_AT``, a class
and its method, it is killed when it first comes to it; with ``HOLDS`` it has so many bytes in memory.
"""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import Any

TERMINAL = "MLOPS_TESTS_TERMINAL"
EVENTS = "MLOPS_TESTS_EVENTS"
DIES_AT = "MLOPS_TESTS_DIES_AT"
HOLDS = "MLOPS_TESTS_HOLDS"


def die(*_: Any) -> None:
    """Now, and without another word."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    from jupyter_server.serverapp import main

    from mlops_jupyter.deletions import Deletions
    from mlops_jupyter.executors.local import LocalExecutor
    from mlops_jupyter.executors.pair import Pair
    from mlops_jupyter.server import rooms
    from mlops_jupyter.store import database, pruning

    if terminal := os.environ.pop(TERMINAL, None):
        os.setsid()
        # The first terminal that the leader of a session opens is the one that governs it.
        opened = os.open(terminal, os.O_RDWR)
        for standard in range(3):
            os.dup2(opened, standard)
    if kept := os.environ.pop(EVENTS, None):
        database.PRUNE_EVERY = 5.0
        pruning.prune.__defaults__ = (int(kept),)
    held = b"x" * int(os.environ.pop(HOLDS, "0"))
    if step := os.environ.pop(DIES_AT, None):
        kind, _, method = step.partition(".")
        setattr({"Deletions": Deletions, "Pair": Pair}[kind], method, die)
    rooms.LocalExecutor = partial(LocalExecutor, recipe="tests.executors.works")  # type: ignore[misc]
    main()
