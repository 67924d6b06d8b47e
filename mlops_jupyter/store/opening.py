"""Opens the database of a store: one that is damaged is replaced, what it has lost is brought back.

Not here: when it is tried again, and what it is used for (``database``).
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from mlops_jupyter.store.files import Files
from mlops_jupyter.store.migrations import migrate
from mlops_jupyter.store.reading import Reading
from mlops_jupyter.store.transaction import Transaction
from mlops_jupyter.store.trouble import is_corrupt

log = logging.getLogger(__name__)

#: Gives, for what a database holds, the work that brings back what is missing in it.
Lost = Callable[[Reading], Iterable[Callable[[Transaction], bool]]]


class Opened(NamedTuple):
    """The writer's connection, and the name and the last event of the database as it was found."""

    db: sqlite3.Connection
    epoch: str
    head: int


def open_database(files: Files, lost: Lost, told: Callable[[str], None], *, damaged: bool) -> Opened:
    """``told`` hears how far it is while that takes time; a ``damaged`` database is replaced."""
    files.prepare()
    with files.locked():
        if damaged and not _sound(files):
            aside = files.move_aside()
            log.error("The database was damaged and is kept as %s; a new one is made", aside)
            files.prepare()
        db = files.connect_writer()
        try:
            new = migrate(db, epoch=secrets.token_hex(8))
            _bring_back(db, lost, told, new=new)
            # What cannot be written must not be called open.
            db.execute("INSERT OR REPLACE INTO meta VALUES ('opened', ?)", (str(time.time()),))
            reading = Reading(db)
            return Opened(db, reading.epoch(), reading.head())
        except BaseException:
            db.close()
            raise


def _sound(files: Files) -> bool:
    """Whether a database that gave cause for suspicion is in order after all."""
    try:
        db = files.connect("rw")
        try:
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
            return str(verdict) == "ok"
        finally:
            db.close()
    except sqlite3.DatabaseError as error:
        if is_corrupt(error):
            return False
        raise


def _bring_back(db: sqlite3.Connection, lost: Lost, told: Callable[[str], None], *, new: bool) -> None:
    count = 0
    for work in lost(Reading(db)):
        db.execute("BEGIN IMMEDIATE")
        try:
            count += work(Transaction(db))
            if count == 1 and not new:
                # What clients saw of a database that lost its end is not what will follow.
                db.execute("UPDATE meta SET value=? WHERE key='epoch'", (secrets.token_hex(8),))
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
        told(f"The database is being rebuilt from its folders: {count} so far.")
    if count:
        log.warning("%d records were brought back into the database from their folders", count)
