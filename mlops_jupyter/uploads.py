"""Files on their way in: each in a folder of its own, under an id made here, growing at its end alone.

How far one is, is the size of its file: a server that is killed has nothing to remember. What is no
plain file of ours any more is not written to. Not here: what is in the bytes (``training``), and what
becomes of them (``arrivals``).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import threading
from contextlib import suppress
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from mlops_jupyter.core import limits, wire
from mlops_jupyter.core.datasets import Upload
from mlops_jupyter.core.errors import InputError, NoRoom, UploadNotFoundError, UploadStateError
from mlops_jupyter.core.limits import UploadLimits, told_bytes
from mlops_jupyter.ids import new_id
from mlops_jupyter.inputs import Ages, check_disk, create, taken_by_the_disk
from mlops_jupyter.training.journal import sync_folder

DATA = "data.part"
_META = "meta.json"
#: Of states in which an upload counts among those a user has open.
_OPEN = ("open", "reading")


class _Kept(msgspec.Struct, frozen=True):
    """``meta.json``; ``stamp`` is when it began, as ``Ages`` has it."""

    upload: Upload
    stamp: str


class Writer:
    """One request that adds to an upload. The next one that does takes its place."""

    def __init__(self, file: BinaryIO, offset: int, total: int) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.offset = offset
        self.total = total

    def add(self, chunk: bytes) -> None:
        """``UploadStateError`` when it is more than was announced, or another writes now."""
        with self._lock:
            if self._file.closed:
                raise UploadStateError("Another request goes on with this upload.")
            if self.offset + len(chunk) > self.total:
                raise UploadStateError(f"The upload has {self.total} bytes; these are more.")
            with taken_by_the_disk():
                self._file.write(chunk)
            self.offset += len(chunk)

    def end(self) -> int:
        """What was added is on disk; how far the upload is now."""
        with self._lock:
            if self._file.closed:
                raise UploadStateError("Another request goes on with this upload.")
            with taken_by_the_disk():
                self._file.flush()
                os.fdatasync(self._file.fileno())
            self._file.close()
            return self.offset

    def leave(self) -> None:
        """The sender went away: what has arrived is kept."""
        with self._lock, suppress(OSError):
            self._file.close()


class Uploads:
    """The folders of one data directory's ``uploads``. Every method blocks."""

    def __init__(self, folder: Path, ages: Ages, most: UploadLimits) -> None:
        self._folder = folder
        self._ages = ages
        self.most = most
        self._writers: dict[str, Writer] = {}
        self._lock = threading.Lock()

    def create(self, asked: Upload, kept_bytes: int) -> Upload:
        """A new upload; ``kept_bytes`` is what datasets take already. ``InputError``, ``NoRoom`` refuse."""
        if not 0 < asked.bytes <= self.most.file:
            most = told_bytes(self.most.file)
            raise InputError(f"{asked.filename} has {asked.bytes} bytes; a file has 1 byte to {most}.")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        going = [each for each in self.all() if each.state in _OPEN]
        theirs = [each for each in going if each.by == asked.by]
        if len(theirs) >= self.most.open:
            raise NoRoom(
                f"{self.most.open} uploads of {asked.by} are not finished.", "Finish or cancel one of them."
            )
        if asked.bytes > self._left(kept_bytes, going):
            raise self._no_room()
        check_disk(self._folder, asked.bytes)
        upload = replace(asked, upload_id=new_id("u"), offset=0, state="open")
        folder = self._folder / upload.upload_id
        folder.mkdir(mode=0o700)
        os.close(create(folder / DATA))
        self._write(_Kept(upload, self._ages.stamp()))
        sync_folder(self._folder)
        return upload

    def room(self, kept_bytes: int) -> int:
        """How many bytes one more file may have. Raises ``NoRoom`` where it may have none."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        left = self._left(kept_bytes, [each for each in self.all() if each.state in _OPEN])
        if left <= 0:
            raise self._no_room()
        check_disk(self._folder, 1)
        return min(left, self.most.file, shutil.disk_usage(self._folder).free - limits.FREE_BYTES)

    def _left(self, kept_bytes: int, going: list[Upload]) -> int:
        return self.most.all - kept_bytes - sum(each.bytes for each in going)

    def _no_room(self) -> NoRoom:
        most = told_bytes(self.most.all)
        return NoRoom(f"Datasets and uploads may have {most} together.", "Delete what is not needed.")

    def scratch(self) -> Path:
        """A folder for a file that is no upload; one that is left behind goes after a day."""
        return Path(tempfile.mkdtemp(dir=self._folder, prefix="fetching-"))

    def get(self, upload_id: str) -> Upload:
        """``UploadNotFoundError`` when there is none."""
        upload = self._read(upload_id).upload
        if upload.state != "open":
            return upload
        with self.data(upload_id) as file:
            return replace(upload, offset=os.fstat(file.fileno()).st_size)

    def stored(self, upload_id: str) -> Upload:
        """What was last written of it, whatever is there now."""
        return self._read(upload_id).upload

    def all(self) -> list[Upload]:
        """Those that can be read."""
        return [kept.upload for kept in self._all().values() if kept is not None]

    def write(self, upload_id: str, offset: int) -> Writer:
        """Go on at ``offset``; ``UploadStateError`` tells the right one. Whoever wrote before is done."""
        with self._lock:
            if (before := self._writers.pop(upload_id, None)) is not None:
                before.leave()
            upload = self.get(upload_id)
            if upload.state != "open":
                raise UploadStateError(f"The upload is {upload.state}: nothing is added any more.")
            if upload.offset != offset:
                message = f"{upload.offset} bytes of {upload.filename} are here; these begin at {offset}."
                raise UploadStateError.at(message, upload.offset)
            check_disk(self._folder, upload.bytes - offset)
            file = os.fdopen(_opened(self._folder / upload_id, os.O_WRONLY | os.O_APPEND), "ab")
            try:
                # Of another server on these folders.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.close()
                raise UploadStateError.at("Another server writes this upload.", upload.offset) from error
            writer = self._writers[upload_id] = Writer(file, offset, upload.bytes)
            return writer

    def done(self, upload_id: str) -> tuple[Upload, str]:
        """The upload, now to be read, and the sha256 of what has arrived. ``InputError`` when that is not
        what was announced: such an upload is over."""
        with self._lock:
            if (before := self._writers.pop(upload_id, None)) is not None:
                before.leave()
            upload = self.get(upload_id)
            if upload.state != "open":
                raise UploadStateError(f"The upload is {upload.state} already.")
            if upload.offset != upload.bytes:
                message = f"{upload.offset} of {upload.bytes} bytes of {upload.filename} are here."
                raise UploadStateError.at(message, upload.offset)
        with self.data(upload_id) as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if upload.sha256 not in (None, sha256):
            raise InputError(f"{upload.filename} arrived with another sha256 ({sha256}).", "Send it again.")
        upload = replace(upload, state="reading", sha256=sha256)
        self.put(upload)
        return upload, sha256

    def put(self, upload: Upload) -> None:
        """What is known of an upload now. One that is over has no data any more."""
        self._write(replace(self._read(upload.upload_id), upload=upload))
        if upload.state not in _OPEN:
            (self._folder / upload.upload_id / DATA).unlink(missing_ok=True)

    def data(self, upload_id: str) -> BufferedReader:
        """What has arrived, to be read."""
        return os.fdopen(_opened(self._folder / upload_id, os.O_RDONLY), "rb")

    def place(self, upload_id: str) -> Path:
        return self._folder / upload_id / DATA

    def remove(self, upload_id: str) -> Upload:
        """As if it had never been; what it was."""
        with self._lock:
            if (before := self._writers.pop(upload_id, None)) is not None:
                before.leave()
            upload = self._read(upload_id).upload
            if upload.state == "reading":
                raise UploadStateError("The upload is being read: it is not cancelled any more.")
            shutil.rmtree(self._folder / upload_id)
            return upload

    def remove_old(self) -> list[Upload]:
        """What nobody finished for a day, which is returned, and what is known of those that are over."""
        stamps = {name: None if kept is None else kept.stamp for name, kept in self._all().items()}
        unfinished = []
        for name in self._ages.old(stamps):
            if (kept := self._kept(name)) is not None and kept.upload.state == "reading":
                continue
            with suppress(OSError):
                # Of two servers that are here at once, one can.
                (self._folder / name / _META).unlink()
                if kept is not None and kept.upload.state == "open":
                    unfinished.append(kept.upload)
            shutil.rmtree(self._folder / name, ignore_errors=True)
        return unfinished

    def _all(self) -> dict[str, _Kept | None]:
        try:
            names = [entry.name for entry in os.scandir(self._folder) if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return {}
        return {name: self._kept(name) for name in names}

    def _kept(self, upload_id: str) -> _Kept | None:
        try:
            kept = wire.decode((self._folder / upload_id / _META).read_bytes(), _Kept)
        except (OSError, msgspec.DecodeError):
            return None
        return kept if kept.upload.upload_id == upload_id else None

    def _read(self, upload_id: str) -> _Kept:
        kept = self._kept(upload_id)
        if kept is None:
            raise UploadNotFoundError(f'no upload "{upload_id}": it was cancelled, or is too old.')
        return kept

    def _write(self, kept: _Kept) -> None:
        folder = self._folder / kept.upload.upload_id
        with taken_by_the_disk():
            with os.fdopen(os.open(folder / "meta.part", _NEW, 0o600), "wb") as file:
                file.write(wire.encode(kept))
                file.flush()
                os.fsync(file.fileno())
            (folder / "meta.part").rename(folder / _META)
            sync_folder(folder)


_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def _opened(folder: Path, flags: int) -> int:
    """The data of an upload; ``UploadStateError`` where somebody has put a link or something else there."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            file = os.open(DATA, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=held)
        finally:
            os.close(held)
    except FileNotFoundError as error:
        raise UploadNotFoundError("The bytes of this upload are gone.", "Send them again.") from error
    except OSError as error:
        raise UploadStateError("The file of this upload was replaced by something else.") from error
    found = os.fstat(file)
    # What is being read may have its second name already: that of the version it becomes.
    if not stat.S_ISREG(found.st_mode) or (flags & os.O_APPEND and found.st_nlink != 1):
        os.close(file)
        raise UploadStateError("The file of this upload was replaced by something else.")
    return file


def asked(name: str, filename: str, size: int, sha256: str | None, by: str) -> Upload:
    """What somebody wants to upload, before it has an id; ``InputError`` says why not."""
    if len(filename) > limits.NAME:
        raise InputError(f"A file's name has {limits.NAME} characters at most.")
    return Upload(
        upload_id="",
        name=name,
        filename=filename,
        bytes=size,
        offset=0,
        state="open",
        started=datetime.now(UTC),
        by=by,
        sha256=sha256,
    )
