"""Accepts jobs: all a worker needs is put into the job's folder, then the job is stored, once.

Not here: when a job starts (``supervisor``), and the bytes sent ahead of it (``inputs``).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from mlops_jupyter import folders
from mlops_jupyter.core import facts, limits, wire
from mlops_jupyter.core.errors import (
    DatasetNotFoundError,
    InputError,
    KeyReusedError,
    MlopsError,
    NoRoom,
    NoSuchDataset,
    error_for,
)
from mlops_jupyter.core.jobs import Change, Dataset, Job, JobSpec, Origin, Source
from mlops_jupyter.core.reruns import again, difference
from mlops_jupyter.core.stages import fresh_stages, learned_shares
from mlops_jupyter.deletions import not_found
from mlops_jupyter.executors import second_look
from mlops_jupyter.ids import new_id
from mlops_jupyter.inputs import Inputs, linked
from mlops_jupyter.intake import Intake
from mlops_jupyter.records import Records
from mlops_jupyter.store import Reading, Store, Transaction
from mlops_jupyter.training.journal import sync_folder
from mlops_jupyter.training.tabular.catalogue import Task

#: Seconds for which the folder of a job that was never stored must be seen to be nobody's any more.
ABANDONED = 3600.0
_SENT = {"spec.json", "data.parquet", "test.parquet", "estimator.pkl"}
#: So many earlier jobs of the same kind tell how long the stages take.
EARLIER = 5


class Run(NamedTuple):
    """That a job is a run of a pipeline, with these changes to its recipe."""

    origin: Origin
    changes: tuple[Change, ...] = ()


class Submissions:
    """``folder`` is where the folders of all jobs are."""

    def __init__(self, store: Store, folder: Path, inputs: Inputs, records: Records, intake: Intake) -> None:
        self._store = store
        self._folder = folder
        self._inputs = inputs
        self._records = records
        self._intake = intake

    async def accept(
        self, spec: JobSpec, by: str, key: str | None, rerun_of: str | None = None, run: Run | None = None
    ) -> Job:
        """The job, on disk; what came under ``key`` before is the job it became then.

        With ``rerun_of`` it is the next attempt at that job, whose inputs are still in its folder."""
        digest = await asyncio.to_thread(_digest, spec, rerun_of, run)
        lent = {} if rerun_of is None else await self._inputs_of(rerun_of)
        spec = await self.with_datasets(spec)

        def before(store: Reading) -> Job | None:
            return None if key is None else _submitted(store, key, digest)

        if (known := await self._store.aread(before)) is not None:
            return known
        unseen = spec.data.dataset is not None and spec.estimator_input is None
        if rerun_of is not None or run is not None or unseen:
            await self._look_again(spec, rerun_of, lent)

        def work(tx: Transaction) -> Job:
            if (known := before(tx)) is not None:
                return known
            if key is not None:
                tx.add_submission(key, digest, job_id)
            return self._add(tx, job_id, spec, by, rerun_of, run)

        job_id = new_id("j")
        try:
            spec = await asyncio.to_thread(self._prepare, job_id, spec, lent)
            job = await self._store.awrite(work)
        except (MlopsError, OSError):
            await self._discard(job_id)
            # The same request, come at the same time, may have taken the inputs with it.
            if (known := await self._store.aread(before)) is not None:
                return known
            raise
        if job.job_id != job_id:
            await self._discard(job_id)
            return job
        await asyncio.to_thread(self._settle, job_id, rerun_of, spec)
        return job

    async def with_datasets(self, spec: JobSpec) -> JobSpec:
        """Datasets by the files of their versions: what is asked for later is another version, perhaps."""
        data = await self._file_of(spec.data)
        return msgspec.structs.replace(spec, data=data, test=spec.test and await self._file_of(spec.test))

    async def _file_of(self, source: Source) -> Source:
        if source.dataset is None:
            return source if source.sha256 is None else msgspec.structs.replace(source, sha256=None)
        dataset_id = source.dataset
        try:
            dataset = await self._store.aread(lambda reading: reading.dataset(dataset_id))
            version = dataset.version(source.version)
        except KeyError as error:
            wanted = f"{dataset_id}@{source.version}" if source.version else dataset_id
            raise NoSuchDataset(f'no dataset "{wanted}".', code="List: mlops.datasets()") from error
        return Source(
            path=str(folders.place_of(self._folder.parent / "datasets", dataset, version)),
            name=source.name or dataset.name,
            dataset=dataset.id,
            version=version.version,
            sha256=version.sha256,
        )

    async def sweep(self) -> None:
        """Remove what submissions left whose server was killed before their job was stored: nobody was told
        of it, and a table may be large. Seen for so long, it is no submission that is just being made."""
        before = await self._left()
        await asyncio.sleep(ABANDONED)
        for name in before & await self._left():
            await self._discard(name)

    async def _left(self) -> set[str]:
        """Folders of no job that the database knows."""
        known = await self._store.aread(lambda reading: reading.job_ids())
        return await asyncio.to_thread(_without_a_job, self._folder, known)

    async def spec_again(self, job_id: str, changes: Mapping[str, Any]) -> JobSpec:
        """What another attempt at a job is asked to do."""
        return again(await self._store.aread(lambda reading: reading.spec(job_id)), changes)

    async def _inputs_of(self, job_id: str) -> dict[str, Path]:
        """Where what was sent ahead of a job is now, by the id it was sent under."""
        spec = await self._store.aread(lambda reading: reading.spec(job_id))
        sent = [spec.data.input_id, spec.test.input_id if spec.test else None, spec.estimator_input]
        names = ("data.parquet", "test.parquet", "estimator.pkl")
        return {
            input_id: self._folder / job_id / name
            for input_id, name in zip(sent, names, strict=True)
            if input_id is not None
        }

    async def _look_again(self, spec: JobSpec, rerun_of: str | None, lent: Mapping[str, Path]) -> None:
        """Raises what stands against a rerun, the run of a pipeline or training on a dataset, whose file no
        kernel has, as a kernel says it of a first submission. A rerun without changes is let pass: it was
        checked when it came first."""
        if rerun_of is None:
            if found := await second_look.problems(spec):
                raise error_for(found)
            return
        asked, job = await self._store.aread(lambda reading: (reading.spec(rerun_of), reading.job(rerun_of)))
        sent = spec.estimator_input is not None
        new = spec.estimator_input != asked.estimator_input
        # Only who unpickles an estimator knows its task: its kernel has asked, or stage 1 will.
        if not difference(asked, spec) or (sent and (new or job.task is None)):
            return
        looked = msgspec.structs.replace(
            spec,
            data=_at(spec.data, lent),
            test=None if spec.test is None else _at(spec.test, lent),
            task=spec.task or cast("Task | None", job.task if sent else None),
        )
        if found := await second_look.problems(looked):
            raise error_for(found)

    def _add(
        self, tx: Transaction, job_id: str, spec: JobSpec, by: str, rerun_of: str | None, run: Run | None
    ) -> Job:
        now, kind = time.time(), _kind(spec)
        earlier = [_stage_seconds(job) for job in tx.finished(kind, EARLIER)]
        waiting = [job for job in tx.open_jobs() if job.status == "queued"]
        if len(waiting) >= limits.QUEUED:
            raise NoRoom(f"{limits.QUEUED} jobs are waiting already.", "Stop some of them, or wait.")
        job = Job(
            job_id=job_id,
            name=spec.name or _name(spec),
            stages=fresh_stages(learned_shares(earlier)),
            expected_seconds=_means(earlier),
            target=spec.target,
            dataset=_registered(spec.data),
            estimator=spec.model,
            priority=spec.priority,
            ahead=sum(job.priority >= spec.priority for job in waiting),
        )
        if run is not None:
            job = msgspec.structs.replace(job, pipeline=run.origin, changes=run.changes)
        if rerun_of is not None:
            try:
                last = tx.attempts(rerun_of)[-1]
            except KeyError as error:
                raise not_found(tx, rerun_of) from error
            job = msgspec.structs.replace(
                job,
                rerun_of=rerun_of,
                changes=difference(tx.spec(rerun_of), spec),
                attempt=last.attempt + 1,
                pipeline=tx.job(rerun_of).pipeline,
            )
            self._intake.record(tx, last, [facts.JobFollowed(time=now, followed_by=job_id)])
        tx.add_job(job, spec, kind)
        return self._intake.record(tx, job, [facts.JobSubmitted(time=now, by=by)]).job

    async def _discard(self, job_id: str) -> None:
        """Nobody was told of this job."""
        await asyncio.to_thread(shutil.rmtree, self._folder / job_id, ignore_errors=True)

    def _settle(self, job_id: str, rerun_of: str | None, spec: JobSpec) -> None:
        """The job is accepted: its folder says so, and has what was sent ahead for it. Attempts before it
        have a follower now; the one that was run again may be deleted by now."""

        def attempts(reading: Reading) -> list[Job]:
            with suppress(KeyError):
                return reading.attempts(rerun_of or job_id)
            return reading.attempts(job_id)

        for attempt in self._store.read(attempts):
            self._records.keep(attempt.job_id)
        for source in (spec.data, spec.test):
            if source is not None and source.input_id is not None:
                self._inputs.remove(source.input_id)
        if spec.estimator_input is not None:
            self._inputs.remove(spec.estimator_input)

    def _prepare(self, job_id: str, spec: JobSpec, lent: Mapping[str, Path]) -> JobSpec:
        """Make the job's folder with everything in it that the worker needs."""
        errors = [
            *_unreachable(spec.data, "data"),
            *([] if spec.test is None else _unreachable(spec.test, "test")),
        ]
        problems = [*limits.problems(spec), *(problem for error in errors for problem in error.problems)]
        if problems:
            raise error_for(problems)
        folder = self._folder / job_id
        # Parents that mkdir makes by itself are open to whom the umask lets in.
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        spec = msgspec.structs.replace(
            spec,
            data=self._placed(spec.data, folder / "data.parquet", lent),
            test=None if spec.test is None else self._placed(spec.test, folder / "test.parquet", lent),
        )
        if spec.estimator_input is not None:
            self._link(spec.estimator_input, folder / "estimator.pkl", lent)
        with os.fdopen(
            os.open(folder / "spec.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
        ) as file:
            file.write(wire.encode(spec))
            file.flush()
            os.fsync(file.fileno())
        # The job's row will be on disk when its submitter is told: then so is what it needs.
        sync_folder(folder)
        sync_folder(self._folder)
        return spec

    def _placed(self, source: Source, target: Path, lent: Mapping[str, Path]) -> Source:
        if source.input_id is None:
            name = source.name or Path(source.path or "").name
            return msgspec.structs.replace(source, name=name)
        self._link(source.input_id, target, lent)
        return msgspec.structs.replace(source, path=str(target), name=source.name or "DataFrame")

    def _link(self, input_id: str, target: Path, lent: Mapping[str, Path]) -> None:
        if input_id not in lent:
            return self._inputs.link(input_id, target)
        try:
            return linked(lent[input_id], target)
        except FileNotFoundError as error:
            raise InputError("What was sent for the job before is gone from its folder.") from error


def _registered(source: Source) -> Dataset | None:
    """What a job uses, where it is known before its worker has read it."""
    if source.dataset is None:
        return None
    name = source.name or source.dataset
    return Dataset(name=name, id=source.dataset, version=source.version, hash=source.sha256)


def _digest(spec: JobSpec, rerun_of: str | None, run: Run | None) -> str:
    asked = [spec, rerun_of] if run is None else [spec, rerun_of, run.origin]
    return hashlib.sha256(wire.encode(asked)).hexdigest()


def _submitted(store: Reading, key: str, digest: str) -> Job | None:
    """The job that was submitted under ``key``; ``KeyReusedError`` when it was another submission."""
    known = store.submission(key)
    if known is None:
        return None
    if known[0] != digest:
        raise KeyReusedError(
            "this Idempotency-Key was sent before, with another job.", "Send a new key with each new job."
        )
    return store.job(known[1])


def _without_a_job(jobs: Path, known: set[str]) -> set[str]:
    """What has a record or a journal is a job, whatever the database knows."""
    try:
        found = [path for path in jobs.iterdir() if path.name not in known and not path.is_symlink()]
        return {path.name for path in found if {part.name for part in path.iterdir()} <= _SENT}
    except OSError:
        # Somebody is tidying up here, or the disk fails: another server looks again.
        return set()


def _at(source: Source, lent: Mapping[str, Path]) -> Source:
    """A table that was sent, by the path it has in the folder of the job before."""
    sent = lent.get(source.input_id or "")
    return source if sent is None else msgspec.structs.replace(source, path=str(sent))


def _unreachable(source: Source, what: str) -> list[MlopsError]:
    if (source.path is None) == (source.input_id is None):
        return [DatasetNotFoundError(f'"{what}" needs either a path or an input_id.')]
    path = source.path
    # Not Path.is_file(): it raises where a name is too long or a folder closed.
    if path is not None and not (Path(path).is_absolute() and os.path.isfile(path)):  # noqa: PTH113
        return [DatasetNotFoundError(f'"{path}" is no file on this server.')]
    return []


def _kind(spec: JobSpec) -> str:
    """Jobs of one kind spend their time alike, so that the earlier tell how long the later take."""
    searched = sorted((name, len(values)) for name, values in (spec.grid or {}).items())
    return f"{spec.model or 'object'} {spec.target} {spec.data.name} {searched} {spec.cv} {spec.refit}"


def _name(spec: JobSpec) -> str:
    stem = Path(spec.data.name or "table").stem
    return f"{stem}-{spec.model}" if spec.model else stem


def _stage_seconds(job: Job) -> dict[str, float]:
    return {stage.name: stage.elapsed for stage in job.stages if stage.elapsed is not None}


def _means(runs: list[dict[str, float]]) -> dict[str, float]:
    names = {name for run in runs for name in run}
    return {name: sum(run.get(name, 0.0) for run in runs) / len(runs) for name in sorted(names)}
