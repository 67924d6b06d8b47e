"""Questions to the store: jobs, events, series, models. Not here: changes (``transaction``)."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.core.datasets import RegisteredDataset
from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.events import JobDeleted
from mlops_jupyter.core.jobs import Job, JobSpec, Status
from mlops_jupyter.core.models import Model
from mlops_jupyter.core.series import Point, Series
from mlops_jupyter.core.stream import DELIVERY
from mlops_jupyter.core.volume import Counts
from mlops_jupyter.core.wire import EXACT_INTEGER
from mlops_jupyter.store import datasets, endpoints, models
from mlops_jupyter.store.details import details
from mlops_jupyter.store.endpoints import Hour
from mlops_jupyter.store.levels import Measured, measured, ownerless, series, stretch
from mlops_jupyter.store.pipelines import PipelineRows
from mlops_jupyter.store.pruning import pruned

log = logging.getLogger(__name__)

_OPEN = "('queued','starting','running','paused','stopping')"


class Stored(NamedTuple):
    """An event as committed: ``body`` is its JSON, the bytes every client gets.

    Of events with one ``key`` a slow client may be given the latest alone; those without one go to all.
    ``ours`` is its type if this process has just committed it: who tells others, of several servers on one
    store, is the one that wrote.
    """

    seq: int
    key: tuple[str, str] | None
    body: bytes
    ours: str | None = None

    @classmethod
    def of(cls, seq: int, kind: str, job_id: str | None, body: bytes) -> Stored:
        # What a newer version stored is of no known class, and must not be merged.
        if job_id is None or DELIVERY.get(kind) != "B":
            return cls(seq, None, body)
        return cls(seq, (kind, job_id), body)


class Cursor(NamedTuple):
    """How far a job's files have been taken in: byte offsets, and log lines counted."""

    journal: int
    log: int
    log_lines: int


class JobRow(NamedTuple):
    """A job as the database keeps it."""

    job_id: str
    status: Status
    record: bytes


