"""Tables from files: CSV and Parquet, told apart by their first bytes.

pandas only ever gets a file that we opened, and no compression: given a string it fetches URLs
and unpacks archives. Not here: what is wrong with a table (``checks``, ``findings``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from mlops_jupyter.core.errors import DataError, DatasetNotFoundError

_PARQUET = b"PAR1"
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7": "xz",
    b"\x28\xb5": "zstd",
}
_SEPARATORS = ",;\t|"


class Table(NamedTuple):
    """A table as read; ``sha256`` is that of the file's bytes, ``separator`` null for Parquet."""

    frame: pd.DataFrame
    name: str
    sha256: str
    separator: str | None


class Glance(NamedTuple):
    """What checks need of a file: its column names, and the target where there is one."""

    columns: tuple[str, ...]
    target: pd.Series | None


def read(path: Path, name: str | None = None) -> Table:
    """The whole table; ``name`` is what people call it. Raises ``DataError`` when it is none."""
    name = name or path.name
    with _open(path, name) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        frame, separator = _frame(file, name)
    return Table(frame, name, sha256, separator)


def glance(path: Path, target: str, name: str | None = None) -> Glance:
    """Column names and the target's values, without reading the rest into memory."""
    name = name or path.name
    with _open(path, name) as file:
        frame, _ = _frame(file, name, [])
        columns = tuple(frame.columns)
        if target not in columns:
            return Glance(columns, None)
        file.seek(0)
        frame, _ = _frame(file, name, [target])
    return Glance(columns, column(frame, target))


def column(frame: pd.DataFrame, name: str) -> pd.Series | None:
    """The first column of this name, if there is one; that there are several is for the checks to say."""
    names = [str(column) for column in frame.columns]
    return frame.iloc[:, names.index(name)] if name in names else None


def _open(path: Path, name: str) -> BufferedReader:
    try:
        return path.open("rb")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DatasetNotFoundError(f'"{name}" is no file any more.') from error


def _frame(
    file: BufferedReader, name: str, only: Sequence[str] | None = None
) -> tuple[pd.DataFrame, str | None]:
    """``only``: columns to read; empty for none, which gives the names alone."""
    file.seek(0)
    head = file.read(64 * 1024)
    file.seek(0)
    if head.startswith(_PARQUET):
        return _parquet(file, name, only), None
    for magic, kind in _COMPRESSED.items():
        if head.startswith(magic):
            raise DataError(f"{name} is a {kind} archive, not a table.", "Unpack it first.")
    separator = _separator(head)
    return _csv(file, name, separator, only), separator


def _parquet(file: BufferedReader, name: str, only: Sequence[str] | None) -> pd.DataFrame:
    try:
        opened = parquet.ParquetFile(file)
        if only is not None and not only:
            return pd.DataFrame(
                columns=[n for n in opened.schema_arrow.names if not n.startswith("__index_")]
            )
        frame: pd.DataFrame = opened.read(columns=only).to_pandas()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(f"{name} cannot be read as Parquet: {_first_line(error)}") from error
    # A named index is a column that somebody may want; a nameless one only counts the rows.
    named = any(level is not None for level in frame.index.names)
    return _named(frame.reset_index(drop=not named))


def _csv(file: BufferedReader, name: str, separator: str, only: Sequence[str] | None) -> pd.DataFrame:
    try:
        frame = pd.read_csv(
            file,
            sep=separator,
            compression=None,
            encoding="utf-8-sig",
            low_memory=False,
            nrows=0 if only is not None and not only else None,
            usecols=list(only) if only else None,
        )
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not UTF-8 text (byte {error.object[error.start]:#04x}).",
            "Read it with its encoding and train on the table:",
            f'mlops.train(pd.read_csv("{name}", encoding="latin-1"), …)',
        ) from error
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{name} is empty.") from error
    except pd.errors.ParserError as error:
        raise DataError(f"{name} cannot be read as CSV: {_first_line(error)}") from error
    # A header one name short makes the first column an index of row names.
    return _named(frame.reset_index(drop=True))


def _separator(head: bytes) -> str:
    """The one that splits the header most often; a comma where nothing does."""
    header = head.split(b"\n", 1)[0].decode("utf-8", "replace")
    return max(_SEPARATORS, key=header.count)


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    frame.columns = frame.columns.map(str)
    return frame


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
