"""Performs what follows from facts: queues jobs, starts and ends them, adopts those that still run.

Not here: how jobs are accepted (``submissions``), how processes are made (``executors``) and what a
job's files say (``intake``).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from mlops_jupyter import owners, remains
from mlops_jupyter.core import facts
from mlops_jupyter.core.errors import JobStateError, StoreUnavailable
from mlops_jupyter.core.jobs import Job, JobSpec
from mlops_jupyter.core.turns import Turn, turn
from mlops_jupyter.executors import liveness
from mlops_jupyter.executors.protocol import Executor, StartRefused
from mlops_jupyter.inputs import Inputs
from mlops_jupyter.intake import Intake, Taken
from mlops_jupyter.records import Records
from mlops_jupyter.store import Store, Transaction
from mlops_jupyter.submissions import Submissions
from mlops_jupyter.training.container import memory_left

log = logging.getLogger(__name__)

#: Seconds until free memory is looked at again, while a job waits for some.
MEMORY_PAUSE = 5.0

#: Seconds between tries of what a store in trouble has refused.
STORE_PAUSE = 1.0
#: Seconds between looks for jobs of servers that are gone, while there are or were others.
OTHERS_PAUSE = 1.0
#: For so long a keeper that has claimed its job may take to say who it is.
CLAIM_PATIENCE = 5.0


class Supervisor:
    """Lives on the event loop of the server that owns its jobs.

    ``places`` bounds what runs at once: a job takes as many as its ``n_jobs``, the rest queues. While less
    than ``memory_floor`` bytes are free none is started beside another.
    """

    def __init__(
        self, store: Store, executor: Executor, folder: Path, places: int, memory_floor: int = 0
    ) -> None:
        self._store = store
        self._executor = executor
        self._folder = folder
        self.owner = owners.this_process()
        self._places = places
        self._memory_floor = memory_floor
        self._looking_again = False
        self._taken: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._scheduling = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._watched: set[str] = set()
        self.inputs = Inputs(folder / "inputs")
        self.records = Records(store, folder / "jobs")
        self.intake = Intake(store, self._taken_in, self.records.keep)
        self.submissions = Submissions(store, folder / "jobs", self.inputs, self.records, self.intake)
        self._adopting: asyncio.Task[Any] | None = None
        self._one_adopts = asyncio.Lock()
        self._elsewhere = False
        self._do(self._look_after_others)

    def folder(self, job_id: str) -> Path:
        """Where everything of a job is kept."""
        return self._folder / "jobs" / job_id

    async def submit(
        self, spec: JobSpec, by: str, key: str | None = None, rerun_of: str | None = None
    ) -> Job:
        """Accept a job; it is on disk when this returns. ``SubmissionError`` names all that is wrong.

        What was submitted under ``key`` before is the job it became then; with ``rerun_of`` it is the next
        attempt at that job."""
        job = await self.submissions.accept(spec, by, key, rerun_of)
        self._do(self._schedule)
        return job

    async def stop(self, job_id: str, by: str) -> Job:
        """Ask a job to stop; one that is over stays as it is."""
        await self._in_reach(job_id)
        job = await self._happened(job_id, facts.StopAsked(time=time.time(), by=by))
        if job.terminal:
            self._do(self._schedule)
        return job

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
        return await self._recorded(job_id, work)

    async def _in_reach(self, job_id: str) -> None:
        job = await self._store.aread(lambda reading: reading.job(job_id))
        if not job.terminal and await asyncio.to_thread(self._runs_elsewhere, job):
            raise JobStateError(
                f"{job.name} runs in another container or on another machine.", "Ask the server there."
            )

    def come_to_life(self) -> None:
        """The store works, for the first time or again: see what has become of the jobs in it."""
        self._adopting = self._do(self.adopt)

    async def adopted(self) -> None:
        """Until the jobs of an earlier server are taken over."""
        if self._adopting is not None:
            await asyncio.wait([self._adopting])

    async def adopt(self) -> None:
        """Take over what an earlier server left: jobs that run, that ended meanwhile, that wait."""
        async with self._one_adopts:
            open_jobs = await self._store.aread(lambda reading: reading.open_jobs())
            self._elsewhere = False
            for job in open_jobs:
                ours = job.owner == self.owner
                # Ours without a place: its start was stored, and the store failed before we knew.
                if job.status == "queued" or (job.job_id in self._taken if ours else owners.lives(job.owner)):
                    continue
                if await asyncio.to_thread(self._runs_elsewhere, job):
                    self._elsewhere = True
                elif await self._made_ours(job):
                    self._taken.add(job.job_id)
                    await self._adopt(job.job_id)
        self._do(self._schedule)

    async def _made_ours(self, job: Job) -> bool:
        """False where another server was quicker, or the job has ended."""

        def work(tx: Transaction) -> bool:
            now = tx.job(job.job_id)
            if now.terminal or now.owner != job.owner:
                return False
            self.intake.record(tx, now, [facts.JobAdopted(time=time.time(), owner=self.owner)])
            return True

        return await self._store.awrite(work)

    async def _adopt(self, job_id: str) -> None:
        """What was written since decides: the keeper may have begun, or ended, unseen."""
        await asyncio.to_thread(self.intake.watch, job_id, self.folder(job_id))
        job = await self._drained(job_id)
        if job.terminal:
            self._changed(Taken(job, signal=None))
        elif job.process is None:
            self._do(partial(self._claimed_or_lost, job_id))
        else:
            self._watch(job)

    async def _claimed_or_lost(self, job_id: str) -> None:
        """Its server died while starting it: a keeper has claimed it, and will say so, or none ever can."""
        journal = self.folder(job_id) / "journal"
        if not await asyncio.to_thread(liveness.forbid, journal):
            patience = time.monotonic() + CLAIM_PATIENCE
            while time.monotonic() < patience or await asyncio.to_thread(liveness.kept_elsewhere, journal):
                job = await self._drained(job_id)
                if job.terminal or job.process is not None:
                    # Whoever took it in has said so to ``_changed``.
                    return
                await asyncio.sleep(0.05)
        await self._gone(job_id)

    async def _look_after_others(self) -> None:
        """Servers that share our store may die: their jobs are ours then."""
        shared = False
        while True:
            await asyncio.sleep(OTHERS_PAUSE)
            before, shared = shared, self._store.shared()
            if before or shared or self._elsewhere:
                await self.adopt()

    def _runs_elsewhere(self, job: Job) -> bool:
        return owners.runs_elsewhere(job, self.folder(job.job_id) / "journal", shared=self._store.shared())

    async def close(self) -> None:
        """Let go; running jobs run on and are adopted by the next server."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._executor.close()
        await asyncio.to_thread(self.intake.close)

    @property
    def running(self) -> int:
        """Jobs that have a place now."""
        return len(self._taken)

    # --- the queue -------------------------------------------------------------------------

    async def _schedule(self) -> None:
        """Start what there is room for, and tell the others how many are ahead and what they wait for."""
        async with self._scheduling:
            while await self._start_next():
                pass

    async def _start_next(self) -> bool:
        """Give the first that waits its place, if there is one: decided where it is written, or two servers
        of a store would give the same place away."""
        enough = await asyncio.to_thread(memory_left) >= self._memory_floor
        moved: list[Job] = []

        def work(tx: Transaction) -> Turn:
            found = self._turn(tx, enough_memory=enough)
            for ahead, job in enumerate(found.waiting):
                if (job.ahead, job.waiting_for) != (ahead, found.lacking):
                    fact = facts.QueueMoved(time=time.time(), ahead=ahead, waiting_for=found.lacking)
                    moved.append(self.intake.record(tx, job, [fact]).job)
            if found.first is not None:
                started = facts.JobStarted(time=time.time(), owner=self.owner)
                moved.append(self.intake.record(tx, found.first, [started]).job)
            return found

        # Whoever adopts must not find a job of ours started that we do not know of yet.
        async with self._one_adopts:
            found = await self._store.awrite(work)
            if found.first is not None:
                self._taken.add(found.first.job_id)
        for job in moved:
            await asyncio.to_thread(self.records.keep, job.job_id)
        if found.first is not None:
            self._do(partial(self._start, found.first.job_id))
        elif found.lacking == "memory" and not self._looking_again:
            self._looking_again = True
            self._do(self._look_again)
        return found.first is not None

    def _turn(self, tx: Transaction, *, enough_memory: bool) -> Turn:
        open_jobs = tx.open_jobs()
        return turn(
            [job for job in open_jobs if job.status == "queued"],
            [job for job in open_jobs if job.owner is not None and owners.is_here(job.owner)],
            lambda job: self._places_of(tx.spec(job.job_id)),
            places=self._places,
            enough_memory=enough_memory,
        )

    async def _look_again(self) -> None:
        """Memory that others have given back tells nobody."""
        await asyncio.sleep(MEMORY_PAUSE)
        self._looking_again = False
        await self._schedule()

    def _places_of(self, spec: JobSpec) -> int:
        return self._places if spec.n_jobs < 0 else min(max(spec.n_jobs, 1), self._places)

    async def _start(self, job_id: str) -> None:
        spec = await self._store.aread(lambda reading: reading.spec(job_id))
        await asyncio.to_thread(self.intake.watch, job_id, self.folder(job_id))
        try:
            await self._executor.start(job_id, self.folder(job_id), spec.interpreter, spec.cwd, spec.timeout)
        except StartRefused as refused:
            fact = facts.StartFailed(time=time.time(), error=refused.error, hint=refused.hint)
            self._changed(Taken(await self._happened(job_id, fact), signal=None))
        except OSError as error:
            # No memory, no process, no file left for a keeper: that is the job's end, not the queue's.
            fact = facts.StartFailed(time=time.time(), error=f"No process could be started: {error}")
            self._changed(Taken(await self._happened(job_id, fact), signal=None))

    # --- running jobs ----------------------------------------------------------------------

    def _taken_in(self, taken: Taken) -> None:
        """Called in the intake's thread after each commit."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed, taken)

    def _changed(self, taken: Taken) -> None:
        job = taken.job
        self._obey(taken)
        if job.terminal:
            self._watched.discard(job.job_id)
            if job.job_id in self._taken:
                self._taken.discard(job.job_id)
                self._do(self._schedule)
        elif job.process is not None and job.job_id not in self._watched:
            self._watch(job)

    def _watch(self, job: Job) -> None:
        """Wait for the keeper's end: its last word is in the journal by then, or never will be."""
        assert job.process is not None
        self._watched.add(job.job_id)

        def gone() -> None:
            self._do(partial(self._gone, job.job_id))

        self._executor.adopt(job.process, gone)

    async def _gone(self, job_id: str) -> None:
        """No keeper is left: read what it wrote, and call the job lost if that was not its end."""
        await self._drained(job_id)
        folder = self.folder(job_id)
        cursor = await self._store.aread(lambda reading: reading.cursor(job_id))
        why = await asyncio.to_thread(remains.why, folder, cursor.journal)
        last = await asyncio.to_thread(remains.last_lines, folder)
        fact = facts.JobVanished(time=time.time(), why=why, log_tail=last)
        self._changed(Taken(await self._happened(job_id, fact), signal=None))

    async def _drained(self, job_id: str) -> Job:
        """The job once all that its processes have written is taken in."""
        folder = self.folder(job_id)

        def drain() -> None:
            while self.intake.look(job_id, folder):
                pass

        await asyncio.to_thread(drain)
        return await self._store.aread(lambda reading: reading.job(job_id))

    async def _happened(self, job_id: str, fact: facts.Fact) -> Job:
        return await self._recorded(job_id, lambda tx: self.intake.record(tx, tx.job(job_id), [fact]))

    async def _recorded(self, job_id: str, work: Callable[[Transaction], Taken]) -> Job:
        taken = await self._store.awrite(work)
        self._obey(taken)
        await asyncio.to_thread(self.records.keep, job_id)
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

    def _do(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        task = self._loop.create_task(self._persist(work))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def _persist(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """What the store refuses is tried again until it works: a job's end waits for the disk."""
        while True:
            try:
                return await work()
            except StoreUnavailable:
                await asyncio.sleep(STORE_PAUSE)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("A job could not be moved on", exc_info=task.exception())
