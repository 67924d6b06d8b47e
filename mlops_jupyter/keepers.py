"""The keepers of jobs that run: watched to their end, given orders, and what they tell is followed.

Not here: which jobs those are (``supervisor``) and how a process is made, found or signalled (``executors``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mlops_jupyter import remains
from mlops_jupyter.core import facts
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.errands import Errands
from mlops_jupyter.executors.protocol import Executor
from mlops_jupyter.intake import Intake, Taken
from mlops_jupyter.places import Places
from mlops_jupyter.records import Records
from mlops_jupyter.store import Store, Transaction

#: Seconds between tries to read what a keeper that is gone has written, and for how long: a disk may fail
#: for a moment, and a job that came to its end is not to be called lost for it.
READ_AGAIN, UNREADABLE = 0.5, 30.0


class Keepers:
    """Lives on the event loop; ``jobs`` is where the folders of all jobs are."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        intake: Intake,
        records: Records,
        places: Places,
        errands: Errands,
        jobs: Path,
    ) -> None:
        self._store = store
        self._executor = executor
        self._intake = intake
        self._records = records
        self._places = places
        self._errands = errands
        self._jobs = jobs
        self._watched: set[str] = set()

    def changed(self, taken: Taken) -> None:
        """Follow what a job has come to."""
        job = taken.job
        if job.terminal:
            self._watched.discard(job.job_id)
            self._places.free(job.job_id)
        elif job.process is not None and job.job_id not in self._watched:
            self.watch(job)
        self._obey(taken)

    def watch(self, job: Job) -> None:
        """Wait for the keeper's end: its last word is in the journal by then, or never will be."""
        assert job.process is not None
        self._watched.add(job.job_id)

        def ended() -> None:
            self._errands.do(partial(self.gone, job.job_id))

        self._executor.adopt(job.process, ended)

    async def gone(self, job_id: str) -> None:
        """No keeper is left: read what it wrote, and call the job lost if that was not its end."""
        patience = time.monotonic() + UNREADABLE
        while not await self._drain(job_id) and time.monotonic() < patience:  # noqa: ASYNC110 - no disk tells
            await asyncio.sleep(READ_AGAIN)
        folder = self._jobs / job_id
        try:
            cursor = await self._store.aread(lambda reading: reading.cursor(job_id))
        except KeyError:
            # Its end was in the journal, and somebody has deleted it since.
            return
        why = await asyncio.to_thread(remains.why, folder, cursor.journal)
        last = await asyncio.to_thread(remains.last_lines, folder)
        fact = facts.JobVanished(time=time.time(), why=why, log_tail=last)
        await self.over(job_id, fact)

    async def drained(self, job_id: str) -> Job:
        """The job once all that its processes have written, and can be read, is taken in."""
        await self._drain(job_id)
        return await self._store.aread(lambda reading: reading.job(job_id))

    async def _drain(self, job_id: str) -> bool:
        """Whether all could be read; the intake says in the log what could not."""
        folder = self._jobs / job_id

        def drain() -> bool:
            try:
                while self._intake.look(job_id, folder):
                    pass
            except OSError:
                return False
            return True

        return await asyncio.to_thread(drain)

    async def over(self, job_id: str, fact: facts.Fact) -> None:
        """Record an end that no process of the job can tell, and follow it."""
        self.changed(Taken(await self.happened(job_id, fact), signal=None))

    async def happened(self, job_id: str, fact: facts.Fact) -> Job:
        """Record what only the server knows."""
        return await self.recorded(job_id, lambda tx: self._intake.record(tx, tx.job(job_id), [fact]))

    async def recorded(self, job_id: str, work: Callable[[Transaction], Taken]) -> Job:
        """The job after ``work`` has recorded what happened to it; its order is passed on."""
        taken = await self._store.awrite(work)
        self._obey(taken)
        if taken.job.terminal:
            self._intake.over(job_id)
        await asyncio.to_thread(self._records.keep, job_id)
        return taken.job

    def _obey(self, taken: Taken) -> None:
        """Pass an order on to the job's keeper."""
        if taken.signal and taken.job.process is not None:
            orders = {
                "stop": self._executor.stop,
                "pause": self._executor.pause,
                "resume": self._executor.resume,
            }
            orders[taken.signal](taken.job.process)
