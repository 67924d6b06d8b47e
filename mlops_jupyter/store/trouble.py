"""What keeps a store from working, in a sentence. Not here: what is done about it (``database``)."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

#: With less room than this the disk counts as full: the next commit would fail.
LEAST_ROOM = 1 << 20
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
#: Numbers of errors that speak of the disk, and not of one file.
OF_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_OURS = {
    *_CORRUPT,
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL),
    *(sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_NOMEM),
}


class ReplacedError(OSError):
    """The database is no longer the file that was opened."""


class NewerError(OSError):
    """The database was written by a newer version of this package."""


def is_trouble(error: BaseException) -> bool:
    """Whether the store itself fails, and not what was asked of it."""
    return isinstance(error, OSError) or _code(error) in _OURS


def is_corrupt(error: BaseException) -> bool:
    return _code(error) in _CORRUPT


def full(folder: Path) -> bool:
    try:
        room = os.statvfs(folder)
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < LEAST_ROOM


def sentence(error: BaseException, folder: Path) -> str:
    """What is wrong with the store in ``folder``, and where."""
    number = error.errno if isinstance(error, OSError) else None
    code = _code(error)
    if isinstance(error, ReplacedError | NewerError):
        return str(error)
    if number in _FULL or code == sqlite3.SQLITE_FULL or full(folder):
        return f"The disk is full: {folder} takes nothing more."
    if number == errno.EROFS or code == sqlite3.SQLITE_READONLY:
        return f"The disk is read-only: {folder} cannot be written."
    if number in (errno.EACCES, errno.EPERM) or code == sqlite3.SQLITE_PERM:
        why = error.strerror if isinstance(error, OSError) else error
        return f"This user may not write in {folder}: {why}."
    if isinstance(error, TimeoutError) or code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"The store in {folder} is locked by another program."
    if code in _CORRUPT:
        return f"The database in {folder} is damaged."
    if number == errno.EIO or code == sqlite3.SQLITE_IOERR:
        return f"The disk of {folder} fails: {error}."
    return f"The store in {folder} cannot be opened: {error}."


def _code(error: BaseException) -> int | None:
    """SQLite's primary code; what is beyond the first byte says where, not what."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
