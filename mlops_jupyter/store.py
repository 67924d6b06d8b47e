"""What is kept: jobs, events, metric points, models — in SQLite, one writer thread a process.

Everything a client has seen was committed here before. Not here: rules (``core.transitions``) and
who listens (``hub``).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import sqlite3
import struct
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.core.events import Event, MetricPoints
from mlops_jupyter.core.facts import Point
from mlops_jupyter.core.jobs import Job, JobSpec, Model
from mlops_jupyter.core.series import Series
from mlops_jupyter.migrations import migrate

T = TypeVar("T")

#: Commits wait for each other up to this many: one fsync serves them all.
GROUP = 256
READERS = 4
_OPEN = "('queued','starting','running','paused','stopping')"


class Stored(NamedTuple):
    """An event as committed: ``body`` is its JSON, the bytes every client gets."""

    seq: int
    delivery: str
    body: bytes


class Cursor(NamedTuple):
    """How far a job's files have been taken in: byte offsets, and log lines counted."""

    journal: int
    log: int
    log_lines: int


class Transaction:
    """A write transaction. Use it inside ``Store.write`` only."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.stored: list[Stored] = []

    def append(self, event: Event) -> int:
        """Keep ``event`` under the next number and return it."""
        (last,) = self._db.execute("SELECT max(seq) FROM events").fetchone()
        seq = (last or 0) + 1
        body = wire.encode(msgspec.structs.replace(event, seq=seq))
        job_id = getattr(event, "job_id", None)
        kind = event.__struct_config__.tag
        self._db.execute("INSERT INTO events VALUES (?,?,?,?)", (seq, job_id, kind, body))
        if isinstance(event, MetricPoints):
            self._add_points(event.job_id, event.points)
        self.stored.append(Stored(seq, event.delivery, body))
        return seq

    def _add_points(self, job_id: str, points: Iterable[Point]) -> None:
        rows = [(job_id, p.name, p.step, p.value, p.nf, p.elapsed) for p in points]
        self._db.executemany("INSERT INTO points VALUES (?,?,?,?,?,?)", rows)

    def add_job(self, job: Job, spec: JobSpec, kind: str) -> None:
        """``kind`` groups jobs whose durations resemble each other."""
        self._db.execute(
            "INSERT INTO jobs (job_id, status, kind, record, spec) VALUES (?,?,?,?,?)",
            (job.job_id, job.status, kind, wire.encode(job), wire.encode(spec)),
        )

    def put_job(self, job: Job) -> None:
        self._db.execute(
            "UPDATE jobs SET status=?, record=? WHERE job_id=?",
            (job.status, wire.encode(job), job.job_id),
        )

    def put_model(self, model: Model) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO models VALUES (?,?,?)",
            (model.model_id, model.job_id, wire.encode(model)),
        )

    def job(self, job_id: str) -> Job:
        return Reading(self._db).job(job_id)

    def open_jobs(self) -> list[Job]:
        return Reading(self._db).open_jobs()

    def cursor(self, job_id: str) -> Cursor:
        return Reading(self._db).cursor(job_id)

    def finished(self, kind: str, limit: int) -> list[Job]:
        """The newest completed jobs of ``kind``."""
        rows = self._db.execute(
            "SELECT record FROM jobs WHERE kind=? AND status='completed' ORDER BY number DESC LIMIT ?",
            (kind, limit),
        )
        return [_job(body) for (body,) in rows]

    def move_cursor(self, job_id: str, before: Cursor, after: Cursor) -> bool:
        """Move the cursor if it still is at ``before``; False: somebody else took these bytes in."""
        moved = self._db.execute(
            "UPDATE jobs SET journal_offset=?, log_offset=?, log_lines=? "
            "WHERE job_id=? AND journal_offset=? AND log_offset=?",
            (*after, job_id, before.journal, before.log),
        )
        return moved.rowcount == 1


class Reading:
    """Queries. Every answer of one ``Reading`` is of the same moment."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def head(self) -> int:
        (seq,) = self._db.execute("SELECT max(seq) FROM events").fetchone()
        return seq or 0

    def job(self, job_id: str) -> Job:
        """The job of this full id; ``KeyError`` when there is none."""
        row = self._db.execute("SELECT record FROM jobs WHERE job_id=?", (job_id,)).fetchone()
        if row is None:
            raise KeyError(job_id)
        return _job(row[0])

    def spec(self, job_id: str) -> JobSpec:
        (body,) = self._db.execute("SELECT spec FROM jobs WHERE job_id=?", (job_id,)).fetchone()
        return msgspec.json.decode(body, type=JobSpec)

    def matching(self, prefix: str, limit: int = 10) -> list[Job]:
        """Jobs whose id begins with ``prefix``, newest first."""
        rows = self._db.execute(
            "SELECT record FROM jobs WHERE substr(job_id, 1, ?) = ? ORDER BY number DESC LIMIT ?",
            (len(prefix), prefix, limit),
        )
        return [_job(body) for (body,) in rows]

    def jobs(self, limit: int) -> list[Job]:
        """All that are open and the newest of the others, newest first; ``limit`` in all at least."""
        rows = self._db.execute(
            f"SELECT record FROM jobs WHERE status IN {_OPEN} OR number IN "  # noqa: S608 - constant
            "(SELECT number FROM jobs ORDER BY number DESC LIMIT ?) ORDER BY number DESC",
            (limit,),
        )
        return [_job(body) for (body,) in rows]

    def open_jobs(self) -> list[Job]:
        """Jobs that are not over, oldest first."""
        rows = self._db.execute(
            f"SELECT record FROM jobs WHERE status IN {_OPEN} ORDER BY number"  # noqa: S608 - constant
        )
        return [_job(body) for (body,) in rows]

    def cursor(self, job_id: str) -> Cursor:
        row = self._db.execute(
            "SELECT journal_offset, log_offset, log_lines FROM jobs WHERE job_id=?", (job_id,)
        ).fetchone()
        return Cursor(*row)

    def events(self, since: int, limit: int) -> list[Stored]:
        """Events after ``since``, in order."""
        rows = self._db.execute(
            "SELECT seq, body FROM events WHERE seq>? ORDER BY seq LIMIT ?", (since, limit)
        )
        return [Stored(seq, "A", body) for seq, body in rows]

    def oldest(self) -> int:
        """The lowest number kept; 0 when there is no event."""
        (seq,) = self._db.execute("SELECT min(seq) FROM events").fetchone()
        return seq or 0

    def series(self, job_id: str, buckets: int | None) -> dict[str, Series]:
        """Every metric of a job. With ``buckets``, a series longer than twice that is reduced to the
        lowest, the highest and a not finite point of each of as many equal ranges of steps, and its
        first and last point: no spike is lost."""
        found = self._db.execute(
            "SELECT name, count(*), min(step), max(step) FROM points WHERE job_id=? GROUP BY name",
            (job_id,),
        ).fetchall()
        return {
            name: Series(
                count=count,
                points=self._all_points(job_id, name)
                if buckets is None or count <= 2 * buckets
                else self._extremes(job_id, name, first, (last - first) // buckets + 1),
            )
            for name, count, first, last in found
        }

    def _all_points(self, job_id: str, name: str) -> tuple[Point, ...]:
        rows = self._db.execute(
            "SELECT step, value, nf, elapsed FROM points WHERE job_id=? AND name=? ORDER BY step, rowid",
            (job_id, name),
        )
        return tuple(Point(name=name, step=s, value=v, nf=nf, elapsed=e) for s, v, nf, e in rows)

    def _extremes(self, job_id: str, name: str, first: int, width: int) -> tuple[Point, ...]:
        # A bare column beside min() or max() is of the row that has the extreme: documented by SQLite.
        picked: dict[int, Point] = {}
        grouped = "FROM points WHERE job_id=:job AND name=:name GROUP BY (step - :first) / :width"
        for columns in (
            "rowid, step, min(value), NULL, elapsed",
            "rowid, step, max(value), NULL, elapsed",
            "min(CASE WHEN value IS NULL THEN rowid END), step, value, nf, elapsed",
        ):
            rows = self._db.execute(
                f"SELECT {columns} {grouped}",
                {"job": job_id, "name": name, "first": first, "width": width},
            )
            for row, step, value, nf, elapsed in rows:
                if row is not None and (value is not None or nf is not None):
                    picked[row] = Point(name=name, step=step, value=value, nf=nf, elapsed=elapsed)
        end = "SELECT rowid, step, value, nf, elapsed FROM points WHERE job_id=? AND name=? "
        for order in ("ORDER BY step, rowid LIMIT 1", "ORDER BY step DESC, rowid DESC LIMIT 1"):
            row, step, value, nf, elapsed = self._db.execute(end + order, (job_id, name)).fetchone()
            picked[row] = Point(name=name, step=step, value=value, nf=nf, elapsed=elapsed)
        return tuple(sorted(picked.values(), key=lambda point: point.step))

    def model(self, model_id: str) -> Model:
        """``KeyError`` when there is none."""
        row = self._db.execute("SELECT record FROM models WHERE model_id=?", (model_id,)).fetchone()
        if row is None:
            raise KeyError(model_id)
        return msgspec.json.decode(row[0], type=Model)


class Store:
    """The database of one data directory.

    ``on_commit`` is called in the writer thread with the events of each commit, in order.
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

    def close(self) -> None:
        """Write what was asked for, then let go of the files."""
        if self._writer.is_alive():
            self._queue.put(None)
            self._writer.join()
            self._readers.shutdown()
            for db in self._reading:
                db.close()
            os.close(self._lock_file)

    def _connect(self, uri: str) -> sqlite3.Connection:
        db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)
        db.execute("PRAGMA foreign_keys=ON")
        return db

    @contextmanager
    def _locked(self) -> Any:
        """Servers that share the store write one after the other: older SQLite has a race in the
        reset of its write-ahead log when two connections write. The lock is of the open file, so
        that another thread's close cannot drop it."""
        request = _flock(fcntl.F_WRLCK)
        fcntl.fcntl(self._lock_file, fcntl.F_OFD_SETLKW, request)
        try:
            yield
        finally:
            fcntl.fcntl(self._lock_file, fcntl.F_OFD_SETLK, _flock(fcntl.F_UNLCK))

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
        if not batch:
            return
        transaction = Transaction(db)
        done: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self._locked():
                db.execute("BEGIN IMMEDIATE")
                try:
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


def _flock(kind: int) -> bytes:
    """A ``struct flock`` over the whole file."""
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)


def _job(body: bytes) -> Job:
    return msgspec.json.decode(body, type=Job)
