"""REST for what a job measured: every point, a slice at a time, or as many as a chart shows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, cast

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import InputError, StoreUnavailable
from mlops_jupyter.core.series import Point, encode
from mlops_jupyter.core.wire import EXACT_INTEGER
from mlops_jupyter.server.handler import Handler
from mlops_jupyter.server.jobs import ID
from mlops_jupyter.store import Measured, Reading

MOST_BUCKETS = 10_000
#: Points that are read, encoded and sent at a time: a job may have ten million, which nobody has room for.
SLICE = 5000


class JobMetricsHandler(Handler):
    """Measured values of a job, whole or reduced."""

    @web.authenticated
    @authorized("read", "mlops.jobs")
    async def get(self, prefix: str) -> None:
        job = await self.job(prefix)
        buckets = self.number("buckets", None, 1, MOST_BUCKETS)
        steps = self._steps()
        answer = {"job_id": job.job_id, "epoch": self.rooms.store.epoch}
        if buckets is not None:
            self.send(await self.rooms.store.aread(partial(_reduced, answer, int(buckets), steps)))
            return
        if steps is not None:
            raise InputError('"from" and "to" need "buckets".')
        try:
            await self._send_all(answer)
        except (StoreUnavailable, StreamClosedError):
            # It may have begun: an answer that ends in the middle must not look like a whole one.
            cast(HTTP1Connection, self.request.connection).stream.close()

    def _steps(self) -> tuple[int, int] | None:
        low, high = (self.number(name, None, -EXACT_INTEGER, EXACT_INTEGER) for name in ("from", "to"))
        if low is None and high is None:
            return None
        return int(-EXACT_INTEGER if low is None else low), int(EXACT_INTEGER if high is None else high)

    async def _send_all(self, answer: dict[str, Any]) -> None:
        store = self.rooms.store
        head, found = await store.aread(lambda reading: (reading.head(), reading.measured(answer["job_id"])))
        self.begin()
        self.write(wire.encode({**answer, "head": head})[:-1] + b',"series":{')
        for place, metric in enumerate(found):
            self.write(b"," * bool(place) + _begun(metric.name, metric.length))
            # Where steps were not measured in their order all have to be put in it.
            stride = SLICE if metric.rising else max(metric.length, 1)
            for start in range(0, metric.length, stride):
                if store.epoch != answer["epoch"]:
                    raise StoreUnavailable("The store was replaced.")
                self.write(await store.aread(partial(_slice, metric, start, start + stride)))
                await self.flush()
            self.write(b"]}")
        self.finish(b"}}")


def _slice(metric: Measured, start: int, end: int, reading: Reading) -> bytes:
    points = reading.stretch(metric, start, min(end, metric.length))
    if not metric.rising:
        points.sort(key=lambda point: point.step)
    return b"," * bool(start) + _encoded(points)


def _reduced(answer: dict[str, Any], buckets: int, steps: tuple[int, int] | None, reading: Reading) -> bytes:
    job_id = answer["job_id"]
    series = reading.series(job_id, buckets) if steps is None else reading.details(job_id, buckets, steps)
    told = [_begun(name, kept.count) + _encoded(kept.points) + b"]}" for name, kept in series.items()]
    return wire.encode({**answer, "head": reading.head()})[:-1] + b',"series":{' + b",".join(told) + b"}}"


def _begun(name: str, count: int) -> bytes:
    return b'%b:{"count":%d,"points":[' % (wire.encode(name), count)


def _encoded(points: Iterable[Point]) -> bytes:
    """A few thousand at a time: the encoder lets no other thread run."""
    kept = list(points)
    return b",".join(encode(kept[start : start + SLICE])[1:-1] for start in range(0, len(kept), SLICE))


handlers = [(f"jobs/{ID}/metrics", JobMetricsHandler)]
