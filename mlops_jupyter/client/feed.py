"""One thread that follows all live jobs of this process by polling, and ends with the last of them.

It survives servers: each answer says as of which event it is complete. Not here: what an event does
to a record (``known``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlops_jupyter.client import known
from mlops_jupyter.client.rest import Rest
from mlops_jupyter.core.errors import JobNotFoundError, MlopsError

if TYPE_CHECKING:
    from mlops_jupyter.client.job import Job

log = logging.getLogger(__name__)

#: Seconds between two questions at least: the kernel's own code wants its core.
PACE = 0.25
#: The server holds its answer for so long when nothing happens.
WAIT = 20.0
#: After a server could not be found or started, before the next try.
AGAIN = 5.0


class Feed:
    """``rest`` is the thread's own: nobody else may use it. ``pace`` tells how many seconds lie between
    two showings of a job at least."""

    def __init__(self, rest: Rest, pace: Callable[[], float]) -> None:
        self._rest = rest
        self._pace = pace
        # Jobs with something new to show, and since when they may be shown again.
        self._news: set[str] = set()
        self._shown: dict[str, float] = {}
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._fresh: list[Job] = []
        # When those are to be asked for again with which the server has trouble.
        self._troubled: dict[str, float] = {}
        self._thread: threading.Thread | None = None
        self._cursor: tuple[str, int] | None = None
        # Whether the last question came to nothing.
        self._blind = False

    def follow(self, job: Job) -> None:
        """Keep ``job`` up to date until it ends."""
        with self._lock:
            if job.job_id in self._jobs:
                return
            self._jobs[job.job_id] = job
            self._fresh.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mlops-feed", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        logged = False
        while self._live():
            pause = PACE
            try:
                self._meet_the_fresh()
                self._show()
                self._ask()
                self._show()
            except MlopsError as error:
                pause = AGAIN
                self._lose_sight(error)
            except Exception as error:
                # A thread that died would let those who wait do so for ever.
                pause = AGAIN
                if not logged:
                    logged = True
                    log.exception("jobs could not be followed")
                self._lose_sight(MlopsError(f"the job cannot be followed: {type(error).__name__}: {error}"))
            time.sleep(pause)

    def _lose_sight(self, error: MlopsError) -> None:
        """Whoever waits must hear of it; whoever does not may see the server come back."""
        self._blind = True
        for job in self._following():
            job.lost_sight(error)

    def _live(self) -> bool:
        """Whether there is anybody to follow; the thread ends otherwise, and leaves no trace."""
        with self._lock:
            for job_id in [job_id for job_id, job in self._jobs.items() if job.settled]:
                del self._jobs[job_id]
                self._shown.pop(job_id, None)
                # Or what was held back of it would be due for ever, and no answer be waited for.
                self._news.discard(job_id)
                self._troubled.pop(job_id, None)
            if self._jobs:
                return True
            self._thread = None
            self._cursor = None
            self._rest.close()
        return False

    def _following(self) -> list[Job]:
        with self._lock:
            return list(self._jobs.values())

    def _meet_the_fresh(self) -> None:
        """Jobs that came since get their record and points; the cursor begins where these are."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
        later: list[Job] = []
        try:
            while fresh:
                if not self._meet(fresh[-1]):
                    later.append(fresh[-1])
                fresh.pop()
        finally:
            with self._lock:
                self._fresh += fresh + later

    def _meet(self, job: Job) -> bool:
        """Whether that is done: not of a job that the server has trouble with, or had just now."""
        if time.monotonic() < self._troubled.get(job.job_id, 0.0):
            return False
        try:
            answer = self._rest.job(job.job_id)
            metrics = self._rest.metrics(job.job_id)
        except JobNotFoundError as error:
            job.gone(error)
            return True
        except MlopsError as error:
            # The trouble of this job alone, if the server answers at all: the others are followed.
            self._rest.status()
            self._troubled[job.job_id] = time.monotonic() + AGAIN
            job.lost_sight(error)
            return False
        self._troubled.pop(job.job_id, None)
        if self._cursor is None:
            self._cursor = answer.epoch, answer.head
        job.refreshed(answer, metrics)
        self._news.add(job.job_id)
        return True

    def _ask(self) -> None:
        if self._cursor is None or all(job.settled for job in self._following()):
            return
        epoch, since = self._cursor
        answer = self._rest.events(since, epoch, self._patience())
        if self._blind:
            self._blind = False
            for job in self._following():
                job.in_sight()
        last = known.last(answer.events, answer.prev)
        if (
            answer.reset is not None
            or answer.snapshot is not None
            or last - answer.prev != len(answer.events)
        ):
            # Another store, or one that forgot what we knew or were to learn: ask for everything.
            self._cursor = None
            with self._lock:
                self._fresh = list(self._jobs.values())
            return
        taken: dict[str, list[known.JobEvent]] = {}
        for event in known.of_jobs(answer.events):
            taken.setdefault(event.job_id, []).append(event)
        for job in self._following():
            if job.job_id in taken:
                job.happened(taken[job.job_id])
                self._news.add(job.job_id)
        self._cursor = answer.epoch, last

    def _show(self) -> None:
        """Show jobs with news, each no more often than its pace allows; the end of one at once."""
        now, pace = time.monotonic(), self._pace()
        for job in self._following():
            due = self._shown.get(job.job_id, -pace) + pace
            if job.job_id in self._news and (job.record.terminal or now >= due):
                self._news.discard(job.job_id)
                self._shown[job.job_id] = now
                job.tell()

    def _patience(self) -> float:
        """How long to wait for events: until the next job is due, when one has news held back, and not at
        all while it is not known whether the server answers."""
        if self._blind:
            return 0.0
        now, pace = time.monotonic(), self._pace()
        due = [self._shown.get(job_id, 0.0) + pace for job_id in self._news]
        soonest = min([*due, *self._troubled.values(), now + WAIT]) - now
        # A small float, added to a large one that is then taken away, may come back larger.
        return min(max(soonest, 0.0), WAIT)
