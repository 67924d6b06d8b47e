"""What a model's folder keeps of its record, so that a lost database gets it back: version, aliases, status.

Of a model that was deleted the folder stays, and says so: its version is never given again.
Not here: the model's file, which is in the folder of the job that wrote it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mlops_jupyter import meta
from mlops_jupyter.core import wire
from mlops_jupyter.core.ends import model_of
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.models import LIVE, Model
from mlops_jupyter.records import DELETED
from mlops_jupyter.store import Reading, Store, Transaction

log = logging.getLogger(__name__)


class Shelved(msgspec.Struct, frozen=True, kw_only=True):
    """A model as its folder keeps it. ``head`` was the last event of the database ``epoch`` then: one that
    has fewer lost its end. ``deleted`` says by whom and when it was."""

    model: Model
    epoch: str
    head: int
    deleted: str | None = None


class Shelves:
    """Writes what the store says of a model into the model's folder, below ``folder``."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        # Of two who write, the later has read the later record.
        self._lock = threading.Lock()

    def keep(self, model_id: str) -> None:
        """Blocks. Nothing, of a model that is not registered; a disk that refuses costs nothing as long as
        there is a database."""

        def now(reading: Reading) -> Shelved:
            model = reading.model(model_id)
            return Shelved(model=model, epoch=reading.epoch(), head=reading.head())

        with suppress(KeyError):
            self._write(model_id, lambda: self._store.read(now))

    def keep_of(self, job_id: str) -> None:
        """The same of the model of a job, if that has one."""
        with suppress(KeyError, StoreUnavailable):
            model_id = self._store.read(lambda reading: reading.job(job_id)).model_id
            if model_id is not None:
                self.keep(model_id)

    def keep_made_by(self, job_id: str) -> None:
        """The same of what a job made that may be deleted."""
        for model in self._store.read(lambda reading: reading.models_of([job_id])):
            self.keep(model.model_id)

    def bury(self, model: Model, why: str) -> None:
        """The same of one that was deleted."""

        def now(reading: Reading) -> Shelved:
            return Shelved(model=model, epoch=reading.epoch(), head=reading.head(), deleted=why)

        self._write(model.model_id, lambda: self._store.read(now))

    def all(self) -> list[Shelved]:
        return list(_below(self._folder))

    def _write(self, model_id: str, shelved: Callable[[], Shelved]) -> None:
        with self._lock:
            try:
                meta.write(self._folder / model_id, "meta.json", wire.encode(shelved()))
            except (OSError, StoreUnavailable) as error:
                log.info("The record of model %s is in the database only: %s", model_id, error)


def lost(folder: Path, found: Reading) -> Iterator[Callable[[Transaction], bool]]:
    """The work that brings back what folders know of models, and the database ``found`` does not. Jobs are
    there already: a model is brought back when its job names it, or was deleted and left it behind."""
    missing = {str(job.model_id): job for job in found.without_model()}
    epoch, head = found.epoch(), found.head()
    for shelved in sorted(_below(folder), key=lambda each: each.head):
        model = shelved.model
        newer = shelved.epoch == epoch and shelved.head > head
        named = missing.pop(model.model_id, None) is not None
        if shelved.deleted is not None:
            yield _burying(model, shelved.deleted if newer or named else None)
        elif named:
            yield _putting(model, None)
        elif (
            (newer or shelved.epoch != epoch)
            and _left_behind(folder, model)
            and not _known(found, model.model_id)
        ):
            yield _putting(replace(model, provenance=replace(model.provenance, job_deleted=True)), None)
        elif newer and (known := _known(found, model.model_id)) not in (None, model):
            yield _putting(model, known)
        elif found.highest_version(model.name) < model.version:
            yield _burying(model, None)
    for job in sorted(missing.values(), key=lambda job: (str(job.end_time), job.job_id)):
        if job.model_file is not None and job.end_time is not None:
            yield _registering(model_of(job, job.model_file, job.end_time))


def _putting(model: Model, known: Model | None) -> Callable[[Transaction], bool]:
    def work(tx: Transaction) -> bool:
        # Another server may have been quicker.
        if _known(tx, model.model_id) != known:
            return False
        for other in tx.versions(model.name):
            if other.model_id == model.model_id:
                continue
            if other.version == model.version:
                # Somebody copied a folder.
                tx.register(model)
                return True
            if taken := set(other.aliases) & set(model.aliases):
                left = tuple(alias for alias in other.aliases if alias not in taken)
                tx.put_model(replace(other, aliases=left))
        tx.put_model(_as_it_answers(tx, model))
        return True

    return work


def _as_it_answers(tx: Transaction, model: Model) -> Model:
    """What answered counts as that only where the database knows of its endpoint."""
    endpoint = tx.endpoint_named(model.name)
    answers = endpoint is not None and model.model_id in (endpoint.model_id, endpoint.next_model_id)
    return model if answers or model.status not in LIVE else replace(model, status="registered")


def _burying(model: Model, why: str | None) -> Callable[[Transaction], bool]:
    """Its version is given; with ``why`` the database does not know yet that it is gone."""

    def work(tx: Transaction) -> bool:
        tx.reserve_version(model.name, model.version)
        if why is None:
            return False
        tx.delete_model(model, why)
        return True

    return work


def _registering(model: Model) -> Callable[[Transaction], bool]:
    def work(tx: Transaction) -> bool:
        tx.register(model)
        return True

    return work


def _known(reading: Reading, model_id: str) -> Model | None:
    try:
        return reading.model(model_id)
    except KeyError:
        return None


def _left_behind(folder: Path, model: Model) -> bool:
    """Whether its job was deleted and its file is there."""
    made = folder.parent / "jobs" / model.job_id
    return (made / DELETED).exists() and (made / "model").is_dir()


def _below(folder: Path) -> Iterator[Shelved]:
    for path, shelved in meta.below(folder, Shelved):
        if shelved.model.model_id == path.name:
            yield shelved