class Submission(NamedTuple):
    """Under which name a job was submitted (its Idempotency-Key), and the digest of what was."""

    key: str
    digest: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A job as its folder keeps it: the record as of ``cursor``, its kind, and what it was submitted as.

    ``head`` was the last event of the database ``epoch`` then: one that has fewer lost its end."""

    job: Job
    kind: str
    cursor: Cursor
    submission: Submission | None = None
    epoch: str = ""
    head: int = 0


class Reading:
    """Queries. Every answer of one ``Reading`` is of the same moment."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.pipelines = PipelineRows(db)

    def head(self) -> int:
        (seq,) = self._db.execute("SELECT max(seq) FROM events").fetchone()
        return seq or 0

    def epoch(self) -> str:
        """The name of this database."""
        (epoch,) = self._db.execute("SELECT value FROM meta WHERE key='epoch'").fetchone()
        return str(epoch)

    def meta(self, key: str) -> str | None:
        """What was kept under this key; None when nothing was."""
        row = self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def job_ids(self) -> set[str]:
        """Of all jobs."""
        return {job_id for (job_id,) in self._db.execute("SELECT job_id FROM jobs")}

    def job(self, job_id: str) -> Job:
        """The job of this full id; ``KeyError`` when there is none."""
        row = self._db.execute("SELECT record FROM jobs WHERE job_id=?", (job_id,)).fetchone()
        if row is None:
            raise KeyError(job_id)
        return as_job(row[0])

    def spec(self, job_id: str) -> JobSpec:
        """``KeyError`` when there is no such job."""
        row = self._db.execute("SELECT spec FROM jobs WHERE job_id=?", (job_id,)).fetchone()
        if row is None:
            raise KeyError(job_id)
        return wire.decode(row[0], JobSpec)

    def attempts(self, job_id: str) -> list[Job]:
        """This job and the attempts after it, as far as they are known."""
        found = [self.job(job_id)]
        with suppress(KeyError):
            while (following := found[-1].followed_by) is not None:
                found.append(self.job(following))
        return found

    def submission(self, key: str) -> tuple[str, str] | None:
        """Digest of what was submitted under this key, and the job it became."""
        row = self._db.execute("SELECT digest, job_id FROM submissions WHERE key=?", (key,)).fetchone()
        return None if row is None else (row[0], row[1])

    def matching(self, prefix: str, limit: int = 10) -> list[Job]:
        """Jobs whose id begins with ``prefix``, newest first."""
        rows = self._db.execute(
            "SELECT job_id, status, record FROM jobs WHERE substr(job_id, 1, ?) = ? "
            "ORDER BY number DESC LIMIT ?",
            (len(prefix), prefix, limit),
        )
        return _shown(rows)

    def jobs(self, limit: int) -> list[Job]:
        """All that are open and the newest of the others, newest first; ``limit`` in all at least."""
        return [shown_job(row) for row in self.job_rows(limit)]

    def job_rows(self, limit: int) -> Iterator[JobRow]:
        """The same, as they are kept, one at a time."""
        rows = self._db.execute(
            f"SELECT job_id, status, record FROM jobs WHERE status IN {_OPEN} OR number IN "  # noqa: S608 - constant
            "(SELECT number FROM jobs ORDER BY number DESC LIMIT ?) ORDER BY number DESC",
            (limit,),
        )
        return map(JobRow._make, rows)

    def open_jobs(self) -> list[Job]:
        """Jobs that are not over, oldest first."""
        rows = self._db.execute(
            f"SELECT record FROM jobs WHERE status IN {_OPEN} ORDER BY number"  # noqa: S608 - constant
        )
        return as_jobs(rows)

    def begun(self) -> list[str]:
        """Ids of jobs that wait no more and are not over."""
        rows = self._db.execute(
            f"SELECT job_id FROM jobs WHERE status IN {_OPEN} AND status != 'queued'"  # noqa: S608 - constant
        )
        return [job_id for (job_id,) in rows]

    def newest_job(self) -> int:
        """The number of the job that was submitted last; 0 where there is none."""
        (number,) = self._db.execute("SELECT coalesce(max(number), 0) FROM jobs").fetchone()
        return int(number)

    def deleted(self, prefix: str) -> list[JobDeleted]:
        """What was told of the last jobs that were deleted and whose id begins with ``prefix``."""
        rows = self._db.execute(
            "SELECT body FROM events WHERE type='job_deleted' AND substr(job_id, 1, ?) = ? "
            "ORDER BY seq DESC LIMIT 2",
            (len(prefix), prefix),
        )
        return [wire.decode(body, JobDeleted) for (body,) in rows]

    def cursor(self, job_id: str) -> Cursor:
        """``KeyError`` when there is no such job."""
        row = self._db.execute(
            "SELECT journal_offset, log_offset, log_lines FROM jobs WHERE job_id=?", (job_id,)
        ).fetchone()
        if row is None:
            raise KeyError(job_id)
        return Cursor(*row)

    def kept(self, job_id: str) -> Kept:
        row = self._db.execute(
            "SELECT record, kind, journal_offset, log_offset, log_lines FROM jobs WHERE job_id=?", (job_id,)
        ).fetchone()
        if row is None:
            raise KeyError(job_id)
        submitted = self._db.execute(
            "SELECT key, digest FROM submissions WHERE job_id=?", (job_id,)
        ).fetchone()
        return Kept(
            job=as_job(row[0]),
            kind=row[1],
            cursor=Cursor(*row[2:]),
            submission=submitted and Submission(*submitted),
            epoch=self.epoch(),
            head=self.head(),
        )

    def events(self, since: int, limit: int) -> list[Stored]:
        """Events after ``since``, in order."""
        return list(self.each_event(since, limit))

    def each_event(self, since: int, limit: int) -> Iterator[Stored]:
        """The same one at a time: whoever stops asking has read no more than that."""
        rows = self._db.execute(
            "SELECT seq, type, job_id, body FROM events WHERE seq>? ORDER BY seq LIMIT ?", (since, limit)
        )
        return (Stored.of(*row) for row in rows)

    def activity(self, limit: int, before: int | None, kind: str | None) -> list[bytes]:
        """Rows of the feed as they were sent, the newest first: before number ``before``, of ``kind``."""
        rows = self._db.execute(
            "SELECT body FROM events WHERE type='activity_update' AND seq < ?1 "
            "AND (?2 IS NULL OR json_extract(CAST(body AS TEXT), '$.activity.kind') = ?2) "
            "ORDER BY seq DESC LIMIT ?3",
            (EXACT_INTEGER if before is None else before, kind, limit),
        )
        return [bytes(body) for (body,) in rows]

    def next_told(self, kinds: Sequence[str], after: int) -> tuple[int, str, bytes] | None:
        """The first event of one of these ``kinds`` after number ``after`` of which the feed says something:
        that stands right behind it, and is found past all that jobs measured."""
        marks = ",".join("?" * len(kinds))
        found: tuple[int, str, bytes] | None = self._db.execute(
            f"SELECT seq, type, body FROM events WHERE type IN ({marks}) AND seq IN "  # noqa: S608 - marks
            "(SELECT seq - 1 FROM events WHERE type='activity_update' AND seq > ? + 1) ORDER BY seq LIMIT 1",
            (*kinds, after),
        ).fetchone()
        return found

    def oldest(self) -> int:
        """From this number on every event is kept; of what came before, class A alone."""
        return pruned(self._db) + 1

    def series(self, job_id: str, buckets: int | None) -> dict[str, Series]:
        """Every metric of a job, whole or reduced to some ``buckets`` without losing a spike."""
        return series(self._db, job_id, buckets)

    def details(self, job_id: str, buckets: int, steps: tuple[int, int]) -> dict[str, Series]:
        """Every metric of a job from one step to another, reduced to some ``buckets`` of that part."""
        return details(self._db, job_id, buckets, steps)

    def measured(self, job_id: str) -> list[Measured]:
        """Which metrics a job has, and how long they are."""
        return measured(self._db, job_id)

    def ownerless_points(self) -> list[str]:
        """Jobs that are gone, of which there are points."""
        return ownerless(self._db)

    def stretch(self, of: Measured, start: int, end: int) -> list[Point]:
        """Some points of a metric, in the order they were measured."""
        return stretch(self._db, of, start, end)

    def datasets(self) -> list[RegisteredDataset]:
        """The newest first."""
        return datasets.all_of(self._db)

    def dataset(self, dataset_id: str) -> RegisteredDataset:
        """``KeyError`` when there is none."""
        return datasets.get(self._db, dataset_id)

    def dataset_named(self, name: str) -> RegisteredDataset | None:
        return datasets.named(self._db, name)

    def trained_on(self, dataset_id: str) -> list[Job]:
        """Jobs that were given a version of this dataset, the newest first."""
        return _shown(datasets.jobs_of(self._db, dataset_id))

    def models_of(self, job_ids: Iterable[str]) -> list[Model]:
        """The models these jobs made."""
        return models.of_jobs(self._db, job_ids)

    def has_model(self, job_id: str) -> bool:
        """Whether a model of this job is registered, readable or not."""
        return models.is_of(self._db, job_id)

    def model(self, model_id: str) -> Model:
        """``KeyError`` when there is none."""
        return models.get(self._db, model_id)

    def models(self, limit: int) -> list[Model]:
        """The newest first."""
        return models.newest(self._db, limit)

    def versions(self, name: str) -> list[Model]:
        """All models of a name, the newest first."""
        return models.named(self._db, name)

    def find_model(self, ref: str) -> Model:
        """The one that ``name``, ``name@3``, ``name@champion``, an id or its beginning stands for."""
        return models.find(self._db, ref)

    def highest_version(self, name: str) -> int:
        """The last version given to a name, its model may be gone; 0 when none was."""
        return models.highest(self._db, name)

    def model_history(self, model_id: str) -> list[bytes]:
        """The events about a model, as they were sent, the oldest first."""
        return models.history(self._db, model_id)

    def without_model(self) -> list[Job]:
        """Completed jobs that name a model which is not here."""
        rows = self._db.execute(
            "SELECT record FROM jobs WHERE status='completed' AND NOT EXISTS "
            "(SELECT 1 FROM models WHERE models.job_id = jobs.job_id)"
        )
        return [job for job in as_jobs(rows) if job.model_id is not None]

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """``KeyError`` when there is none."""
        return endpoints.get(self._db, endpoint_id)

    def endpoint_named(self, name: str) -> Endpoint | None:
        """Where models of this name answer, if one was ever deployed."""
        return endpoints.named(self._db, name)

    def endpoints(self) -> list[Endpoint]:
        """All of them."""
        return endpoints.every(self._db)

    def predicted(self, model_id: str) -> Counts:
        """All that a model ever did; how long it took is kept by the hour."""
        return endpoints.total(self._db, model_id)

    def predicted_hours(self, model_id: str, since: int) -> list[Hour]:
        """From hour ``since`` (of 1970) on, those in which a model was asked."""
        return endpoints.hours(self._db, model_id, since)

    def bins(self, model_id: str, since: int) -> list[int] | None:
        """Where values of predicted rows fell, from hour ``since`` on, as ``core.drift`` has them."""
        return endpoints.bins(self._db, model_id, since)


