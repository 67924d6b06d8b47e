"""REST: the machine as it is, its health, and the last minutes of both."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web

from mlops_jupyter.core import health
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.events import SystemMetrics
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.monitor import Inhabitants
from mlops_jupyter.server.handler import Handler
from mlops_jupyter.training.processes import Identity, identify

if TYPE_CHECKING:
    from mlops_jupyter.server.rooms import Rooms

#: Seconds for which somebody who polls is taken to go on looking.
LOOKING = 30.0


class SystemHandler(Handler):
    #: That the disk is full is a figure, too.
    needs_store = False

    @web.authenticated
    @authorized("read", "mlops.system")
    async def get(self) -> None:
        monitor = self.rooms.monitor
        newest = await monitor.newest()
        self.reply(
            {
                "every": monitor.every,
                "system": newest,
                "health": newest.health,
                "gauges": {
                    name: {
                        "level": gauge.level,
                        "percent": gauge.value,
                        "warning": monitor.thresholds[name].warning,
                        "critical": monitor.thresholds[name].critical,
                    }
                    for name, gauge in monitor.gauges.items()
                },
                "history": [_told(sample) for sample in monitor.samples],
            }
        )


def _told(sample: SystemMetrics) -> dict[str, Any]:
    """What is drawn of a sample that was."""
    names = [f"{name}_percent" for name in health.DEFAULTS]
    return {"time": sample.time, **{name: getattr(sample, name) for name in names}, "health": sample.health}


def wanted(rooms: Rooms) -> bool:
    """Whether anybody looks, is told elsewhere, or anything runs: a job, or a model that is deployed here."""
    recently = time.monotonic() - rooms.last_used < LOOKING
    told = rooms.channels.all
    runs = rooms.supervisor.places.taken or rooms.deployments.lives()
    return bool(rooms.sockets or runs or told or recently)


async def inhabitants(rooms: Rooms, kernel_manager: Any) -> Inhabitants:
    """``kernel_manager`` is Jupyter's own. Kernels of other machines have no process here."""
    jobs: list[Job] = []
    with contextlib.suppress(StoreUnavailable):
        jobs = await rooms.store.aread(lambda reading: reading.open_jobs())
    keepers = {
        job.job_id: Identity(*msgspec.structs.astuple(job.process)) for job in jobs if job.process is not None
    }
    kernels: dict[str, Identity] = {}
    for kernel_id in kernel_manager.list_kernel_ids():
        pid = getattr(kernel_manager.get_kernel(kernel_id).provisioner, "pid", None)
        if pid and (found := identify(pid)) is not None:
            kernels[kernel_id] = found
    return Inhabitants(keepers, kernels, tuple(socket.round_trip for socket in rooms.sockets))


handlers = [("system", SystemHandler)]
