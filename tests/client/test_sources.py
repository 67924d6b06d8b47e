"""What a word for a table stands for: a file, a dataset, or something close to one of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops_jupyter.client.sources import found
from mlops_jupyter.core.datasets import DatasetVersion, RegisteredDataset
from mlops_jupyter.core.errors import DatasetNotFoundError
from mlops_jupyter.core.jobs import Source


def a_dataset(name: str, versions: int) -> RegisteredDataset:
    made = [
        DatasetVersion(
            version=number,
            sha256=f"{number}",
            bytes=1,
            rows=1,
            columns=1,
            format="csv",
            filename="a.csv",
            created=datetime(2026, 1, 1, tzinfo=UTC),
            created_by="ada",
        )
        for number in range(1, versions + 1)
    ]
    return RegisteredDataset(id=f"d-{name}", name=name, versions=tuple(made))


KNOWN = (a_dataset("customers", 2), a_dataset("orders", 1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("customers.csv", "sales.parquet", "notes.txt"):
        (tmp_path / name).touch()
    return tmp_path


def test_a_file_comes_first_then_a_dataset_by_name_version_or_id(folder: Path) -> None:
    def unasked() -> tuple[RegisteredDataset, ...]:
        raise AssertionError("a file needs no server")

    path = folder / "customers.csv"
    assert found("customers.csv", folder, unasked) == Source(path=str(path), name="customers.csv")
    newest = Source(dataset="d-customers", version=2, name="customers")
    assert [found(ref, folder, lambda: KNOWN) for ref in ("customers", "customers@2", "d-cus")] == 3 * [
        newest
    ]
    assert found(path, Path("/nowhere"), unasked).path == str(path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("custmers.csv", 'Close: ./customers.csv, dataset "customers" (v2)'),
        ("custmers", 'Close: ./customers.csv, dataset "customers" (v2)'),
        ("oders@3", 'Close: dataset "orders" (v1)'),
        ("zzz.csv", "Files there: customers.csv, sales.parquet"),
    ],
)
def test_what_is_neither_names_what_is_close(folder: Path, name: str, hint: str) -> None:
    with pytest.raises(DatasetNotFoundError) as refused:
        found(name, folder, lambda: KNOWN)
    message = f'"{name}" is neither a file in the notebook\'s folder nor an uploaded dataset.'
    assert str(refused.value) == f"{message}\n{hint}"
