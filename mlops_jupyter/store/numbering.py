"""The models of a database from before they had versions, numbered within their names by their age."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from mlops_jupyter.core import wire


def number_models(db: sqlite3.Connection) -> None:
    """Part of a migration: records are read as plain JSON, since what the structs are may change later."""
    rows = db.execute(
        "SELECT old.model_id, old.job_id, old.record, jobs.record, jobs.spec FROM old_models AS old "
        "LEFT JOIN jobs ON jobs.job_id = old.job_id"
    ).fetchall()
    found = [(_plain(record), _plain(job), _plain(spec), ids) for *ids, record, job, spec in rows]
    given: dict[str, int] = {}
    for record, job, spec, (model_id, job_id) in sorted(found, key=lambda each: str(each[0].get("created"))):
        name = str(record.get("name", model_id))
        given[name] = given.get(name, 0) + 1
        body = wire.encode(_renewed(record, job, spec, given[name]))
        db.execute(
            "INSERT INTO models (model_id, job_id, name, version, record) VALUES (?,?,?,?,?)",
            (model_id, job_id, name, given[name], body),
        )
    db.executemany("INSERT INTO model_names VALUES (?,?)", given.items())


def _renewed(
    record: dict[str, Any], job: dict[str, Any], spec: dict[str, Any], version: int
) -> dict[str, Any]:
    file = record.pop("file", {})
    submitted_by = job.get("submitted_by")
    return {
        **record,
        "version": version,
        "aliases": [],
        "parameters": job.get("parameters", {}),
        "metric": job.get("metric"),
        "score": job.get("final_score"),
        "split": _split(spec) if spec else None,
        "signature": file.get("signature", {}),
        "environment": record.pop("versions", {}),
        "provenance": {
            "job_id": record.pop("job_id", None),
            "submitted_by": submitted_by,
            "dataset": record.pop("dataset", None),
        },
        "sha256": file.get("sha256", ""),
        "size": file.get("bytes", 0),
    }


def _split(spec: dict[str, Any]) -> dict[str, Any]:
    test = spec.get("test")
    return {
        "rule": spec.get("split", "random"),
        "test_size": None if test else spec.get("test_size", 0.2),
        "test": test and (test.get("name") or "test table"),
        "cv": spec.get("cv", 5),
        "refit": spec.get("refit", False),
        "seed": spec.get("seed", 0),
    }


def _plain(body: bytes | None) -> dict[str, Any]:
    """Nothing, of what is no JSON at all: the other models must not wait for it."""
    try:
        found = msgspec.json.decode(body or b"{}")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
