"""What a job's folder keeps of its record, so that a lost database is made again from the folders.

``meta.json`` holds the record as of some place in the journal, with all that only the server knew
(name, submitter, who stopped it, Idempotency-Key). What the journal says after that place follows by
``advance``. So is a job brought back of which the database has lost the end only.
Not here: the models of jobs (``shelves``), and the events of a lost database; they are gone, and clients
are told by a new epoch.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from mlops_jupyter.core import facts, wire
from mlops_jupyter.core.errors import InvalidTransition, StoreUnavailable
from mlops_jupyter.core.jobs import Job, JobSpec
from mlops_jupyter.core.series import Point
from mlops_jupyter.core.transitions import advance
from mlops_jupyter.store import Kept, Reading, Store, Transaction
from mlops_jupyter.training import journal

log = logging.getLogger(__name__)

#: The file that says of a job's folder that its job was deleted: no database brings that back.
DELETED = "deleted"


class Records:
    """Writes what the store says of a job into the job's folder."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        # Of two who write, the later has read the later record.
        self._lock = threading.Lock()

    def keep(self, job_id: str) -> None:
        """Blocks. Nothing, of a job that was deleted; a disk that refuses costs nothing as long as there is a
        database."""
        folder = self._folder / job_id
        with self._lock, contextlib.suppress(KeyError):
            try:
                kept = self._store.read(lambda reading: reading.kept(job_id))
                _write(folder, wire.encode(kept))
            except (OSError, StoreUnavailable) as error:
                log.info("The record of job %s is in the database only: %s", job_id, error)


def _write(folder: Path, body: bytes) -> None:
    # Held open, it is the job's folder and no link to another.
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open("meta.part", flags, 0o600, dir_fd=held), "wb") as file:
            file.write(body)
        os.rename("meta.part", "meta.json", src_dir_fd=held, dst_dir_fd=held)
    finally:
        os.close(held)


class Restored(msgspec.Struct, frozen=True):
    """All that a database holds of one job."""

    kept: Kept
    spec: JobSpec
    points: list[Point]


def lost(jobs: Path, found: Reading) -> Iterator[Callable[[Transaction], bool]]:
    """The work that brings back each job whose folder knows more of it than was ``found``, in their order."""
    known = found.job_ids()
    open_jobs = {job.job_id: job for job in found.open_jobs()}
    epoch, head = found.epoch(), found.head()
    more: list[tuple[Kept, Path]] = []
    for folder in _folders(jobs):
        job = open_jobs.get(folder.name)
        if folder.name in known and job is None:
            continue
        kept = _kept(folder)
        if kept is not None and (job is None or (kept.epoch == epoch and kept.head > head)):
            more.append((kept, folder))
        elif job is not None and job.status == "queued" and _is_claimed(folder):
            more.append((found.kept(job.job_id), folder))
    for kept, folder in sorted(more, key=lambda each: (str(each[0].job.submitted_time), each[0].job.job_id)):
        restored = restore(kept, folder)
        if restored is not None:
            yield _putting(restored, open_jobs.get(folder.name))


def as_written(jobs: Path, prefix: str) -> Job | None:
    """The one job whose id begins with ``prefix`` as its folder has it, whatever the database would say."""
    found = [folder for folder in _folders(jobs) if folder.name.startswith(prefix)]
    kept = _kept(found[0]) if len(found) == 1 else None
    return None if kept is None else _since(kept, found[0])[0]


def restore(kept: Kept, folder: Path) -> Restored | None:
    """A job as its folder has it."""
    try:
        spec = wire.decode((folder / "spec.json").read_bytes(), JobSpec)
    except (OSError, msgspec.DecodeError) as error:
        log.warning("Job %s cannot be brought back: %s", folder.name, error)
        return None
    points = [point for fact in _facts(folder, 0, kept.cursor.journal) for point in _points(fact)]
    job, later = _since(kept, folder)
    cursor = kept.cursor._replace(journal=_end(folder, kept.cursor.journal))
    return Restored(msgspec.structs.replace(kept, job=job, cursor=cursor), spec, points + later)


def _since(kept: Kept, folder: Path) -> tuple[Job, list[Point]]:
    """The job after all that its journal has since it was ``kept``, and what that brought."""
    job = kept.job
    points: list[Point] = []
    if job.status == "queued" and _is_claimed(folder):
        # Its place was given to it, by whom nobody knows any more: it must never run twice.
        job, _ = advance(job, facts.JobStarted(time=time.time(), owner=None))
    for fact in _facts(folder, kept.cursor.journal, None):
        points += _points(fact)
        try:
            job, _ = advance(job, fact)
        except InvalidTransition:
            continue
    return job, points


def _putting(restored: Restored, before: Job | None) -> Callable[[Transaction], bool]:
    job = restored.kept.job

    def work(tx: Transaction) -> bool:
        # Another server may have been quicker, or this is a job it has just taken.
        if _known(tx, job.job_id) != before:
            return False
        tx.put_kept(restored.kept, restored.spec, restored.points)
        if job.rerun_of is not None and _known(tx, job.rerun_of) is not None:
            last = tx.attempts(job.rerun_of)[-1]
            if last.attempt < job.attempt:
                tx.put_job(msgspec.structs.replace(last, followed_by=job.job_id))
        return True

    return work


def _known(tx: Transaction, job_id: str) -> Job | None:
    try:
        return tx.job(job_id)
    except KeyError:
        return None


def _is_claimed(folder: Path) -> bool:
    """Whether a keeper has begun this job, or none can begin it any more."""
    return (folder / "journal").exists()


def _folders(jobs: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(jobs) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _kept(folder: Path) -> Kept | None:
    """``None`` for a folder whose job was never acknowledged, or was deleted."""
    if (folder / DELETED).exists():
        return None
    try:
        kept = wire.decode((folder / "meta.json").read_bytes(), Kept)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.warning("Job %s cannot be brought back: %s", folder.name, error)
        return None
    return kept if kept.job.job_id == folder.name else None


def _batches(folder: Path, start: int, end: int | None) -> Iterator[journal.Batch]:
    while end is None or start < end:
        limit = 1 << 20 if end is None else min(1 << 20, end - start)
        batch = journal.read(folder / "journal", start, limit)
        if batch.offset == start:
            return
        yield batch
        start = batch.offset


def _facts(folder: Path, start: int, end: int | None) -> Iterator[facts.Fact]:
    for batch in _batches(folder, start, end):
        for payload in batch.payloads:
            with contextlib.suppress(msgspec.DecodeError):
                yield facts.decode(payload)


def _end(folder: Path, start: int) -> int:
    for batch in _batches(folder, start, None):
        start = batch.offset
    return start


def _points(fact: facts.Fact) -> Iterable[Point]:
    return fact.points if isinstance(fact, facts.PointsLogged) else ()
