"""Stops that were asked for while the store took nothing: to be recorded of their jobs once it does.

Not here: recording them (``intake``, ``supervisor``). They are forgotten with their server.
"""

from __future__ import annotations

import threading

from mlops_jupyter.core.facts import StopAsked


class Owed:
    """One stop a job; calls may come from any thread."""

    def __init__(self) -> None:
        self._stops: dict[str, StopAsked] = {}
        self._lock = threading.Lock()

    def add(self, job_id: str, stop: StopAsked) -> StopAsked:
        """The first counts, and is returned."""
        with self._lock:
            return self._stops.setdefault(job_id, stop)

    def to(self, job_id: str) -> StopAsked | None:
        with self._lock:
            return self._stops.get(job_id)

    def paid(self, job_id: str) -> None:
        """It is recorded, or has come too late."""
        with self._lock:
            self._stops.pop(job_id, None)

    def jobs(self) -> list[str]:
        """To which something is owed."""
        with self._lock:
            return list(self._stops)
