"""Measures what Jupyter's server lives in: the container where one has limits, and the machine around it.

Blocks for some milliseconds, so it belongs in a thread. Not here: when it is asked, and who is told
(``monitor``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from mlops_jupyter.core.events import Gpu, Host, Network, Use
from mlops_jupyter.training import container, processes
from mlops_jupyter.training.processes import Identity

log = logging.getLogger(__name__)


class _Spent(NamedTuple):
    """CPU seconds of each process of a tree, at a moment of the monotonic clock."""

    at: float
    seconds: dict[tuple[int, int], float]


class Machine:
    """Rates are those since the sample before; the first ones since this was made."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is on the disk that is looked at."""
        self._folder = folder
        self._nvml: Any = None
        self._nvml_begun = False
        self._host = _host_cpu()
        self._contained = _contained_cpu()
        self._traffic = _traffic()
        self._spent: dict[str, _Spent] = {}
        self._peaks: dict[str, int] = {}

    def figures(self) -> dict[str, Any]:
        """Fields of ``SystemMetrics``; what cannot be measured here is null."""
        host = self._of_host()
        disk = _disk(self._folder)
        return {
            **self._cpu(host),
            **_memory(host),
            "host": host,
            "disk_percent": None if disk is None else disk.percent,
            "disk_used": None if disk is None else disk.used,
            "disk_limit": None if disk is None else disk.used + disk.free,
            "network": self._network(),
            "process_count": len(psutil.pids()),
            "uptime": time.clock_gettime(time.CLOCK_BOOTTIME),
            "load_average": psutil.getloadavg(),
            "gpu": self._gpus(),
        }

    def uses(self, roots: Mapping[str, Identity], *, with_root: bool) -> tuple[Use, ...]:
        """What hangs below each of the ``roots``, by id, and at will what it takes itself; none for one that
        is gone."""
        return tuple(
            self._use(name, root, with_root=with_root)
            for name, root in roots.items()
            if processes.lives(root)
        )

    def forget(self, known: Mapping[str, Identity]) -> None:
        """Drop what was kept of all others than ``known``."""
        for kept in (self._spent, self._peaks):
            for name in [name for name in kept if name not in known]:
                del kept[name]

    def _use(self, name: str, root: Identity, *, with_root: bool) -> Use:
        tree = [*([root.pid] if with_root else []), *processes.descendants(root.pid)]
        found = {
            pid: status for pid in tree if (status := processes.status(pid)) and status.state not in "ZX"
        }
        now = _Spent(time.monotonic(), {(pid, one.ticks): one.cpu_seconds for pid, one in found.items()})
        before = self._spent.get(name)
        self._spent[name] = now
        # Zero is what the kernel says of processes that are not ours to look into.
        memory = processes.memory(found) or None
        if memory is not None:
            self._peaks[name] = max(memory, self._peaks.get(name, 0))
        return Use(
            id=name,
            cpu_percent=None if before is None else _percent(before, now),
            memory=memory,
            peak=self._peaks.get(name),
            processes=len(found),
        )

    def _of_host(self) -> Host:
        before, self._host = self._host, _host_cpu()
        busy, total = (now - then for now, then in zip(self._host, before, strict=True))
        memory = psutil.virtual_memory()
        return Host(
            cpu_percent=100 * busy / total if total > 0 else None,
            cpus=psutil.cpu_count(),
            memory_percent=memory.percent,
            memory_used=memory.total - memory.available,
            memory_limit=memory.total,
        )

    def _cpu(self, host: Host) -> dict[str, Any]:
        """Of the container's quota, where there is one."""
        quota = container.cpu_quota()
        before, self._contained = self._contained, _contained_cpu()
        if quota is None or quota >= (host.cpus or quota):
            return {"cpu_percent": host.cpu_percent, "cpus": host.cpus, "cpu_scope": "host"}
        percent = None
        if before is not None and self._contained is not None:
            percent = 100 * (self._contained.cpu - before.cpu) / (self._contained.at - before.at) / quota
        return {"cpu_percent": percent, "cpus": quota, "cpu_scope": "container"}

    def _network(self) -> Network | None:
        before, self._traffic = self._traffic, _traffic()
        if before is None or self._traffic is None:
            return None
        seconds = self._traffic.at - before.at
        return Network(
            received=max(self._traffic.received - before.received, 0) / seconds,
            sent=max(self._traffic.sent - before.sent, 0) / seconds,
        )

    def _gpus(self) -> tuple[Gpu, ...]:
        if not self._nvml_begun:
            # Here and not before: its driver may take seconds, which a thread has.
            self._nvml_begun, self._nvml = True, _nvml()
        if self._nvml is None:
            return ()
        try:
            return tuple(self._gpu(number) for number in range(self._nvml.nvmlDeviceGetCount()))
        except self._nvml.NVMLError as error:
            # A driver that was unloaded does not come back to a process that knew it.
            log.info("GPUs cannot be asked any more: %s", error)
            self._nvml = None
            return ()

    def _gpu(self, number: int) -> Gpu:
        nvml = self._nvml
        device = nvml.nvmlDeviceGetHandleByIndex(number)

        def told(ask: Any) -> Any:
            try:
                return ask(device)
            except nvml.NVMLError:
                # Parts of a divided device tell less.
                return None

        rates, memory = told(nvml.nvmlDeviceGetUtilizationRates), told(nvml.nvmlDeviceGetMemoryInfo)
        return Gpu(
            name=str(nvml.nvmlDeviceGetName(device)),
            percent=None if rates is None else float(rates.gpu),
            memory_used=None if memory is None else int(memory.used),
            memory_limit=None if memory is None else int(memory.total),
        )


