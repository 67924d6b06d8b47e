"""Keeps pipelines: each change is a new version, and nobody's change is lost by another's.

In the store, and in a folder each (``meta.json``, and a file a version), from which a lost database is made
again. Not here: what a recipe is (``core.pipelines``), and how a job is made of it (``submissions``).
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mlops_jupyter import meta
from mlops_jupyter.core import limits, wire
from mlops_jupyter.core.assets import PipelineCreated, PipelineDeleted, PipelineUpdated
from mlops_jupyter.core.errors import (
    NameTakenError,
    NoRoom,
    PipelineChanged,
    PipelineNotFoundError,
    StoreUnavailable,
    error_for,
)
from mlops_jupyter.core.pipelines import (
    Pipeline,
    Recipe,
    Version,
    fields_changed,
    name_problem,
    source_problems,
    spec_of,
)
from mlops_jupyter.executors import second_look
from mlops_jupyter.ids import new_id
from mlops_jupyter.store import Reading, Store, Transaction
from mlops_jupyter.store.pipelines import Kept
from mlops_jupyter.training.tabular import beforehand

log = logging.getLogger(__name__)

#: Seconds after which a deleted pipeline is gone. A day is promised; a clock set a day ahead costs the
#: other one, as the time of a deletion is kept over restarts of the machine.
KEPT_SECONDS = 2 * 24 * 3600.0


class Pipelines:
    """``folder`` is where the folders of all pipelines are."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder

    async def listed(self) -> list[Pipeline]:
        """Those that are there, by name."""
        return await self._store.aread(lambda reading: reading.pipelines.listed())

    async def shown(self, pipeline_id: str, version: int | None = None) -> Pipeline:
        """One with the recipe of ``version``, or of the newest."""
        return _shown(await self._store.aread(lambda reading: _there(reading, pipeline_id)), version)

    async def create(self, name: str, recipe: Recipe, by: str) -> Pipeline:
        """A new one with this as version 1."""
        await _check(name, recipe)
        pipeline_id = new_id("p")

        def work(tx: Transaction) -> tuple[Kept, list[str]]:
            now = time.time()
            gone = tx.pipelines.purge(now - KEPT_SECONDS)
            _refuse_taken(tx, name, pipeline_id)
            if tx.pipelines.count() >= limits.PIPELINES:
                raise NoRoom(f"There are {limits.PIPELINES} pipelines already.", "Delete some of them.")
            version = Version(version=1, name=name, recipe=recipe, time=_moment(now), by=by)
            tx.pipelines.add_version(pipeline_id, version)
            told = PipelineCreated(time=version.time, id=pipeline_id, name=name, version=1, actor=by)
            tx.tell(told)
            return tx.pipelines.kept(pipeline_id), gone

        kept, gone = await self._store.awrite(work)
        await asyncio.to_thread(self._remove, gone)
        await asyncio.to_thread(self.keep, pipeline_id)
        return kept.shown()

    async def update(
        self, pipeline_id: str, basis: int, name: str | None, recipe: Recipe, by: str
    ) -> Pipeline:
        """The next version, if ``basis`` still is the newest; what changes nothing makes none."""
        before = await self.shown(pipeline_id)
        await _check(before.name if name is None else name, recipe)

        def work(tx: Transaction) -> Kept:
            kept = _there(tx, pipeline_id)
            newest = kept.newest
            if newest.version != basis:
                raise _stale(newest, basis)
            called = newest.name if name is None else name
            fields = ("name",) * (called != newest.name) + fields_changed(newest.recipe, recipe)
            if not fields:
                return kept
            _refuse_taken(tx, called, pipeline_id)
            if newest.version >= limits.VERSIONS:
                raise NoRoom(f"A pipeline has at most {limits.VERSIONS} versions.", "Duplicate it.")
            version = Version(
                version=newest.version + 1,
                name=called,
                recipe=recipe,
                time=_moment(time.time()),
                by=by,
                changed=fields,
            )
            tx.pipelines.add_version(pipeline_id, version)
            tx.tell(
                PipelineUpdated(
                    time=version.time,
                    id=pipeline_id,
                    name=called,
                    version=version.version,
                    actor=by,
                    changed_fields=fields,
                )
            )
            return tx.pipelines.kept(pipeline_id)

        kept = await self._store.awrite(work)
        await asyncio.to_thread(self.keep, pipeline_id)
        return kept.shown()

    async def delete(self, pipeline_id: str, by: str) -> Pipeline:
        """It is kept for a day, for who wants it back."""

        def work(tx: Transaction) -> Kept:
            now, kept = time.time(), _there(tx, pipeline_id)
            tx.pipelines.put_deleted(pipeline_id, now)
            newest = kept.newest
            tx.tell(
                PipelineDeleted(
                    time=_moment(now), id=pipeline_id, name=newest.name, version=newest.version, actor=by
                )
            )
            return tx.pipelines.kept(pipeline_id)

        kept = await self._store.awrite(work)
        await asyncio.to_thread(self.keep, pipeline_id)
        return kept.shown()

    async def restore(self, pipeline_id: str, by: str) -> Pipeline:
        """One that was deleted in the last day is there again; one that is there stays as it is."""

        def work(tx: Transaction) -> Kept:
            now = time.time()
            kept = _known(tx, pipeline_id)
            if kept.deleted is None:
                return kept
            if kept.deleted < now - KEPT_SECONDS:
                raise PipelineNotFoundError(f'pipeline "{kept.newest.name}" was deleted for good.')
            newest = kept.newest
            _refuse_taken(tx, newest.name, pipeline_id)
            tx.pipelines.put_deleted(pipeline_id, None)
            tx.tell(
                PipelineCreated(
                    time=_moment(now),
                    id=pipeline_id,
                    name=newest.name,
                    version=newest.version,
                    actor=by,
                    restored=True,
                )
            )
            return tx.pipelines.kept(pipeline_id)

        kept = await self._store.awrite(work)
        await asyncio.to_thread(self.keep, pipeline_id)
        return kept.shown()

    def keep(self, pipeline_id: str) -> None:
        """Write what the store says of it into its folder, and what it says meanwhile, too. Blocks; a disk
        that refuses costs nothing as long as there is a database."""
        folder, written = self._folder / pipeline_id, None
        try:
            while (kept := self._store.read(lambda reading: reading.pipelines.kept(pipeline_id))) != written:
                _write(folder, kept)
                written = kept
        except (OSError, StoreUnavailable) as error:
            log.info("Pipeline %s is in the database only: %s", pipeline_id, error)
        except KeyError:
            self._remove([pipeline_id])

    def _remove(self, ids: list[str]) -> None:
        for pipeline_id in ids:
            shutil.rmtree(self._folder / pipeline_id, ignore_errors=True)


