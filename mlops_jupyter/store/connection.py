"""A connection that threads take turns with, and what a reader met on one."""

from __future__ import annotations

import sqlite3
import threading
from typing import NamedTuple


class Connection:
    """A database connection, used by one thread at a time."""

    def __init__(self, db: sqlite3.Connection, generation: int) -> None:
        self.db = db
        self.generation = generation
        self.lock = threading.Lock()
        self.open = True

    def close(self) -> None:
        with self.lock:
            self.open = False
            self.db.close()


class Failed(NamedTuple):
    """What a reader met, and when the connection it met it on was made."""

    error: Exception
    generation: int
