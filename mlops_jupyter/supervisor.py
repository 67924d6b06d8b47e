"""Ends jobs, and adopts those that still run. The rooms of jobs are wired together here.

Not here: how jobs are accepted (``submissions``), wait (``places``), start (``starts``) and are deleted
(``deletions``), what follows once they run (``keepers``), how processes are made (``executors``) and what
their files say (``intake``).
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from mlops_jupyter import owners, records
from mlops_jupyter.alerts import Alerts
from mlops_jupyter.core import facts
from mlops_jupyter.core.consequences import Order
from mlops_jupyter.core.errors import JobStateError, StoreUnavailable
from mlops_jupyter.core.jobs import Job, JobSpec
from mlops_jupyter.core.transitions import advance
from mlops_jupyter.deletions import Deletions
from mlops_jupyter.errands import Errands, look_on
from mlops_jupyter.executors.protocol import Executor
from mlops_jupyter.inputs import Ages, Inputs
from mlops_jupyter.intake import Intake, Taken
from mlops_jupyter.keepers import Keepers
from mlops_jupyter.places import Places
from mlops_jupyter.records import Records
from mlops_jupyter.registry import Registry
from mlops_jupyter.shelves import Shelves
from mlops_jupyter.starts import Starts
from mlops_jupyter.store import Store, Transaction
from mlops_jupyter.submissions import Run, Submissions
from mlops_jupyter.training.processes import boot_id

log = logging.getLogger(__name__)

#: Seconds between looks for jobs of servers that are gone, while there are or were others.
OTHERS_PAUSE = 1.0


class Supervisor:
    """Lives on the event loop of the server that owns its jobs. ``places`` and ``memory_floor`` bound what
    runs at once, as ``Places`` has it; ``muted`` are rules of alerts nobody wants to hear of."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        folder: Path,
        places: int,
        memory_floor: int = 0,
        muted: frozenset[str] = frozenset(),
    ) -> None:
        self._store = store
        self._executor = executor
        self._folder = folder
        self.owner = owners.this_process()
        self._loop = asyncio.get_running_loop()
        self._errands = Errands()
        self.inputs = Inputs(folder / "inputs", Ages(boot_id()))
        self.records = Records(store, folder / "jobs")
        self.shelves = Shelves(store, folder / "models")
        self.registry = Registry(store, self.records, self.shelves, folder / "jobs")
        self.intake = Intake(store, self._taken_in, self._over, muted)
        self.submissions = Submissions(store, folder / "jobs", self.inputs, self.records, self.intake)
        self.deletions = Deletions(store, self.shelves, self.intake, self._errands, folder / "jobs")
        self.places = Places(
            store,
            self.intake,
            self.records,
            self._errands,
            lambda job_id: partial(self.starts.begin, job_id),
            owner=self.owner,
            count=places,
            memory_floor=memory_floor,
        )
        self.keepers = Keepers(
            store, executor, self.intake, self.records, self.places, self._errands, folder / "jobs"
        )
        self.alerts = Alerts(self.keepers, muted)
        self.starts = Starts(
            store, executor, self.intake, self.records, self.keepers, folder / "jobs", self.owner
        )
        self._said: set[str] = set()
        self._adopting: asyncio.Task[None] | None = None
        #: Whether jobs of others were left to them: what keeps us from taking them over may change.
        self._left = False
        self._others = False
        #: The newest job at the last look for others.
        self._newest = 0
        self._errands.do(self.look_after_others)

    def folder(self, job_id: str) -> Path:
        """Where everything of a job is kept."""
        return self._folder / "jobs" / job_id

    async def submit(
        self,
        spec: JobSpec,
        by: str,
        key: str | None = None,
        rerun_of: str | None = None,
        run: Run | None = None,
    ) -> Job:
        """Accept a job; it is on disk when this returns. ``SubmissionError`` names all that is wrong.

        What was submitted under ``key`` before is the job it became then; with ``rerun_of`` it is the next
        attempt at that job, with ``run`` one of a pipeline."""
        job = await self.submissions.accept(spec, by, key, rerun_of, run)
        self._errands.do(self.places.give)
        return job

    async def stop(self, job_id: str, by: str) -> Job:
        """Ask a job to stop; one that is over stays as it is."""
        await self._in_reach(job_id)
        job = await self.keepers.happened(job_id, facts.StopAsked(time=time.time(), by=by))
        if job.terminal:
            self._errands.do(self.places.give)
        return job

    async def stop_unrecorded(self, prefix: str, by: str) -> Job | None:
        """The same while the store refuses: the keeper is asked at once, or as soon as there is one, and the
        stop recorded before anything else of the job once the store works. ``None`` when there is no job to
        stop any more."""
        job = await asyncio.to_thread(records.as_written, self._folder / "jobs", prefix)
        if job is None or job.terminal:
            return job
        await self._refuse_elsewhere(job)
        fact = facts.StopAsked(time=time.time(), by=by)
        if job.process is not None:
            return (
                advance(job, self.intake.owe(job.job_id, fact))[0]
                if self._executor.stop(job.process)
                else None
            )
        asked = self.intake.owe(job.job_id, fact)
        if asked is fact:
            self._errands.do(partial(self._stop_as_owed, job.job_id))
        # Only now can none begin it unheard: who starts it looks for what is owed.
        begun = await asyncio.to_thread(records.as_written, self._folder / "jobs", job.job_id)
        if begun is not None and begun.process is not None:
            self._executor.stop(begun.process)
        return replace(
            job, status="stopping", stopped_by=asked.by, message="Stops as soon as the store works"
        )

    async def _stop_as_owed(self, job_id: str) -> None:
        """A job that wrote nothing yet: nobody takes in what it is owed."""
        asked = self.intake.owed.to(job_id)
        if asked is not None:
            job = await self.keepers.happened(job_id, asked)
            self.intake.owed.paid(job_id)
            if job.terminal:
                self._errands.do(self.places.give)

    async def pause(self, job_id: str, by: str) -> Job:
        """Suspend a running job; ``JobStateError`` for one that does not run."""
        return await self._asked(job_id, facts.PauseAsked(time=time.time(), by=by))

    async def resume(self, job_id: str, by: str) -> Job:
        """Let a paused job go on; ``JobStateError`` for one that cannot."""
        return await self._asked(job_id, facts.ResumeAsked(time=time.time(), by=by))

    async def _asked(self, job_id: str, fact: facts.PauseAsked | facts.ResumeAsked) -> Job:
        def work(tx: Transaction) -> Taken:
            job = tx.job(job_id)
            if job.status not in ("running", "paused"):
                what = "paused" if isinstance(fact, facts.PauseAsked) else "resumed"
                raise JobStateError(f"{job.name} is {job.status}: it cannot be {what}.")
            return self.intake.record(tx, job, [fact])

        await self._in_reach(job_id)
        return await self.keepers.recorded(job_id, work)

    async def _in_reach(self, job_id: str) -> None:
        await self._refuse_elsewhere(await self._store.aread(lambda reading: reading.job(job_id)))

    async def _refuse_elsewhere(self, job: Job) -> None:
        if not job.terminal and await asyncio.to_thread(self._runs_elsewhere, job):
            raise JobStateError(
                f"{job.name} runs in another container or on another machine.", "Ask the server there."
            )

    def come_to_life(self) -> None:
        """The store works, for the first time or again: see what has become of the jobs in it."""
        self._adopting = self._errands.do(self.adopt)
        self._errands.do(self.submissions.sweep)
        self._errands.do(self.registry.tidy)
        self._errands.do(self.deletions.tidy)

    async def adopted(self) -> None:
        """Until the jobs of an earlier server are taken over."""
        if self._adopting is not None:
            await asyncio.wait([self._adopting])

    async def adopt(self) -> None:
        """Take over what an earlier server left: jobs that run, that ended meanwhile, that wait."""
        async with self.places.lock:
            open_jobs = await self._store.aread(lambda reading: reading.open_jobs())
            self._left = False
            for job in open_jobs:
                try:
                    await self._take_over(job)
                except StoreUnavailable:
                    raise
                except Exception as error:  # noqa: BLE001 - told once, and whatever it is, jobs wait behind it
                    # The others must not wait for one that cannot be taken over; it is tried again.
                    self._left = True
                    self._say_once(job.job_id, error)
        self._errands.do(self.places.give)

    def _say_once(self, job_id: str, error: Exception) -> None:
        told = f"{job_id}: {error!r}"
        if told not in self._said:
            self._said.add(told)
            log.error("Job %s could not be taken over", job_id, exc_info=error)

    async def _take_over(self, job: Job) -> None:
        """Make a job ours that nobody cares for."""
        ours = job.owner == self.owner
        # Ours without a place: its start was stored, and the store failed before we knew.
        cared_for = job.job_id in self.places.taken if ours else owners.lives(job.owner)
        if job.status == "queued" or cared_for:
            return
        if await asyncio.to_thread(self._runs_elsewhere, job):
            self._left = True
            return
        # Before it is ours: who takes it from us, in turn, must not think that it can be started.
        forbidden = await self.starts.forbid(job)
        if (taken := await self._made_ours(job)) is not None:
            self.places.taken.add(job.job_id)
            try:
                await self._adopt(job.job_id, taken.signal, forbidden=forbidden)
            except BaseException:
                # Or it would count as cared for when this is tried again.
                self.places.taken.discard(job.job_id)
                raise

    async def _made_ours(self, job: Job) -> Taken | None:
        """``None`` where another server was quicker, or the job has ended."""

        def work(tx: Transaction) -> Taken | None:
            now = tx.job(job.job_id)
            if now.terminal or now.owner != job.owner:
                return None
            return self.intake.record(tx, now, [facts.JobAdopted(time=time.time(), owner=self.owner)])

        return await self._store.awrite(work)

    async def _adopt(self, job_id: str, order: Order | None, *, forbidden: bool) -> None:
        """What was written since decides: the keeper may have begun, or ended, unseen."""
        await asyncio.to_thread(self.intake.watch, job_id, self.folder(job_id))
        job = await self.keepers.drained(job_id)
        if job.terminal or job.process is not None:
            self.keepers.changed(Taken(job, order))
        elif forbidden:
            self._errands.do(partial(self.starts.withdraw, job_id))
        elif job.status == "starting":
            # Its server died while starting it. Whichever keeper is first to claim it runs it.
            self._errands.do(partial(self.starts.begin, job_id))
        else:
            self._errands.do(partial(self.starts.claimed_or_lost, job_id))

    async def look_after_others(self) -> None:
        """Servers that share our store may die: their jobs are ours then."""
        await look_on(self._look_after_others, "Jobs of other servers could not be looked after")

    async def _look_after_others(self) -> float:
        before, self._others = self._others, await asyncio.to_thread(self._store.shared)
        newest, begun = await self._store.aread(lambda reading: (reading.newest_job(), reading.begun()))
        # One may have come, taken jobs and died since the last look: nobody else would find them.
        unseen = newest > self._newest or not self.places.taken.issuperset(begun)
        if before or self._others or self._left or unseen:
            await self.adopt()
        # Only now: what the store refused is looked for again.
        self._newest = newest
        return OTHERS_PAUSE

    def _runs_elsewhere(self, job: Job) -> bool:
        return owners.runs_elsewhere(job, self.folder(job.job_id) / "journal", shared=self._store.shared())

    async def close(self) -> None:
        """Let go; jobs that have begun run on and are adopted by the next server, which starts the others."""
        await self._errands.close()
        await asyncio.to_thread(self.intake.close)
        await self._executor.close()
        try:
            await self.starts.put_back()
        except StoreUnavailable as error:
            log.warning("Jobs that were being started will be started again: %s", error)
        for job_id in self.intake.owed.jobs():
            log.warning("Job %s was asked to stop, which could not be recorded", job_id)

    def _over(self, job_id: str) -> None:
        """Called in the intake's thread once all is read of a job that is over."""
        self.records.keep(job_id)
        self.shelves.keep_of(job_id)

    def _taken_in(self, taken: Taken) -> None:
        """Called in the intake's thread after each commit."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.keepers.changed, taken)
