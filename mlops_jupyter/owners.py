"""Which server cares for a job: this one, one that still lives, one out of sight, none.

Not here: taking a job over (``supervisor``).
"""

from __future__ import annotations

import os
from pathlib import Path

from mlops_jupyter.core.jobs import Job, Process
from mlops_jupyter.executors import liveness
from mlops_jupyter.training import processes


def this_process() -> str:
    """This server as the owner of its jobs."""
    identity = processes.identify(os.getpid())
    assert identity is not None
    return identity.mark


def lives(owner: str | None) -> bool:
    """Whether the server that started a job is still there to care for it; ``OSError`` where that cannot be
    told, because no more files can be opened."""
    if owner is None:
        return False
    boot_id, namespace, pid, ticks = owner.split("/")
    return liveness.alive(Process(pid=int(pid), ticks=int(ticks), boot_id=boot_id, pid_namespace=namespace))


def runs_elsewhere(job: Job, journal: Path, *, shared: bool) -> bool:
    """In another container or on another machine that shares our data: not ours to watch or signal.

    ``shared``: whether another server uses the store. Blocks."""
    if job.process is not None:
        return liveness.whereabouts(job.process, journal) == "elsewhere"
    # Being started there, if it is: only a server there could know.
    return job.owner is not None and not is_here(job.owner) and shared


def of_this_boot(owner: str | None) -> bool:
    """Whether all that this server did to files can be seen here: no power was lost since."""
    return owner is not None and owner.split("/")[0] == processes.boot_id()


def is_here(owner: str) -> bool:
    """Whether we could see that server, if it lived."""
    return owner.split("/")[:2] == [processes.boot_id(), processes.pid_namespace()]
