"""Samples of a machine: every field there, only what matters given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mlops_jupyter.core.events import Host, SystemMetrics, Use

_NOTHING = dict.fromkeys(("cpu_percent", "cpus", "memory_percent", "memory_used", "memory_limit"))


def a_use(**fields: Any) -> Use:
    return Use(**{"id": "j-1", "cpu_percent": None, "memory": None, "peak": None, "processes": 1, **fields})


def a_sample(**fields: Any) -> SystemMetrics:
    known = {name: None for name in SystemMetrics.__struct_fields__ if name not in ("seq", "priority")}
    told = {
        **known,
        "time": datetime(2026, 11, 28, tzinfo=UTC),
        "cpu_scope": "host",
        "memory_scope": "host",
        "host": Host(**_NOTHING),
        "health": "healthy",
        "levels": {},
        "gpu": (),
        "jobs": (),
        "kernels": (),
    }
    return SystemMetrics(**{**told, **fields})
