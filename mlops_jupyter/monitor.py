"""The one sampler of the machine: once for all who look, and nothing while nobody looks and nothing runs.

Its samples go to every client as events of class C; health is an event of class A when it changes.
Not here: how a figure is measured (``machine``) and what health is (``core.health``).
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
import statistics
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from mlops_jupyter import owners
from mlops_jupyter.core import health
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.events import HealthChange, SystemMetrics, Use
from mlops_jupyter.core.health import Gauge, Thresholds
from mlops_jupyter.errands import look_on
from mlops_jupyter.hub import Hub
from mlops_jupyter.machine import Machine
from mlops_jupyter.store import Store, Transaction
from mlops_jupyter.training import processes
from mlops_jupyter.training.processes import Identity

#: Seconds of which samples are kept in memory.
KEPT = 300.0
#: Seconds over which response times are told.
ANSWERS = 60.0


class Inhabitants(NamedTuple):
    """Who lives on this server at the moment: keepers of jobs and kernels by their ids, and clients with
    the round trips of their sockets in seconds."""

    jobs: Mapping[str, Identity]
    kernels: Mapping[str, Identity]
    round_trips: tuple[float | None, ...]


class Monitor:
    """On the event loop; samples every ``every`` seconds while ``wanted`` says so, and tells ``sampled``."""

    def __init__(
        self,
        hub: Hub,
        store: Store,
        machine: Machine,
        inhabitants: Callable[[], Awaitable[Inhabitants]],
        wanted: Callable[[], bool],
        sampled: Callable[[SystemMetrics], Awaitable[None]],
        *,
        every: float,
        thresholds: Mapping[str, Thresholds],
    ) -> None:
        self.every = every
        self.thresholds = thresholds
        self.gauges: Mapping[str, Gauge] = {name: Gauge() for name in thresholds}
        #: The last minutes, oldest first.
        self.samples: deque[SystemMetrics] = deque(maxlen=max(int(KEPT / every), 1))
        self._hub = hub
        self._store = store
        self._machine = machine
        self._inhabitants = inhabitants
        self._owner = owners.this_process()
        self._wanted = wanted
        self._sampled = sampled
        self._answers: deque[tuple[float, float]] = deque(maxlen=1000)
        self._looking = asyncio.Lock()
        self._looked_at = -every
        self._called = asyncio.Event()
        looking = look_on(self._turn, "The machine could not be measured")
        self._task = asyncio.get_running_loop().create_task(looking)

    def answered(self, seconds: float) -> None:
        """A request of REST took so long."""
        self._answers.append((time.monotonic(), seconds))

    def call(self) -> None:
        """Somebody came who wants to see the machine, not only when the next sample is due."""
        self._called.set()

    async def newest(self) -> SystemMetrics:
        """A sample not older than ``every``; taken now if need be."""
        async with self._looking:
            if time.monotonic() - self._looked_at >= self.every or not self.samples:
                await self._look()
            return self.samples[-1]

    def close(self) -> None:
        self._task.cancel()

    async def _turn(self) -> float:
        """One look, if somebody looks, and the wait for the next; returns how long to wait beyond that."""
        pause = self.every
        if self._wanted():
            await self.newest()
            pause = max(self._looked_at + self.every - time.monotonic(), 0.1)
        else:
            # Nobody who comes later shall take it for how things are.
            self._hub.forget(SystemMetrics)
        self._called.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._called.wait()
        return 0.0

    async def _look(self) -> None:
        who = await self._inhabitants()
        figures, jobs, kernels = await asyncio.to_thread(self._measured, who)
        self._looked_at = time.monotonic()
        values = {name: figures[f"{name}_percent"] for name in self.thresholds}
        gauges = {
            name: health.measured(gauge, values[name], self.thresholds[name])
            for name, gauge in self.gauges.items()
        }
        now = datetime.now(UTC)
        place = self._place(contained=figures["memory_scope"] == "container")
        if health.worst(gauges) != health.worst(self.gauges) and not await self._told(gauges, now, place):
            # Tried again with the next sample: a change that nobody was told must not have happened.
            gauges = dict(self.gauges)
        self.gauges = gauges
        sample = SystemMetrics(
            time=now,
            **figures,
            health=health.worst(gauges),
            levels={name: gauge.level for name, gauge in gauges.items()},
            active_connections=len(who.round_trips),
            api_response_ms=self._api(),
            ws_response_ms=_median(trip for trip in who.round_trips if trip is not None),
            jobs=jobs,
            kernels=kernels,
        )
        self.samples.append(sample)
        self._hub.tell(sample)
        with contextlib.suppress(StoreUnavailable):
            await self._sampled(sample)

    def _measured(self, who: Inhabitants) -> tuple[dict[str, Any], tuple[Use, ...], tuple[Use, ...]]:
        machine = self._machine
        machine.forget({**who.jobs, **who.kernels})
        # A keeper only waits; a kernel is what the user runs.
        jobs = machine.uses(who.jobs, with_root=False)
        return machine.figures(), jobs, machine.uses(who.kernels, with_root=True)

    def _place(self, *, contained: bool) -> str:
        """What this is the health of: this boot as we see it, or the control group that has a limit."""
        boot, namespace = self._owner.split("/")[:2]
        group = processes.read("/proc/self/cgroup") if contained else None
        return f"{boot}/{namespace} {group or ''}"

    async def _told(self, gauges: Mapping[str, Gauge], now: datetime, place: str) -> bool:
        current = health.worst(gauges)
        change = HealthChange(
            time=now,
            machine=platform.node(),
            previous_health=health.worst(self.gauges),
            current_health=current,
            metrics={f"{name}_percent": gauge.value for name, gauge in gauges.items()},
            cause=health.cause(self.gauges, gauges),
            priority="high" if health.alarming(gauges) else "medium",
        )
        try:
            await self._store.awrite(partial(self._tell, change, f"health of {place}"))
        except StoreUnavailable:
            return False
        return True

    def _tell(self, change: HealthChange, key: str, tx: Transaction) -> None:
        """Unless another server of this machine, which still lives, has told it into the store we share."""
        said, _, by = (tx.meta(key) or "").partition(" ")
        if said == change.current_health and by != self._owner and owners.lives(by):
            return
        tx.tell(change)
        tx.put_meta(key, f"{change.current_health} {self._owner}")

    def _api(self) -> float | None:
        since = time.monotonic() - ANSWERS
        return _median(seconds for at, seconds in self._answers if at >= since)


def _median(seconds: Iterable[float]) -> float | None:
    """In milliseconds; null of nothing."""
    found = list(seconds)
    return 1000 * statistics.median(found) if found else None
