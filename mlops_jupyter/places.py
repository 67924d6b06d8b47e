"""Gives the jobs that wait their places, and tells them how many are ahead and what they wait for.

Not here: whose turn it is (``core.turns``) and how a job that has its place is started (``supervisor``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from mlops_jupyter import owners
from mlops_jupyter.core import facts
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.turns import Turn, turn
from mlops_jupyter.errands import Errands, Work
from mlops_jupyter.intake import Intake
from mlops_jupyter.records import Records
from mlops_jupyter.store import Store, Transaction
from mlops_jupyter.training.container import memory_left

#: Seconds until free memory is looked at again, while a job waits for some.
MEMORY_PAUSE = 5.0


class Places:
    """``count`` bounds what runs at once: a job takes as many as its ``n_jobs``, the rest queues. For one
    that starts beside others ``memory_floor`` bytes must be free (``core.turns``). ``start`` gives the work
    that starts a job."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        records: Records,
        errands: Errands,
        start: Callable[[str], Work],
        *,
        owner: str,
        count: int,
        memory_floor: int,
    ) -> None:
        self._store = store
        self._intake = intake
        self._records = records
        self._errands = errands
        self._start = start
        self._owner = owner
        self._count = count
        self._memory_floor = memory_floor
        self._looking_again = False
        self._giving = asyncio.Lock()
        #: Jobs of this server that have a place.
        self.taken: set[str] = set()
        #: Whoever adopts must not find a job of ours started that is not among ``taken`` yet.
        self.lock = asyncio.Lock()

    async def give(self) -> None:
        """As many as there are."""
        async with self._giving:
            while await self._give_one():
                pass

    def free(self, job_id: str) -> None:
        """A job is over; its place, if it had one here, goes to the next."""
        if job_id in self.taken:
            self.taken.discard(job_id)
            self._errands.do(self.give)

    async def _give_one(self) -> bool:
        """Give the first that waits its place, if there is one: decided where it is written, or two servers
        of a store would give the same place away. The others are told once nobody starts: it costs an event
        each, and their folders need not know where they stand in the queue."""
        free = await asyncio.to_thread(memory_left)

        def work(tx: Transaction) -> Turn:
            found = self._turn(tx, free)
            if found.first is not None:
                started = facts.JobStarted(time=time.time(), owner=self._owner)
                self._intake.record(tx, found.first, [started])
                return found
            for ahead, job in enumerate(found.waiting):
                if (job.ahead, job.waiting_for) != (ahead, found.lacking):
                    fact = facts.QueueMoved(time=time.time(), ahead=ahead, waiting_for=found.lacking)
                    self._intake.record(tx, job, [fact])
            return found

        async with self.lock:
            found = await self._store.awrite(work)
            if found.first is not None:
                self.taken.add(found.first.job_id)
        if found.first is not None:
            self._errands.do(self._start(found.first.job_id))
            await asyncio.to_thread(self._records.keep, found.first.job_id)
        elif found.lacking == "memory" and not self._looking_again:
            self._looking_again = True
            self._errands.do(self._look_again)
        return found.first is not None

    def _turn(self, tx: Transaction, free: int) -> Turn:
        open_jobs = tx.open_jobs()
        return turn(
            # One that somebody stopped while the store took nothing is not started first.
            [job for job in open_jobs if job.status == "queued" and self._intake.owed.to(job.job_id) is None],
            [job for job in open_jobs if job.owner is not None and owners.is_here(job.owner)],
            lambda job: self._taken_by(tx, job),
            places=self._count,
            free=free,
            floor=self._memory_floor,
        )

    async def _look_again(self) -> None:
        """Memory that others have given back tells nobody."""
        await asyncio.sleep(MEMORY_PAUSE)
        self._looking_again = False
        await self.give()

    def _taken_by(self, tx: Transaction, job: Job) -> int:
        try:
            spec = tx.spec(job.job_id)
        except msgspec.DecodeError:
            # Its start says what is wrong with it.
            return 1
        return self._count if spec.n_jobs < 0 else min(max(spec.n_jobs, 1), self._count)
