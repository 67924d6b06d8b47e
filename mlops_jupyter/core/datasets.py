"""What is known of datasets, of their versions and of uploads that become one.

A version is content: the same bytes under the same name are no second one. Not here: which dataset a job
used (``jobs.Dataset``), and where files are (``datasets``, ``uploads``).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from mlops_jupyter.core.errors import DatasetNotFoundError, InputError, Problem, did_you_mean
from mlops_jupyter.core.jobs import Finding
from mlops_jupyter.core.limits import NAME

#: As JSON has it.
Cell = str | int | float | bool | None
Kind = Literal["number", "category", "text", "boolean", "date", "empty"]
UploadState = Literal["open", "reading", "completed", "failed"]


class DatasetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One content of a dataset. ``path`` is where a file registered in place is; null for one that is kept
    by the server. ``filename`` is what it was called where it came from, ``url`` from where it was fetched,
    without what may be a signature."""

    version: int
    sha256: str
    bytes: int
    rows: int
    columns: int
    format: Literal["csv", "parquet"]
    filename: str
    created: datetime
    created_by: str
    path: str | None = None
    url: str | None = None
    upload_id: str | None = None


class RegisteredDataset(msgspec.Struct, frozen=True, kw_only=True):
    """A name and its versions, the oldest first; there is one at least."""

    id: str
    name: str
    versions: tuple[DatasetVersion, ...]

    @property
    def newest(self) -> DatasetVersion:
        return self.versions[-1]

    def version(self, number: int | None) -> DatasetVersion:
        """That one, or the newest; ``KeyError`` when there is none of that number."""
        if number is None:
            return self.newest
        for version in self.versions:
            if version.version == number:
                return version
        raise KeyError(number)

    def holding(self, sha256: str) -> DatasetVersion | None:
        """The version with this content, if there is one."""
        return next((each for each in self.versions if each.sha256 == sha256), None)


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file on its way in: body of ``GET uploads/{id}``. ``offset`` bytes of it are here.

    Once over, ``dataset_id`` and ``version`` say what it became, or ``problem`` and ``line`` why not."""

    upload_id: str
    name: str
    filename: str
    bytes: int
    offset: int
    state: UploadState
    started: datetime
    by: str
    sha256: str | None = None
    dataset_id: str | None = None
    version: int | None = None
    problem: Problem | None = None
    line: int | None = None


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """``counts`` of the values between each two ``edges``; dates are in seconds since 1970."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Top(msgspec.Struct, frozen=True, kw_only=True):
    """A value, and how many rows have it."""

    value: Cell
    count: int


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What a column holds. ``missing`` and ``distinct`` count rows and values; ``top`` has all values where
    there are 20 at most, as a target's classes, else the three most frequent; null for other numbers."""

    name: str
    kind: Kind
    dtype: str
    missing: int
    distinct: int
    histogram: Histogram | None
    top: tuple[Top, ...] | None
    warnings: tuple[str, ...]


class SuggestedTarget(msgspec.Struct, frozen=True, kw_only=True):
    """The column that is probably to be predicted, and why."""

    name: str
    reason: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Body of ``GET datasets/{id}/preview``: the worst ``problems`` first; ``rows`` are the first ones.

    Columns are described by ``profiled_rows`` of them, the first ones where the table is very long."""

    columns: tuple[ColumnProfile, ...]
    rows: tuple[tuple[Cell, ...], ...]
    problems: tuple[Finding, ...]
    suggested_target: SuggestedTarget | None
    profiled_rows: int


class Found(msgspec.Struct, frozen=True, kw_only=True, tag="found"):
    """A table was read to its end."""

    rows: int
    columns: int
    format: Literal["csv", "parquet"]
    preview: Preview


class Unreadable(msgspec.Struct, frozen=True, kw_only=True, tag="unreadable"):
    """It is none, and why; ``line`` where that is known, counted from 1."""

    problem: Problem
    line: int | None = None


Reading = Found | Unreadable


def chosen(ref: str, known: Sequence[RegisteredDataset]) -> tuple[RegisteredDataset, DatasetVersion]:
    """What ``name``, ``name@3``, an id or a unique beginning of one stands for, the newest version where none
    is said; ``DatasetNotFoundError`` names what is close."""
    named, _, label = ref.rpartition("@") if "@" in ref else (ref, "", "")
    found = [each for each in known if named in (each.name, each.id)]
    if not found and named.startswith("d-"):
        found = [each for each in known if each.id.startswith(named)]
    if len(found) != 1:
        message = f'"{ref}" is no dataset.' if not found else f'"{ref}" matches {len(found)} datasets.'
        hint = did_you_mean(named, [each.name for each in known])
        raise DatasetNotFoundError(message, hint, "List: mlops.datasets()")
    (dataset,) = found
    try:
        return dataset, dataset.version(int(label) if label else None)
    except (KeyError, ValueError) as error:
        raise DatasetNotFoundError(
            f'{dataset.name} has no version "{label}".', f"It has 1 to {dataset.newest.version}."
        ) from error


def checked_name(name: str) -> str:
    """``name`` as a dataset may be called; ``InputError`` says why not. It never becomes a path."""
    name = name.strip()
    if not name or len(name) > NAME:
        raise InputError(f"A dataset's name has 1 to {NAME} characters.")
    if "@" in name or any(unicodedata.category(letter)[0] == "C" for letter in name):
        raise InputError(
            f"{name!r} cannot be a dataset's name.",
            'It holds no "@", which is for versions, and is one line.',
        )
    return name
