"""Who shows jobs to a person: a notebook, a terminal, or nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mlops_jupyter.client.job import Job


class View(Protocol):
    """``moved`` and ``ended`` are called in the feed's thread, ``moved`` every ``pace`` seconds at most."""

    @property
    def pace(self) -> float: ...

    def show(self, job: Job, *, unless_shown: bool = False) -> object:
        """Put the job before the user, here and now; with ``unless_shown`` not twice in one cell. Returns
        what is to be displayed, where that is not for us to do."""

    def moved(self, job: Job) -> None:
        """Something about the job changed."""

    def ended(self, job: Job) -> None:
        """Called once, before anybody who waits for the job goes on."""


class Nobody:
    """Shows nothing."""

    pace = 1.0

    def show(self, job: Job, *, unless_shown: bool = False) -> None: ...

    def moved(self, job: Job) -> None: ...

    def ended(self, job: Job) -> None: ...
