"""Tables from files: CSV and Parquet, told apart by their first bytes.

pandas only ever gets a file that we opened, and no compression: given a string it fetches URLs
and unpacks archives. Not here: what is wrong with a table (``checks``, ``findings``).
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing, contextmanager
from io import BufferedReader, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from mlops_jupyter.core.errors import DataError, DatasetNotFoundError
from mlops_jupyter.training.tabular.wording import counted

_PARQUET = b"PAR1"
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7": "xz",
    b"\x28\xb5": "zstd",
}
_SEPARATORS = ",;\t|"
#: A cell of digits alone that begins with a zero; looked for by its zero, which is rarer than separators.
_CODE = re.compile(rb'0(?<=[,;\t|"\r\n]0)[0-9]+(?=[,;\t|"\r\n])')
#: No code is longer, with what stands around it.
_LONGEST_CODE = 64
#: Characters of a field that is still looked at to say where something is wrong.
_LONGEST = 16 << 20

#: What pandas says of lines it cannot read: both count records, blank ones too, from 1 and from 0.
_LONGER = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
_UNCLOSED = re.compile(r"EOF inside string starting at row (\d+)")

#: Bytes of a file that tell what it is.
_HEAD = 64 * 1024
#: In the cells of a column, nothing that can be learned from.
_STRUCTURES = (list, tuple, dict, set, np.ndarray, bytes)
#: Cells read at a time where not the whole table is to be held in memory.
_CELLS = 4_000_000
#: Rows of a Parquet file read at a time where it may unfold to more than it looks like.
_BATCH = 16_384


class Table(NamedTuple):
    """A table as read; ``sha256`` is that of the file's bytes, ``separator`` null for Parquet."""

    frame: pd.DataFrame
    name: str
    sha256: str
    separator: str | None


class Glance(NamedTuple):
    """What checks need of a table.

    ``values`` are those of the columns asked for, as far as there are such; ``empty`` the columns without
    any value; ``unlearnable`` says of columns that hold structures instead of values what these are.
    """

    columns: tuple[str, ...]
    values: Mapping[str, pd.Series]
    empty: frozenset[str]
    unlearnable: Mapping[str, str]


def read(path: Path, name: str | None = None) -> Table:
    """The whole table; ``name`` is what people call it. Raises ``DataError`` when it is none."""
    name = name or path.name
    with _open(path, name) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        frame, separator = _frame(file, name)
    return Table(frame, name, sha256, separator)


def columns(path: Path, name: str | None = None) -> tuple[str, ...]:
    """The names of the table's columns; nothing else is read."""
    name = name or path.name
    with _open(path, name) as file:
        return tuple(_frame(file, name, [])[0].columns)


def header(path: Path, name: str) -> tuple[Literal["csv", "parquet"], tuple[str, ...]]:
    """What kind of file it is, and its columns as they will be called."""
    with _open(path, name) as file:
        frame, separator = _frame(file, name, [])
        return "parquet" if separator is None else "csv", tuple(frame.columns)


def parts(path: Path, name: str, most: int) -> Generator[pd.DataFrame]:
    """All rows, some at a time; ``DataError`` once a Parquet file unfolds to more than ``most`` bytes."""
    with _open(path, name) as file:
        columns = _frame(file, name, [])[0].shape[1]
        yield from _in_turn(file, name, columns, most)


def fields(line: bytes) -> list[str]:
    """Of the first line of a CSV file, without a look at the rest."""
    lines = csv.reader([line.decode("utf-8", "replace")], delimiter=_separator(line))
    try:
        return next(lines, [])
    except csv.Error:
        # A field longer than the module takes: pandas says what is wrong with it, or nothing is.
        return []


def undecodable(path: Path) -> tuple[int, str | None, int]:
    """Line, column if it can be named, and value of the first byte that is no UTF-8."""
    with path.open("rb") as file:
        names: list[str] = []
        separator = ","
        for number, line in enumerate(file, 1):
            if number == 1:
                separator = _separator(line)
                names = fields(line)
            try:
                line.decode()
            except UnicodeDecodeError as error:
                before = line[: error.start].decode()
                position = len(next(csv.reader([before], delimiter=separator), [""])) - 1
                named = names[position] if number > 1 and position < len(names) else None
                return number, named, line[error.start]
    raise ValueError("all of it is UTF-8")


