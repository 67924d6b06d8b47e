"""Starts jobs that have their place, each once, and says what becomes of starts that were cut off.

The claim is the journal, which one keeper only can make: whichever does runs the job.
Not here: when a job has its place (``places``), and which jobs a server takes over (``supervisor``).
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from mlops_jupyter import owners
from mlops_jupyter.core import facts
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.executors import liveness
from mlops_jupyter.executors.protocol import BegunBefore, Executor, StartRefused
from mlops_jupyter.intake import Intake
from mlops_jupyter.keepers import Keepers
from mlops_jupyter.records import Records
from mlops_jupyter.store import Store, Transaction

log = logging.getLogger(__name__)

#: For so long a keeper that has claimed its job may take to say who it is.
CLAIM_PATIENCE = 5.0


class Starts:
    """Lives on the event loop; ``jobs`` is where the folders of all jobs are."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        intake: Intake,
        records: Records,
        keepers: Keepers,
        jobs: Path,
        owner: str,
    ) -> None:
        self._store = store
        self._executor = executor
        self._intake = intake
        self._records = records
        self._keepers = keepers
        self._jobs = jobs
        self._owner = owner

    async def begin(self, job_id: str) -> None:
        """Start a job that has its place; what keeps it from starting is its end."""
        try:
            spec = await self._store.aread(lambda reading: reading.spec(job_id))
            await asyncio.to_thread(self._intake.watch, job_id, self._jobs / job_id)
            folder = self._jobs / job_id
            process = await self._executor.start(folder, spec.interpreter, spec.cwd, spec.timeout)
            if self._intake.owed.to(job_id) is not None:
                # Asked while there was nobody to tell, and the store took nothing.
                self._executor.stop(process)
        except StoreUnavailable:
            raise
        except BegunBefore:
            await self.claimed_or_lost(job_id)
        except StartRefused as refused:
            fact = facts.StartFailed(time=time.time(), error=refused.error, hint=refused.hint)
            await self._keepers.over(job_id, fact)
        except Exception as error:
            # No memory, no process, no file left for a keeper: that is the job's end, not the queue's.
            if not isinstance(error, OSError):
                log.exception("Job %s could not be started", job_id)
            fact = facts.StartFailed(time=time.time(), error=f"No process could be started: {error}")
            await self._keepers.over(job_id, fact)

    async def forbid(self, job: Job) -> bool:
        """Whether nobody has begun this job, nor can from now on: one that is to stop, or whose server was
        starting it when the machine went down. A claim made then may not have reached the disk."""
        if job.process is not None or (job.status == "starting" and owners.of_this_boot(job.owner)):
            return False
        return await asyncio.to_thread(liveness.forbid, self._jobs / job.job_id / "journal")

    async def withdraw(self, job_id: str) -> None:
        """The end of a job that nobody has begun, nor can."""
        job = await self._store.aread(lambda reading: reading.job(job_id))
        if job.status == "stopping":
            await self._keepers.over(job_id, facts.StartWithdrawn(time=time.time()))
        else:
            await self._keepers.gone(job_id)

    async def claimed_or_lost(self, job_id: str) -> None:
        """A keeper has claimed this job, and will say so, or never can."""
        journal = self._jobs / job_id / "journal"
        patience = time.monotonic() + CLAIM_PATIENCE
        while time.monotonic() < patience or await asyncio.to_thread(liveness.kept_elsewhere, journal):
            job = await self._keepers.drained(job_id)
            if job.terminal or job.process is not None:
                # Whoever took it in has said so to ``keepers.changed``.
                return
            await asyncio.sleep(0.05)
        await self._keepers.gone(job_id)

    async def put_back(self) -> None:
        """Jobs that we were starting and no keeper has begun wait again."""

        def work(tx: Transaction) -> list[str]:
            cut = [
                job
                for job in tx.open_jobs()
                if job.owner == self._owner
                and job.process is None
                and not (self._jobs / job.job_id / "journal").exists()
            ]
            for job in cut:
                self._intake.record(tx, job, [facts.StartWithdrawn(time=time.time())])
            return [job.job_id for job in cut]

        for job_id in await self._store.awrite(work):
            await asyncio.to_thread(self._records.keep, job_id)
