"""What can be uploaded: read as training reads it, or refused with the place and the reason."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from mlops_jupyter.core.datasets import Found, Unreadable
from mlops_jupyter.core.limits import ReadingLimits
from mlops_jupyter.executors.ingest import ingest as read_in_a_process
from mlops_jupyter.training.tabular import data
from mlops_jupyter.training.tabular.ingest import ingest


def found(path: Path) -> Found:
    told = ingest(path, path.name)
    assert isinstance(told, Found), told
    return told


def refused(path: Path) -> Unreadable:
    told = ingest(path, path.name)
    assert isinstance(told, Unreadable), told
    return told


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "columns", "first"),
    [
        (b"\xef\xbb\xbfa,b\n1,2\n", ["a", "b"], (1, 2)),
        (b"a,b\r\n1,2\r\n", ["a", "b"], (1, 2)),
        (b"a,b\r1,2\r", ["a", "b"], (1, 2)),
        (b'a,b\n"1\n2",3\n', ["a", "b"], ("1\n2", 3)),
        (b"a;b\n1;2,5\n", ["a", "b"], (1, "2,5")),
        (b"a\tb\n1\t2\n", ["a", "b"], (1, 2)),
        (b"id,n\n007,1\n010,2\n", ["id", "n"], ("007", 1)),
        (b"id,n\n12,1\n010,2\n", ["id", "n"], ("12", 1)),
        (b"t,x\n08:30,0.5\n", ["t", "x"], ("08:30", 0.5)),
        (b"a,b\n1e999,2\n", ["a", "b"], ("inf", 2)),
        (b"a,b\n-inf,inf\n1,\n", ["a", "b"], ("-inf", "inf")),
        (b"a,b\n9007199254740993,2\n", ["a", "b"], ("9007199254740993", 2)),
        (b"a,b\nNA,2\nx,3\n", ["a", "b"], (None, 2)),
        (b"a,b\nNone,2\nx,3\n", ["a", "b"], (None, 2)),
        (b"a,a\n1,2\n", ["a", "a.1"], (1, 2)),
        (b"a,,b\n1,2,3\n", ["a", "Unnamed: 1", "b"], (1, 2, 3)),
        (b"a\n1\n", ["a"], (1,)),
        ("name\nÜmlaut\n".encode(), ["name"], ("Ümlaut",)),
    ],
    ids=[
        *(
            "bom",
            "crlf",
            "cr",
            "quotes-over-lines",
            "semicolon",
            "tab",
            "zero-led",
            "zero-led-later",
            "times",
        ),
        *("1e999", "infinite", "beyond-2^53", "NA", "None", "twice", "nameless", "one-column", "umlaut"),
    ],
)
def test_the_corpus_is_previewed_as_training_reads_it(
    tmp_path: Path, content: bytes, columns: list[str], first: tuple[Any, ...]
) -> None:
    """F44."""
    path = written(tmp_path, content)
    told = found(path)
    frame = data.read(path).frame
    assert [column.name for column in told.preview.columns] == list(frame.columns) == columns
    assert told.preview.rows[0] == first
    assert [column.dtype for column in told.preview.columns] == [str(kind) for kind in frame.dtypes]
    assert (told.rows, told.columns) == frame.shape


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("a,b\n1,2\n".encode("utf-16"), None, "t.csv is UTF-16 text."),
        (b"a,b\n1,\0\n", 2, "t.csv holds NUL bytes (in line 2): it is no text."),
        (
            b"a,b\n" + b"1,2\n" * 30_000 + b"1,\0\n",
            30_002,
            "t.csv holds NUL bytes (in line 30 002): it is no text.",
        ),
        (b"a,b\n1,2\n1,2,3\n", 3, "Line 3 of t.csv has 3 fields; the first has 2."),
        (b"a,b\n1,2,3\n1,2,3,4\n", 2, "Line 2 of t.csv has 3 fields; the first has 2."),
        (b"a,b\n1,2,\n3,4,\n", 2, "Line 2 of t.csv has 3 fields; the first has 2."),
        (b"a,b\n0,1,2\n1,3,4\n", 2, "Line 2 of t.csv has 3 fields; the first has 2."),
        (b"a,b\n1,2,3,4\n", 2, "Line 2 of t.csv has 4 fields; the first has 2."),
        (b"# comment\na,b\n1,2\n", 2, "Line 2 of t.csv has 2 fields; the first has 1."),
        (b'a,b\n\n"1\r\n1",2\n1,2,3\n', 5, "Line 5 of t.csv has 3 fields; the first has 2."),
        (b'a,b\n\n"1\n1",2\n"3,4\n5,6\n', 5, 'Line 5 of t.csv opens a quote in "a" that is never closed.'),
        (
            b'a,b\n1,"' + b"3,4\n" * 50_000,
            2,
            'Line 2 of t.csv opens a quote in "b" that is never closed.',
        ),
        (
            b'a,b\n\n,\n"1\n1",' + b"x" * 200_000 + b"\n1," + b"x" * ((1 << 20) + 1),
            6,
            'Row 3 of t.csv has 1 048 577 bytes in "b"; a cell has 1 MiB at most.',
        ),
        (b"a,b\n1,2\n3,\xff\n", 3, 'Line 3 of t.csv is not UTF-8 text: byte 0xff in "b".'),
        (b"", None, "t.csv is empty."),
        (b"a,b\n", None, "t.csv has column names and no rows."),
        (b"x" * (17 << 20), None, "The first line of t.csv has more than 16 MiB"),
        (
            b",".join(b"c%d" % n for n in range(200_000)) + b"\n",
            None,
            "t.csv has 200 000 columns; 10 000 are taken.",
        ),
        (b"PK\x03\x04", None, "t.csv is a zip archive, not a table."),
    ],
    ids=[
        *("utf-16", "nul", "nul-far-down", "ragged", "ragged-twice", "separator-at-the-end", "names-of-rows"),
        *(
            "two-too-many",
            "comment",
            "ragged-below-quoted-lines",
            "open-quote",
            "long-open-quote",
            "long-cell",
        ),
        *("byte", "empty", "no-rows", "one-line", "200k", "zip"),
    ],
)
def test_what_is_refused_says_where_and_why(
    tmp_path: Path, content: bytes, line: int | None, words: str
) -> None:
    """F44."""
    told = refused(written(tmp_path, content))
    assert words in told.problem.message
    assert told.line == line


def test_kinds_of_columns_are_those_of_all_rows_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "_CELLS", 20)
    path = written(tmp_path, b"a,b\n" + b"1,2\n" * 30 + b"x,2\n")
    told = found(path)
    assert [column.dtype for column in told.preview.columns] == [str(k) for k in data.read(path).frame.dtypes]
    assert told.preview.columns[0].distinct == 2


def test_hostile_cells_and_names_are_told_as_they_are(tmp_path: Path) -> None:
    """F39, F48: as text; nothing is made of them."""
    path = written(tmp_path, b"<img src=x onerror=__pwn()>,b\n\"=cmd|'/C calc'!A0\",1\n")
    told = found(path)
    assert told.preview.columns[0].name == "<img src=x onerror=__pwn()>"
    assert told.preview.rows[0][0] == "=cmd|'/C calc'!A0"


def read(path: Path, most: ReadingLimits) -> Any:
    """What a process of its own says, that may take so much."""

    async def reading() -> Any:
        with path.open("rb") as file:
            return await read_in_a_process(file, path.name, path.parent, most)

    return asyncio.run(reading())


def bomb(path: Path) -> None:
    """A megabyte or two on disk, gigabytes of columns."""
    words = pa.table({"word": pa.array(["x" * 1000] * 20_000)})
    parquet.write_table(pa.concat_tables([words] * 100), path, compression="zstd", use_dictionary=False)


@pytest.mark.timeout(120)
def test_a_parquet_bomb_is_refused_and_the_server_does_not_grow(tmp_path: Path) -> None:
    """F46, P29."""
    path = tmp_path / "bomb.parquet"
    bomb(path)
    assert path.stat().st_size < 4 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    told = read(path, ReadingLimits())
    assert isinstance(told, Unreadable), told
    assert "unfolds to more than 1.0 GiB" in told.problem.message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 << 10
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    told = read(written(tmp_path, b"a,b\n1,2\n"), ReadingLimits(seconds=0.01))
    assert told.problem.message == "t.csv took longer than 0.01 s to be read."


def test_a_reader_that_takes_more_of_a_processor_than_it_may_is_ended(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b,c\n" + b"1.25,x,2026-01-01\n" * 2_000_000)
    told = read(path, ReadingLimits(cpu=1))
    assert told.problem.message == "t.csv took more than 1 s of a CPU to be read."


def test_a_reader_that_needs_more_memory_than_it_may_have_is_ended(tmp_path: Path) -> None:
    told = read(written(tmp_path, b"a,b\n1,2\n"), ReadingLimits(bytes=40 << 20))
    assert "40 MiB of memory" in told.problem.message


def test_parquet_is_read_with_its_kinds(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame(
        {"when": pd.date_range("2026-01-01", periods=30), "ok": [True, None] * 15, "n": range(30)}
    )
    frame.to_parquet(path)
    told = found(path)
    assert [(column.name, column.kind, column.missing) for column in told.preview.columns] == [
        ("when", "date", 0),
        ("ok", "boolean", 15),
        ("n", "number", 0),
    ]
    assert told.preview.rows[0] == ("2026-01-01T00:00:00.000Z", True, 0)
