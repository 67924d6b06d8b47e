"""Reads a file that somebody uploaded, in a process that may take little: is it a table, and how large?

It comes as this process's stdin, its name as argument; what was found goes to stdout. Read as training reads
it (``data``). Not here: who starts it and waits for it (``executors.ingest``).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mlops_jupyter.core import limits, wire
from mlops_jupyter.core.datasets import Found, Unreadable
from mlops_jupyter.core.errors import DataError, MlopsError
from mlops_jupyter.training.processes import limit_reader
from mlops_jupyter.training.tabular import data
from mlops_jupyter.training.tabular.profile import profile
from mlops_jupyter.training.tabular.wording import counted

#: Cells by which columns are described.
PROFILED = 10_000_000
#: Bytes that the names of all columns take at most.
FIRST_LINE = 16 << 20
_STDIN = Path("/proc/self/fd/0")


def ingest(path: Path, name: str, memory: int = limits.READING_BYTES) -> Found | Unreadable:
    """What ``path`` holds, or why it cannot be a dataset; ``memory`` is what this process may take."""
    try:
        return _found(path, name)
    except MemoryError:
        most = limits.told_bytes(memory)
        error = DataError(f"{name} needs more than {most} of memory to be read.", "Upload fewer rows.")
        return Unreadable(problem=error.problems[0])
    except MlopsError as error:
        return _placed(error, path, name)


def _found(path: Path, name: str) -> Found:
    _check_first_line(path, name)
    kind, names = data.header(path, name)
    _check_columns(len(names), name)
    for position, column in enumerate(names, 1):
        if len(column) > limits.NAME:
            raise DataError(
                f"The name of column {position} has {counted(len(column))} characters; "
                f"{limits.NAME} are taken."
            )
    rows = 0
    kept: list[pd.DataFrame] = []
    for frame in data.parts(path, name, _budget(path)):
        _check_cells(frame, rows, path, name)
        if rows * len(names) < PROFILED:
            kept.append(frame)
        rows += len(frame)
    if not rows:
        raise DataError(f"{name} has column names and no rows.")
    preview = profile(_together(kept, path, name), rows)
    return Found(rows=rows, columns=len(names), format=kind, preview=preview)


def _together(kept: list[pd.DataFrame], path: Path, name: str) -> pd.DataFrame:
    """Rows that look like numbers, others that do not: the kind of a column is that of all of them."""
    whole = pd.concat(kept, ignore_index=True) if len(kept) > 1 else kept[0]
    mixed = [str(n) for n in whole.columns if len({frame.dtypes[n] for frame in kept}) > 1]
    if mixed:
        for column, values in data.glance(path, mixed, name).values.items():
            whole[column] = values.head(len(whole)).to_numpy()
    return whole


def _check_first_line(path: Path, name: str) -> None:
    """Before pandas makes a column of each of its fields, 5 000 a second."""
    with path.open("rb") as file:
        first = file.readline(FIRST_LINE + 1)
    if first.startswith(b"PAR1"):
        return
    if len(first) > FIRST_LINE:
        most = FIRST_LINE >> 20
        raise DataError(f"The first line of {name} has more than {most} MiB: it holds no column names.")
    if b"\0" not in first:
        _check_columns(len(data.fields(first)), name)


def _check_columns(number: int, name: str) -> None:
    if number > limits.COLUMNS:
        raise DataError(f"{name} has {counted(number)} columns; {counted(limits.COLUMNS)} are taken.")


def _budget(path: Path) -> int:
    """Bytes of columns a Parquet file may unfold to: what is far smaller on disk is made to fill memory."""
    return max(limits.DECODED_BYTES, limits.DECODED_RATIO * path.stat().st_size)


def _check_cells(frame: pd.DataFrame, before: int, path: Path, name: str) -> None:
    for column, values in _texts(frame):
        long = values.str.len() * 4 > limits.CELL
        for index in values.index[long.fillna(False).to_numpy(dtype=bool)]:
            size = len(str(values.loc[index]).encode("utf-8", "replace"))
            if size > limits.CELL:
                row = before + int(index) + 1
                where = f'Row {counted(row)} of {name} has {counted(size)} bytes in "{column}"'
                raise DataError(
                    f"{where}; a cell has {limits.CELL >> 20} MiB at most.", line=data.line_of(path, row)
                )


def _texts(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    for position, column in enumerate(frame.columns):
        values = frame.iloc[:, position]
        if pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values):
            known = values[values.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)]
            if len(known):
                yield str(column), known


def _placed(error: MlopsError, path: Path, name: str) -> Unreadable:
    """With the line, and the column where one can be named."""
    (problem, *_) = error.problems
    if isinstance(error.__cause__, UnicodeDecodeError):
        line, column, byte = data.undecodable(path)
        message = f"Line {counted(line)} of {name} is not UTF-8 text: byte {byte:#04x}"
        message += f' in "{column}".' if column else "."
        hint = (
            'Save it as UTF-8, or upload the table: mlops.datasets.upload(pd.read_csv(…, encoding="latin-1"))'
        )
        return Unreadable(problem=DataError(message, hint).problems[0], line=line)
    return Unreadable(problem=problem, line=error.line if isinstance(error, DataError) else None)


def main() -> None:
    """Bounded before anything of the file is looked at; what is over a limit ends this process alone."""
    name, size, cpu = sys.argv[1:]
    limit_reader(int(size), int(cpu))
    sys.stdout.buffer.write(wire.encode(ingest(_STDIN, name, int(size))))


if __name__ == "__main__":
    main()
