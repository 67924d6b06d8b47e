"""REST for deployed models: deploy, roll back, withdraw, predict.

A request to predict is passed on to the model's process as the bytes it came as, and so is the answer back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web

from mlops_jupyter.core import limits
from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.errors import ModelNotFoundError, ModelStateError
from mlops_jupyter.core.volume import Counts, percentile
from mlops_jupyter.server.handler import Handler, person
from mlops_jupyter.server.models import ID as MODEL
from mlops_jupyter.store import Reading
from mlops_jupyter.store.endpoints import hour_of

#: Hours back that can be asked for: a month and more.
MOST_HOURS = 31 * 24


class DeployHandler(Handler):
    @web.authenticated
    @authorized("execute", "mlops.models")
    async def post(self, model_id: str) -> None:
        self.body(dict[str, Any])
        endpoint = await self.rooms.deployments.deploy(model_id, person(self.current_user))
        self.reply(await _told(self, endpoint), 202)


class UndeployHandler(Handler):
    @web.authenticated
    @authorized("execute", "mlops.models")
    async def post(self, model_id: str) -> None:
        self.body(dict[str, Any])
        endpoint = await self.rooms.deployments.undeploy(model_id, person(self.current_user))
        self.reply(await _told(self, endpoint), 202)


class RollbackHandler(Handler):
    @web.authenticated
    @authorized("execute", "mlops.models")
    async def post(self, endpoint_id: str) -> None:
        self.body(dict[str, Any])
        endpoint = await self.rooms.deployments.rollback(endpoint_id, person(self.current_user))
        self.reply(await _told(self, endpoint), 202)


class EndpointsHandler(Handler):
    @web.authenticated
    @authorized("read", "mlops.models")
    async def get(self) -> None:
        epoch = self.rooms.store.epoch

        def told(reading: Reading) -> dict[str, Any]:
            found = [_with_numbers(reading, endpoint) for endpoint in reading.endpoints()]
            return {"epoch": epoch, "head": reading.head(), "endpoints": found}

        self.reply(await self.rooms.store.aread(told))


class EndpointHandler(Handler):
    @web.authenticated
    @authorized("read", "mlops.models")
    async def get(self, endpoint_id: str) -> None:
        endpoint = await self.rooms.store.aread(lambda reading: _known(reading, endpoint_id))
        self.reply(await _told(self, endpoint))


class MonitoringHandler(Handler):
    """What the version that answers predicted, hour by hour, and whether what it is asked drifts."""

    @web.authenticated
    @authorized("read", "mlops.models")
    async def get(self, endpoint_id: str) -> None:
        hours = int(self.number("hours", 24, 1, MOST_HOURS) or 24)
        store, watches = self.rooms.store, self.rooms.watches
        endpoint = await store.aread(lambda reading: _known(reading, endpoint_id))
        if endpoint.model_id is None:
            raise ModelStateError(f"{endpoint.name} is not deployed.", "Deploy it first: model.deploy()")
        model = await store.aread(lambda reading: reading.model(str(endpoint.model_id)))
        found = await watches.drift(model, hours)
        seen = await store.aread(lambda reading: _seen(reading, model.model_id, hours))
        rate = self.rooms.deployments.rate(model.model_id)
        inputs = [str(column["name"]) for column in model.signature.get("inputs") or ()]
        reason = None if found else "The model was trained before histograms of its rows were kept."
        self.reply(
            {
                "endpoint_id": endpoint_id,
                "model_id": model.model_id,
                "version": model.version,
                **seen,
                "rate": rate,
                "drift": found or None,
                "drift_reason": reason,
                "unwatched": [name for name in inputs if name not in found] if found else [],
            }
        )


class PredictHandler(Handler):
    """Of a model, which must be the version that answers, or of an endpoint, whichever version that is."""

    body_limit = limits.PREDICT_BODY

    @web.authenticated
    @authorized("execute", "mlops.predict")
    async def post(self, ref: str) -> None:
        answer = await self.rooms.deployments.predict(ref, bytes(self._body))
        self.send(answer.body, answer.status)


def _known(reading: Reading, endpoint_id: str) -> Endpoint:
    try:
        return reading.endpoint(endpoint_id)
    except KeyError as error:
        raise ModelNotFoundError(f'no endpoint "{endpoint_id}".', code="List: mlops.models()") from error


def _seen(reading: Reading, model_id: str, hours: int) -> dict[str, Any]:
    """Numbers of the hours in which anything was asked: there are no others."""
    total = reading.predicted(model_id)
    last = hour_of(datetime.now(UTC))
    seen = reading.predicted_hours(model_id, last - hours + 1)
    latency = sum((each.counts for each in seen), Counts()).latency
    return {
        "total": total.predictions,
        "requests": total.requests,
        "errors": total.errors,
        "p50": percentile(latency, 0.5),
        "p95": percentile(latency, 0.95),
        "hours": [
            {
                "hour": datetime.fromtimestamp(each.hour * 3600, UTC),
                "predictions": each.counts.predictions,
                "requests": each.counts.requests,
                "errors": each.counts.errors,
                "p50": percentile(each.counts.latency, 0.5),
                "p95": percentile(each.counts.latency, 0.95),
            }
            for each in seen
        ],
    }


async def _told(handler: Handler, endpoint: Endpoint) -> dict[str, Any]:
    return await handler.rooms.store.aread(lambda reading: _with_numbers(reading, endpoint))


def _with_numbers(reading: Reading, endpoint: Endpoint) -> dict[str, Any]:
    """The record, where to ask, and how much the version that answers has predicted."""
    counts = None if endpoint.model_id is None else reading.predicted(endpoint.model_id)
    numbers = {
        "url": endpoint.url,
        "total_predictions": None if counts is None else counts.predictions,
        "requests": None if counts is None else counts.requests,
        "errors": None if counts is None else counts.errors,
    }
    return {**msgspec.structs.asdict(endpoint), **numbers}


ID = r"(e-[0-9a-z]{12})"
handlers = [
    (f"models/{MODEL}/deploy", DeployHandler),
    (f"models/{MODEL}/undeploy", UndeployHandler),
    (f"models/{MODEL}/predict", PredictHandler),
    ("endpoints", EndpointsHandler),
    (f"endpoints/{ID}", EndpointHandler),
    (f"endpoints/{ID}/monitoring", MonitoringHandler),
    (f"endpoints/{ID}/rollback", RollbackHandler),
    (f"endpoints/{ID}/predict", PredictHandler),
]
