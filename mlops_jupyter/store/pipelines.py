"""The rows of pipelines: each version by itself, and which of them is the newest.

Not here: who may change what, and the folders they are kept in, too (``recipes``).
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.core.pipelines import Pipeline, Revision, Version

log = logging.getLogger(__name__)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """All of a pipeline: its versions, the oldest first; ``deleted`` in seconds since 1970."""

    id: str
    versions: tuple[Version, ...]
    deleted: float | None = None

    @property
    def newest(self) -> Version:
        return self.versions[-1]

    def shown(self, version: int | None = None) -> Pipeline:
        """With the recipe of ``version``, or the newest; ``KeyError`` where there is none."""
        found = {each.version: each for each in self.versions}
        chosen = self.newest if version is None else found[version]
        revisions = tuple(
            Revision(version=v.version, name=v.name, time=v.time, by=v.by, changed=v.changed)
            for v in self.versions
        )
        return _pipeline(self.id, chosen, self.newest, self.versions[0].time, self.deleted, revisions)


class PipelineRows:
    """Reads them; inside a transaction writes them, too."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def listed(self) -> list[Pipeline]:
        """Those that are not deleted, by name, without their earlier versions."""
        rows = self._db.execute(
            "SELECT p.pipeline_id, p.deleted, last.record, first.record FROM pipelines p "
            "JOIN pipeline_versions last ON last.pipeline_id=p.pipeline_id AND last.version=p.version "
            "JOIN pipeline_versions first ON first.pipeline_id=p.pipeline_id AND first.version="
            "(SELECT min(version) FROM pipeline_versions v WHERE v.pipeline_id=p.pipeline_id) "
            "WHERE p.deleted IS NULL ORDER BY p.name"
        )
        found = []
        for pipeline_id, deleted, last, first in rows:
            try:
                newest, oldest = wire.decode(last, Version), wire.decode(first, Version)
            except msgspec.DecodeError:
                # Damaged, or of another version: it must not hold up the others.
                log.exception("Pipeline %s cannot be read", pipeline_id)
                continue
            found.append(_pipeline(pipeline_id, newest, newest, oldest.time, deleted, None))
        return found

    def kept(self, pipeline_id: str) -> Kept:
        """``KeyError`` when there is none; one that is deleted is there until it is purged."""
        row = self._db.execute("SELECT deleted FROM pipelines WHERE pipeline_id=?", (pipeline_id,)).fetchone()
        if row is None:
            raise KeyError(pipeline_id)
        versions = self._db.execute(
            "SELECT record FROM pipeline_versions WHERE pipeline_id=? ORDER BY version", (pipeline_id,)
        )
        decoded = tuple(wire.decode(body, Version) for (body,) in versions)
        return Kept(id=pipeline_id, versions=decoded, deleted=row[0])

    def heads(self) -> dict[str, int]:
        """The newest version of each, deleted ones too."""
        return dict(self._db.execute("SELECT pipeline_id, version FROM pipelines"))

    def named(self, name: str) -> str | None:
        """The id of the pipeline that is called so and not deleted."""
        row = self._db.execute(
            "SELECT pipeline_id FROM pipelines WHERE name=? AND deleted IS NULL", (name,)
        ).fetchone()
        return None if row is None else str(row[0])

    def naming(self, dataset_id: str) -> list[str]:
        """The names of those whose newest recipe is for that dataset; ids hold no quotes."""
        rows = self._db.execute(
            "SELECT p.name FROM pipelines p JOIN pipeline_versions v "
            "ON v.pipeline_id=p.pipeline_id AND v.version=p.version "
            "WHERE p.deleted IS NULL AND instr(v.record, ?) ORDER BY p.name",
            (f'"dataset":"{dataset_id}"'.encode(),),
        )
        return [str(name) for (name,) in rows]

    def count(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM pipelines").fetchone()
        return int(count)

    def add_version(self, pipeline_id: str, version: Version) -> None:
        """It is the newest from now on."""
        self._db.execute(
            "INSERT OR REPLACE INTO pipeline_versions VALUES (?,?,?)",
            (pipeline_id, version.version, wire.encode(version)),
        )
        self._db.execute(
            "INSERT INTO pipelines (pipeline_id, name, version) VALUES (?,?,?) "
            "ON CONFLICT (pipeline_id) DO UPDATE SET name=excluded.name, version=excluded.version",
            (pipeline_id, version.name, version.version),
        )

    def put_deleted(self, pipeline_id: str, deleted: float | None) -> None:
        self._db.execute("UPDATE pipelines SET deleted=? WHERE pipeline_id=?", (deleted, pipeline_id))

    def purge(self, before: float) -> list[str]:
        """Forget what was deleted before then; the ids of what is gone."""
        rows = self._db.execute("SELECT pipeline_id FROM pipelines WHERE deleted < ?", (before,)).fetchall()
        gone = [str(pipeline_id) for (pipeline_id,) in rows]
        self._remove(gone)
        return gone

    def put_kept(self, kept: Kept) -> None:
        """As its folder had it, in place of what is known of it."""
        self._remove([kept.id])
        for version in kept.versions:
            self.add_version(kept.id, version)
        self.put_deleted(kept.id, kept.deleted)

    def _remove(self, ids: Iterable[str]) -> None:
        for pipeline_id in ids:
            self._db.execute("DELETE FROM pipeline_versions WHERE pipeline_id=?", (pipeline_id,))
            self._db.execute("DELETE FROM pipelines WHERE pipeline_id=?", (pipeline_id,))


def _pipeline(
    pipeline_id: str,
    version: Version,
    newest: Version,
    created: datetime,
    deleted: float | None,
    revisions: tuple[Revision, ...] | None,
) -> Pipeline:
    return Pipeline(
        id=pipeline_id,
        name=newest.name,
        version=version.version,
        newest=newest.version,
        recipe=version.recipe,
        created=created,
        updated=newest.time,
        by=version.by,
        deleted=None if deleted is None else datetime.fromtimestamp(deleted, UTC),
        versions=revisions,
    )
