"""What ends the waiting for a job, and not the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_jupyter.core import glyphs

if TYPE_CHECKING:
    from mlops_jupyter.client.job import Job


class StoppedWaiting(KeyboardInterrupt):
    """Ctrl-C ended the waiting, not the job."""

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(self.told(f"job.stop()   or   %mlops stop {job.id}"))

    def told(self, stop: str) -> str:
        """``stop`` is how to stop the job where this is read."""
        name = glyphs.on_a_line(self.job.record.name)
        return f"Stopped waiting; {name} {self.job.id} goes on.\nStop it: {stop}"

    def _render_traceback_(self) -> list[str]:
        return [str(self)]
