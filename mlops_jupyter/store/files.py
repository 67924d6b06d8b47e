"""The files of a store: made, opened, locked against other servers, moved aside when they are damaged.

Not here: when that is done (``database``).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import logging
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from mlops_jupyter.store.migrations import check_version
from mlops_jupyter.store.mounts import network
from mlops_jupyter.store.neighbours import Neighbours, flock
from mlops_jupyter.store.trouble import LEAST_ROOM, ReplacedError, full

log = logging.getLogger(__name__)

#: Seconds to wait for another program's lock before giving up.
PATIENCE = 5.0
PAUSE = 0.002
MOUNTS = Path("/proc/self/mountinfo")
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
#: SQLite truncates its write-ahead log to this when all of it has been moved to the database.
WAL_BYTES = 32 << 20


class Files:
    """The database at ``path`` and what belongs to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        #: On a network file system: its type. Then there is one connection, and no shared memory.
        self.network: str | None = None
        self.lockless = False
        self._lock_file = -1
        self._neighbours: Neighbours | None = None
        self._opened: tuple[int, int] | None = None
        self._size = 0

    @property
    def single(self) -> bool:
        """Whether all must go through one connection."""
        return self.network is not None or self.lockless

    def prepare(self) -> None:
        """Find or make the folder and the files, the user's alone; ``OSError`` says what is in the way."""
        folder = self.path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if found.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "it belongs to another user", str(folder))
        if found.st_mode & stat.S_IWOTH:
            # A job that waits in a planted store would be started.
            why = "everybody could write to it: look through it, then chmod 700"
            raise PermissionError(errno.EPERM, why, str(folder))
        if found.st_mode & 0o077:
            folder.chmod(0o700)
        self._check_room()
        self.close()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._lock_file = os.open(self.path.with_suffix(".lock"), flags, 0o600)
        with suppress(FileExistsError):
            # Never opened beside SQLite: closing it again would drop the locks of this process.
            os.close(os.open(self.path, flags | os.O_EXCL, 0o600))
        self._neighbours = Neighbours(self.path.with_suffix(".servers"))
        self.network = network(MOUNTS.read_text(), self.path.resolve())
        with self.locked():
            pass

    def connect(self, mode: str) -> sqlite3.Connection:
        """``mode`` is ``rw`` or ``ro``."""
        # Where nobody can lock, SQLite must not try: it would wait for ever.
        uri = f"file:{quote(str(self.path))}?mode={mode}" + ("&nolock=1" if self.lockless else "")
        db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=PATIENCE)
        db.execute("PRAGMA foreign_keys=ON")
        return db

    def connect_writer(self) -> sqlite3.Connection:
        db = self.connect("rw")
        try:
            check_version(db)
            # Shared memory works on one machine only, and maps of remote files end processes.
            db.execute("PRAGMA mmap_size=0")
            db.execute(f"PRAGMA journal_mode={'DELETE' if self.single else 'WAL'}")
            db.execute(f"PRAGMA journal_size_limit={WAL_BYTES}")
            db.execute("PRAGMA synchronous=FULL")
        except BaseException:
            db.close()
            raise
        self._opened = _identity(self.path)
        self._size = 0
        return db

    def check(self, *, room: bool = False) -> None:
        """Raise ``ReplacedError`` when the path leads to another file than the one that was opened, and with
        ``room`` ``OSError`` when the disk is full.

        A database never shrinks by itself: one that did was overwritten."""
        # What another thread sees after this look may be larger than what is seen here.
        least = self._size
        try:
            found = self.path.stat()
        except FileNotFoundError:
            raise ReplacedError(f"The database in {self.path.parent} was deleted.") from None
        if (found.st_dev, found.st_ino) != self._opened or found.st_size < least:
            raise ReplacedError(f"The database in {self.path.parent} was replaced.")
        self._size = max(self._size, found.st_size)
        if room:
            self._check_room()

    def cause(self, error: Exception) -> Exception:
        """What SQLite met with as an error of the disk may be that its files are gone."""
        if isinstance(error, sqlite3.Error):
            try:
                self.check()
            except ReplacedError as replaced:
                return replaced
            except OSError:
                return error
        return error

    def _check_room(self) -> None:
        if full(self.path.parent):
            raise OSError(errno.ENOSPC, f"less than {LEAST_ROOM} bytes are left", str(self.path.parent))

    def move_aside(self) -> Path:
        """Give damaged files another name, which tells when; nothing of them is thrown away."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        aside = self.path.with_name(f"{self.path.name}.damaged-{now}")
        for part in ("-wal", "-shm", "-journal"):
            beside = self.path.with_name(self.path.name + part)
            if beside.exists():
                beside.rename(aside.with_name(aside.name + part))
        self.path.rename(aside)
        return aside

    def close_replaced(self, db: sqlite3.Connection) -> None:
        """Let go of a database whose file is no longer ours. SQLite would remove a write-ahead log by its
        name, which may be another server's by now: then it is kept open beyond the interpreter's end."""
        with suppress(OSError), self.locked():
            if not self.path.with_name(self.path.name + "-wal").exists():
                db.close()
                return
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(db))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Servers that share the store write one after the other: older SQLite has a race in the
        reset of its write-ahead log when two connections write. The lock is of the open file, so
        that another thread's close cannot drop it."""
        held = self._lock()
        try:
            yield
        finally:
            if held:
                fcntl.fcntl(self._lock_file, fcntl.F_OFD_SETLK, flock(fcntl.F_UNLCK))

    def _lock(self) -> bool:
        """True once it is locked; False where there are no locks."""
        if self.lockless:
            return False
        end = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.fcntl(self._lock_file, fcntl.F_OFD_SETLK, flock(fcntl.F_WRLCK))
            except OSError as error:
                if error.errno in _NO_LOCKS:
                    log.warning(
                        "%s has no locks (%s): two Jupyter servers must not share it",
                        self.path.parent,
                        error.strerror,
                    )
                    self.lockless = True
                    return False
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            else:
                return True
            if time.monotonic() > end:
                raise TimeoutError("another server holds the lock of the store")
            time.sleep(PAUSE)

    def close(self) -> None:
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1
        if self._neighbours is not None:
            self._neighbours.close()
            self._neighbours = None

    def shared(self) -> bool:
        """Whether another server uses these files."""
        neighbours = self._neighbours
        try:
            return neighbours is not None and neighbours.any()
        except OSError:
            # Just being closed, to be opened again: somebody may be there.
            return True


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
