"""What the handlers reach: built once when the server starts, let go of when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from mlops_jupyter import folders, ledgers, recipes, records, shelves
from mlops_jupyter.arrivals import Arrivals
from mlops_jupyter.channels import Channels, Wanted
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.health import Thresholds
from mlops_jupyter.core.limits import ReadingLimits, UploadLimits
from mlops_jupyter.datasets import Datasets
from mlops_jupyter.deployments import Deployments
from mlops_jupyter.errands import Errands
from mlops_jupyter.executors.export import Exports
from mlops_jupyter.executors.local import LocalExecutor
from mlops_jupyter.hub import Hub
from mlops_jupyter.inputs import Ages
from mlops_jupyter.machine import Machine
from mlops_jupyter.monitor import Monitor
from mlops_jupyter.server import counters, system
from mlops_jupyter.server.bus import Bus
from mlops_jupyter.server.frames import Frames
from mlops_jupyter.server.handler import RuntimeFileIdentity
from mlops_jupyter.server.snapshots import Snapshots
from mlops_jupyter.server.subscription import SubscribeHandler
from mlops_jupyter.store import Store, Stored
from mlops_jupyter.supervisor import Supervisor
from mlops_jupyter.tallies import Tallies
from mlops_jupyter.training.processes import boot_id
from mlops_jupyter.uploads import Uploads
from mlops_jupyter.watches import Watches

T = TypeVar("T")


class Settings(NamedTuple):
    """The administrator's, as ``MlopsExtension`` describes them."""

    private: bool
    places: int
    most_sockets: int
    orphan_ttl: float
    standby: bool
    memory_floor: int
    serving_memory: int
    system_seconds: float
    thresholds: Mapping[str, Thresholds]
    muted_alerts: frozenset[str]
    uploads: UploadLimits
    reading: ReadingLimits
    remote_data: tuple[str, ...]
    notify: Wanted


class Rooms:
    """Passed to the handlers through the application's settings."""

    def __init__(self, folder: Path, serverapp: Any, settings: Settings) -> None:
        loop = asyncio.get_running_loop()
        self.root_dir: str = serverapp.root_dir
        self.data_dir = str(folder)
        self.bus = Bus(serverapp.event_logger)
        self.private = settings.private
        self.most_sockets = settings.most_sockets
        self.secret = secrets.token_hex(32)
        self.runtime_identity = RuntimeFileIdentity()
        self.sockets: set[SubscribeHandler] = set()
        self.last_used = time.monotonic()
        #: What keeps the store from working, as everybody here is told: never ahead of the hub.
        self.trouble: str | None = "The store is being opened."
        self._loop = loop
        self._turn = asyncio.Event()
        self.store = Store(
            folder / "store.sqlite",
            self._committed,
            self._store_turned,
            lambda found: chain(
                records.lost(folder / "jobs", found),
                folders.lost(folder / "datasets", found),
                recipes.lost(folder / "pipelines", found),
                # Models come last: they ask whether their job names them, and their endpoint has them answer.
                ledgers.lost(folder / "endpoints", found),
                shelves.lost(folder / "models", found),
            ),
        )
        self.hub = Hub(self.store, loop, 0)
        self.frames = Frames(self.hub)
        self.snapshots = Snapshots(self.store)
        self._following = loop.create_task(self.hub.follow_others())
        uploads = Uploads(folder / "uploads", Ages(boot_id()), settings.uploads)
        self.datasets = Datasets(self.store, folder / "datasets", settings.reading)
        self.arrivals = Arrivals(self.store, self.hub, self.datasets, uploads, settings.remote_data)
        self.exports = Exports()
        self.executor = LocalExecutor(orphan_ttl=settings.orphan_ttl, standby=settings.standby)
        self.supervisor = Supervisor(
            self.store, self.executor, folder, settings.places, settings.memory_floor, settings.muted_alerts
        )
        self._errands = Errands()
        tallies = Tallies(self.store, counters.predicted)
        books = ledgers.Ledgers(self.store, folder / "endpoints")
        self.watches = Watches(self.store, tallies, books, self._errands, self.supervisor.folder)
        self.deployments = Deployments(
            self.store,
            self.supervisor.registry,
            tallies,
            books,
            self._errands,
            self.supervisor.folder,
            self.supervisor.owner,
            settings.serving_memory,
        )
        self.pipelines = recipes.Pipelines(self.store, folder / "pipelines")
        self.monitor = Monitor(
            self.hub,
            self.store,
            Machine(folder),
            partial(system.inhabitants, self, serverapp.kernel_manager),
            partial(system.wanted, self),
            self.supervisor.alerts.sampled,
            every=settings.system_seconds,
            thresholds=settings.thresholds,
        )

        self.channels = Channels(self.store, settings.notify)

    def _committed(self, stored: list[Stored]) -> None:
        self.hub.committed(stored)
        self.bus.committed(stored)
        counters.committed(stored)
        self.channels.committed(stored)

    def _store_turned(self, trouble: str | None, head: int) -> None:
        """Called in the store's thread when it came to life or to grief."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._turned, trouble, head)

    def _turned(self, trouble: str | None, head: int) -> None:
        self.trouble = trouble
        self.hub.restart(head, trouble)
        self.frames = Frames(self.hub)
        # A page that shows numbers of a store which cannot be written must not call them live.
        for socket in list(self.sockets):
            socket.close(1013, "The store does not work")
        if trouble is None:
            self.supervisor.come_to_life()
            self._errands.do(self.datasets.tidy)
            self.arrivals.come_to_life()
        self._turn.set()

    async def started(self, patience: float) -> None:
        """Until the store works or is known not to; a slow disk is not waited for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._turn.wait()
                await self.supervisor.adopted()

    def check(self) -> None:
        """Raise what is wrong with the store, if something is."""
        if self.trouble is not None:
            raise StoreUnavailable(self.trouble)

    def used(self) -> None:
        """Somebody asked for something: a private server lives on."""
        self.last_used = time.monotonic()

    async def in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """Run blocking file work beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(None, partial(work, *args))

    async def close(self) -> None:
        """Let go of everything; jobs run on."""
        for socket in list(self.sockets):
            socket.close(1001, "The server stops")
        self._following.cancel()
        self.bus.close()
        self.monitor.close()
        await self._errands.close()
        await self.deployments.close()
        await self.arrivals.close()
        await self.watches.close()
        await self.supervisor.close()
        await asyncio.to_thread(self.channels.close)
        await asyncio.to_thread(self.store.close)
