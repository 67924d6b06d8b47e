"""The record file of a job: appended by its processes, tailed by the server.

A record is one line, ``<length> <crc32> <payload>``: length and checksum are eight hex digits
each and speak of the payload, which is JSON. One ``write(2)`` a record: when it has returned, no
kill of any process loses it. Not here: what the records say (``core.facts``).
"""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from binascii import hexlify
from collections import deque
from pathlib import Path
from struct import Struct
from typing import NamedTuple
from weakref import WeakMethod
from zlib import crc32

#: Held in memory while the disk refuses writes; the oldest records go first beyond it.
HELD_BYTES = 8 << 20
#: Seconds between tries to write what is held.
RETRY = 0.5
_HEADER_NUMBERS = Struct(">II")
_HEADER = re.compile(rb"([0-9a-f]{8}) ([0-9a-f]{8}) ")
#: Found wherever one begins: the checksum of a record that was cut off there looks like a length.
_HEADERS = re.compile(rb"(?=[0-9a-f]{8} [0-9a-f]{8} )")
_HEADER_BYTES = 18


def frame(payload: bytes) -> bytes:
    """One record as it stands in the file."""
    # Twice as quick as b"%08x %08x".
    header = hexlify(_HEADER_NUMBERS.pack(len(payload), crc32(payload)), b" ", 4)
    return b"%b %b\n" % (header, payload)


class Writer:
    """Appends records; never raises because of the disk. From any thread, and from forked copies of its
    process, which share the file.

    While the disk refuses (ENOSPC, EIO), records are held in memory and written as soon as it takes
    them, whether or not anything is appended meanwhile; ``dropped`` counts those that no longer fitted.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self.dropped = 0
        self._turn = threading.Lock()
        self._retrying = False
        self._closed = threading.Event()
        forked = WeakMethod(self._forked)
        os.register_at_fork(after_in_child=lambda: (mend := forked()) and mend())

    def _forked(self) -> None:
        """We are a copy: whoever held the lock may not have come along, and what is held is written by the
        process we are a copy of."""
        self._turn = threading.Lock()
        self._closed = threading.Event()
        self._retrying = False
        self._held.clear()
        self._held_bytes = 0

    @property
    def holds(self) -> bool:
        """Whether the disk has not taken everything yet."""
        return bool(self._held)

    def append(self, payload: bytes) -> None:
        record = frame(payload)
        # No lock where the disk does its work: the kernel appends one write after the other.
        if self._held or not self._write(record):
            self._hold(record)

    def flush(self) -> bool:
        """Try to write what is held; True when nothing is left."""
        with self._turn:
            return self._flush()

    def write_out(self) -> None:
        """Wait until nothing is held, for as long as the disk refuses: what is given up here was the end
        of a job. Not where the file is gone, which nobody will ever read."""
        while not self.flush() and not self._is_gone():
            time.sleep(RETRY)

    def _is_gone(self) -> bool:
        try:
            os.stat(self._path)  # noqa: PTH116 - pathlib is 1 MB more for the keeper
        except OSError as error:
            return error.errno in (errno.ENOENT, errno.ESTALE)
        return False

    def _write(self, record: bytes) -> bool:
        """Whether the disk took all of it. A part of it, readers pass over: the whole comes again."""
        try:
            return os.write(self._file, record) == len(record)
        except OSError:
            return False

    def _hold(self, record: bytes) -> None:
        with self._turn:
            self._held.append(record)
            self._held_bytes += len(record)
            while self._held_bytes > HELD_BYTES:
                self._held_bytes -= len(self._held.popleft())
                self.dropped += 1
            if not self._flush() and not self._retrying:
                # A stage may have nothing to say for minutes, and what was said before it waits.
                thread = threading.Thread(target=self._retry, name="mlops-journal", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    # No room for a thread either: whatever is said next tries again.
                    return
                self._retrying = True

    def _retry(self) -> None:
        while not self._closed.wait(RETRY):
            with self._turn:
                if self._closed.is_set() or self._flush():
                    self._retrying = False
                    return

    def _flush(self) -> bool:
        while self._held:
            if not self._write(self._held[0]):
                return False
            # Not before it is written: until then, what its thread appends next must come behind it.
            self._held_bytes -= len(self._held.popleft())
        return True

    def sync(self) -> None:
        """Make what was appended survive a power loss."""
        os.fsync(self._file)

    def close(self) -> None:
        with self._turn:
            self._flush()
            self._closed.set()
            os.close(self._file)


class Batch(NamedTuple):
    """Payloads read, the offset behind the last of them, and the offsets of stretches that are no record.

    ``cut``: those of them that never were one, because whoever wrote was killed; nothing that was
    acknowledged is missing there. The others were damaged later."""

    payloads: list[bytes]
    offset: int
    damaged: list[int]
    cut: list[int]


def parse(data: bytes, offset: int = 0) -> Batch:
    """Records of ``data``, which was read at ``offset``.

    What is not whole at the end is left for later: it may still be being written. A damaged stretch
    is passed over to the next whole record: what follows it was acknowledged and must be read.
    """
    payloads: list[bytes] = []
    damaged: list[int] = []
    cut: list[int] = []
    at = 0
    while at < len(data):
        payload = _record(data, at)
        if payload is None:
            following = (m.start() for m in _HEADERS.finditer(data, at + 1))
            whole = next((start for start in following if _record(data, start) is not None), None)
            if whole is None:
                break
            damaged.append(offset + at)
            if not _was_whole(data[at:whole]):
                cut.append(offset + at)
            at = whole
        else:
            payloads.append(payload)
            at += _HEADER_BYTES + len(payload) + 1
    return Batch(payloads, offset + at, damaged, cut)


def _was_whole(stretch: bytes) -> bool:
    """Whether the end of a record had been written: its line feed, or as many bytes as it announced."""
    header = _HEADER.match(stretch)
    return stretch.endswith(b"\n") or (
        header is not None and len(stretch) > _HEADER_BYTES + int(header[1], 16)
    )


def _record(data: bytes, at: int) -> bytes | None:
    """The payload of the whole record that begins at ``at``, if one does."""
    header = _HEADER.match(data, at)
    if header is None:
        return None
    length, checksum = header.groups()
    start = at + _HEADER_BYTES
    end = start + int(length, 16)
    payload = data[start:end]
    if data[end : end + 1] != b"\n" or crc32(payload) != int(checksum, 16):
        return None
    return payload


def read(path: Path, offset: int, limit: int = 1 << 20) -> Batch:
    """Records at ``offset``, at most ``limit`` bytes of them (more when one record is longer).

    A file that is not there yet has no records.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Batch([], offset, [], [])
    try:
        data = os.pread(file, limit, offset)
        batch = parse(data, offset)
        while not batch.payloads and not batch.damaged and len(data) == limit:
            limit *= 2
            data = os.pread(file, limit, offset)
            batch = parse(data, offset)
        return batch
    finally:
        os.close(file)


def sync_folder(folder: Path) -> None:
    """What was made, linked or renamed in ``folder`` is there after a power cut, too."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