class _Cpu(NamedTuple):
    at: float
    cpu: float


class _Traffic(NamedTuple):
    at: float
    received: int
    sent: int


def _percent(before: _Spent, now: _Spent) -> float:
    """Of one CPU. What began since the sample before has spent all it has in between."""
    spent = sum(seconds - before.seconds.get(one, 0.0) for one, seconds in now.seconds.items())
    return 100 * spent / (now.at - before.at)


def _host_cpu() -> tuple[float, float]:
    """Seconds busy, and seconds in all, of all CPUs since the machine was started."""
    times = psutil.cpu_times()
    # The time of guests is the user's, too.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    total = sum(times) - guests
    return total - times.idle - getattr(times, "iowait", 0.0), total


def _contained_cpu() -> _Cpu | None:
    seconds = container.cpu_seconds()
    return None if seconds is None else _Cpu(time.monotonic(), seconds)


def _memory(host: Host) -> dict[str, Any]:
    """Of the container's limit, where there is one below what the machine has."""
    contained = container.memory()
    if contained is None:
        return {
            "memory_percent": host.memory_percent,
            "memory_used": host.memory_used,
            "memory_limit": host.memory_limit,
            "memory_scope": "host",
        }
    used, limit = contained
    return {
        "memory_percent": 100 * used / limit,
        "memory_used": used,
        "memory_limit": limit,
        "memory_scope": "container",
    }


def _disk(folder: Path) -> Any:
    try:
        return psutil.disk_usage(str(folder))
    except OSError:
        return None


def _traffic() -> _Traffic | None:
    try:
        by_interface = psutil.net_io_counters(pernic=True)
    except OSError:
        return None
    outside = [counted for name, counted in by_interface.items() if name != "lo"]
    return _Traffic(
        time.monotonic(), sum(one.bytes_recv for one in outside), sum(one.bytes_sent for one in outside)
    )


def _nvml() -> Any:
    """NVIDIA's library, started; None where it, its driver or a device is missing."""
    try:
        import pynvml  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        log.info("No GPU is watched: %s", error)
        return None
    return pynvml