def as_job(body: bytes) -> Job:
    return wire.decode(body, Job)


def as_jobs(rows: Iterable[tuple[bytes]]) -> list[Job]:
    """Those that can be read: a damaged record, or one of another version, must not hold up the others."""
    return [job for (body,) in rows if (job := _readable(body)) is not None]


def _shown(rows: Iterable[tuple[str, Status, bytes]]) -> list[Job]:
    """All of them, for people: of one that cannot be read, what is known without."""
    return [shown_job(JobRow._make(row)) for row in rows]


def shown_job(row: JobRow) -> Job:
    return _readable(row.record) or _unreadable(row.job_id, row.status)


def _unreadable(job_id: str, status: Status) -> Job:
    why = "The record of this job cannot be read: it is damaged, or of another version."
    error = f"{why} What the job left is in jobs/{job_id} of the data directory."
    return Job(job_id=job_id, name=job_id, status=status, unreadable=True, message=why, error=error)


def _readable(body: bytes) -> Job | None:
    try:
        return as_job(body)
    except msgspec.DecodeError as error:
        _say_unreadable(body, str(error))
        return None


@lru_cache(maxsize=64)
def _say_unreadable(body: bytes, why: str) -> None:
    """Said once: the jobs are asked for many times a second."""
    log.error("A job's record cannot be read (%s): %.200r", why, body)
