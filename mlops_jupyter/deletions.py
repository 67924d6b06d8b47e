"""Deletes jobs that have ended: record, metrics, log and folder, but for the model that was registered.

A mark in the folder comes first: no database brings such a job back. Then the record goes, in one transaction
with its event, then the points and the files, beside the event loop and so that no other write waits long.
What is cut off in between is finished, or taken back, when the store is opened next.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from mlops_jupyter.core.errors import DeletedJobError, JobNotFoundError, JobStateError
from mlops_jupyter.core.events import JobDeleted
from mlops_jupyter.errands import Errands
from mlops_jupyter.intake import Intake
from mlops_jupyter.records import DELETED
from mlops_jupyter.shelves import Shelves
from mlops_jupyter.store import Reading, Store, Transaction
from mlops_jupyter.training.journal import sync_folder

log = logging.getLogger(__name__)

#: Seconds for which an answer waits for points and files to be gone, of which a job may have very many.
SOON = 5.0


class Deletions:
    """Lives on the event loop. ``jobs`` is where the folders of all jobs are."""

    def __init__(self, store: Store, shelves: Shelves, intake: Intake, errands: Errands, jobs: Path) -> None:
        self._store = store
        self._shelves = shelves
        self._intake = intake
        self._errands = errands
        self._jobs = jobs

    async def delete(self, job_id: str, by: str) -> JobDeleted:
        """What is told of it. ``JobStateError`` while it has not ended; its model stays, and says so."""

        def work(tx: Transaction) -> JobDeleted:
            _refuse_unless_over(tx, job_id)
            told = _forget(tx, job_id, by)
            tx.tell(told)
            return told

        # Nothing is marked that is not to go.
        await self._store.aread(partial(_refuse_unless_over, job_id=job_id))
        await asyncio.to_thread(_mark, self._jobs / job_id)
        told = await self._store.awrite(work)
        self._intake.forget(job_id)
        await asyncio.wait([self._errands.do(partial(asyncio.to_thread, self._finish, job_id))], timeout=SOON)
        return told

    async def tidy(self) -> None:
        """Once the store works: deletions that were cut off."""
        await asyncio.to_thread(self._tidy)

    def _tidy(self) -> None:
        marked = {path.parent.name for path in self._jobs.glob(f"j-*/{DELETED}")}
        for job_id in marked.union(self._store.read(lambda reading: reading.ownerless_points())):
            self._finish(job_id)

    def _finish(self, job_id: str) -> None:
        """Of one that is deleted nothing stays but its model; one that is not is what it was."""
        folder = self._jobs / job_id
        known, modelled = self._store.read(
            lambda reading: (bool(reading.matching(job_id, 1)), reading.has_model(job_id))
        )
        if known:
            (folder / DELETED).unlink(missing_ok=True)
            return
        while self._store.read(lambda reading: job_id in reading.ownerless_points()):
            self._store.write(lambda tx: tx.forget_some_points(job_id)).result()
        try:
            left = _in(folder, {DELETED, "model"} if modelled else {DELETED})
            if modelled and left:
                self._shelves.keep_made_by(job_id)
            _remove(left)
            if not modelled:
                (folder / DELETED).unlink(missing_ok=True)
                folder.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("The folder of job %s, which was deleted, is left in part: %s", job_id, error)


def not_found(reading: Reading, prefix: str) -> JobNotFoundError:
    """What to raise of an id, or its beginning, that no job has."""
    gone = reading.deleted(prefix)
    if len(gone) == 1:
        (told,) = gone
        return DeletedJobError(f"{told.name} {told.job_id} was deleted by {told.by} on {told.time:%Y-%m-%d}.")
    return JobNotFoundError(f'no job "{prefix}".', code="List: mlops.jobs()")


def _refuse_unless_over(reading: Reading, job_id: str) -> None:
    # As they are shown: one whose record cannot be read can be deleted, too.
    job = next(iter(reading.matching(job_id, 1)), None)
    if job is None:
        raise not_found(reading, job_id)
    if not job.terminal:
        raise JobStateError(f"{job.name} is {job.status}: it cannot be deleted.", "Stop it first.")


def _forget(tx: Transaction, job_id: str, by: str) -> JobDeleted:
    (job,) = tx.matching(job_id, 1)
    models = tx.models_of([job_id])
    for model in models:
        tx.put_model(replace(model, provenance=replace(model.provenance, job_deleted=True)))
    tx.forget_job(job_id)
    return JobDeleted(
        time=datetime.now(UTC),
        job_id=job_id,
        name=job.name,
        status=job.status,
        attempt=job.attempt,
        model_id=models[0].model_id if models else None,
        by=by,
    )


def _mark(folder: Path) -> None:
    # One that was lost, or replaced by a link, brings nothing back.
    if folder.is_symlink() or not folder.is_dir():
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(folder / DELETED, flags, 0o600))
    sync_folder(folder)


def _in(folder: Path, keep: set[str]) -> list[os.DirEntry[str]]:
    """What is in it but for what is called so; nothing of what a link leads to."""
    if folder.is_symlink():
        return []
    with os.scandir(folder) as entries:
        return [entry for entry in entries if entry.name not in keep]


def _remove(entries: list[os.DirEntry[str]]) -> None:
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            Path(entry.path).unlink(missing_ok=True)
