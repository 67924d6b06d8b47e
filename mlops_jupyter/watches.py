"""Tells how much deployed models predict, and whether what they are asked drifts from their training rows.

Looks every few seconds at models that were asked something since. Not here: the counting (``tallies``),
and what drift is (``core.drift``).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from mlops_jupyter.core.assets import DriftRaised
from mlops_jupyter.core.drift import Drift, Level, Reference, drift, split
from mlops_jupyter.core.models import Model
from mlops_jupyter.errands import Errands, look_on
from mlops_jupyter.ledgers import Ledgers
from mlops_jupyter.store import Reading, Store, Transaction
from mlops_jupyter.store.endpoints import hour_of
from mlops_jupyter.tallies import Tallies, volume

log = logging.getLogger(__name__)

#: Seconds between two looks; between two times that the counts go into the folders; hours that drift is of.
LOOK, CHECKPOINT, HOURS = 5.0, 3600.0, 24
#: Levels that are told of, the worst last: it contains the others.
DRIFTS: tuple[Level, ...] = ("warning", "drift")


class Watches:
    """Lives on the event loop. ``folder`` gives that of a job, where models have their files."""

    def __init__(
        self,
        store: Store,
        tallies: Tallies,
        ledgers: Ledgers,
        errands: Errands,
        folder: Callable[[str], Path],
    ) -> None:
        self._store = store
        self._tallies = tallies
        self._ledgers = ledgers
        self._folder = folder
        self._references: dict[str, list[Reference]] = {}
        self._unkept: set[str] = set()
        self._keep_at = time.monotonic() + CHECKPOINT
        errands.do(partial(look_on, self._look, "Predictions could not be looked at"))

    async def references(self, model: Model) -> list[Reference]:
        """Histograms of its training rows; none for a model from before there were any."""
        found = self._references.get(model.model_id)
        if found is None:
            path = self._folder(model.job_id) / "model" / "meta.json"
            found = self._references[model.model_id] = await asyncio.to_thread(_read, path)
        return found

    async def drift(self, model: Model, hours: int = HOURS) -> dict[str, Drift]:
        """Of each column with a histogram, over the last ``hours``."""
        references = await self.references(model)
        bins = await self._store.aread(lambda reading: _bins(reading, model.model_id, hours))
        return _drifts(references, bins)

    async def close(self) -> None:
        """What was counted since the last look goes into the folders, too."""
        self._unkept |= {endpoint_id for endpoint_id, _ in self._tallies.moved()}
        await self._keep()

    async def _keep(self) -> None:
        unkept, self._unkept = self._unkept, set()
        for endpoint_id in unkept:
            await asyncio.to_thread(self._ledgers.keep, endpoint_id)

    async def _look(self) -> float:
        moved = self._tallies.moved()
        # First: the look may fail.
        self._unkept |= {endpoint_id for endpoint_id, _ in moved}
        for _, model_id in moved:
            model = await self._store.aread(partial(_model, model_id=model_id))
            if model is not None:
                await self._look_at(model)
        if time.monotonic() >= self._keep_at:
            self._keep_at = time.monotonic() + CHECKPOINT
            await self._keep()
        return LOOK

    async def _look_at(self, model: Model) -> None:
        found = await self.drift(model)
        rate = self._tallies.rate(model.model_id)
        drifting = {name: each for name, each in found.items() if each.level != "none"}

        def work(tx: Transaction) -> None:
            now = datetime.now(UTC)
            total = tx.predicted(model.model_id).predictions
            tx.tell(volume(model, now, total, rate=rate))
            for name, each in drifting.items():
                levels = DRIFTS[: DRIFTS.index(each.level) + 1]
                # Until it was away for as long as it is counted: at the edge it comes and goes.
                if tx.drift_begins(model.model_id, name, levels, hour_of(now), hour_of(now) - HOURS):
                    tx.tell(_raised(model, name, each, now))

        await self._store.awrite(work)


def _raised(model: Model, column: str, found: Drift, now: datetime) -> DriftRaised:
    assert found.psi is not None
    assert found.level != "none"
    more = f"PSI {found.psi:.2g} over {found.rows:,} predictions of the last {HOURS} h"
    what = "is unlike" if found.level == "drift" else "begins to differ from"
    return DriftRaised(
        time=now,
        model_id=model.model_id,
        name=model.name,
        version=model.version,
        column=column,
        level=found.level,
        psi=found.psi,
        ks=found.ks,
        rows=found.rows,
        message=f'"{column}" {what} what {model.label} was trained on: {more}.',
        priority="high" if found.level == "drift" else "medium",
    )


def _drifts(references: list[Reference], bins: list[int] | None) -> dict[str, Drift]:
    if bins is None:
        bins = [0] * sum(len(each.counts) for each in references)
    return {
        each.name: drift(each, counts)
        for each, counts in zip(references, split(references, bins), strict=True)
    }


def _bins(reading: Reading, model_id: str, hours: int) -> list[int] | None:
    since = hour_of(datetime.now(UTC)) - hours + 1
    return reading.bins(model_id, since)


def _model(reading: Reading, model_id: str) -> Model | None:
    try:
        return reading.model(model_id)
    except KeyError:
        return None


def _read(path: Path) -> list[Reference]:
    try:
        meta: Mapping[str, object] = json.loads(path.read_bytes())
        return msgspec.convert(meta.get("reference") or [], list[Reference], strict=False)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        log.warning("What a model was trained on cannot be read: %s", error)
        return []