def line_of(path: Path, row: int) -> int | None:
    """Where that row of a CSV file begins; both are counted from 1. There are no lines in Parquet."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head.startswith(_PARQUET):
            return None
        with closing(_records(file, _separator(head))) as records:
            rows = (line for line, found in records if found is None or "".join(found).strip() or found[1:])
            return next(islice(rows, row, None), None)


def glance(path: Path, wanted: Iterable[str], name: str | None = None) -> Glance:
    """The whole table is gone through, so that nothing is wrong with it that only its job would find; only
    the ``wanted`` columns' values, and some rows of the others at a time, are held in memory."""
    name, wanted = name or path.name, list(wanted)
    with _open(path, name) as file:
        header, _ = _frame(file, name, [])
        seen = [_alone(look(rows, wanted)) for rows in _in_turn(file, name, header.shape[1])]
        seen = seen or [look(header, wanted)]
        values = {}
        for column_name, first in seen[0].values.items():
            parts = [rows.values[column_name] for rows in seen]
            if all(part.dtype == first.dtype for part in parts):
                values[column_name] = pd.concat(parts, ignore_index=True)
            else:
                # Rows that look like numbers, others that do not: the type is that of all of them.
                whole = column(_frame(file, name, [column_name])[0], column_name)
                assert whole is not None
                values[column_name] = whole
    return Glance(
        seen[0].columns,
        values,
        frozenset.intersection(*(rows.empty for rows in seen)),
        {named: what for rows in seen for named, what in rows.unlearnable.items()},
    )


def look(frame: pd.DataFrame, wanted: Iterable[str]) -> Glance:
    """What there is to be known of a table in memory."""
    values = {name: values for name in wanted if (values := column(frame, name)) is not None}
    empty = frame.columns[frame.isna().all().to_numpy(dtype=bool)] if len(frame) else ()
    unlearnable = {}
    for position, name in enumerate(frame.columns):
        held = frame.iloc[:, position]
        first = next(iter(held.dropna()), None) if held.dtype == object else None
        if isinstance(first, _STRUCTURES):
            unlearnable[str(name)] = "bytes" if isinstance(first, bytes) else f"{type(first).__name__}s"
    return Glance(tuple(map(str, frame.columns)), values, frozenset(map(str, empty)), unlearnable)


def _alone(seen: Glance) -> Glance:
    """Without holding on to the rest of the rows."""
    return seen._replace(values={name: values.copy() for name, values in seen.values.items()})


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
    head = file.read(_HEAD)
    file.seek(0)
    if head.startswith(_PARQUET):
        return _parquet(file, name, only), None
    for magic, kind in _COMPRESSED.items():
        if head.startswith(magic):
            raise DataError(f"{name} is a {kind} archive, not a table.", "Unpack it first.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{name} is UTF-16 text.", "Save it as UTF-8.")
    separator = _separator(head)
    return _csv(file, name, separator, only), separator


