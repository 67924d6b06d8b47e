"""How a job stands in a marimo notebook: as a widget, which stays one. Nothing of it is in the file.

Not here: what the widget shows and how it is fed (``widgets``, ``relay``).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mlops_jupyter.client.job import Job
from mlops_jupyter.notebook.relay import Relayed
from mlops_jupyter.notebook.widgets import JobWidget

if TYPE_CHECKING:
    import marimo


def running() -> bool:
    """Whether this process is the kernel of a marimo notebook."""
    # Asked of those alone who have it: it takes half a second to import.
    module = sys.modules.get("marimo")
    return module is not None and bool(module.running_in_notebook())


def element(widget: Relayed) -> marimo.ui.anywidget:
    """What marimo takes for a widget."""
    import marimo  # noqa: PLC0415 - it is there when this is called

    return marimo.ui.anywidget(widget)


def html(text: str) -> marimo.Html:
    """What marimo takes for words that stay as they are."""
    import marimo  # noqa: PLC0415 - as above

    return marimo.Html(text)


class MarimoView:
    """Shows jobs in the cells of this kernel's notebook."""

    pace = 1.0

    def __init__(self) -> None:
        self._newest: JobWidget | None = None

    def show(self, job: Job, *, unless_shown: bool = False) -> marimo.ui.anywidget | None:
        import marimo  # noqa: PLC0415 - it is there when this is called

        widget = self._newest
        if not unless_shown or widget is None or widget.closed or widget.job_id != job.job_id:
            # One a cell: marimo closes those of a cell that runs again.
            widget = self._newest = JobWidget(job, relayed=True)
        if not unless_shown:
            marimo.output.append(element(widget))
            return None
        # The cell ends with the job: this takes the place of what was shown in it before.
        return element(widget)

    def moved(self, job: Job) -> None:
        """Widgets follow by themselves."""

    def ended(self, job: Job) -> None:
        """They stay, too."""
