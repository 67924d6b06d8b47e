"""A job in a person's words: the same in errors, snapshots, terminals and lists.

Pure. Unknown is ``—``, never a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import floor

from mlops_jupyter.core.jobs import Alert, Job

UNKNOWN = "—"
#: ``j-`` and four characters; any unique beginning is accepted.
SHORT = 6
_BLOCKS = "▁▂▃▄▅▆▇█"
_MARKS = {
    "queued": "◷",
    "starting": "●",
    "running": "●",
    "paused": "⏸",
    "stopping": "◼",
    "completed": "✓",
    "failed": "✕",
    "cancelled": "◼",
    "lost": "✕",
}


def short(job_id: str, others: Iterable[str] = ()) -> str:
    """The shortest beginning of the id that is none of another id's, at least ``j-`` and four."""
    rivals = [other for other in others if other != job_id]
    length = SHORT
    while length < len(job_id) and any(other.startswith(job_id[:length]) for other in rivals):
        length += 1
    return job_id[:length]


def number(value: float | None) -> str:
    """Four significant digits."""
    return UNKNOWN if value is None else f"{value:.4g}"


def seconds(value: float | None) -> str:
    """``10.4 s`` below a minute, then ``1:05``, then ``2:03:10``."""
    if value is None:
        return UNKNOWN
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def left(job: Job) -> str | None:
    """How long it still takes, as far as there is a basis; never 0:00 while it runs."""
    if job.terminal or job.estimated_remaining is None:
        return None
    if job.estimated_remaining <= 0:
        return "longer than estimated"
    remaining = max(1, round(job.estimated_remaining))
    step = 1 if remaining < 60 else 5 if remaining < 600 else 60
    minutes, rest = divmod(-(-remaining // step) * step, 60)
    return f"left ~{minutes}:{rest:02}"


def clock(moment: datetime | None) -> str:
    """Date and time of day here."""
    return UNKNOWN if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def percent(job: Job) -> str:
    """Never rounded up: 100 % is the end."""
    return UNKNOWN if job.progress is None else f"{floor(job.progress)} %"


def state(job: Job) -> str:
    """``✓ finished in 10.4 s``, ``● running 58 %``, ``✕ failed at Training model``, …"""
    if job.unreadable:
        return f"? record unreadable, {job.status}"
    mark = _MARKS[job.status]
    if job.status == "completed":
        return f"{mark} finished in {seconds(job.elapsed_time)}"
    if job.status == "queued":
        why = ", waiting for memory" if job.waiting_for == "memory" else ""
        return f"{mark} queued" + (f", {job.ahead} ahead" if job.ahead else "") + why
    if job.status in ("failed", "lost"):
        where = f" at {job.current_stage}" if job.current_stage else ""
        return f"{mark} {job.status}{where}"
    if job.status == "cancelled":
        by = f" by {job.stopped_by}" if job.stopped_by else ""
        return f"{mark} cancelled{by} at {percent(job)}"
    return f"{mark} {job.status}" + ("" if job.progress is None else f" {percent(job)}")


def score(job: Job) -> str | None:
    """``accuracy 0.974`` on the hold-out."""
    if job.metric is None or job.final_score is None:
        return None
    return f"{job.metric} {number(job.final_score)}"


def best(job: Job) -> str | None:
    """``best val_accuracy 0.975 @ 37``: the live metric's best value and its step."""
    if job.best is None:
        return None
    return f"best {job.best.name} {number(job.best.value)} @ {job.best.step}"


def attempt(job: Job) -> str | None:
    """``2, after j-7f3a``; ``None`` for a first one."""
    return None if job.rerun_of is None else f"{job.attempt}, after {short(job.rerun_of)}"


def changes(job: Job) -> str | None:
    """``max_depth 3 → 5, cv 5 → 0``; ``None`` when nothing was changed."""
    told = [f"{c.name} {_value(c.before)} → {_value(c.after)}" for c in job.changes]
    return ", ".join(told) or None


def _value(value: object) -> str:
    return UNKNOWN if value is None else str(value)


def alerts(job: Job) -> list[Alert]:
    """Those nobody has muted."""
    return [alert for alert in job.alerts if alert.rule not in job.muted_rules]


def cause(job: Job) -> str | None:
    """Why it failed, in one line."""
    return job.error.strip().splitlines()[0] if job.error else job.reason


def sparkline(values: Sequence[float | None], width: int = 10) -> str:
    """Blocks from lowest to highest; each stands for an equal share of the values, by its last."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    if len(known) > width:
        known = [known[(place + 1) * len(known) // width - 1] for place in range(width)]
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    return "".join(_BLOCKS[round((value - low) / span * (len(_BLOCKS) - 1))] for value in known)
