"""Alerts: what somebody should look at while a job runs, found by rules, one a file.

Not here: when the rules are asked (``intake``, ``mlops_jupyter.alerts``).
"""

from __future__ import annotations

from types import MappingProxyType

from mlops_jupyter.core.directions import measured
from mlops_jupyter.core.jobs import Job

#: Each rule by its code, and what people call what it finds.
TITLES = MappingProxyType(
    {
        "not_finite": "Not finite",
        "diverging": "Diverging",
        "overfitting": "Overfitting",
        "plateau": "Plateau",
        "stalled": "Stalled",
        "memory": "Memory near the limit",
    }
)
#: Alerts of one job: it may have thousands of metrics.
MOST = 20


def is_settled(job: Job, rule: str, metric: str | None) -> bool:
    """Whether nothing more is to be said: it was said of this metric, on these rows or on others; nobody
    wants to hear it; or there is too much already."""
    said = {(alert.rule, _title(alert.metric)) for alert in job.alerts}
    return (rule, _title(metric)) in said or rule in job.muted_rules or len(job.alerts) >= MOST


def _title(metric: str | None) -> str | None:
    return None if metric is None else measured(metric).title
