"""The server and its jobs as lines of text, for terminals and ``%mlops``."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_jupyter.client import sentences
from mlops_jupyter.client.answers import Notified, Status
from mlops_jupyter.client.servers import Server
from mlops_jupyter.core import glyphs
from mlops_jupyter.core.events import ActivityUpdate
from mlops_jupyter.core.jobs import Job

_HEAD = ("id", "name", "state", "score", "started")


def jobs(listed: Sequence[Job]) -> str:
    """A line a job, the newest first."""
    if not listed:
        return 'no jobs yet: mlops.train(df, target="…")'
    ids = [job.job_id for job in listed]
    rows = [
        (
            sentences.short(job.job_id, ids),
            job.name,
            sentences.state(job),
            sentences.score(job) or sentences.UNKNOWN,
            sentences.clock(job.start_time),
        )
        for job in listed
    ]
    return columns([_HEAD, *rows])


def activity(rows: Sequence[ActivityUpdate]) -> str:
    """What happened, a line each, the newest first."""
    if not rows:
        return "nothing has happened yet"
    return columns(
        [
            (sentences.clock(row.activity.timestamp), row.activity.title, row.activity.description)
            for row in rows
        ]
    )


def notified(answer: Notified) -> str:
    """A line a channel, and what to do."""
    lines = [f"{'✓' if tried.well else '✕'} {tried.channel}" for tried in answer.channels]
    if answer.problem is not None:
        lines.append(f"✕ {answer.problem}")
    if not all(tried.well for tried in answer.channels):
        lines.append('To see why: apprise -vv -b test "URL"')
    return "\n".join(lines) or "no channel is set up: MlopsExtension.notify_file (docs/troubleshooting.md)"


def overview(server: Server, status: Status, newest: Sequence[Job]) -> str:
    """Which server it is, what it does, and its newest jobs."""
    kind = "private server" if status.private else "Jupyter server"
    where = server.socket or server.address
    running, queued = status.jobs["running"], status.jobs["queued"]
    head = f"{kind} {where} (pid {status.pid}, mlops_jupyter {status.version})"
    return f"{head}: {running} running, {queued} queued\n{jobs(newest)}"


def job(record: Job) -> str:
    """One job, a fact a line."""
    facts = [
        ("job", record.job_id),
        ("state", sentences.state(record)),
        ("stage", record.current_stage if not record.terminal else None),
        ("cause", sentences.cause(record) if record.error or record.reason else None),
        ("try", record.hint and " ".join(record.hint.split())),
        ("target", record.target),
        ("estimator", record.estimator),
        ("priority", str(record.priority) if record.priority else None),
        ("pipeline", f"{record.pipeline.name} v{record.pipeline.version}" if record.pipeline else None),
        ("attempt", sentences.attempt(record)),
        ("changed", sentences.changes(record)),
        ("run again", record.followed_by and f"as {sentences.short(record.followed_by)}"),
        *((f"alert {alert.rule}", alert.message) for alert in sentences.alerts(record)),
        ("score", sentences.score(record)),
        ("best", (sentences.best(record) or "").removeprefix("best ") or None),
        *((name, sentences.number(value)) for name, value in record.metrics.items()),
        ("model", record.model_id or record.model_missing_reason),
    ]
    return f"{glyphs.on_a_line(record.name)}\n" + columns(
        [(name, value) for name, value in facts if value is not None]
    )


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as lines, each column as wide as its widest cell."""
    rows = [[glyphs.on_a_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
