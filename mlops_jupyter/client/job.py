"""``Job``: what ``mlops.train`` returns. Attributes are the newest known and never wait.

Not here: how it is kept up to date (``feed``) and shown (a ``view``).
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from mlops_jupyter.client import curves, sentences
from mlops_jupyter.client.answers import JobAnswer, Metrics
from mlops_jupyter.client.known import JobEvent, Known
from mlops_jupyter.client.waiting import StoppedWaiting
from mlops_jupyter.core import glyphs
from mlops_jupyter.core.errors import MlopsError, ModelNotPortable, TrainingCancelled, TrainingFailed
from mlops_jupyter.core.jobs import Job as Record
from mlops_jupyter.core.series import Point

if TYPE_CHECKING:
    import pandas as pd

    from mlops_jupyter.client.session import Session

log = logging.getLogger(__name__)


class Job:
    """A training job. It runs in the server; this object follows it.

    Besides the attributes below, every field of the job's record is one: ``name``, ``status``,
    ``current_stage``, ``stages``, ``progress`` (0–100), ``elapsed_time``, ``estimated_remaining`` and
    ``estimated_total_time`` (seconds), ``live_accuracy``, ``live_metrics``, ``final_accuracy``,
    ``final_score``, ``message``, ``error``, ``findings``, ``alerts``, ``candidates``, ``model_id`` … What
    is not known is ``None``.
    """

    def __init__(self, known: Known, session: Session) -> None:
        self._known = known
        self._session = session
        self._changed = threading.Condition()
        self._settled = known.record.terminal
        self._lost: MlopsError | None = None
        self._then: list[Callable[[], object]] = []
        self._watchers: list[Callable[[Job], object]] = []
        self._model: Any = None

    # --- what is known, at once ------------------------------------------------------------

    @property
    def record(self) -> Record:
        """The whole record, as ``GET jobs/{id}`` gives it."""
        return self._known.record

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in Record.__struct_fields__:
            raise AttributeError(f"a Job has no attribute {name!r}")
        return getattr(self._known.record, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *Record.__struct_fields__} - {"parameters"})

    @property
    def id(self) -> str:
        """The shortest form of the id that is accepted everywhere, ``j-`` and four characters."""
        return sentences.short(self.record.job_id)

    @property
    def in_page(self) -> bool:
        """Whether the page this kernel's notebook is shown in belongs to the job's server."""
        return self._session.in_page

    @property
    def session(self) -> Session:
        """The way to the server it was asked for by."""
        return self._session

    @property
    def head(self) -> int:
        """The event as of which the record is."""
        return self._known.record_head

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the estimator."""
        return dict(self.record.parameters)

    @property
    def points(self) -> dict[str, list[Point]]:
        """Every measured point, by metric."""
        with self._changed:
            if self._known.points_head is None:
                self._known.refresh_points(self._session.metrics(self.record.job_id))
            return {name: list(points) for name, points in self._known.points.items()}

    @property
    def metrics(self) -> pd.DataFrame:
        """One column a live metric, one row a step (iteration, tree, epoch); complete, and growing while
        the job runs. Steps at which a metric was not measured are NaN."""
        return curves.frame(self.points)

    @property
    def summary(self) -> dict[str, Any]:
        """Status, score and final numbers."""
        record = self.record
        return {
            "status": record.status,
            "estimator": record.estimator,
            "metric": record.metric,
            "final_score": record.final_score,
            "elapsed_time": record.elapsed_time,
            "model_id": record.model_id,
            **record.metrics,
        }

    def best(self, name: str | None = None) -> tuple[float, int] | None:
        """Best value of a live metric, and its step; of the main metric on validation rows by default.

        Losses and errors are best when low. ``None`` while there is no value; ``KeyError`` for a metric
        that is not measured."""
        if name is None:
            best = self.record.best
            return None if best is None else (best.value, best.step)
        return curves.best(name, self.points, self.record)

    # --- asking the server -----------------------------------------------------------------

    def logs(self, tail: int | None = None) -> str:
        """What the job wrote to stdout and stderr, as it wrote it: the last ``tail`` lines, or all.

        Printed, it may command the terminal; what ``%mlops logs`` and ``mlops jobs logs`` print does not."""
        return "\n".join(self._session.logs(self.record.job_id, tail).lines)

    def stop(self) -> None:
        """Ask the job to stop. What it measured is kept; its model is not saved."""
        self._session.stop(self.record.job_id)

    def delete(self) -> None:
        """The job is gone, with its metrics and its log, for good; its model stays. What this object knows of
        it, it still tells. Raises ``JobStateError`` while it has not ended."""
        self._session.delete_job(self.record.job_id)

    def pause(self) -> None:
        """Suspend the job: it keeps its place and its memory, and no time passes for it.

        Raises ``JobStateError`` when it does not run."""
        self._session.pause(self.record.job_id)

    def resume(self) -> None:
        """Let a paused job go on. Raises ``JobStateError`` when it cannot."""
        self._session.resume(self.record.job_id)

    def mute(self, rule: str, *, muted: bool = True) -> None:
        """Hear no more of a rule of ``job.alerts`` about this job; with ``muted=False`` again.

        ``rule`` is not_finite, diverging, overfitting, plateau, stalled or memory. Kept with the job."""
        record = self._session.mute(self.record.job_id, rule, muted=muted)
        with self._changed:
            # One that is over is not followed any more.
            if self._settled:
                self._known.record = record

    def rerun(self, **changes: Any) -> Job:
        """Train again as the next attempt, on the same data; shows the new job and returns it.

        ``changes`` are options of ``mlops.train`` but for the tables and the target; ``params`` are added to
        those given before. What differs is in the new job's ``changes``."""
        job = self._session.rerun(self.record.job_id, changes)
        job.show()
        return job

    def show(self) -> None:
        """Display the job here."""
        self._session.view.show(self)

    # --- waiting ---------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> Job:
        """Wait for the end, at most ``timeout`` seconds; returns the job.

        Raises ``TrainingFailed``, ``TrainingCancelled`` or ``TimeoutError``. Ctrl-C stops the waiting,
        the job goes on."""
        self._follow()
        try:
            with self._changed:
                if self._changed.wait_for(lambda: self._waited_for, timeout):
                    return self._end()
        except KeyboardInterrupt:
            raise StoppedWaiting(self) from None
        name = glyphs.on_a_line(self.record.name)
        raise TimeoutError(f"{name} {self.id} is still {self.status} after {timeout:g} s.")

    def result(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait for the end; returns ``summary``."""
        return self.wait(timeout).summary

    @property
    def model(self) -> Any:
        """The fitted pipeline. Waits for the end; raises ``ModelNotPortable`` when it could not be kept, and
        ``ModelChanged`` when its file is not the one that was registered."""
        if self._model is None:
            record = self.wait().record
            if record.model_id is None or record.model_file is None:
                reason = record.model_missing_reason or "it was not saved"
                raise ModelNotPortable(f"{record.name} {self.id} has no model file: {reason}")
            self._model = self._session.loaded(record.model_id, record.model_file.sha256)
        return self._model

    def __await__(self) -> Generator[Any, None, Job]:
        return self._ended().__await__()

    async def _ended(self) -> Job:
        loop = asyncio.get_running_loop()
        over = asyncio.Event()

        def end() -> None:
            loop.call_soon_threadsafe(over.set)

        self._follow()
        with self._changed:
            self._then.append(end)
        try:
            while True:
                with self._changed:
                    if self._waited_for:
                        return self._end()
                await over.wait()
                over.clear()
        finally:
            # A task that was cancelled may have taken its loop with it.
            with self._changed:
                self._then = [call for call in self._then if call is not end]

    @property
    def _waited_for(self) -> bool:
        """Whether there is something to tell those who wait."""
        return self._settled or self._lost is not None

    def _end(self) -> Job:
        record = self.record
        if self._lost is not None and not record.terminal:
            raise self._lost
        told = f"{record.name} {self.id} {sentences.state(record)[2:]}"
        if record.status in ("failed", "lost"):
            logs = f'mlops.get("{self.id}").logs(50)'
            raise TrainingFailed(f"{told}: {sentences.cause(record)}", record.hint, logs)
        if record.status == "cancelled":
            raise TrainingCancelled(f"{told}.", "What it measured is kept.")
        return self

    def on_change(self, call: Callable[[Job], object]) -> None:
        """Call ``call(job)`` when the job moved, in another thread than this one."""
        self._watchers.append(call)

    def forked(self) -> None:
        """In a copy of the process: nobody else waits here, and nobody follows until somebody waits."""
        self._changed = threading.Condition()
        self._then = []

    def _follow(self) -> None:
        """It is followed since it was made, unless this process is a copy of the one it was made in."""
        if not self._settled:
            self._session.follow(self)

    # --- the feed --------------------------------------------------------------------------

    @property
    def settled(self) -> bool:
        """Whether it is over and everybody was told."""
        return self._settled

    def seen(self, answer: JobAnswer) -> None:
        """It was asked for again: of one that is over, whose model may be gone by now, no event is heard."""
        with self._changed:
            if self._settled:
                self._known.refresh(answer)

    def refreshed(self, answer: JobAnswer, metrics: Metrics) -> None:
        with self._changed:
            self._known.refresh(answer)
            self._known.refresh_points(metrics)
        self._lost = None

    def happened(self, news: Sequence[JobEvent]) -> None:
        with self._changed:
            for event in news:
                self._known.take(event)
        self._lost = None

    def lost_sight(self, error: MlopsError) -> None:
        """No server answers: whoever waits hears it, the record stays as it was."""
        with self._changed:
            self._lost = error
        self._tell_who_waits()

    def in_sight(self) -> None:
        """The server answers again, even if it has nothing new."""
        with self._changed:
            if not self._settled:
                self._lost = None

    def gone(self, error: MlopsError) -> None:
        """The server does not know this job: nothing will ever be heard of it."""
        self.lost_sight(error)
        self._settle()

    def tell(self) -> None:
        """Show what is new, and let go of those who wait when it is over."""
        view = self._session.view
        for show in (*self._watchers, view.ended if self.record.terminal else view.moved):
            try:
                show(self)
            except Exception:
                # Observers of widget traits are the user's own code, and the feed serves other jobs, too.
                log.exception("%s could not be shown", self)
        if self.record.terminal:
            self._settle()

    def _settle(self) -> None:
        with self._changed:
            self._settled = True
        self._tell_who_waits()

    def _tell_who_waits(self) -> None:
        with self._changed:
            self._changed.notify_all()
            then = list(self._then)
        for call in then:
            call()

    # --- display ---------------------------------------------------------------------------

    def __repr__(self) -> str:
        return glyphs.on_a_line(f"<Job {self.record.name} {self.id} {sentences.state(self.record)}>")

    def _ipython_display_(self) -> None:
        self._session.view.show(self, unless_shown=True)

    def _display_(self) -> object:
        # As above, for marimo.
        return self._session.view.show(self, unless_shown=True)
