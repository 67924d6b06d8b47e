"""The store of a data directory: one writer thread a process, read-only readers.

Everything a client has seen was committed here before. What keeps it from working is its
``trouble``: the writer thread tries again until the disk does its work. Not here: what is asked
(``reading``) and changed (``transaction``), and how the database is opened (``opening``).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.store.connection import Connection, Failed
from mlops_jupyter.store.files import Files
from mlops_jupyter.store.opening import Lost, open_database
from mlops_jupyter.store.reading import Reading, Stored
from mlops_jupyter.store.transaction import Transaction
from mlops_jupyter.store.trouble import ReplacedError, is_corrupt, is_trouble, sentence

T = TypeVar("T")
Work = Callable[[Transaction], Any]
log = logging.getLogger(__name__)

#: Commits wait for each other up to this many: one fsync serves them all.
GROUP = 256
READERS = 4
#: Of what other servers wrote meanwhile, listeners are told this many at most; who needs more reads it.
OTHERS = 1024
#: Seconds between two tries while the store does not work, and between looks whether its file is still there.
RETRY = 1.0
#: Seconds to wait at the end for what is still being written.
CLOSING = 5.0
#: Seconds between two looks for events that are old enough to go.
PRUNE_EVERY = 3600.0


class Store:
    """The database of one data directory; made at once, opened by its own thread.

    ``on_commit`` is called in that thread with the events of each commit, in order, and
    with those that other servers committed before it; ``on_turn`` with
    ``(None, head)`` before the store can be used, and with ``(trouble, 0)`` once it cannot. ``lost`` gives,
    for what a database holds, the work that brings back what is missing in it.
    """

    def __init__(
        self,
        path: Path,
        on_commit: Callable[[list[Stored]], None],
        on_turn: Callable[[str | None, int], None] = lambda *_: None,
        lost: Lost = lambda _: (),
    ) -> None:
        self.epoch = ""
        self.trouble: str | None = "The store is being opened."
        self._files = Files(path)
        self._on_commit = on_commit
        self._on_turn = on_turn
        self._lost = lost
        self._queue: SimpleQueue[tuple[Work, Future[Any]] | Failed | None] = SimpleQueue()
        self._local = threading.local()
        self._readers: list[Connection] = []
        self._shared: Connection | None = None
        #: How often the database was opened: connections of an earlier time are not used any more.
        self._generation = 0
        #: The last event listeners know of.
        self._told = 0
        self._said: str | None = None
        self._tried = threading.Event()
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="mlops-reader")
        self._writer = threading.Thread(target=self._run, name="mlops-writer", daemon=True)
        self._writer.start()

    def write(self, work: Callable[[Transaction], T]) -> Future[T]:
        """Run ``work`` in the writer thread; the future is done when its changes are on disk.

        ``work`` must be quick. When it raises, its changes are undone and the future carries the error.
        """
        future: Future[T] = Future()
        if self.trouble is not None and self._tried.is_set():
            future.set_exception(StoreUnavailable(self.trouble))
        else:
            self._queue.put((work, future))
        return future

    async def awrite(self, work: Callable[[Transaction], T]) -> T:
        """``write`` for the event loop."""
        return await asyncio.wrap_future(self.write(work))

    def read(self, work: Callable[[Reading], T]) -> T:
        """Run ``work`` on a read-only connection of this thread, all of it as of one moment."""
        self._tried.wait()
        generation = self._generation
        try:
            if self.trouble is not None:
                raise StoreUnavailable(self.trouble)
            self._files.check()
            connection = self._reader()
            with connection.lock:
                if not connection.open:
                    raise StoreUnavailable("The store is being opened again.")
                connection.db.execute("BEGIN")
                try:
                    return work(Reading(connection.db))
                finally:
                    if connection.db.in_transaction:
                        connection.db.execute("ROLLBACK")
        except (sqlite3.Error, OSError) as error:
            if not is_trouble(error):
                raise
            self._queue.put(Failed(error, generation))
            raise StoreUnavailable(sentence(self._files.cause(error), self._files.path.parent)) from error

    async def aread(self, work: Callable[[Reading], T]) -> T:
        """``read`` for the event loop, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.read, work)

    def shared(self) -> bool:
        """Whether another server may write into this store."""
        return self._files.shared()

    async def take_in_others(self) -> None:
        """Tell listeners what other servers have committed."""
        await self.awrite(lambda _: None)

    def close(self) -> None:
        """Write what was asked for, then let go of the files; a file system that hangs is not waited for."""
        if not self._writer.is_alive():
            return
        self._queue.put(None)
        self._writer.join(CLOSING)
        ended = not self._writer.is_alive()
        # Otherwise it ends with the process, as by a kill. Who asks now, or waits for it, is told:
        # a connection that is made after the end nobody would close.
        self.trouble = "The server stops." if ended else "The disk does not answer."
        self._tried.set()
        self._pool.shutdown(wait=ended)
        if ended:
            self._let_go(None)
            self._files.close()

    def _reader(self) -> Connection:
        """This thread's connection, or the only one there is."""
        if self._shared is not None:
            return self._shared
        held: Connection | None = getattr(self._local, "connection", None)
        if held is None or not held.open or held.generation != self._generation:
            generation = self._generation
            held = self._local.connection = Connection(self._files.connect("ro"), generation)
            self._readers.append(held)
        return held

    # --- the writer thread -----------------------------------------------------------------

    def _run(self) -> None:
        damaged = False
        going = True
        while going:
            writer: Connection | None = None
            try:
                writer = self._open(damaged=damaged)
                damaged = False
                going = self._serve(writer)
            except Exception as met:
                # Whatever it is: without this thread all that is asked for would wait for ever.
                error = met if writer is None else self._files.cause(met)
                trouble = sentence(error, self._files.path.parent)
                if not is_trouble(error) and trouble != self._said:
                    log.exception("Nobody thought of this")
                replaced = isinstance(error, ReplacedError)
                damaged = is_corrupt(error)
                self._refuse(trouble)
                self._let_go(None if replaced else writer)
                if writer is not None and replaced:
                    self._files.close_replaced(writer.db)
                going = replaced or damaged or self._pause()
            else:
                self._let_go(writer)

    def _open(self, *, damaged: bool) -> Connection:
        opened = open_database(self._files, self._lost, self._opening, damaged=damaged)
        self.epoch, self._told = opened.epoch, opened.head
        self._generation += 1
        writer = Connection(opened.db, self._generation)
        self._shared = writer if self._files.single else None
        self._on_turn(None, opened.head)
        if self._said is not None:
            log.warning("The store works again")
        self.trouble = self._said = None
        self._tried.set()
        return writer

    def _opening(self, progress: str) -> None:
        self.trouble = progress

    def _serve(self, writer: Connection) -> bool:
        """Commit what is asked for; False when that is over."""
        prune_at = time.monotonic()
        while True:
            if time.monotonic() >= prune_at:
                prune_at = time.monotonic() + PRUNE_EVERY
                self.write(self._prune)
            try:
                batch = [self._queue.get(timeout=RETRY)]
            except Empty:
                # Told before somebody needs the room, and before he notices by what stands still.
                self._files.check(room=True)
                continue
            while len(batch) < GROUP and not self._queue.empty():
                batch.append(self._queue.get())
            if None in batch:
                # Or nobody would know of the end if this group fails.
                self._queue.put(None)
            works = [item for item in batch if item is not None and not isinstance(item, Failed)]
            self._commit(writer, works)
            for item in batch:
                if isinstance(item, Failed) and item.generation == writer.generation:
                    raise item.error
            if None in batch:
                return False

    def _prune(self, tx: Transaction) -> None:
        if tx.prune(datetime.now(UTC)):
            self.write(self._prune)

    def _commit(self, writer: Connection, batch: list[tuple[Work, Future[Any]]]) -> None:
        # Whoever gave up waiting before it began wants it no more; from here on nobody can.
        batch = [(work, future) for work, future in batch if future.set_running_or_notify_cancel()]
        if not batch:
            return
        db = writer.db
        transaction = Transaction(db)
        done: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            self._files.check()
            with self._files.locked(), writer.lock:
                db.execute("BEGIN IMMEDIATE")
                try:
                    transaction.take_in_others(self._told, OTHERS)
                    done = [(future, *_attempt(db, transaction, work)) for work, future in batch]
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
        except Exception as error:
            # Known before anybody hears of the failure: who tries again at once must not wait in the queue.
            self.trouble = sentence(self._files.cause(error), self._files.path.parent)
            for _, future in batch:
                future.set_exception(StoreUnavailable(self.trouble))
            raise
        try:
            if transaction.stored:
                self._told = transaction.stored[-1].seq
                self._on_commit(transaction.stored)
        finally:
            for future, result, failure in done:
                if failure is None:
                    future.set_result(result)
                else:
                    future.set_exception(failure)

    def _refuse(self, trouble: str) -> None:
        """Say once what is wrong, and that nothing will come of what was asked for."""
        if trouble != self._said:
            log.error("The store does not work: %s", trouble)
        self.trouble = self._said = trouble
        self._tried.set()
        self._on_turn(trouble, 0)

    def _let_go(self, writer: Connection | None) -> None:
        readers, self._readers, self._shared = self._readers, [], None
        for connection in (*readers, *((writer,) if writer else ())):
            connection.close()

    def _pause(self) -> bool:
        """Turn away what is asked for until it is time to try again; False when the store is to end."""
        end = time.monotonic() + RETRY
        while (left := end - time.monotonic()) > 0:
            try:
                item = self._queue.get(timeout=left)
            except Empty:
                break
            if item is None:
                return False
            if not isinstance(item, Failed) and item[1].set_running_or_notify_cancel():
                item[1].set_exception(StoreUnavailable(self.trouble or ""))
        return True


def _attempt(
    db: sqlite3.Connection, transaction: Transaction, work: Callable[[Transaction], T]
) -> tuple[T | None, BaseException | None]:
    """Run ``work``; what it did is undone when it raises, the rest of the group is kept."""
    kept = len(transaction.stored)
    db.execute("SAVEPOINT work")
    try:
        result = work(transaction)
    except Exception as error:
        if isinstance(error, sqlite3.Error) and is_trouble(error):
            raise
        db.execute("ROLLBACK TO work")
        db.execute("RELEASE work")
        del transaction.stored[kept:]
        return None, error
    db.execute("RELEASE work")
    return result, None
