"""Tables are read from files we open ourselves, or refused with the reason."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from mlops_jupyter.core.errors import DataError, DatasetNotFoundError
from mlops_jupyter.training.tabular import data

TABLE = pd.DataFrame({"name": ["Åse", "Bo"], "age": [31, 42]})


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_is_read_whatever_separates_its_columns(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "people.csv"
    TABLE.to_csv(path, sep=separator, index=False)
    table = data.read(path)
    pd.testing.assert_frame_equal(table.frame, TABLE)
    assert (table.name, table.separator) == ("people.csv", separator)


def test_the_mark_that_spreadsheets_put_first_is_no_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    TABLE.to_csv(path, index=False, encoding="utf-8-sig")
    assert list(data.read(path).frame.columns) == ["name", "age"]


def test_parquet_is_known_by_its_bytes_and_keeps_a_named_index(tmp_path: Path) -> None:
    path = tmp_path / "input"
    TABLE.set_index("name").to_parquet(path)
    table = data.read(path, "people")
    pd.testing.assert_frame_equal(table.frame, TABLE)
    assert (table.name, table.separator) == ("people", None)


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"a,b\n1,2\n")
    assert data.read(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("cells", [4, 4_000_000], ids=["in turn", "at once"])
def test_a_glance_goes_through_the_table_and_keeps_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    monkeypatch.setattr(data, "_CELLS", cells)
    table = pd.DataFrame(
        {"name": ["Åse", "Bo", "Eva"], "age": [31, 42, None], "code": ["1", "2", "x"], "note": [None] * 3}
    )
    csv, parquet = tmp_path / "people.csv", tmp_path / "people.parquet"
    table.to_csv(csv, index=False)
    table.to_parquet(parquet)
    for path in (csv, parquet):
        seen = data.glance(path, ["code", "age", "aeg"])
        assert seen.columns == ("name", "age", "code", "note")
        assert set(seen.values) == {"code", "age"}
        for name, values in seen.values.items():
            pd.testing.assert_series_equal(values, data.read(path).frame[name])
        assert seen.empty == {"note"}
        assert data.columns(path) == seen.columns


def test_a_glance_finds_structures_where_values_are_needed(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    TABLE.assign(tags=[["a"], ["b"]], raw=[b"a", b"b"]).to_parquet(path)
    assert data.glance(path, []).unlearnable == {"tags": "ndarrays", "raw": "bytes"}


def test_a_table_without_rows_has_columns(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name,age\n")
    seen = data.glance(path, ["age"])
    assert (seen.columns, len(seen.values["age"]), seen.empty) == (("name", "age"), 0, frozenset())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "people.csv is empty."),
        ("name;age\nÅse;3\n".encode("latin-1"), "people.csv is not UTF-8 text (byte 0xc5)."),
        (b"a,b\n1,2\n1,2,3\n", "Line 3 of people.csv has 3 fields; the first has 2."),
        (b"a,b\n1,2,\n3,4,\n", "Line 2 of people.csv has 3 fields; the first has 2."),
        (b"a,b\n0,1,2\n1,3,4\n", "Line 2 of people.csv has 3 fields; the first has 2."),
        (b"a,b\n1,2,3,4\n", "Line 2 of people.csv has 4 fields; the first has 2."),
        (b"# comment\na,b\n1,2\n", "Line 2 of people.csv has 2 fields; the first has 1."),
        (b'a,b\n1,2\n"3,4\n5,6\n', 'Line 3 of people.csv opens a quote in "a" that is never closed.'),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "people.csv is a gzip archive, not a table."),
        (b"PAR1 but no more", "people.csv cannot be read as Parquet:"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    for whole in (True, False):
        with pytest.raises(DataError) as refused:
            data.read(path) if whole else data.glance(path, [])
        assert refused.value.message.startswith(message)


@pytest.mark.parametrize("first", ["PK", "BZ"])
def test_a_column_may_be_called_as_an_archive_begins(tmp_path: Path, first: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"{first},b\n1,2\n")
    assert list(data.read(path).frame.columns) == [first, "b"]


def test_of_several_columns_of_the_targets_name_a_glance_sees_the_first(tmp_path: Path) -> None:
    """What is wrong with that is said by the checks: pandas says it in words for its own users."""
    path = tmp_path / "people.parquet"
    parquet.write_table(pa.table([[1, 2], [3, 4], [5, 6]], names=["y", "a", "y"]), path)
    seen = data.glance(path, ["y"])
    assert seen.columns == ("y", "a", "y")
    assert list(seen.values["y"]) == [1, 2]


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError):
        data.read(tmp_path / "gone.csv")


def test_addresses_are_only_names_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetNotFoundError):
        data.read(Path("http://127.0.0.1:9/people.csv"))


@pytest.mark.parametrize(
    ("content", "times"),
    [
        (b"when,x\n" + b"2024-01-02,0.5\n" * 200_000, 1),
        (b"when,x,code\n" + b"2024-01-02,0.5,7\n" * 200_000 + b"2024-01-02,0.5,007", 2),
        # Across two reads of 1 MiB.
        (b"x,code\n" + b"1" * ((1 << 20) - 10) + b",007\n", 2),
    ],
    ids=["numbers and dates", "a code at the end", "a code across two reads"],
)
def test_only_what_may_hold_codes_is_gone_through_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, times: int
) -> None:
    """A second time costs as much as the first."""
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    read, reads = pd.read_csv, []
    monkeypatch.setattr(pd, "read_csv", lambda *args, **how: reads.append(how) or read(*args, **how))
    frame = data.read(path).frame
    assert len([how for how in reads if "nrows" not in how]) == times
    if times == 2:
        assert frame["code"].iloc[-1] == "007"
