"""The database of a data directory: one writer thread a process, read-only readers.

Everything a client has seen was committed here before. Not here: what is asked (``reading``) and
changed (``transaction``).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar
from urllib.parse import quote

from mlops_jupyter.store.migrations import migrate
from mlops_jupyter.store.neighbours import Neighbours, flock
from mlops_jupyter.store.reading import Reading, Stored
from mlops_jupyter.store.transaction import Transaction

T = TypeVar("T")

#: Commits wait for each other up to this many: one fsync serves them all.
GROUP = 256
READERS = 4
#: Of what other servers wrote meanwhile, listeners are told this many at most; who needs more reads it.
OTHERS = 1024


class Store:
    """The database of one data directory.

    ``on_commit`` is called in the writer thread with the events of each commit, in order, and with those
    that other servers committed before it.
    """

    def __init__(self, path: Path, on_commit: Callable[[list[Stored]], None]) -> None:
        self._path = path
        self._on_commit = on_commit
        self._queue: SimpleQueue[tuple[Callable[[Transaction], Any], Future[Any]] | None] = SimpleQueue()
        self._local = threading.local()
        self._reading: list[sqlite3.Connection] = []
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_file = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = self._connect(f"file:{quote(str(path))}?mode=rw")
        try:
            with self._locked():
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=FULL")
                migrate(db, epoch=secrets.token_hex(8))
        except BaseException:
            db.close()
            os.close(self._lock_file)
            raise
        (self.epoch,) = db.execute("SELECT value FROM meta WHERE key='epoch'").fetchone()
        self._neighbours = Neighbours(path.with_suffix(".servers"))
        self._told = Reading(db).head()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="mlops-reader")
        self._writer = threading.Thread(target=self._write, args=(db,), name="mlops-writer", daemon=True)
        self._writer.start()

    def write(self, work: Callable[[Transaction], T]) -> Future[T]:
        """Run ``work`` in the writer thread; the future is done when its changes are on disk.

        ``work`` must be quick. When it raises, its changes are undone and the future carries the error.
        """
        future: Future[T] = Future()
        self._queue.put((work, future))
        return future

    async def awrite(self, work: Callable[[Transaction], T]) -> T:
        """``write`` for the event loop."""
        return await asyncio.wrap_future(self.write(work))

    def read(self, work: Callable[[Reading], T]) -> T:
        """Run ``work`` on a read-only connection of this thread, all of it as of one moment."""
        db = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = self._connect(f"file:{quote(str(self._path))}?mode=ro")
            self._reading.append(db)
        db.execute("BEGIN")
        try:
            return work(Reading(db))
        finally:
            db.execute("ROLLBACK")

    async def aread(self, work: Callable[[Reading], T]) -> T:
        """``read`` for the event loop, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read, work)

    def shared(self) -> bool:
        """Whether another server may write into this store."""
        return self._neighbours.any()

    async def take_in_others(self) -> None:
        """Tell listeners what other servers have committed."""
        await self.awrite(lambda _: None)

    def close(self) -> None:
        """Write what was asked for, then let go of the files."""
        if self._writer.is_alive():
            self._queue.put(None)
            self._writer.join()
            self._readers.shutdown()
            for db in self._reading:
                db.close()
            os.close(self._lock_file)
            self._neighbours.close()

    def _connect(self, uri: str) -> sqlite3.Connection:
        db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)
        db.execute("PRAGMA foreign_keys=ON")
        return db

    @contextmanager
    def _locked(self) -> Any:
        """Servers that share the store write one after the other: older SQLite has a race in the
        reset of its write-ahead log when two connections write. The lock is of the open file, so
        that another thread's close cannot drop it."""
        request = flock(fcntl.F_WRLCK)
        fcntl.fcntl(self._lock_file, fcntl.F_OFD_SETLKW, request)
        try:
            yield
        finally:
            fcntl.fcntl(self._lock_file, fcntl.F_OFD_SETLK, flock(fcntl.F_UNLCK))

    def _write(self, db: sqlite3.Connection) -> None:
        ending = False
        while not ending:
            batch = [self._queue.get()]
            while len(batch) < GROUP and not self._queue.empty():
                batch.append(self._queue.get())
            ending = None in batch
            self._commit(db, [item for item in batch if item is not None])
        db.close()

    def _commit(
        self, db: sqlite3.Connection, batch: list[tuple[Callable[[Transaction], Any], Future[Any]]]
    ) -> None:
        # Whoever gave up waiting before it began wants it no more; from here on nobody can.
        batch = [(work, future) for work, future in batch if future.set_running_or_notify_cancel()]
        if not batch:
            return
        transaction = Transaction(db)
        done: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self._locked():
                db.execute("BEGIN IMMEDIATE")
                try:
                    transaction.take_in_others(self._told, OTHERS)
                    done = [(future, *_attempt(db, transaction, work)) for work, future in batch]
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
        except (sqlite3.Error, OSError) as error:
            for _, future in batch:
                future.set_exception(error)
            return
        if transaction.stored:
            self._told = transaction.stored[-1].seq
            self._on_commit(transaction.stored)
        for future, result, failure in done:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)


def _attempt(
    db: sqlite3.Connection, transaction: Transaction, work: Callable[[Transaction], T]
) -> tuple[T | None, BaseException | None]:
    """Run ``work``; what it did is undone when it raises, the rest of the group is kept."""
    kept = len(transaction.stored)
    db.execute("SAVEPOINT work")
    try:
        result = work(transaction)
    except sqlite3.Error:
        raise
    except Exception as error:  # noqa: BLE001 - the border between the caller's work and the group: handed on
        db.execute("ROLLBACK TO work")
        db.execute("RELEASE work")
        del transaction.stored[kept:]
        return None, error
    db.execute("RELEASE work")
    return result, None
