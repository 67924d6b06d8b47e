"""The machine as the server tells it, and as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from mlops_jupyter.client import lists, sentences
from mlops_jupyter.core import glyphs
from mlops_jupyter.core.events import Health, SystemMetrics, Use

_SIGNS: Mapping[Health, str] = {"healthy": "●", "warning": "▲", "critical": "■"}


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One figure in percent, and from how many percent on it is a warning, and critical."""

    level: Health
    percent: float | None
    warning: float
    critical: float


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A sample of the last minutes."""

    time: datetime
    cpu_percent: float | None
    memory_percent: float | None
    disk_percent: float | None
    health: Health


class System(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to ``mlops.health()``: the newest sample, its health, and the samples of five minutes, one
    each ``every`` seconds while anybody looks."""

    every: float
    system: SystemMetrics
    health: Health
    gauges: dict[str, Level]
    history: tuple[Moment, ...]

    def __repr__(self) -> str:
        return glyphs.visible(told(self))


def told(answer: System) -> str:
    """A fact a line."""
    return lists.columns(facts(answer))


def facts(answer: System) -> list[tuple[str, str]]:
    """What is known, each fact with its name; whose a figure is stands beside it."""
    now, host = answer.system, answer.system.host
    raised = [name for name, gauge in answer.gauges.items() if gauge.level != "healthy"]
    why = f": {', '.join(raised)}" if raised else ""
    found = [
        ("health", f"{_SIGNS[answer.health]} {answer.health}{why}"),
        ("cpu", f"{_percent(now.cpu_percent)} of {_count(now.cpus)} CPUs, {now.cpu_scope}"),
        ("memory", f"{_of(now.memory_used, now.memory_limit, now.memory_percent)}, {now.memory_scope}"),
        ("disk", f"{_of(now.disk_used, now.disk_limit, now.disk_percent)}, data folder"),
        ("load", None if now.load_average is None else f"{_loads(now.load_average)}, host"),
        (
            "network",
            None
            if now.network is None
            else f"{size(now.network.received)}/s in, {size(now.network.sent)}/s out, server",
        ),
        ("processes", None if now.process_count is None else f"{now.process_count} that the server sees"),
        ("up", None if now.uptime is None else f"{sentences.seconds(now.uptime)}, host"),
        ("clients", f"{now.active_connections or 0} connected"),
        ("answers", _answers(now)),
        *(
            ("gpu", f"{gpu.name} {_percent(gpu.percent)}, {_of(gpu.memory_used, gpu.memory_limit)}")
            for gpu in now.gpu
        ),
        *(("job", _use(use, sentences.short(use.id))) for use in now.jobs),
        *(("kernel", _use(use, use.id[:8])) for use in now.kernels),
    ]
    if "container" in (now.cpu_scope, now.memory_scope):
        machine = f"{_percent(host.cpu_percent)} of {_count(host.cpus)} CPUs, "
        found.insert(3, ("host", machine + _of(host.memory_used, host.memory_limit, host.memory_percent)))
    return [(name, text) for name, text in found if text is not None]


def size(count: float | None) -> str:
    """``1.2 GiB``."""
    if count is None:
        return sentences.UNKNOWN
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.3g} {unit}" if unit != "B" else f"{count:.0f} B"
        count /= 1024
    return f"{count:.1f} GiB"


def _of(used: int | None, limit: int | None, percent: float | None = None) -> str:
    share = "" if percent is None else f" ({percent:.0f} %)"
    return f"{size(used)} of {size(limit)}{share}"


def _loads(loads: tuple[float, float, float]) -> str:
    return " ".join(f"{load:.2f}" for load in loads)


def _percent(value: float | None) -> str:
    return sentences.UNKNOWN if value is None else f"{value:.0f} %"


def _count(cpus: float | None) -> str:
    return sentences.UNKNOWN if cpus is None else f"{cpus:g}"


def _answers(now: SystemMetrics) -> str | None:
    told = [
        f"{name} {value:.3g} ms"
        for name, value in (("REST", now.api_response_ms), ("socket", now.ws_response_ms))
        if value is not None
    ]
    return ", ".join(told) or None


def _use(use: Use, name: str) -> str:
    peak = "" if use.peak is None else f", at most {size(use.peak)}"
    many = f", {use.processes} processes" if use.processes > 1 else ""
    return f"{name}  {_percent(use.cpu_percent)} of a CPU, {size(use.memory)}{peak}{many}"
