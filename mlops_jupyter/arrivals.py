"""What comes in to become a dataset: files that are sent, and those fetched where that is allowed.

The row of a version is there before its upload is over, so that a server that is killed goes on with what it
was reading. Not here: the bytes while they are sent (``uploads``), and what versions are (``datasets``).
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from mlops_jupyter.core import assets
from mlops_jupyter.core.datasets import DatasetVersion, RegisteredDataset, Unreadable, Upload, checked_name
from mlops_jupyter.core.errors import InputError, NoRoom, Problem, UploadNotFoundError, UploadStateError
from mlops_jupyter.core.remote import checked
from mlops_jupyter.datasets import Datasets, completed, fresh
from mlops_jupyter.errands import Errands
from mlops_jupyter.executors.fetching import fetched
from mlops_jupyter.hub import Hub
from mlops_jupyter.inputs import KEPT_SECONDS
from mlops_jupyter.store import Store, Transaction
from mlops_jupyter.uploads import Uploads

#: Seconds between two events of one upload.
PROGRESS = 0.25
#: Files that are fetched at the same time.
FETCHERS = 2


class Arrivals:
    """Lives on the event loop. ``uploads`` are those of the data directory whose ``datasets`` these are;
    ``allowed`` is from where files may be fetched."""

    def __init__(
        self, store: Store, hub: Hub, datasets: Datasets, uploads: Uploads, allowed: Sequence[str]
    ) -> None:
        self._store = store
        self._hub = hub
        self._datasets = datasets
        self.uploads = uploads
        self._errands = Errands()
        self._reading: set[str] = set()
        self._told: dict[str, float] = {}
        self._allowed = allowed
        self._fetchers = asyncio.Semaphore(FETCHERS)

    async def begin(self, asked: Upload) -> Upload:
        """A new upload."""
        await self._tidy()
        return await asyncio.to_thread(self.uploads.create, asked, await self._datasets.size())

    async def upload(self, upload_id: str) -> Upload:
        """How far it is. One whose server was killed while it read it is read now."""
        upload = await asyncio.to_thread(self.uploads.get, upload_id)
        if upload.state == "reading":
            self._read(upload_id)
        return upload

    def progressed(self, upload: Upload, offset: int, *, last: bool = False) -> None:
        """Tell everybody, a few times a second."""
        now = asyncio.get_running_loop().time()
        if not last and now - self._told.get(upload.upload_id, 0.0) < PROGRESS:
            return
        self._told[upload.upload_id] = now
        event = assets.UploadProgress(
            time=datetime.now(UTC),
            upload_id=upload.upload_id,
            filename=upload.filename,
            bytes_sent=offset,
            bytes_total=upload.bytes,
            percent=round(100 * offset / upload.bytes, 1),
        )
        self._hub.tell(event, of=upload.upload_id)

    async def finish(self, upload_id: str) -> tuple[RegisteredDataset, DatasetVersion] | None:
        """All bytes are there: read them. What is there already under this name is returned at once."""
        try:
            upload, sha256 = await asyncio.to_thread(self.uploads.done, upload_id)
        except InputError as error:
            await self._failed(await asyncio.to_thread(self.uploads.get, upload_id), error.problems[0], None)
            raise
        known = await self._store.aread(lambda reading: reading.dataset_named(upload.name))
        version = None if known is None else known.holding(sha256)
        if known is not None and version is not None:
            await self._tell_completed(upload, known, version)
            await self._over(replace(upload, state="completed", dataset_id=known.id, version=version.version))
            return known, version
        self._read(upload_id)
        return None

    async def fetch(self, name: str | None, url: str, by: str) -> tuple[RegisteredDataset, DatasetVersion]:
        """A file from elsewhere as a version; called as it is where no ``name`` is given. Copied: what is
        there tomorrow may be something else."""
        address = checked(url, self._allowed)
        name = checked_name(name or Path(address.filename).stem)
        async with self._fetchers:
            await self._tidy()
            most = await asyncio.to_thread(self.uploads.room, await self._datasets.size())
            folder = await asyncio.to_thread(self.uploads.scratch)
            try:
                place = await fetched(address, most, folder, self._datasets.reading)
                if place is None:
                    raise NoRoom(
                        f"{address.shown} has more than {most} bytes.",
                        "No more is taken of one file, or there is no room for more.",
                    )
                return await self._datasets.register(name, place, by, address)
            finally:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def cancel(self, upload_id: str, by: str) -> None:
        """As if it had never been; who saw it come sees it go. One that was over is only forgotten."""
        upload = await asyncio.to_thread(self.uploads.remove, upload_id)
        self._forget(upload_id)
        if upload.state == "open":
            event = assets.UploadCancelled(
                time=datetime.now(UTC), upload_id=upload_id, filename=upload.filename, by=by
            )
            await self._store.awrite(partial(Transaction.tell, event=event))

    def come_to_life(self) -> None:
        """The store works: go on with what was being read."""
        self._errands.do(self._go_on)

    async def _tidy(self) -> None:
        """What is too old goes; of what was not finished whoever saw it come is told."""
        for upload in await asyncio.to_thread(self.uploads.remove_old):
            self._forget(upload.upload_id)
            event = assets.UploadFailed(
                time=datetime.now(UTC),
                upload_id=upload.upload_id,
                filename=upload.filename,
                error=f"It was not finished within {KEPT_SECONDS // 3600} hours.",
                line=None,
            )
            await self._store.awrite(partial(Transaction.tell, event=event))

    async def _go_on(self) -> None:
        await self._tidy()
        for upload in await asyncio.to_thread(self.uploads.all):
            if upload.state == "reading":
                self._read(upload.upload_id)

    async def close(self) -> None:
        """What is being read will be read again by the next server."""
        await self._errands.close()

    def _read(self, upload_id: str) -> None:
        if upload_id not in self._reading:
            self._reading.add(upload_id)
            task = self._errands.do(lambda: self._take_in(upload_id))
            task.add_done_callback(lambda _: self._reading.discard(upload_id))

    async def _take_in(self, upload_id: str) -> None:
        try:
            file = await asyncio.to_thread(self._alone, upload_id)
            upload = await asyncio.to_thread(self.uploads.get, upload_id)
        except (BlockingIOError, UploadNotFoundError):
            # Another server of these folders reads it, or has.
            return
        except UploadStateError as error:
            upload = await asyncio.to_thread(self.uploads.stored, upload_id)
            await self._failed(upload, error.problems[0], None)
            return
        with file:
            if upload.state == "reading":
                await self._make_version(upload, file)

    def _alone(self, upload_id: str) -> BinaryIO:
        file = self.uploads.data(upload_id)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            file.close()
            raise
        return file

    async def _make_version(self, upload: Upload, file: BinaryIO) -> None:
        place = self.uploads.place(upload.upload_id)
        # The child's own: with ours it would inherit our lock, and keep it after we are killed.
        with await asyncio.to_thread(self.uploads.data, upload.upload_id) as theirs:
            found = await self._datasets.read(theirs, upload.filename, place.parent)
        if isinstance(found, Unreadable):
            await self._failed(upload, found.problem, found.line)
            return
        wanted = fresh(found, str(upload.sha256), upload.bytes, upload.filename, upload.by)
        wanted = replace(wanted, upload_id=upload.upload_id)
        try:
            dataset, version = await self._datasets.keep(
                upload.name, wanted, found.preview, (place, file), upload
            )
        except (UploadStateError, NoRoom) as error:
            await self._failed(upload, error.problems[0], None)
            return
        if version.upload_id != upload.upload_id:
            # Sent twice at once. One that is ours was told of, and its server killed before it said so.
            await self._tell_completed(upload, dataset, version)
        await self._over(replace(upload, state="completed", dataset_id=dataset.id, version=version.version))

    async def _tell_completed(
        self, upload: Upload, dataset: RegisteredDataset, version: DatasetVersion
    ) -> None:
        """Of one that is a version which was there before."""
        event = completed(upload, dataset, version)
        await self._store.awrite(partial(Transaction.tell, event=event))

    async def _failed(self, upload: Upload, problem: Problem, line: int | None) -> None:
        event = assets.UploadFailed(
            time=datetime.now(UTC),
            upload_id=upload.upload_id,
            filename=upload.filename,
            error=str(problem),
            line=line,
        )
        await self._store.awrite(lambda tx: tx.tell(event))
        await self._over(replace(upload, state="failed", problem=problem, line=line))

    async def _over(self, upload: Upload) -> None:
        await asyncio.to_thread(self.uploads.put, upload)
        self._forget(upload.upload_id)

    def _forget(self, upload_id: str) -> None:
        self._told.pop(upload_id, None)
        self._hub.forget(assets.UploadProgress, of=upload_id)
