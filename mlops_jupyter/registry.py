"""Changes what is registered: aliases move, models are retired, brought back and deleted.

Each is one transaction with its events. Not here: how a model is registered (``intake``, with its job's end)
and what people call it by (``core.models``).
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from mlops_jupyter.core.assets import ModelAliased, ModelDeleted, ModelStatus
from mlops_jupyter.core.errors import ModelNotFoundError, ModelStateError
from mlops_jupyter.core.models import LIVE, Model, ModelState, check_alias
from mlops_jupyter.records import DELETED, Records
from mlops_jupyter.shelves import Shelves
from mlops_jupyter.store import Reading, Store, Transaction

#: Aliases one model may have.
ALIASES = 20


class Registry:
    """``jobs`` is where the folders of all jobs are, in which models have their files."""

    def __init__(self, store: Store, records: Records, shelves: Shelves, jobs: Path) -> None:
        self._store = store
        self._records = records
        self._shelves = shelves
        self._jobs = jobs

    async def change(
        self,
        model_id: str,
        by: str,
        *,
        give: Sequence[str] = (),
        take: Sequence[str] = (),
        retired: bool | None = None,
    ) -> Model:
        """``give`` aliases to a model, whoever has them, ``take`` some from it, retire it or bring it back:
        all of it or nothing."""
        touched = {model_id}

        def work(tx: Transaction) -> Model:
            now = datetime.now(UTC)
            for alias in take:
                touched.update(_take(tx, _known(tx, model_id), alias, by, now))
            for alias in give:
                touched.update(_give(tx, _known(tx, model_id), alias, by, now))
            model = _known(tx, model_id)
            if retired is not None and retired != (model.status == "retired"):
                return self.turn(tx, model, "retired" if retired else "registered", by, now)
            return model

        model = await self._store.awrite(work)
        for each in touched:
            await asyncio.to_thread(self._shelves.keep, each)
        return model

    def turn(
        self,
        tx: Transaction,
        model: Model,
        status: ModelState,
        by: str | None,
        now: datetime,
        why: str | None = None,
    ) -> Model:
        """Give a model another status, and tell, with ``why`` it failed; ``kept`` is to follow once it is
        committed."""
        if status == "retired" and model.status in LIVE:
            raise ModelStateError(
                f"{model.label} is {model.status}: it cannot be retired.", "Undeploy it first."
            )
        tx.tell(
            ModelStatus(
                time=now,
                model_id=model.model_id,
                name=model.name,
                version=model.version,
                previous=model.status,
                status=status,
                by=by,
                why=why,
            )
        )
        model = replace(model, status=status)
        tx.put_model(model)
        return model

    async def kept(self, model_id: str) -> None:
        """The folder of a model that was changed says so, too."""
        await asyncio.to_thread(self._shelves.keep, model_id)

    async def delete(self, model_id: str, by: str) -> None:
        """Its record and its file are gone; ``ModelStateError`` while it is needed. Its job stays and says
        so, its version is never given again."""

        now = datetime.now(UTC)

        def work(tx: Transaction) -> tuple[Model, str]:
            model = _known(tx, model_id)
            if model.status in LIVE:
                raise ModelStateError(
                    f"{model.label} is {model.status}: it cannot be deleted.", "Undeploy it first."
                )
            _leave_endpoint(tx, model)
            why = f"{model.label} was deleted by {by} on {now:%Y-%m-%d}."
            told = ModelDeleted(
                time=now,
                model_id=model_id,
                name=model.name,
                version=model.version,
                by=by,
                job_id=model.job_id,
                job=tx.delete_model(model, why),
            )
            tx.tell(told)
            return model, why

        model, why = await self._store.awrite(work)
        await asyncio.to_thread(self._remove, model, why)

    def _remove(self, model: Model, why: str) -> None:
        """In this order: what is cut off in between is done again by ``tidy``, and a database that is lost
        meanwhile is never told of a model without a file."""
        self._records.keep(model.job_id)
        self._shelves.bury(model, why)
        folder = self._jobs / model.job_id
        # Of a job that was deleted the model was all that was left.
        whole = (folder / DELETED).exists()
        shutil.rmtree(folder if whole else folder / "model", ignore_errors=True)

    async def tidy(self) -> None:
        """Once the store works: folders of models that have none, and deletions that were cut off."""
        await asyncio.to_thread(self._tidy)

    def _tidy(self) -> None:
        # Before the database is asked: what is registered meanwhile is in no folder that was seen.
        shelved = {each.model.model_id: each for each in self._shelves.all()}
        known = {model.model_id for model in self._store.read(lambda reading: reading.models(-1))}
        for model_id in known - shelved.keys():
            self._shelves.keep(model_id)
        for model_id in shelved.keys() - known:
            model = shelved[model_id].model
            why = self._store.read(partial(_deleted, model=model))
            if why is not None and (self._jobs / model.job_id / "model").exists():
                self._remove(model, why)


def _known(tx: Transaction, model_id: str) -> Model:
    try:
        return tx.model(model_id)
    except KeyError as error:
        raise ModelNotFoundError(f'no model "{model_id}".', code="List: mlops.models()") from error


def _leave_endpoint(tx: Transaction, model: Model) -> None:
    """No rollback leads to a model that is gone; the next one must lead somewhere."""
    endpoint = tx.endpoint_named(model.name)
    if endpoint is None or model.model_id not in endpoint.history:
        return
    if endpoint.wanted and endpoint.history[-1] == model.model_id:
        raise ModelStateError(
            f"{model.label} is what a rollback of {model.name} brings back: it cannot be deleted.",
            "Undeploy what answers now, or deploy another version first.",
        )
    history = tuple(each for each in endpoint.history if each != model.model_id)
    tx.put_endpoint(replace(endpoint, history=history))


def _give(tx: Transaction, model: Model, alias: str, by: str, now: datetime) -> set[str]:
    """The models that changed."""
    check_alias(alias)
    if alias in model.aliases:
        return set()
    if model.status == "retired":
        raise ModelStateError(f'{model.label} is retired: it cannot be "{alias}".', "Bring it back first.")
    if len(model.aliases) >= ALIASES:
        raise ModelStateError(f"{model.label} has {ALIASES} aliases already.")
    before = next((other for other in tx.versions(model.name) if alias in other.aliases), None)
    if before is not None:
        tx.put_model(_without(before, alias))
    tx.put_model(replace(model, aliases=(*model.aliases, alias)))
    previous = None if before is None else before.model_id
    tx.tell(
        ModelAliased(
            time=now,
            name=model.name,
            alias=alias,
            model_id=model.model_id,
            version=model.version,
            previous=previous,
            by=by,
        )
    )
    return {model.model_id} | ({previous} if previous is not None else set())


def _take(tx: Transaction, model: Model, alias: str, by: str, now: datetime) -> set[str]:
    if alias not in model.aliases:
        return set()
    tx.put_model(_without(model, alias))
    tx.tell(
        ModelAliased(
            time=now,
            name=model.name,
            alias=alias,
            model_id=None,
            version=None,
            previous=model.model_id,
            by=by,
        )
    )
    return {model.model_id}


def _without(model: Model, alias: str) -> Model:
    return replace(model, aliases=tuple(other for other in model.aliases if other != alias))


def _deleted(reading: Reading, model: Model) -> str | None:
    """What a job says of its model that was deleted, or what is left to say of it."""
    try:
        job = reading.job(model.job_id)
    except KeyError:
        return f"{model.label} was deleted." if model.provenance.job_deleted else None
    return job.model_missing_reason if job.model_id is None else None