def lost(folder: Path, found: Reading) -> Iterator[Callable[[Transaction], bool]]:
    """The work that brings back each pipeline whose folder has versions that were not ``found``."""
    heads = found.pipelines.heads()
    for path, told in meta.below(folder, _Meta):
        kept = _read(path, told)
        if kept is not None and kept.newest.version > heads.get(kept.id, 0):
            yield _putting(kept)


class _Meta(msgspec.Struct, frozen=True, kw_only=True):
    """``meta.json``: what is no version's."""

    id: str
    newest: int
    deleted: float | None


def _write(folder: Path, kept: Kept) -> None:
    there = {path.name for path in folder.glob("*.json")}
    for version in kept.versions:
        # A version is never changed: who finds its file need not write it again.
        if f"{version.version}.json" not in there:
            meta.write(folder, f"{version.version}.json", wire.encode(version))
    told = _Meta(id=kept.id, newest=kept.newest.version, deleted=kept.deleted)
    meta.write(folder, "meta.json", wire.encode(told))


def _read(folder: Path, told: _Meta) -> Kept | None:
    """None for what is not, or no more, to be brought back."""
    try:
        files = sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal())
        versions = tuple(wire.decode((folder / f"{n}.json").read_bytes(), Version) for n in files)
    except (OSError, ValueError) as error:
        log.warning("Pipeline %s cannot be brought back: %s", folder.name, error)
        return None
    now = time.time()
    over = told.deleted is not None and told.deleted < now - KEPT_SECONDS
    if told.id != folder.name or not versions or over:
        return None
    return Kept(id=told.id, versions=versions, deleted=told.deleted)


def _putting(kept: Kept) -> Callable[[Transaction], bool]:
    def work(tx: Transaction) -> bool:
        # Another server may have been quicker.
        if tx.pipelines.heads().get(kept.id, 0) >= kept.newest.version:
            return False
        tx.pipelines.put_kept(kept)
        return True

    return work


async def _check(name: str, recipe: Recipe) -> None:
    """Raises all that stands against a recipe before anybody has a table. Parameters are checked against
    their class, which the server imports in no process of its own."""
    spec = spec_of(recipe, name)
    unfit = name_problem(name)
    problems = [*([] if unfit is None else [unfit]), *source_problems(recipe), *limits.problems(spec)]
    if not problems:
        searched = recipe.params or recipe.grid
        problems = beforehand.without_classes(spec)
        if searched and not problems:
            problems = await second_look.problems(spec, "beforehand")
    if problems:
        # A pipeline's name is a job's, too: what is too long of one is said once.
        raise error_for(list(dict.fromkeys(problems)))


def _known(reading: Reading, pipeline_id: str) -> Kept:
    try:
        return reading.pipelines.kept(pipeline_id)
    except KeyError as error:
        raise PipelineNotFoundError(
            f'no pipeline "{pipeline_id}".', code="List: mlops.pipelines()"
        ) from error


def _there(reading: Reading, pipeline_id: str) -> Kept:
    kept = _known(reading, pipeline_id)
    if kept.deleted is not None:
        message = f'pipeline "{kept.newest.name}" was deleted.'
        raise PipelineNotFoundError(message, "For a day it can be restored.")
    return kept


def _shown(kept: Kept, version: int | None) -> Pipeline:
    try:
        return kept.shown(version)
    except KeyError as error:
        newest = kept.newest
        raise PipelineNotFoundError(
            f'pipeline "{newest.name}" has no version {version}.', f"Its newest is {newest.version}."
        ) from error


def _refuse_taken(tx: Transaction, name: str, pipeline_id: str) -> None:
    if tx.pipelines.named(name) not in (None, pipeline_id):
        raise NameTakenError(
            f'there is a pipeline "{name}" already.', "Choose another name, or change that one."
        )


def _stale(newest: Version, basis: int) -> PipelineChanged:
    error = PipelineChanged(
        f'pipeline "{newest.name}" is at version {newest.version}, and these changes were made to {basis}.',
        f"{newest.by} changed {', '.join(newest.changed) or 'it'} meanwhile: look at it, and change that.",
    )
    error.current = newest.version
    return error


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(round(now, 3), UTC)
