"""A job as it stays in a notebook file: JSON for our renderer, a plain table, three lines of text.

Everything is bounded, whatever a job contains, and nothing of it is markup. Pure; the picture is made
elsewhere (``picture``).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from mlops_jupyter.client import sentences
from mlops_jupyter.core import glyphs, wire
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.series import Point, extremes

MIME = "application/vnd.mlops.job+json"
#: Bytes of compact JSON, and of HTML.
MOST_JSON = 40_000
MOST_HTML = 60_000
MOST_POINTS = 300
#: Fields of the record nobody needs once the notebook is read elsewhere, or that have no bound.
_LEFT_OUT = frozenset({"process", "owner", "expected_seconds", "outcome", "model_file", "report"})
_TEXT, _ITEMS, _ROWS = 500, 50, 12
#: What was measured on rows no stage had seen comes first.
_ORDER = {"test": 0, "val": 1, "cv": 2, "train": 3}
Points = Mapping[str, Sequence[Point]]


def json(job: Job, points: Points, as_of: datetime) -> dict[str, Any]:
    """Body of ``application/vnd.mlops.job+json``, version 1.

    ``record`` has the fields of ``GET jobs/{id}`` but for a few, long texts and lists cut; ``series`` has
    at most 300 ``pairs`` a metric."""
    record = {name: _cut(value) for name, value in wire.plain(job).items() if name not in _LEFT_OUT}
    if job.status not in ("failed", "lost"):
        # What a job wrote names places on this machine; only a failure needs it.
        record["log_tail"] = []
    body = {"version": 1, "job_id": job.job_id, "as_of": wire.plain(as_of), "record": record, "series": {}}
    for heavy in ("candidates", "parameters", "findings", "classes", "metrics", "live_metrics", "versions"):
        if len(wire.encode(body)) <= MOST_JSON // 2:
            break
        record[heavy] = type(record[heavy])() if record[heavy] is not None else None
    kept = {name: extremes(measured, MOST_POINTS).points for name, measured in points.items()}
    for most in (MOST_POINTS, 200, 120, 80, 50, 30, 16, 8, 4):
        body["series"] = {name: pairs(measured, most) for name, measured in kept.items()}
        if len(wire.encode(body)) <= MOST_JSON:
            return body
    body["series"] = {}
    return body


def html(job: Job, picture: bytes | None) -> str:
    """One table, and the picture: no style, script or inline SVG, which viewers strip."""
    rows = "".join(f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in _facts(job))
    head = f"<tr><th>{_text(job.name)}</th><td>{_text(sentences.state(job))}</td></tr>"
    table = f"<table>{head}{rows}</table>"
    if picture is None:
        return table
    data = base64.b64encode(picture).decode()
    shown = f'{table}<img alt="{_text(_charts(job))}" src="data:image/png;base64,{data}">'
    return shown if len(shown.encode()) <= MOST_HTML else table


def text(job: Job, points: Points) -> str:
    """Three lines: what and how it stands, the curve, how to come back to it."""
    name, short = _line(job.name, 60), sentences.short(job.job_id)
    moment = f" ({sentences.clock(job.end_time)})" if job.end_time else ""
    said = [f"{name} {short}  {sentences.state(job)}{moment}", sentences.score(job), sentences.best(job)]
    model = f"model {job.model_id}     " if job.model_id else ""
    return "\n".join(
        [
            "   ".join(glyphs.on_a_line(part) for part in said if part),
            _line(_second(job, points), 110),
            f'{model}reopen: mlops.get("{short}")',
        ]
    )


def reopening(job: Job) -> str:
    """One line that stays above a live view, for viewers that cannot show it any more."""
    short = sentences.short(job.job_id)
    return f'{_line(job.name, 60)} {short}   reopen: mlops.get("{short}")'


def _second(job: Job, points: Points) -> str:
    if job.status in ("failed", "lost"):
        return sentences.cause(job) or sentences.UNKNOWN
    name = _main_curve(job, points)
    values = [point.value for point in points[name] if point.value is not None] if name else []
    if not values:
        return f"{job.target or sentences.UNKNOWN} ← {job.estimator or sentences.UNKNOWN}"
    ends = sentences.number(values[0]), sentences.number(values[-1])
    return f"{name}  {ends[0]} {sentences.sparkline(values)} {ends[1]}"


def _main_curve(job: Job, points: Points) -> str | None:
    """The curve people look at first: the best's own, else one on validation rows."""
    if job.best is not None and job.best.name in points:
        return job.best.name
    return next((name for name in points if name.startswith("val_")), next(iter(points), None))


def _facts(job: Job) -> list[tuple[str, str]]:
    facts = [("job", sentences.short(job.job_id))]
    if job.error or job.reason:
        facts.append(("cause", sentences.cause(job) or sentences.UNKNOWN))
    if job.hint:
        facts.append(("what to try", job.hint))
    if job.target:
        facts.append(("target", job.target))
    if job.estimator:
        facts.append(("estimator", job.estimator))
    told = (("attempt", sentences.attempt(job)), ("changed", sentences.changes(job)))
    facts += [(name, value) for name, value in told if value is not None]
    if job.dataset is not None and job.dataset.rows is not None:
        facts.append(("data", f"{job.dataset.name}, {job.dataset.rows} rows"))
    if job.best is not None:
        facts.append(("best", (sentences.best(job) or "").removeprefix("best ")))
    if job.metric is not None and job.final_score is not None:
        facts.append((f"{job.metric}, hold-out", sentences.number(job.final_score)))
    numbers = sorted(job.metrics.items(), key=lambda pair: _ORDER.get(pair[0].partition("_")[0], 9))
    facts += [(name, sentences.number(value)) for name, value in numbers[:_ROWS]]
    if job.end_time is not None:
        facts.append(("ended", sentences.clock(job.end_time)))
    if job.model_id:
        facts.append(("model", job.model_id))
    return facts


def _charts(job: Job) -> str:
    return f"Curves of {_line(job.name, 60)}: " + (sentences.best(job) or sentences.state(job))


def pairs(measured: Sequence[Point], most: int = MOST_POINTS) -> list[list[Any]]:
    """``[step, value]`` of at most ``most`` points; ``[step, None, "nan"]`` and so on where a value is
    not finite. A fifth of the bytes the points themselves would take."""
    kept = extremes(measured, most).points
    return [
        [point.step, None, point.nf] if point.value is None else [point.step, float(f"{point.value:.6g}")]
        for point in kept
    ]


def _cut(value: Any) -> Any:
    """``value`` with texts, lists and mappings no longer than a person would read."""
    if isinstance(value, str):
        return value if len(value) <= _TEXT else value[: _TEXT - 1] + "…"
    if isinstance(value, list):
        return [_cut(item) for item in value[:_ITEMS]]
    if isinstance(value, dict):
        return {_cut(name): _cut(item) for name, item in list(value.items())[:_ITEMS]}
    return value


def _line(value: str, most: int) -> str:
    """``value`` on one line."""
    flat = glyphs.visible(" ".join(value.split()))
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _text(value: str) -> str:
    return escape(_line(value, _TEXT), quote=True)
