"""Alerts of jobs beyond what their journals tell: what they take of the machine, and what people mute.

Not here: the rules (``core.alerts``) and those at work on what is measured in a fit (``intake``).
"""

from __future__ import annotations

import time

from mlops_jupyter.core import facts
from mlops_jupyter.core.alerts import memory
from mlops_jupyter.core.alerts.watch import found_in
from mlops_jupyter.core.events import SystemMetrics
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.keepers import Keepers


class Alerts:
    """Lives on the event loop; ``muted`` are rules nobody wants to hear of on this server."""

    def __init__(self, keepers: Keepers, muted: frozenset[str]) -> None:
        self._keepers = keepers
        self._muted = muted
        #: Jobs that the sample before found near the limit, and those that were told.
        self._near: set[str] = set()
        self._told: set[str] = set()

    async def sampled(self, sample: SystemMetrics) -> None:
        """Two samples in a row make an alert."""
        found = {use.id: one for use in sample.jobs if (one := memory.check(use, sample)) is not None}
        near, self._near = self._near, set(found)
        self._told &= {use.id for use in sample.jobs}
        if "memory" in self._muted:
            return
        for job_id in found.keys() & near - self._told:
            await self._keepers.happened(job_id, found_in("memory", found[job_id], time.time()))
            self._told.add(job_id)

    async def mute(self, job_id: str, rule: str, by: str, *, muted: bool) -> Job:
        """Hear no more of a rule about this job, or again; also of one that is over."""
        fact = facts.RuleMuted(time=time.time(), rule=rule, by=by, muted=muted)
        return await self._keepers.happened(job_id, fact)
