"""Tells Jupyter that its server is not idle while jobs of ours run or wait.

JupyterHub culls servers without activity, and a server may end itself. Requests that only look, sockets
and paused jobs are no activity: an open tab must not keep a server up.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.errands import look_on
from mlops_jupyter.store import Store
from mlops_jupyter.supervisor import Supervisor

#: Seconds between looks; those who cull count in minutes.
EVERY = 5.0


class Activity:
    """``times`` is Jupyter's own, by name: the newest of them is when the server was last of use."""

    def __init__(self, store: Store, supervisor: Supervisor, times: dict[str, datetime]) -> None:
        self._store = store
        self._supervisor = supervisor
        self._times = times
        #: Jobs that ran or waited at the last look, by id.
        self.jobs: dict[str, str] = {}
        self._ours: list[Job] = []
        looking = look_on(self._look, "Whether jobs run could not be found out")
        self._looking = asyncio.get_running_loop().create_task(looking)

    async def look(self) -> bool:
        """Whether a job runs or waits; told to Jupyter if so."""
        try:
            open_jobs = await self._store.aread(lambda reading: reading.open_jobs())
            self._ours = [job for job in open_jobs if job.owner in (None, self._supervisor.owner)]
            self.jobs = {job.job_id: job.status for job in open_jobs if self._is_active(job)}
        except StoreUnavailable:
            # What we knew holds until the store says otherwise: its jobs go on without it.
            pass
        if self.jobs:
            # Naive times among them would break Jupyter's own status.
            self._times["mlops_jupyter"] = datetime.now(UTC)
        return bool(self.jobs)

    def count(self, status: str) -> int:
        """How many jobs of this server had ``status`` at the last look; what waits is nobody's yet."""
        return sum(job.status == status for job in self._ours)

    def _is_active(self, job: Job) -> bool:
        if job.status == "queued":
            return True
        return job.status != "paused" and job.owner == self._supervisor.owner

    async def _look(self) -> float:
        await self.look()
        return EVERY

    def close(self) -> None:
        self._looking.cancel()
