"""``JobWidget``: a live view of one job for any front end with widgets, and for ipywidgets layouts.

Its script is the one the lab extension shows jobs with; where the page reaches the job's server it feeds
itself, elsewhere from these traits. Not here: what stays in the saved file (``snapshot``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from mlops_jupyter.client.job import Job
from mlops_jupyter.core import wire
from mlops_jupyter.notebook.snapshot import pairs

STATIC = Path(__file__).parents[1] / "static"
_FIELDS = (
    *("status", "progress", "current_stage", "message", "live_accuracy", "final_accuracy"),
    *("elapsed_time", "estimated_remaining"),
)


class JobWidget(anywidget.AnyWidget):
    """A view of ``job``.

    All traits can be observed from Python; they follow the job, at most once a second where the browser
    has its own connection. ``record`` is the job's record; ``series`` has at most 300 ``[step, value]``
    pairs a metric, no spike lost (``Job.metrics`` has every point). The others are fields of the record
    by themselves: times in seconds, ``progress`` from 0 to 100, ``None`` while unknown. ``server``:
    whether the server of the page is the job's own.
    """

    _esm = STATIC / "job.js"

    job_id = traitlets.Unicode().tag(sync=True)
    record = traitlets.Dict().tag(sync=True)
    series = traitlets.Dict().tag(sync=True)
    server = traitlets.Bool(False).tag(sync=True)

    status = traitlets.Unicode().tag(sync=True)
    progress = traitlets.Float(None, allow_none=True).tag(sync=True)
    current_stage = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    live_accuracy = traitlets.Float(None, allow_none=True).tag(sync=True)
    final_accuracy = traitlets.Float(None, allow_none=True).tag(sync=True)
    elapsed_time = traitlets.Float(None, allow_none=True).tag(sync=True)
    estimated_remaining = traitlets.Float(None, allow_none=True).tag(sync=True)

    def __init__(self, job: Job, **kwargs: Any) -> None:
        super().__init__(server=job.in_page, **_traits(job), **kwargs)
        job.on_change(self.follow)

    def follow(self, job: Job) -> None:
        """Take over what is known now; one message for all that changed."""
        with self.hold_sync():
            for name, value in _traits(job).items():
                setattr(self, name, value)

    def __repr__(self) -> str:
        return f"<JobWidget {self.record['name']} {self.job_id[:6]} {self.status}>"


def _traits(job: Job) -> dict[str, Any]:
    record = wire.plain(job.record)
    series = {name: pairs(measured) for name, measured in job.points.items()}
    return {
        "job_id": job.record.job_id,
        "record": record,
        "series": series,
        **{name: record[name] for name in _FIELDS},
    }
