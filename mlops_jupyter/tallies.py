"""Counts what deployed models predict: durably, and before anybody hears of a prediction.

Not here: who asked and what is answered (``deployments``), and what the numbers mean (``watches``).
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime

from mlops_jupyter.core.assets import PredictionVolume
from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.errors import ModelStateError
from mlops_jupyter.core.models import Model
from mlops_jupyter.core.volume import Counts, counts, crossed
from mlops_jupyter.serving.live import Outcome
from mlops_jupyter.serving.messages import Charge
from mlops_jupyter.store import Store, Transaction

#: Seconds a rate is of.
MINUTE = 60.0


class Tallies:
    """One a server, on its event loop. What is in the store is of all servers that share it, the rates are of
    this one. ``told`` gets what was counted, after that is on disk, with the latencies of its requests."""

    def __init__(self, store: Store, told: Callable[[str, Counts, tuple[float, ...]], None]) -> None:
        self._store = store
        self._told = told
        self._moved: set[tuple[str, str]] = set()
        self._lately: defaultdict[str, deque[tuple[float, int]]] = defaultdict(deque)

    async def settle(self, endpoint_id: str, charge: Charge, outcome: Outcome) -> Endpoint:
        """Count a batch that was answered; when this returns it is on disk. Raises ``ModelStateError`` where
        nobody is to answer there any more: then it is not counted, and must not be told."""
        replies = outcome.answered.replies
        done = [reply.status == 200 for reply in replies]
        predictions = sum(reply.rows for reply in replies)
        latencies = tuple(seconds for seconds, well in zip(outcome.latencies, done, strict=True) if well)
        counted = counts(len(done), predictions, len(done) - sum(done), latencies)

        def work(tx: Transaction) -> Endpoint:
            endpoint = tx.endpoint(endpoint_id)
            if not endpoint.wanted:
                raise ModelStateError(f"{endpoint.name} is not deployed any more.", "Deploy it first.")
            _count(tx, charge, counted, outcome.answered.counted)
            return endpoint

        endpoint = await self._store.awrite(work)
        self._note(endpoint_id, charge.model_id, counted, latencies)
        return endpoint

    async def failed(self, endpoint_id: str, charge: Charge) -> None:
        """Count a request that got no answer of the model."""
        counted = Counts(1, 0, 1)
        await self._store.awrite(lambda tx: _count(tx, charge, counted, b""))
        self._note(endpoint_id, charge.model_id, counted, ())

    def moved(self) -> set[tuple[str, str]]:
        """Endpoints and models that were asked something since the last time."""
        moved, self._moved = self._moved, set()
        return moved

    def rate(self, model_id: str) -> float:
        """Predictions of the last minute, by this server."""
        lately = self._lately[model_id]
        while lately and time.monotonic() - lately[0][0] > MINUTE:
            lately.popleft()
        return float(sum(predictions for _, predictions in lately))

    def _note(self, endpoint_id: str, model_id: str, counted: Counts, latencies: tuple[float, ...]) -> None:
        self._moved.add((endpoint_id, model_id))
        now, lately = time.monotonic(), self._lately[model_id]
        if lately and int(lately[-1][0]) == int(now):
            lately[-1] = (lately[-1][0], lately[-1][1] + counted.predictions)
        else:
            self.rate(model_id)
            lately.append((now, counted.predictions))
        self._told(model_id, counted, latencies)


def _count(tx: Transaction, charge: Charge, counted: Counts, bins: bytes) -> None:
    now = datetime.now(UTC)
    before, after = tx.count_predictions(charge.model_id, now, counted, bins)
    if (reached := crossed(before, after)) is not None:
        tx.tell(volume(charge, now, after, milestone=reached))


def volume(
    model: Model | Charge,
    now: datetime,
    total: int,
    *,
    rate: float | None = None,
    milestone: int | None = None,
) -> PredictionVolume:
    """What is told of how much a model has predicted."""
    return PredictionVolume(
        time=now,
        model_id=model.model_id,
        name=model.name,
        version=model.version,
        total_predictions=total,
        rate=rate,
        milestone=milestone,
    )
