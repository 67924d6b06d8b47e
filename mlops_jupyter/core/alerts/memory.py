"""A job takes most of the memory in use, and there is hardly any left."""

from __future__ import annotations

from mlops_jupyter.core.alerts.found import Found, size
from mlops_jupyter.core.events import SystemMetrics, Use

#: Percent of what may be taken that are in use, and the job's share of that.
PERCENT, SHARE = 90.0, 0.5


def check(use: Use, sample: SystemMetrics) -> Found | None:
    """Of one sample; one alone may be a leap that is over."""
    percent, used, limit = sample.memory_percent, sample.memory_used, sample.memory_limit
    if percent is None or used is None or limit is None or use.memory is None:
        return None
    if percent < PERCENT or use.memory < SHARE * used:
        return None
    whose = "container" if sample.memory_scope == "container" else "machine"
    evidence = {
        "memory": use.memory,
        "memory_used": used,
        "memory_limit": limit,
        "memory_percent": round(percent, 1),
        "memory_scope": sample.memory_scope,
        "processes": use.processes,
    }
    return Found(
        f"This job takes {size(use.memory)}, and {percent:.0f} % of the {whose}'s {size(limit)} are in use: "
        "when nothing is left, the kernel ends it.",
        evidence,
    )
