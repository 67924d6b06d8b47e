"""The machine's health: a level for each figure, with hysteresis, and the worst of them as the whole.

Pure. Not here: how the figures are measured (``monitor``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from mlops_jupyter.core.events import Health

LEVELS: tuple[Health, ...] = ("healthy", "warning", "critical")
#: A level is left only so many points below where it begins.
MARGIN = 5.0


class Thresholds(NamedTuple):
    """In percent: from where on it is a warning, and critical."""

    warning: float
    critical: float


DEFAULTS: Mapping[str, Thresholds] = {
    "cpu": Thresholds(75, 90),
    "memory": Thresholds(75, 90),
    "disk": Thresholds(80, 95),
}


class Gauge(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: its ``level``, its newest ``value`` in percent (null when unknown), and the level that the
    newest sample alone would give it, if that is another."""

    level: Health = "healthy"
    value: float | None = None
    wanted: Health | None = None


def measured(gauge: Gauge, value: float | None, thresholds: Thresholds) -> Gauge:
    """``gauge`` after one more sample. The level follows two samples in a row, as far as both go; a sample
    that knows nothing changes nothing."""
    if value is None:
        return msgspec.structs.replace(gauge, value=None)
    wanted = _wanted(gauge.level, value, thresholds)
    now = LEVELS.index(gauge.level)
    steps = [LEVELS.index(level) - now for level in (gauge.wanted or gauge.level, wanted)]
    if min(steps) > 0:
        return Gauge(level=LEVELS[now + min(steps)], value=value)
    if max(steps) < 0:
        return Gauge(level=LEVELS[now + max(steps)], value=value)
    return Gauge(level=gauge.level, value=value, wanted=wanted if wanted != gauge.level else None)


def worst(gauges: Mapping[str, Gauge]) -> Health:
    """The health of the whole."""
    return max((gauge.level for gauge in gauges.values()), key=LEVELS.index, default="healthy")


def alarming(gauges: Mapping[str, Gauge]) -> bool:
    """Whether somebody must be told at once. CPUs at work are what the user asked for."""
    return any(gauge.level == "critical" for name, gauge in gauges.items() if name != "cpu")


def cause(before: Mapping[str, Gauge], gauges: Mapping[str, Gauge]) -> str:
    """Which figures moved the whole to where it is: ``memory 93 %``."""
    previous, current = worst(before), worst(gauges)
    rises = LEVELS.index(current) > LEVELS.index(previous)
    moved = gauges if rises else before
    level = current if rises else previous
    names = [name for name, gauge in moved.items() if gauge.level == level]
    return ", ".join(f"{name} {_percent(gauges[name].value)}" for name in names)


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f} %"


def _wanted(level: Health, value: float, thresholds: Thresholds) -> Health:
    """The level of one sample. One that is held already is held down to ``MARGIN`` below its threshold."""
    for candidate in reversed(LEVELS[1:]):
        held = LEVELS.index(candidate) <= LEVELS.index(level)
        if value >= getattr(thresholds, candidate) - (MARGIN if held else 0):
            return candidate
    return "healthy"
