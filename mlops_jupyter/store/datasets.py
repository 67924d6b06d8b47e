"""The table of datasets, and the jobs that were trained on one. Not here: their files (``datasets``)."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.core.datasets import RegisteredDataset

log = logging.getLogger(__name__)


def all_of(db: sqlite3.Connection) -> list[RegisteredDataset]:
    """The newest first. One that is damaged, or of another version, must not hold up the others."""
    found = []
    for (body,) in db.execute("SELECT record FROM datasets ORDER BY number DESC"):
        try:
            found.append(wire.decode(body, RegisteredDataset))
        except msgspec.DecodeError as error:
            log.error("A dataset's record cannot be read (%s): %.200r", error, body)  # noqa: TRY400 - no trace
    return found


def get(db: sqlite3.Connection, dataset_id: str) -> RegisteredDataset:
    """``KeyError`` when there is none."""
    row = db.execute("SELECT record FROM datasets WHERE dataset_id=?", (dataset_id,)).fetchone()
    if row is None:
        raise KeyError(dataset_id)
    return wire.decode(row[0], RegisteredDataset)


def named(db: sqlite3.Connection, name: str) -> RegisteredDataset | None:
    row = db.execute("SELECT record FROM datasets WHERE name=?", (name,)).fetchone()
    return None if row is None else wire.decode(row[0], RegisteredDataset)


def put(db: sqlite3.Connection, dataset: RegisteredDataset) -> None:
    db.execute(
        "INSERT INTO datasets (dataset_id, name, record) VALUES (?,?,?) "
        "ON CONFLICT (dataset_id) DO UPDATE SET record=excluded.record",
        (dataset.id, dataset.name, wire.encode(dataset)),
    )


def forget(db: sqlite3.Connection, dataset_id: str) -> None:
    db.execute("DELETE FROM datasets WHERE dataset_id=?", (dataset_id,))


def jobs_of(db: sqlite3.Connection, dataset_id: str) -> list[Any]:
    """What was asked of a job names it as our encoder writes it; ids are made by us and hold no quotes."""
    asked = f'"dataset":"{dataset_id}"'.encode()
    return db.execute(
        "SELECT job_id, status, record FROM jobs WHERE instr(spec, ?) ORDER BY number DESC", (asked,)
    ).fetchall()
