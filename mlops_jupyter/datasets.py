"""Datasets: named tables in versions, each kept under its content, or where its file is.

A version is complete or not there: its file is on disk before its row. Not here: how files come in
(``arrivals``), and how a table is read (``executors.ingest``).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import stat
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from mlops_jupyter import folders
from mlops_jupyter.core import assets
from mlops_jupyter.core.datasets import (
    DatasetVersion,
    Found,
    Preview,
    Reading,
    RegisteredDataset,
    Unreadable,
    Upload,
)
from mlops_jupyter.core.errors import DatasetInUse, DatasetNotFoundError, NoSuchDataset, error_for
from mlops_jupyter.core.limits import ReadingLimits
from mlops_jupyter.core.remote import Address
from mlops_jupyter.executors.ingest import ingest
from mlops_jupyter.ids import new_id
from mlops_jupyter.store import Store, Transaction

#: Files that are read at the same time: each may take as much memory as it is allowed.
READERS = 2


class Datasets:
    """Lives on the event loop. ``folder`` is the data directory's ``datasets``, ``reading`` what each process
    that reads a file may take."""

    def __init__(self, store: Store, folder: Path, reading: ReadingLimits) -> None:
        self._store = store
        self._folder = folder
        self.reading = reading
        self._readers = asyncio.Semaphore(READERS)
        #: Of two versions of one name, the second must know the first.
        self._keeping = asyncio.Lock()

    async def all(self) -> list[RegisteredDataset]:
        return await self._store.aread(lambda reading: reading.datasets())

    async def get(self, dataset_id: str) -> RegisteredDataset:
        """``NoSuchDataset`` when there is none."""
        try:
            return await self._store.aread(lambda reading: reading.dataset(dataset_id))
        except KeyError as error:
            raise NoSuchDataset(f'no dataset "{dataset_id}".', code="List: mlops.datasets()") from error

    async def version(self, dataset_id: str, number: int | None) -> tuple[RegisteredDataset, DatasetVersion]:
        """That version, or the newest."""
        dataset = await self.get(dataset_id)
        try:
            return dataset, dataset.version(number)
        except KeyError as error:
            raise NoSuchDataset(
                f"{dataset.name} has no version {number}.", f"It has 1 to {dataset.newest.version}."
            ) from error

    def place(self, dataset: RegisteredDataset, version: DatasetVersion) -> Path:
        """Where its file is."""
        return folders.place_of(self._folder, dataset, version)

    async def preview(self, dataset: RegisteredDataset, version: DatasetVersion) -> bytes:
        """What is in it, as it is sent: found when it was read, and kept beside it."""
        kept = await asyncio.to_thread(folders.preview, self._folder, dataset.id, version.sha256)
        if kept is not None:
            return kept
        with await asyncio.to_thread(_opened, self.place(dataset, version)) as file:
            found = await self._understood(file, version.filename)
        return await asyncio.to_thread(
            folders.keep_preview, self._folder, dataset.id, version.sha256, found.preview
        )

    async def size(self) -> int:
        """Bytes of all that is kept here."""
        datasets = await self.all()
        return sum(each.bytes for dataset in datasets for each in dataset.versions if each.path is None)

    async def register(
        self, name: str, place: Path, by: str, fetched: Address | None = None
    ) -> tuple[RegisteredDataset, DatasetVersion]:
        """A file where it is, as a version; it is read as an upload is, and no byte of it is copied. One that
        was ``fetched`` is kept."""
        filename = place.name if fetched is None else fetched.filename
        with await asyncio.to_thread(_opened, place) as file:
            sha256, size = await asyncio.to_thread(_summed, file)
            await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
            found = await self._understood(file, filename)
            version = fresh(found, sha256, size, filename, by)
            if fetched is None:
                return await self.keep(name, replace(version, path=str(place)), found.preview)
            version = replace(version, url=fetched.shown)
            return await self.keep(name, version, found.preview, (place, file))

    async def read(self, file: BinaryIO, name: str, folder: Path) -> Reading:
        """What is in ``file``, with ``folder`` for what is needed meanwhile; a few are read at once."""
        async with self._readers:
            return await ingest(file, name, folder, self.reading)

    async def _understood(self, file: BinaryIO, name: str) -> Found:
        found = await self.read(file, name, self._folder)
        if isinstance(found, Unreadable):
            raise error_for([found.problem])
        return found

    async def keep(
        self,
        name: str,
        version: DatasetVersion,
        preview: Preview,
        source: tuple[Path, BinaryIO] | None = None,
        upload: Upload | None = None,
    ) -> tuple[RegisteredDataset, DatasetVersion]:
        """The next version under this name, whatever its number says, or the one with its content.

        The file at ``source`` gets its name among the datasets, then the version its row, then the folder
        its record; one without ``source`` stays where it is."""
        async with self._keeping:
            while True:
                known = await self._store.aread(lambda reading: reading.dataset_named(name))
                if known is not None and (same := known.holding(version.sha256)) is not None:
                    return known, same
                dataset_id = new_id("d") if known is None else known.id
                version = replace(version, version=1 if known is None else known.newest.version + 1)
                target = self._folder / dataset_id / f"{version.sha256}.{version.format}"
                if source is not None:
                    await asyncio.to_thread(folders.place, source[0], target, source[1])
                put = partial(_put, named=(dataset_id, name), known=known, version=version, upload=upload)
                if (dataset := await self._store.awrite(put)) is not None:
                    break
                # Another server was quicker with this name.
                if source is not None:
                    await asyncio.to_thread(folders.discard, target, known is None)
            await asyncio.to_thread(folders.keep_preview, self._folder, dataset.id, version.sha256, preview)
            await asyncio.to_thread(folders.keep, self._folder, dataset)
            return dataset, version

    async def tidy(self) -> None:
        """Remove what is left of what was deleted."""
        known = await self._store.aread(lambda reading: {each.id for each in reading.datasets()})
        await asyncio.to_thread(folders.tidy, self._folder, known)

    async def delete(self, dataset_id: str, by: str) -> None:
        """Row and files; ``DatasetInUse`` when jobs used it, or a pipeline is for it."""
        dataset = await self.get(dataset_id)
        folder = self._folder / dataset_id
        gone = folder.with_name(f"{dataset_id}{folders.GONE}")

        def work(tx: Transaction) -> None:
            if used := tx.trained_on(dataset_id):
                names = _first([job.job_id for job in used])
                raise DatasetInUse(f"{dataset.name} was used by {names}.", "Their reruns need it.")
            if pipelines := tx.pipelines.naming(dataset_id):
                names = _first([f'"{name}"' for name in pipelines])
                raise DatasetInUse(f"{dataset.name} is what {names} trains on.", "Change the pipeline first.")
            tx.forget_dataset(dataset_id)
            tx.tell(assets.DatasetDeleted(time=datetime.now(UTC), id=dataset.id, name=dataset.name, by=by))

        async with self._keeping:
            # First out of the way: what is found there by the next server has no row, or gets its name back.
            with suppress(FileNotFoundError):
                await asyncio.to_thread(folder.rename, gone)
            try:
                await self._store.awrite(work)
            except BaseException:
                with suppress(FileNotFoundError):
                    await asyncio.to_thread(gone.rename, folder)
                raise
        await asyncio.to_thread(shutil.rmtree, gone, ignore_errors=True)


def _first(names: list[str]) -> str:
    more = f", +{len(names) - 3}" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def fresh(found: Found, sha256: str, size: int, filename: str, by: str) -> DatasetVersion:
    """What was read as a version, before it has its number."""
    return DatasetVersion(
        version=0,
        sha256=sha256,
        bytes=size,
        rows=found.rows,
        columns=found.columns,
        format=found.format,
        filename=filename,
        created=datetime.now(UTC),
        created_by=by,
    )


def _opened(place: Path) -> BinaryIO:
    """A plain file, and no link to another: what it led to was looked at before."""
    try:
        file = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise DatasetNotFoundError(f'"{place.name}" cannot be opened: {error.strerror}.') from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise DatasetNotFoundError(f'"{place.name}" is no file.')
    return os.fdopen(file, "rb")


def _summed(file: BinaryIO) -> tuple[str, int]:
    """sha256 and bytes of a file, which is at its beginning again."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    size = file.tell()
    file.seek(0)
    return digest, size


