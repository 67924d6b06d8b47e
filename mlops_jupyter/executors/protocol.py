"""What the supervisor asks of whatever runs jobs.

One suite of tests (``tests/executors/contract.py``) holds for every implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from mlops_jupyter.core.errors import MlopsError
from mlops_jupyter.core.jobs import Process


class StartRefused(MlopsError, RuntimeError):  # noqa: N818 - says what happened, like those of core.errors
    """No worker could be started for this job: the interpreter is missing, versions differ …"""

    def __init__(self, error: str, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(error, hint, code)
        self.error = error


class BegunBefore(StartRefused):
    """A keeper has claimed this job already: its journal tells what comes of it."""


class Executor(Protocol):
    """Runs each job in a keeper and a worker of its own. Methods never block the event loop."""

    async def start(
        self,
        folder: Path,
        interpreter: str | None = None,
        cwd: str | None = None,
        timeout: float | None = None,
    ) -> Process:
        """Start the job described by ``folder/spec.json``; returns once its keeper has opened
        ``folder/journal``. ``timeout`` is in seconds. Raises ``StartRefused``; ``BegunBefore`` where another
        keeper was first, since a job is begun once."""

    def stop(self, process: Process) -> bool:
        """Ask this keeper to end its job in three steps; False when it is not there (any more)."""

    def pause(self, process: Process) -> bool:
        """Ask this keeper to suspend every process of its job; False when it is not there."""

    def resume(self, process: Process) -> bool:
        """Ask this keeper to let its job go on; False when it is not there."""

    def adopt(self, process: Process, on_exit: Callable[[], None]) -> None:
        """Be the server of this job from now on. ``on_exit`` is called once, when neither the keeper
        nor a process of its job is left; soon, when that is so already."""

    async def close(self) -> None:
        """End what stands by. Jobs go on; of one whose start was cancelled the keeper has opened its
        journal by now, or none ever will."""
