"""Which model answers where: deployed, replaced without a gap, rolled back, withdrawn, back after a restart.

A deployment is a wish in the store. The server that owns it keeps the model's process ready, and whichever
comes next once that one is gone; any other server of the same store starts one when it is asked for a
prediction. Not here: the process and the requests that wait for it (``serving``).
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from mlops_jupyter import owners
from mlops_jupyter.core import endpoints
from mlops_jupyter.core.assets import ModelDeployed
from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.errors import ModelNotFoundError, ModelStateError, ServingFailed
from mlops_jupyter.core.models import LIVE, Model
from mlops_jupyter.errands import Errands, look_on
from mlops_jupyter.executors.environment import worker_environment
from mlops_jupyter.ids import new_id
from mlops_jupyter.ledgers import Ledgers
from mlops_jupyter.registry import Registry
from mlops_jupyter.serving.live import Answer, Live, Outcome
from mlops_jupyter.serving.messages import Charge
from mlops_jupyter.store import Reading, Store, Transaction
from mlops_jupyter.tallies import Tallies

log = logging.getLogger(__name__)

#: Seconds between looks for deployments nobody keeps ready, and until a process that another server's
#: deployment has here, and nobody asks, is let go.
LOOK, IDLE = 1.0, 600.0


class Deployments:
    """Lives on the event loop. ``folder`` gives that of a job; ``memory``: bytes a model may take."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        tallies: Tallies,
        ledgers: Ledgers,
        errands: Errands,
        folder: Callable[[str], Path],
        owner: str,
        memory: int,
    ) -> None:
        self._store = store
        self._registry = registry
        self._tallies = tallies
        self._ledgers = ledgers
        self._errands = errands
        self._folder = folder
        self._owner = owner
        self._memory = memory
        self._lives: dict[str, Live] = {}
        self._coming: dict[str, Live] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._closing = False
        errands.do(partial(look_on, self._look, "Deployed models could not be looked after"))

    def lives(self) -> list[Live]:
        """Models that answer here, or are about to."""
        return [*self._lives.values(), *self._coming.values()]

    def rate(self, model_id: str) -> float | None:
        """Predictions of the last minute, by this server; None of a model it has no process for."""
        here = any(live.charge.model_id == model_id for live in self.lives())
        return self._tallies.rate(model_id) if here else None

    async def deploy(self, model_id: str, by: str) -> Endpoint:
        """Wish that this version answers under its name; what did before does until then."""

        def work(tx: Transaction) -> Endpoint:
            now = datetime.now(UTC)
            model = _model(tx, model_id)
            endpoint = tx.endpoint_named(model.name) or _new(model.name, now)
            return self._wish(tx, endpoint, model, by, now)

        return await self._wished(work)

    async def rollback(self, endpoint_id: str, by: str) -> Endpoint:
        """Wish for the version that answered before this one."""

        def work(tx: Transaction) -> Endpoint:
            endpoint = _endpoint(tx, endpoint_id)
            return self._wish(tx, endpoint, _model(tx, endpoints.before(endpoint)), by, datetime.now(UTC))

        return await self._wished(work)

    async def undeploy(self, model_id: str, by: str) -> Endpoint:
        """Nobody is to answer under the name of this model any more, which must be the one that does."""

        def work(tx: Transaction) -> Endpoint:
            now = datetime.now(UTC)
            model = _model(tx, model_id)
            endpoint = tx.endpoint_named(model.name)
            if endpoint is None or model_id not in (endpoint.model_id, endpoint.next_model_id):
                raise ModelStateError(f"{model.label} is not deployed.", code="mlops.models()")
            for each in {endpoint.model_id, endpoint.next_model_id} - {None}:
                self._back(tx, str(each), by, now)
            endpoint = endpoints.withdrawn(endpoint, now, by)
            tx.put_endpoint(endpoint)
            return endpoint

        endpoint = await self._store.awrite(work)
        self._let_go(endpoint.endpoint_id)
        await self._kept(endpoint)
        return endpoint

    async def predict(self, ref: str, body: bytes) -> Answer:
        """The answer of the model ``ref``, or of whichever answers at the endpoint ``ref``."""
        live = next(
            (live for at, live in self._lives.items() if ref in (at, live.charge.model_id)), None
        ) or await self._host_asked(ref)
        try:
            return await live.predict(body)
        except ServingFailed:
            self._errands.do(partial(self._tallies.failed, live.at, live.charge))
            raise

    async def close(self) -> None:
        """Let the processes go; the deployments stay wishes."""
        self._closing = True
        lives = self.lives()
        self._lives, self._coming = {}, {}
        await asyncio.gather(*(live.close(patience=1.0) for live in lives))
        await asyncio.gather(*self._ending)

    # --- wishes ----------------------------------------------------------------------------

    def _wish(self, tx: Transaction, endpoint: Endpoint, model: Model, by: str, now: datetime) -> Endpoint:
        if model.status == "retired":
            raise ModelStateError(f"{model.label} is retired: it cannot be deployed.", "Bring it back first.")
        if endpoint.next_model_id == model.model_id:
            return endpoint
        if (
            endpoint.model_id == model.model_id
            and endpoint.status == "deployed"
            and not endpoint.next_model_id
        ):
            return endpoint
        if endpoint.next_model_id is not None:
            self._back(tx, endpoint.next_model_id, by, now)
        if model.model_id != endpoint.model_id or model.status != "deployed":
            self._registry.turn(tx, model, "deploying", by, now)
        endpoint = endpoints.wished(endpoint, model.model_id, now, by, self._owner)
        tx.put_endpoint(endpoint)
        return endpoint

    def _back(self, tx: Transaction, model_id: str, by: str | None, now: datetime) -> None:
        """What answered, or was about to, is a registered model like others; one that had failed stays so,
        and may be retired or deleted by now."""
        with suppress(KeyError):
            model = tx.model(model_id)
            if model.status in LIVE:
                self._registry.turn(tx, model, "registered", by, now)

    async def _wished(self, work: Callable[[Transaction], Endpoint]) -> Endpoint:
        endpoint = await self._store.awrite(work)
        await self._kept(endpoint)
        self._follow(endpoint)
        return endpoint

    def _follow(self, endpoint: Endpoint) -> None:
        """Have here what was just recorded."""
        at, coming = endpoint.endpoint_id, self._coming.get(endpoint.endpoint_id)
        if coming is not None and coming.charge.model_id != endpoint.next_model_id:
            self._end(self._coming.pop(at))
        self._begin(endpoint)

    def _begin(self, endpoint: Endpoint) -> None:
        """Start what is wished for, if that is for this server to do."""
        at, model_id = endpoint.endpoint_id, endpoint.next_model_id
        if model_id is not None and endpoint.owner == self._owner and at not in self._coming:
            self._errands.do(partial(self._bring_up, at, model_id))

    async def _bring_up(self, at: str, model_id: str) -> None:
        """Start a wished version, and let it take over once it answers."""
        model = await self._store.aread(lambda reading: _model(reading, model_id))
        live = self._coming.get(at)
        if live is None:
            live = self._coming[at] = self._live(at, model)
        elif live.charge.model_id != model_id:
            return
        why = await asyncio.shield(live.started)
        if self._coming.get(at) is not live:
            return
        endpoint = await self._store.awrite(lambda tx: self._came(tx, at, model_id, why))
        ours = self._coming.get(at) is live
        if ours:
            del self._coming[at]
        if endpoint is None:
            # Wished for no more, or another look of ours was quicker.
            if ours:
                self._end(live)
            return
        if why is not None:
            self._end(live)
        else:
            before = self._lives.get(at)
            self._lives[at] = live
            if before is not None:
                self._end(before)
        await self._kept(endpoint)
        for each in {model_id, *endpoint.history[-1:]}:
            await self._registry.kept(each)

    def _came(self, tx: Transaction, at: str, model_id: str, why: str | None) -> Endpoint | None:
        """Record that a wished version answers, or cannot; None when it is wished for no more."""
        now = datetime.now(UTC)
        before, model = _endpoint(tx, at), _model(tx, model_id)
        if before.next_model_id != model_id:
            return None
        if why is not None:
            endpoint = endpoints.not_started(before, f"{model.label} could not be deployed: {why}", now)
            again = before.model_id == model_id
            self._registry.turn(tx, model, "failed", None, now, why=why)
            if again:
                endpoint = replace(endpoint, status="failed")
        else:
            if before.model_id is not None and before.model_id != model_id:
                self._back(tx, before.model_id, before.by, now)
            endpoint = endpoints.answering(before, model.version, now)
            self._registry.turn(tx, model, "deployed", before.by, now)
            tx.tell(
                ModelDeployed(
                    time=now,
                    model_id=model_id,
                    model_name=model.name,
                    model_accuracy=model.metrics.get("test_accuracy"),
                    endpoint=endpoint.url,
                    endpoint_id=at,
                    version=model.version,
                )
            )
        tx.put_endpoint(endpoint)
        return endpoint

    def _gave_up(self, at: str, model_id: str, why: str) -> None:
        self._errands.do(partial(self._quarantine, at, model_id, why))

    async def _quarantine(self, at: str, model_id: str, why: str) -> None:
        def work(tx: Transaction) -> Endpoint | None:
            now = datetime.now(UTC)
            endpoint = _endpoint(tx, at)
            if endpoint.model_id != model_id or endpoint.quarantined:
                return None
            endpoint = endpoints.given_up(endpoint, why, now)
            tx.put_endpoint(endpoint)
            self._registry.turn(tx, _model(tx, model_id), "failed", None, now, why=why)
            return endpoint

        if (endpoint := await self._store.awrite(work)) is not None:
            await self._kept(endpoint)
            await self._registry.kept(model_id)

    # --- processes -------------------------------------------------------------------------

    def _live(self, at: str, model: Model) -> Live:
        charge = Charge(
            model_id=model.model_id,
            name=model.name,
            version=model.version,
            folder=str(self._folder(model.job_id) / "model"),
            sha256=model.sha256,
            memory=self._memory,
        )
        return Live(
            at,
            charge,
            worker_environment(os.environ),
            partial(self._settle, at, charge),
            partial(self._gave_up, at, model.model_id),
        )

    async def _settle(self, at: str, charge: Charge, outcome: Outcome) -> None:
        """Nothing is answered before it is counted, in the transaction that sees the model still wanted."""
        endpoint = await self._tallies.settle(at, charge, outcome)
        if charge.model_id not in (endpoint.model_id, endpoint.next_model_id):
            # Another server has deployed another version.
            self._errands.do(self._look_once)

    async def _host_asked(self, ref: str) -> Live:
        """A deployment this server has no process for yet."""
        endpoint = await self._store.aread(lambda reading: _deployed(reading, ref))
        assert endpoint.model_id is not None
        if endpoint.quarantined:
            raise ServingFailed(f"{endpoint.name} does not answer: {endpoint.error}", "Deploy it again.")
        return await self._hosted(endpoint)

    async def _hosted(self, endpoint: Endpoint) -> Live:
        model_id = str(endpoint.model_id)
        model = await self._store.aread(lambda reading: _model(reading, model_id))
        live = self._lives.get(endpoint.endpoint_id)
        # A record says that a version answers before the one who wrote it knows that it is written.
        for each in (live, self._coming.get(endpoint.endpoint_id)):
            if each is not None and each.charge.model_id == model_id:
                return each
        if self._closing:
            raise ServingFailed("The server stops.")
        self._lives[endpoint.endpoint_id] = new = self._live(endpoint.endpoint_id, model)
        new.started.add_done_callback(partial(self._refused, endpoint.endpoint_id, new))
        if live is not None:
            self._end(live)
        return new

    def _refused(self, at: str, live: Live, started: asyncio.Future[str | None]) -> None:
        """A model that was deployed cannot be started any more: its file was changed, say."""
        if not started.cancelled() and (why := started.result()) is not None and self._lives.get(at) is live:
            self._gave_up(at, live.charge.model_id, why)

    def _let_go(self, at: str) -> None:
        for lives in (self._lives, self._coming):
            if (live := lives.pop(at, None)) is not None:
                self._end(live)

    def _end(self, live: Live) -> None:
        """Once it has answered what it was asked."""
        ending = asyncio.create_task(live.close())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def _look(self) -> float:
        await self._look_once()
        return LOOK

    async def _look_once(self) -> None:
        """Deployments whose server is gone are ours; what others changed is followed."""
        for endpoint in await self._store.aread(lambda reading: reading.endpoints()):
            live = self._lives.get(endpoint.endpoint_id)
            if not endpoint.wanted or endpoint.quarantined:
                if endpoint.next_model_id is None:
                    self._let_go(endpoint.endpoint_id)
                continue
            if endpoint.owner != self._owner and not await asyncio.to_thread(owners.lives, endpoint.owner):
                endpoint = await self._store.awrite(partial(self._made_ours, endpoint))  # noqa: PLW2901
            ours = endpoint.owner == self._owner
            self._begin(endpoint)
            if endpoint.model_id is None:
                continue
            if live is None:
                if ours:
                    await self._hosted(endpoint)
            elif live.charge.model_id != endpoint.model_id and endpoint.endpoint_id not in self._coming:
                await self._hosted(endpoint)
            elif not ours and time.monotonic() - live.used > IDLE:
                self._let_go(endpoint.endpoint_id)

    def _made_ours(self, seen: Endpoint, tx: Transaction) -> Endpoint:
        """Unless another server was quicker."""
        endpoint = tx.endpoint(seen.endpoint_id)
        if endpoint.owner == seen.owner:
            endpoint = replace(endpoint, owner=self._owner)
            tx.put_endpoint(endpoint)
        return endpoint

    async def _kept(self, endpoint: Endpoint) -> None:
        """The folders say so, too."""
        await asyncio.to_thread(self._ledgers.keep, endpoint.endpoint_id)
        for model_id in {endpoint.model_id, endpoint.next_model_id, *endpoint.history[-1:]} - {None}:
            await self._registry.kept(str(model_id))


