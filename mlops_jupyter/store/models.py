"""The table of models: each under its name and version, and the last version that was given to a name.

Not here: which changes make sense (``registry``).
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import AmbiguousIdError
from mlops_jupyter.core.models import Model, chosen, unknown

log = logging.getLogger(__name__)


def get(db: sqlite3.Connection, model_id: str) -> Model:
    """``KeyError`` when there is none."""
    row = db.execute("SELECT record FROM models WHERE model_id=?", (model_id,)).fetchone()
    if row is None:
        raise KeyError(model_id)
    return wire.decode(row[0], Model)


def newest(db: sqlite3.Connection, limit: int) -> list[Model]:
    """The newest first."""
    return _readable(db.execute("SELECT record FROM models ORDER BY number DESC LIMIT ?", (limit,)))


def named(db: sqlite3.Connection, name: str) -> list[Model]:
    """All versions of a name, the newest first."""
    return _readable(db.execute("SELECT record FROM models WHERE name=? ORDER BY version DESC", (name,)))


def of_jobs(db: sqlite3.Connection, job_ids: Iterable[str]) -> list[Model]:
    """What these jobs made."""
    rows = (
        row
        for job_id in job_ids
        for row in db.execute("SELECT record FROM models WHERE job_id=?", (job_id,)).fetchall()
    )
    return _readable(rows)


def is_of(db: sqlite3.Connection, job_id: str) -> bool:
    """Whether this job made one that is here."""
    return db.execute("SELECT 1 FROM models WHERE job_id=?", (job_id,)).fetchone() is not None


def find(db: sqlite3.Connection, ref: str) -> Model:
    """What ``name``, ``name@3``, ``name@champion``, an id or its beginning stands for. Raises
    ``ModelNotFoundError`` and ``AmbiguousIdError``. Whole names go before everything but whole ids."""
    begun = _readable(
        db.execute(
            "SELECT record FROM models WHERE substr(model_id, 1, ?) = ? ORDER BY number DESC LIMIT 10",
            (len(ref), ref),
        )
        if ref.startswith("m-")
        else ()
    )
    if begun and begun[0].model_id == ref:
        return begun[0]
    whole, label = ref.rpartition("@")[::2]
    for name, of in ((ref, None), (whole, label)):
        if name and (last := highest(db, name)):
            return chosen(name, of, named(db, name), last)
    if len(begun) > 1:
        found = ", ".join(f"{model.model_id} ({model.label})" for model in begun)
        raise AmbiguousIdError(f'"{ref}" matches {len(begun)} models: {found}.')
    if begun:
        return begun[0]
    names = [name for (name,) in db.execute("SELECT DISTINCT name FROM models ORDER BY name")]
    raise unknown(ref, {name: named(db, name) for name in names})


def highest(db: sqlite3.Connection, name: str) -> int:
    """The last version given to a name; 0 when none was."""
    row = db.execute("SELECT highest FROM model_names WHERE name=?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def reserve(db: sqlite3.Connection, name: str, version: int) -> None:
    """Never give this version of a name, nor one before it, again."""
    db.execute(
        "INSERT INTO model_names VALUES (?1,?2) ON CONFLICT DO UPDATE SET highest=max(highest, ?2)",
        (name, version),
    )


def put(db: sqlite3.Connection, model: Model) -> None:
    """Keep a model under the version it has."""
    db.execute(
        "INSERT INTO models (model_id, job_id, name, version, record) VALUES (?,?,?,?,?) "
        "ON CONFLICT (model_id) DO UPDATE SET name=excluded.name, version=excluded.version, "
        "record=excluded.record",
        (model.model_id, model.job_id, model.name, model.version, wire.encode(model)),
    )
    reserve(db, model.name, model.version)


def forget(db: sqlite3.Connection, model_id: str) -> None:
    """Its version stays given."""
    db.execute("DELETE FROM models WHERE model_id=?", (model_id,))


def history(db: sqlite3.Connection, model_id: str) -> list[bytes]:
    """The events about a model, as they were sent, the oldest first."""
    # Word for word as the index ``OF_MODELS`` has it, or all that was ever measured would be gone through.
    rows = db.execute(
        "SELECT body FROM events WHERE type IN ('model_status', 'model_aliased', 'model_deployed') "
        "AND ?1 IN (json_extract(CAST(body AS TEXT), '$.model_id'), "
        "CASE type WHEN 'model_aliased' THEN json_extract(CAST(body AS TEXT), '$.previous') END) "
        "ORDER BY seq",
        (model_id,),
    )
    return [bytes(body) for (body,) in rows]


def _readable(rows: Iterable[tuple[bytes]]) -> list[Model]:
    """One that is damaged, or of another version, must not hold up the others."""
    found = []
    for (body,) in rows:
        try:
            found.append(wire.decode(body, Model))
        except msgspec.DecodeError as error:
            log.error("A model's record cannot be read (%s): %.200r", error, body)  # noqa: TRY400 - no trace
    return found