def _in_turn(
    file: BufferedReader, name: str, columns: int, most: int | None = None
) -> Generator[pd.DataFrame]:
    """All rows of the table, some at a time; ``most``: bytes that a Parquet file may unfold to."""
    rows = max(1, _CELLS // max(1, columns))
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    if head.startswith(_PARQUET):
        with _as_parquet(name):
            unfolded = 0
            # Few at first: of what unfolds to too much, one batch may be more than memory holds.
            for batch in parquet.ParquetFile(file).iter_batches(rows if most is None else min(rows, _BATCH)):
                unfolded += batch.nbytes
                if most is not None and unfolded > most:
                    raise DataError(
                        f"{name} unfolds to more than {most / (1 << 30):.1f} GiB, far more than on disk."
                    )
                yield _plain(batch.to_pandas())
    else:
        separator = _separator(head)
        with _as_csv(file, name, separator):
            _check_width(file, separator)
            codes = _codes(file, name, separator)
            with _reader(file, separator, chunksize=rows, dtype=codes) as reader:
                for frame in reader:
                    yield _named(frame.reset_index(drop=True))


def _parquet(file: BufferedReader, name: str, only: Sequence[str] | None) -> pd.DataFrame:
    with _as_parquet(name):
        opened = parquet.ParquetFile(file)
        if only is not None and not only:
            return pd.DataFrame(
                columns=[n for n in opened.schema_arrow.names if not n.startswith("__index_")]
            )
        return _plain(opened.read(columns=only).to_pandas())


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """A named index is a column that somebody may want; a nameless one only counts the rows."""
    named = any(level is not None for level in frame.index.names)
    return _named(frame.reset_index(drop=not named))


def _csv(file: BufferedReader, name: str, separator: str, only: Sequence[str] | None) -> pd.DataFrame:
    with _as_csv(file, name, separator):
        if only is not None and not only:
            return _named(_reader(file, separator, nrows=0))
        _check_width(file, separator)
        codes = _codes(file, name, separator)
        return _named(_reader(file, separator, dtype=codes, usecols=list(only) if only else None))


def _check_width(file: BufferedReader, separator: str) -> None:
    """``ParserError`` where the first row is longer than the header: pandas would take the first of its
    fields for the row's name, and all others for columns they are not."""
    _reader(file, separator, header=None, nrows=2, dtype=str)
    file.seek(0)


def _codes(file: BufferedReader, name: str, separator: str) -> dict[str, type]:
    """Columns with whole numbers that begin with a zero, as text: ``007`` is no 7. Where nothing looks like
    one, which is quickly seen, nothing is read twice. Raises ``DataError`` for what is no text."""
    if not _has_codes(file, name):
        return {}
    found: dict[str, type] = {}
    columns = file.readline().count(separator.encode()) + 1
    file.seek(0)
    with _reader(file, separator, chunksize=max(1, _CELLS // columns), dtype=str) as reader:
        for frame in reader:
            for column, values in frame.items():
                if str(column) not in found and values.str.fullmatch(r"0[0-9]+").eq(True).any():
                    found[str(column)] = str
    file.seek(0)
    return found


def _has_codes(file: BufferedReader, name: str) -> bool:
    file.seek(0)
    found, tail, lines = False, b"", 1
    while chunk := file.read(1 << 20):
        if b"\0" in chunk:
            line = lines + chunk[: chunk.index(b"\0")].count(b"\n")
            raise DataError(f"{name} holds NUL bytes (in line {counted(line)}): it is no text.", line=line)
        found = found or _CODE.search(tail + chunk) is not None
        tail, lines = chunk[-_LONGEST_CODE:], lines + chunk.count(b"\n")
    file.seek(0)
    # The last cell ends with the file.
    return found or _CODE.search(tail + b"\n") is not None


def _reader(file: BufferedReader, separator: str, **how: Any) -> Any:
    return pd.read_csv(file, sep=separator, compression=None, encoding="utf-8-sig", low_memory=False, **how)


@contextmanager
def _as_parquet(name: str) -> Generator[None]:
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(f"{name} cannot be read as Parquet: {_first_line(error)}") from error


@contextmanager
def _as_csv(file: BufferedReader, name: str, separator: str) -> Generator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not UTF-8 text (byte {error.object[error.start]:#04x}).",
            "Read it with its encoding and train on the table:",
            f'mlops.train(pd.read_csv("{name}", encoding="latin-1"), …)',
        ) from error
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{name} is empty.") from error
    except pd.errors.ParserError as error:
        raise _torn(file, name, separator, error) from error


def _torn(file: BufferedReader, name: str, separator: str, error: Exception) -> DataError:
    """What pandas said, in our words: it counts records, which may go over several lines."""
    said = str(error)
    if (longer := _LONGER.search(said)) is not None:
        expected, record, saw = map(int, longer.groups())
        line, _ = _record(file, separator, record)
        return DataError(
            f"Line {counted(line)} of {name} has {saw} fields; the first has {expected}.",
            "Each field needs a name in the first line; a text with a separator in it stands in quotes.",
            line=line,
        )
    if (unclosed := _UNCLOSED.search(said)) is not None:
        line, found = _record(file, separator, int(unclosed[1]) + 1)
        _, names = _record(file, separator, 1)
        column = f' in "{names[len(found) - 1]}"' if line > 1 and 0 < len(found) <= len(names) else ""
        return DataError(
            f"Line {counted(line)} of {name} opens a quote{column} that is never closed.",
            "A quote within a text is written twice.",
            line=line,
        )
    return DataError(f"{name} cannot be read as CSV: {_first_line(error)}")


def _record(file: BufferedReader, separator: str, wanted: int) -> tuple[int, list[str]]:
    """The line where the record of that number begins, both counted from 1, and its fields."""
    with closing(_records(file, separator)) as records:
        line, found = next(islice(records, wanted - 1, None), (wanted, None))
    return line, found or []


def _records(file: BufferedReader, separator: str) -> Generator[tuple[int, list[str] | None]]:
    """Each record's first line and its fields, none if it is blank; one with a field that is longer than any
    may be is the last, and without them."""
    file.seek(0)
    text = TextIOWrapper(file, "utf-8-sig", "replace", newline="")
    split, line = csv.reader(text, delimiter=separator), 1
    usual = csv.field_size_limit(_LONGEST)
    try:
        for found in split:
            yield line, found
            line = split.line_num + 1
    except csv.Error:
        yield line, None
    finally:
        csv.field_size_limit(usual)
        text.detach()


def _separator(head: bytes) -> str:
    """The one that splits the header most often; a comma where nothing does."""
    header = head.split(b"\n", 1)[0].decode("utf-8", "replace")
    return max(_SEPARATORS, key=header.count)


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    frame.columns = frame.columns.map(str)
    return frame


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