def _new(name: str, now: datetime) -> Endpoint:
    return Endpoint(endpoint_id=new_id("e"), name=name, status="undeployed", created=now, changed=now)


def _model(reading: Reading, model_id: str) -> Model:
    try:
        return reading.model(model_id)
    except KeyError as error:
        raise ModelNotFoundError(f'no model "{model_id}".', code="List: mlops.models()") from error


def _endpoint(reading: Reading, endpoint_id: str) -> Endpoint:
    try:
        return reading.endpoint(endpoint_id)
    except KeyError as error:
        raise ModelNotFoundError(f'no endpoint "{endpoint_id}".', code="List: mlops.models()") from error


def _deployed(reading: Reading, ref: str) -> Endpoint:
    """The endpoint ``ref`` is, or the model ``ref`` answers at; ``ModelStateError`` where none answers."""
    if ref.startswith("e-"):
        endpoint: Endpoint | None = _endpoint(reading, ref)
        called = endpoint.name if endpoint else ref
    else:
        model = _model(reading, ref)
        endpoint, called = reading.endpoint_named(model.name), model.label
        if endpoint is not None and endpoint.model_id != ref:
            endpoint = None
    if endpoint is None or endpoint.model_id is None:
        starting = endpoint is not None and endpoint.next_model_id is not None
        raise ModelStateError(
            f"{called} is {'being deployed' if starting else 'not deployed'}.",
            "Deploy it first: model.deploy()",
        )
    return endpoint
