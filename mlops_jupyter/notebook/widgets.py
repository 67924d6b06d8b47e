"""``JobWidget``: a live view of one job for any front end with widgets, and for ipywidgets layouts.

Its script is the one the lab extension shows jobs with; where the page reaches the job's server it feeds
itself, elsewhere it is fed by the kernel (``relay``). Not here: what stays in the saved file (``snapshot``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import traitlets

from mlops_jupyter.client.job import Job
from mlops_jupyter.core import wire
from mlops_jupyter.notebook.relay import Relayed, relay
from mlops_jupyter.notebook.snapshot import pairs

STATIC = Path(__file__).parents[1] / "static"
_FIELDS = (
    *("status", "progress", "current_stage", "message", "live_accuracy", "final_accuracy"),
    *("elapsed_time", "estimated_remaining"),
)


class JobWidget(Relayed):
    """A view of ``job``.

    All traits can be observed from Python; they follow the job, at most once a second. ``record`` is the
    job's record; ``series`` has at most 300 ``[step, value]`` pairs a metric, no spike lost (``Job.metrics``
    has every point). The others are fields of the record by themselves: times in seconds, ``progress`` from
    0 to 100, ``None`` while unknown. ``relayed``: the page cannot reach the job's server.
    """

    _esm = STATIC / "job.js"

    job_id = traitlets.Unicode().tag(sync=True)
    record = traitlets.Dict().tag(sync=True)
    series = traitlets.Dict().tag(sync=True)

    status = traitlets.Unicode().tag(sync=True)
    progress = traitlets.Float(None, allow_none=True).tag(sync=True)
    current_stage = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    live_accuracy = traitlets.Float(None, allow_none=True).tag(sync=True)
    final_accuracy = traitlets.Float(None, allow_none=True).tag(sync=True)
    elapsed_time = traitlets.Float(None, allow_none=True).tag(sync=True)
    estimated_remaining = traitlets.Float(None, allow_none=True).tag(sync=True)

    def __init__(self, job: Job, *, relayed: bool | None = None, **kwargs: Any) -> None:
        relayed = not job.in_page if relayed is None else relayed
        super().__init__(job.session, relayed=relayed, **_traits(job), **kwargs)
        #: The job, and the attempts that were begun from its view.
        self._jobs = [job]
        job.on_change(self.follow)
        if self.relayed:
            # They need not be told twice.
            self.keys = [name for name in self.trait_names(sync=True) if name not in ("record", "series")]
            relay(job.session).serve(self)

    @property
    def subjects(self) -> frozenset[str]:
        return frozenset(job.record.job_id for job in self._jobs)

    @property
    def questions(self) -> tuple[str, ...]:
        return tuple(
            question
            for name in sorted(self.subjects)
            for question in (f"jobs?id={name}", f"jobs/{name}/metrics?buckets=300")
        )

    def over(self, head: int) -> bool:
        return all(job.record.terminal and job.head <= head for job in self._jobs)

    def ordered(self, path: str, answer: bytes) -> None:
        """A job that was run again is followed by the attempt after it."""
        if path.endswith("/rerun"):
            record = wire.decode(answer, _Named)
            self._jobs.append(self.session.get(record.job_id))
            relay(self.session).serve(self)

    def follow(self, job: Job) -> None:
        """Take over what is known now; one message for all that changed."""
        with self.turn, self.hold_sync():
            for name, value in _traits(job).items():
                setattr(self, name, value)

    def __repr__(self) -> str:
        return f"<JobWidget {self.record['name']} {self.job_id[:6]} {self.status}>"


class _Named(msgspec.Struct, frozen=True):
    job_id: str


def _traits(job: Job) -> dict[str, Any]:
    record = wire.plain(job.record)
    series = {name: pairs(measured) for name, measured in job.points.items()}
    return {
        "job_id": job.record.job_id,
        "record": record,
        "series": series,
        **{name: record[name] for name in _FIELDS},
    }
