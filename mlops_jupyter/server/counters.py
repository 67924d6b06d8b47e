"""What Prometheus may ask of us, beside Jupyter's own numbers, at Jupyter's ``/metrics``.

How long requests take is there already: ``http_request_duration_seconds``, by handler. Names follow
Prometheus' conventions; labels have few values, none of them a user's.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec
from prometheus_client import Counter, Gauge, Histogram

from mlops_jupyter.core.volume import Counts
from mlops_jupyter.store import Stored

if TYPE_CHECKING:
    from mlops_jupyter.server.activity import Activity
    from mlops_jupyter.server.rooms import Rooms

EVENTS = Counter("mlops_events_total", "Events this server has written down", ["type"])
ENDED = Counter("mlops_jobs_ended_total", "Jobs of this server that are over, by how they ended", ["status"])
DURATION = Histogram(
    "mlops_job_duration_seconds",
    "How long they took, without pauses; that of a lost one is often not known",
    ["status"],
    buckets=(1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 48 * 3600),
)
JOBS = Gauge("mlops_jobs", "Jobs of this server that are not over, a few seconds ago", ["status"])
ROUND_TRIP = Histogram(
    "mlops_socket_round_trip_seconds",
    "To a client of the event socket and back",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10),
)
SOCKETS = Gauge("mlops_event_sockets", "Event sockets that are open")
STORE = Gauge("mlops_store_up", "1 while the store works, 0 while it is in trouble")

PREDICTIONS = Counter(
    "mlops_predictions_total", "Rows that deployed models of this server predicted", ["model_id"]
)
ASKED = Counter(
    "mlops_prediction_requests_total",
    "Requests to deployed models, by whether they got one",
    ["model_id", "predicted"],
)
LATENCY = Histogram(
    "mlops_prediction_seconds",
    "From when a request came to when it was counted, waiting included",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
DEPLOYED = Gauge("mlops_deployed_models", "Models that have a process of this server")

#: Statuses of a job that is not over.
_OPEN = ("queued", "starting", "running", "paused", "stopping")
_ENDS = ("training_completed", "training_failed", "training_cancelled")


class _Job(msgspec.Struct):
    elapsed_time: float | None


class _End(msgspec.Struct):
    status: str
    job: _Job


def committed(stored: list[Stored]) -> None:
    """Count what this server has committed; called in the store's thread."""
    for event in stored:
        if event.ours is None:
            continue
        EVENTS.labels(event.ours).inc()
        if event.ours in _ENDS:
            end = msgspec.json.decode(event.body, type=_End)
            ENDED.labels(end.status).inc()
            if end.job.elapsed_time is not None:
                DURATION.labels(end.status).observe(end.job.elapsed_time)


def predicted(model_id: str, counted: Counts, latencies: tuple[float, ...]) -> None:
    """Count what is counted in the store by now."""
    PREDICTIONS.labels(model_id).inc(counted.predictions)
    ASKED.labels(model_id, "yes").inc(counted.requests - counted.errors)
    ASKED.labels(model_id, "no").inc(counted.errors)
    for seconds in latencies:
        LATENCY.observe(seconds)


def watch(rooms: Rooms, activity: Activity) -> None:
    """Ask these when somebody asks for how many there are."""
    SOCKETS.set_function(lambda: len(rooms.sockets))
    STORE.set_function(lambda: rooms.trouble is None)
    DEPLOYED.set_function(lambda: len(rooms.deployments.lives()))
    for status in _OPEN:
        JOBS.labels(status).set_function(partial(activity.count, status))


def forget() -> None:
    """The extension has stopped: there is nothing to be asked."""
    for gauge in (SOCKETS, STORE, DEPLOYED, *map(JOBS.labels, _OPEN)):
        gauge.set_function(float)
