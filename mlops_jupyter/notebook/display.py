"""How a job stands in a cell: live while it runs, and as a snapshot that lasts from its end on.

One output, several representations (docs/decisions): our own MIME type for the lab extension, the widget
for other front ends, table and text for everybody else. Not here: what the snapshot says (``snapshot``).
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from IPython import get_ipython
from IPython.display import display, publish_display_data, update_display

from mlops_jupyter.client.job import Job
from mlops_jupyter.notebook import snapshot
from mlops_jupyter.notebook.widgets import JobWidget

#: Updates of the widget's traits: what it shows comes from elsewhere.
PACE = 1.0


class NotebookView:
    """Shows jobs in the cells of this kernel's notebook."""

    pace = PACE

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._widgets: dict[str, JobWidget] = {}
        self._outputs: dict[str, list[Any]] = {}
        self._shown: set[tuple[str, int]] = set()

    def show(self, job: Job, *, unless_shown: bool = False) -> None:
        shell = get_ipython()
        here = job.job_id, shell.execution_count
        if unless_shown and here in self._shown:
            return
        self._shown.add(here)
        with self._lock:
            # The feed calls ``ended`` after the record is terminal: one of the two sees the other.
            over = job.record.terminal
            if not over:
                self._show_live(job)
        if over:
            publish_display_data(final(job))

    def _show_live(self, job: Job) -> None:
        widget = self._widgets.get(job.job_id)
        if widget is None:
            widget = self._widgets[job.job_id] = JobWidget(job)
        if not job.in_page:
            # The view is replaced at the end, but that is lost when the page is reloaded before.
            publish_display_data({"text/plain": snapshot.reopening(job.record)})
        handle = display(running(job, widget), raw=True, display_id=True)
        self._outputs.setdefault(job.job_id, []).append(handle)

    def moved(self, job: Job) -> None:
        """Widgets follow by themselves."""

    def ended(self, job: Job) -> None:
        """Replace the live views by what can be read from the file without anything of ours."""
        with self._lock:
            widget = self._widgets.pop(job.job_id, None)
            outputs = self._outputs.pop(job.job_id, [])
        if widget is None:
            return
        bundle = final(job)
        for handle in outputs:
            update_display(bundle, raw=True, display_id=handle.display_id)
        widget.close()


def running(job: Job, widget: JobWidget) -> dict[str, Any]:
    """While it runs. Our MIME type only where its renderer reaches the job: it is preferred to the
    widget, and would have nothing live to show."""
    bundle: dict[str, Any] = {
        "application/vnd.jupyter.widget-view+json": {
            "version_major": 2,
            "version_minor": 1,
            "model_id": widget.model_id,
        },
        "text/html": snapshot.html(job.record, None),
        "text/plain": snapshot.text(job.record, job.points),
    }
    if job.in_page:
        bundle[snapshot.MIME] = snapshot.json(job.record, job.points, datetime.now(UTC))
    return bundle


def final(job: Job) -> dict[str, Any]:
    """After the end: no widget, whose code would have to be in the file."""
    from mlops_jupyter.notebook.picture import picture  # noqa: PLC0415 - matplotlib, 0.6 s

    points = job.points
    return {
        snapshot.MIME: snapshot.json(job.record, points, datetime.now(UTC)),
        "text/html": snapshot.html(job.record, picture(points)),
        "text/plain": snapshot.text(job.record, points),
    }