def _put(
    tx: Transaction,
    named: tuple[str, str],
    known: RegisteredDataset | None,
    version: DatasetVersion,
    upload: Upload | None,
) -> RegisteredDataset | None:
    """``named``: id and name. ``None`` when another server has changed what the name stands for meanwhile."""
    dataset_id, name = named
    if tx.dataset_named(name) != known:
        return None
    told = {
        "time": version.created,
        "id": dataset_id,
        "name": name,
        "version": version.version,
        "rows": version.rows,
        "columns": version.columns,
        "hash": version.sha256,
    }
    if known is None:
        dataset = RegisteredDataset(id=dataset_id, name=name, versions=(version,))
        event: assets.DatasetCreated | assets.DatasetUpdated = assets.DatasetCreated(**told)  # type: ignore[arg-type]
    else:
        dataset = replace(known, versions=(*known.versions, version))
        event = assets.DatasetUpdated(**told)  # type: ignore[arg-type]
    tx.put_dataset(dataset)
    tx.tell(event)
    if upload is not None:
        tx.tell(completed(upload, dataset, version))
    return dataset


def completed(upload: Upload, dataset: RegisteredDataset, version: DatasetVersion) -> assets.UploadCompleted:
    """That an upload is this version now."""
    return assets.UploadCompleted(
        time=datetime.now(UTC),
        upload_id=upload.upload_id,
        filename=upload.filename,
        dataset_id=dataset.id,
        version=version.version,
        rows=version.rows,
        columns=version.columns,
    )
