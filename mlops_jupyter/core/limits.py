"""How much of anything one user can make a server keep. docs/API.md has the same numbers in one table.

Not here: what happens in a fit or in the stream when a limit is met; each is enforced where it grows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from mlops_jupyter.core.errors import Problem
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.core.wire import DEPTH

#: Bytes of a JSON body.
BODY = 1 << 20
#: Bytes of a request to predict, and its rows.
PREDICT_BODY, PREDICT_ROWS = 16 << 20, 100_000
#: Characters of names: job, table, column, metric, model, parameter. Of a path, what Linux takes.
NAME, PATH = 256, 4096
#: Entries of ``params`` and of ``grid``, and combinations a grid may have: each is a candidate in the record.
PARAMETERS, COMBINATIONS = 1000, 1000
#: Seconds a job may take, at least.
LEAST_TIMEOUT = 1.0
#: Jobs that wait for their place.
QUEUED = 1000
#: Pipelines, those that were deleted in the last day included, and versions of one.
PIPELINES, VERSIONS = 1000, 1000
#: Inputs that no job has taken yet: how many, bytes of one and of all. So much of the disk stays free.
INPUTS, INPUT_BYTES, INPUTS_BYTES = 100, 2 << 30, 20 << 30
FREE_BYTES = 1 << 30
#: Of one file that is uploaded; of all datasets and uploads together; uploads of one user that are not over.
UPLOAD_BYTES, DATASETS_BYTES, UPLOADS = 5 << 30, 20 << 30, 4


class UploadLimits(NamedTuple):
    """Those of uploads that an administrator may change: bytes of one file, and of all datasets and uploads
    together; uploads of one user that are not over."""

    file: int = UPLOAD_BYTES
    all: int = DATASETS_BYTES
    open: int = UPLOADS


#: Bytes a client sends at once, what it halves that to where a proxy takes less, and the most it may send.
CHUNK, LEAST_CHUNK, MOST_CHUNK = 4 << 20, 256 << 10, 64 << 20
#: Of a table that becomes a dataset: columns, bytes of a cell, and of all its columns as read from Parquet:
#: so many times the file's, or so many where that is more.
COLUMNS, CELL, DECODED_RATIO, DECODED_BYTES = 10_000, 1 << 20, 200, 1 << 30
#: What the process that reads it may take: bytes, seconds of one CPU, seconds.
READING_BYTES, READING_CPU, READING_SECONDS = 4 << 30, 120, 300


class ReadingLimits(NamedTuple):
    """Those of the process that reads or fetches a file, which an administrator may change: bytes of memory,
    seconds of one CPU, seconds."""

    bytes: int = READING_BYTES
    cpu: int = READING_CPU
    seconds: float = READING_SECONDS


def told_bytes(size: int) -> str:
    """As people are told of a limit."""
    if size >= 1 << 30:
        return f"{size / (1 << 30):.4g} GiB"
    return f"{size / (1 << 20):.4g} MiB" if size >= 1 << 20 else f"{size} bytes"


#: What a job may tell: metrics, points of all of them, bytes of its journal, findings. The fit goes on.
METRICS, POINTS, JOURNAL_BYTES, FINDINGS = 10_000, 10_000_000, 1 << 30, 1000


def too_short(timeout: float | None) -> list[Problem]:
    """What stands against a timeout that no training keeps."""
    if timeout is None or timeout >= LEAST_TIMEOUT:
        return []
    message = f"timeout={timeout:g} leaves no time to train."
    return [Problem(error="OptionError", message=message, hint="Seconds, e.g. timeout=3600.")]


def problems(spec: JobSpec) -> list[Problem]:
    """What of a submission is too long, too short or names nothing; tables are looked for."""
    too_long = [
        f"{what} is longer than {most} {unit}." for what, size, most, unit in _sizes(spec) if size > most
    ]
    nowhere = [
        f"{what} is no path: it holds a NUL."
        for what, place in (("interpreter", spec.interpreter), ("cwd", spec.cwd))
        if "\0" in (place or "")
    ]
    said = [Problem(error="OptionError", message=message) for message in (*too_long, *nowhere)]
    return [*too_short(spec.timeout), *said]


def _sizes(spec: JobSpec) -> Iterator[tuple[str, int, int, str]]:
    grid = spec.grid or {}
    names = {
        "name": spec.name,
        "target": spec.target,
        "model": spec.model,
        "metric": spec.metric,
        "split": spec.split,
        "data.name": spec.data.name,
        "test.name": None if spec.test is None else spec.test.name,
        **{f"the column {column[:20]!r}… in drop": column for column in spec.drop},
        **{f"the parameter {name[:20]!r}…": name for name in (*spec.params, *grid)},
    }
    for what, name in names.items():
        yield what, len(name or ""), NAME, "characters"
    places = {
        "data.path": spec.data.path,
        "test.path": None if spec.test is None else spec.test.path,
        "interpreter": spec.interpreter,
        "cwd": spec.cwd,
    }
    for what, place in places.items():
        yield what, len((place or "").encode("utf-8", "replace")), PATH, "bytes"
    yield "params", len(spec.params), PARAMETERS, "entries"
    yield "grid", len(grid), PARAMETERS, "entries"
    size = math.prod(len(values) for values in grid.values())
    yield "grid", size, COMBINATIONS, "combinations"
    for what, values in (("params", spec.params), ("grid", grid)):
        yield what, _depth(values), DEPTH, "levels"


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0) if isinstance(value, dict | list) else 0
