"""Takes what jobs write — journals and output — into the store, exactly once.

Facts go through ``advance``; the events that follow, the job's new record and how far its files were
read are committed together. Not here: starting and ending jobs (``supervisor``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from mlops_jupyter.core import assets, facts
from mlops_jupyter.core.alerts import stalled
from mlops_jupyter.core.alerts.watch import Watch
from mlops_jupyter.core.consequences import Order, Publish, Register, Signal
from mlops_jupyter.core.errors import InvalidTransition, StoreUnavailable
from mlops_jupyter.core.events import LogLines, MetricPoints, TrainingProgress
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.models import Model
from mlops_jupyter.core.series import Point
from mlops_jupyter.core.transitions import advance
from mlops_jupyter.news import READ_BYTES, News
from mlops_jupyter.owed import Owed
from mlops_jupyter.store import Cursor, Reading, Store, Transaction

log = logging.getLogger(__name__)

#: Seconds between looks at the journals: while data flow, and when they do not.
BUSY, IDLE = 0.01, 0.02
#: Seconds to wait after the disk or the database refused.
REFUSED = 1.0
#: A job's progress is sent at most this often, in seconds; changes of stage always.
TICK = 0.25
#: Seconds to wait at the end for the look that is just being taken.
CLOSING = 5.0
#: Points a metric from which the rules of alerts know what was measured before a job was watched here, and
#: seconds between looks whether one that was quiet for long stands still.
LOOKED_BACK, ASK_AGAIN = 64, 10.0
#: Lines of output that go into one event, at most.
LINES = 200


class Taken(NamedTuple):
    """What one look brought: the job as it is now, and the order its keeper must be given."""

    job: Job
    signal: Order | None


class Intake:
    """Tails the files of the jobs it watches, in a thread of its own.

    ``on_change`` is called in that thread after each commit that brought facts, ``on_end`` when all is
    read of a job that is over.
    """

    def __init__(
        self,
        store: Store,
        on_change: Callable[[Taken], None],
        on_end: Callable[[str], None] = lambda _: None,
        muted: frozenset[str] = frozenset(),
    ) -> None:
        self._store = store
        self._on_change = on_change
        self._on_end = on_end
        self._folders: dict[str, Path] = {}
        self._cursors: dict[str, Cursor] = {}
        self._ticks: dict[str, float] = {}
        self._held: dict[str, TrainingProgress] = {}
        #: The rules of alerts at work on each job; when it last moved, and is next asked if it stands still.
        self._muted = muted
        self._watches: dict[str, Watch] = {}
        self._still: dict[str, tuple[float, float]] = {}
        self._over: set[str] = set()
        self._said: dict[str, str] = {}
        #: Until when jobs are left alone that could not be taken in.
        self._rests: dict[str, float] = {}
        self.owed = Owed()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._watch, name="mlops-intake", daemon=True)
        self._thread.start()

    def watch(self, job_id: str, folder: Path) -> None:
        """Tail the files of a job, until it is over and they are read."""
        cursor, watch = self._store.read(
            lambda reading: (reading.cursor(job_id), self._begun(reading, job_id))
        )
        with self._lock:
            self._cursors[job_id] = cursor
            self._watches[job_id] = watch
            self._heard(job_id)
            self._folders[job_id] = folder
        self._wake.set()

    def _begun(self, reading: Reading, job_id: str) -> Watch:
        """One that knows what was measured before, as far as it needs it."""
        watch = Watch(self._muted)
        # Of a record that cannot be read, who takes in what follows says so.
        with suppress(msgspec.DecodeError):
            watch.catch_up(reading.job(job_id), reading.series(job_id, LOOKED_BACK))
        return watch

    def _heard(self, job_id: str) -> None:
        now = time.monotonic()
        self._still[job_id] = now, now + stalled.SECONDS

    def over(self, job_id: str) -> None:
        """The server itself knows that the job is over: what is left of its files is all there will be."""
        with self._lock:
            if job_id in self._folders:
                self._over.add(job_id)
        self._wake.set()

    def owe(self, job_id: str, fact: facts.StopAsked) -> facts.StopAsked:
        """Record ``fact`` before anything else of the job, as soon as the store works; the first counts."""
        first = self.owed.add(job_id, fact)
        self._wake.set()
        return first

    def forget(self, job_id: str) -> None:
        """Nothing is to be taken in of this job any more."""
        with self._lock:
            self._over.discard(job_id)
            self._folders.pop(job_id, None)
            self._cursors.pop(job_id, None)
            self._ticks.pop(job_id, None)
            self._held.pop(job_id, None)
            self._watches.pop(job_id, None)
            self._still.pop(job_id, None)
            self._said.pop(job_id, None)
            self._rests.pop(job_id, None)
        self.owed.paid(job_id)

    def close(self) -> None:
        """Take in no more; a file system that hangs is not waited for: the thread ends with the process."""
        self._ending = True
        self._wake.set()
        self._thread.join(CLOSING)

    def record(self, tx: Transaction, job: Job, happened: Sequence[facts.Fact]) -> Taken:
        """Advance ``job`` by what ``happened`` and keep what follows, inside ``tx``."""
        signal: Order | None = None
        points: list[Point] = []
        watch = self._watches.get(job.job_id)
        for fact in happened:
            try:
                job, consequences = advance(job, fact)
            except InvalidTransition:
                # A journal is outside of us; what makes no sense in it must not hold up the rest.
                log.exception("Ignored a fact of job %s", job.job_id)
                continue
            for found in watch.take(job, fact) if watch is not None else ():
                job, told = advance(job, found)
                consequences += told
            for consequence in consequences:
                match consequence:
                    case Publish(MetricPoints() as event):
                        points.extend(event.points)
                    case Publish(TrainingProgress() as event, tick=True):
                        self._held[job.job_id] = event
                    case Publish(event):
                        self._say(tx, job.job_id, points, happened)
                        tx.tell(event)
                        self._held.pop(job.job_id, None)
                    case Register(model):
                        _register(tx, model)
                    case Signal(order=order):
                        signal = order
        self._say(tx, job.job_id, points, happened)
        self._tick(tx, job)
        tx.put_job(job)
        return Taken(job, signal)

    def _say(self, tx: Transaction, job_id: str, points: list[Point], happened: Sequence[facts.Fact]) -> None:
        """Send the points gathered so far as one event: one a point would cost a row each."""
        if points:
            tx.append(MetricPoints(time=facts.moment(happened[-1]), job_id=job_id, points=tuple(points)))
            points.clear()

    def _tick(self, tx: Transaction, job: Job) -> None:
        """Send the progress held back when it is due."""
        if job.job_id in self._held and self._due(job.job_id):
            self._ticks[job.job_id] = time.monotonic()
            tx.append(self._held.pop(job.job_id))

    def _due(self, job_id: str) -> bool:
        return time.monotonic() - self._ticks.get(job_id, -TICK) >= TICK

    def _watch(self) -> None:
        while not self._ending:
            with self._lock:
                folders = list(self._folders.items())
            if not folders:
                self._wake.wait()
                self._wake.clear()
                continue
            self._wake.wait(min(self._look_at(job_id, folder) for job_id, folder in folders))
            self._wake.clear()

    def _look_at(self, job_id: str, folder: Path) -> float:
        """Seconds until this job is to be looked at again: no job waits for another's trouble, nor is asked
        for more often because of another's haste."""
        rest = self._rests.get(job_id, 0.0) - time.monotonic()
        if rest > 0:
            return rest
        try:
            read = self.look(job_id, folder)
        except Exception as error:
            # Of a store that refuses nothing is said: it has said why. What is in the journals stays there.
            if not isinstance(error, StoreUnavailable) and self._said.get(job_id) != repr(error):
                self._said[job_id] = repr(error)
                log.exception("Could not take in what job %s wrote", job_id)
            self._rests[job_id] = time.monotonic() + REFUSED
            return REFUSED
        # One that has written more than a look takes is looked at again at once.
        return 0.0 if read >= READ_BYTES // 2 else BUSY if read else IDLE

    def look(self, job_id: str, folder: Path) -> int:
        """Take in what is new in one job's files; how many bytes that was."""
        with self._lock:
            before = self._cursors.get(job_id)
        if before is None:
            return 0
        self._ask_if_it_stands_still(job_id)
        owed = self.owed.to(job_id)
        news = News.read(folder, before, final=job_id in self._over)
        if news.cursor == before and owed is None:
            self._quiet(job_id)
            return 0
        for offset in news.damaged:
            # A record cut off by a kill was never acknowledged: nothing to be alarmed about.
            log.info(
                "Passed over what is no whole record at byte %d of the journal of job %s", offset, job_id
            )
        taken = self._store.write(lambda tx: self._take(tx, job_id, before, news, owed)).result()
        try:
            after = news.cursor if taken else self._store.read(lambda reading: reading.cursor(job_id))
        except KeyError:
            # It was deleted, by another server perhaps.
            self.forget(job_id)
            return 0
        with self._lock:
            if job_id in self._cursors:
                self._cursors[job_id] = after
        if taken is not None:
            if news.payloads:
                self._heard(job_id)
            if owed is not None:
                self.owed.paid(job_id)
            if taken.job.terminal:
                self._over.add(job_id)
            self._on_change(taken)
        return news.cursor.journal - before.journal + news.cursor.log - before.log

    def _ask_if_it_stands_still(self, job_id: str) -> None:
        since, due = self._still.get(job_id, (0.0, float("inf")))
        now = time.monotonic()
        if now < due:
            return
        self._still[job_id] = since, now + ASK_AGAIN
        watch = self._watches[job_id]

        def ask(tx: Transaction) -> None:
            job = tx.job(job_id)
            self.record(tx, job, list(watch.stands_still(job, time.time(), now - since)))

        self._store.write(ask).result()

    def _quiet(self, job_id: str) -> None:
        """Nothing new: the job is over and read, or its last progress is due by now."""
        if job_id in self._over:
            self._on_end(job_id)
            self.forget(job_id)
        elif job_id in self._held and self._due(job_id):
            self._store.write(lambda tx: self._tick(tx, tx.job(job_id))).result()

    def _take(
        self, tx: Transaction, job_id: str, before: Cursor, news: News, owed: facts.Fact | None
    ) -> Taken | None:
        """``None``: somebody else took these bytes in meanwhile."""
        if not tx.move_cursor(job_id, before, news.cursor):
            return None
        job = tx.job(job_id)
        if news.lines:
            job = self._keep_lines(tx, job, before.log_lines, news.lines)
        first = [] if owed is None else [owed]
        return self.record(tx, job, [*first, *news.told(job_id)])

    def _keep_lines(self, tx: Transaction, job: Job, first: int, lines: list[str]) -> Job:
        now = datetime.now(UTC)
        for start in range(0, len(lines), LINES):
            part = tuple(lines[start : start + LINES])
            tx.append(LogLines(time=now, job_id=job.job_id, first=first + start, lines=part))
        return msgspec.structs.replace(job, log_lines=first + len(lines))


def _register(tx: Transaction, model: Model) -> None:
    model = tx.register(model)
    status = assets.ModelStatus(
        time=model.created,
        model_id=model.model_id,
        name=model.name,
        version=model.version,
        previous=None,
        status=model.status,
        by=model.provenance.submitted_by,
    )
    tx.tell(status)
