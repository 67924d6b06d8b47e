"""``Meter``: what a watched fit reports to, and the budget that keeps watching cheap.

Scoring may take ``SHARE`` of the time the fit has run so far, or ``GRACE`` where that is more, so that
short fits have points, too. What is not measured has no point. Not here: how a fit is watched (one
module a way).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from mlops_jupyter.training.run import Run, StageRun

SHARE = 0.02
#: Seconds.
GRACE = 0.002
TELL_EVERY = 0.1
#: A curve needs no point within this part of what it has: a long fit gets some hundred points a decade.
SPACING = 0.01

T = TypeVar("T")
Array = np.ndarray[Any, Any]
#: Predictions so far as numbers with names: class probabilities (rows × classes), or one number a row.
Measure = Callable[[Array], Mapping[str, float]]

_log = logging.getLogger(__name__)


class Rows(NamedTuple):
    """Rows to score while fitting: as the estimator takes them, and what to make of predictions."""

    X: Any
    measure: Measure

    @property
    def size(self) -> int:
        return int(self.X.shape[0])


class Meter:
    """Progress and scores of one fit.

    ``with meter.border:`` surrounds all of our code that runs inside a fit: it lets no exception of
    ours out, logs the first, and ends the watching.
    """

    def __init__(self, run: Run, stage: StageRun, watched: Sequence[Rows] = ()) -> None:
        self.watched = tuple(watched)
        self.border = Border()
        self.unit = ""
        self.done = 0
        #: The last unit that has points.
        self.scored = 0
        self._run = run
        self._stage = stage
        self._told = 0
        self._told_at = -TELL_EVERY
        self._predicted = 0
        self._spent = 0.0
        # What a score costs: so much whatever it scores, and so much for each further unit.
        self._fixed = 0.0
        self._slope = 0.0
        self._measured = 0
        self._began = time.perf_counter()

    def begin(self, unit: str, total: int | None) -> None:
        """The fit starts now and counts ``unit``; ``total`` of them at most, None where nobody knows."""
        self.unit = self._stage.unit = unit
        self._stage.total = total
        self._began = time.perf_counter()

    def reached(self, done: int) -> None:
        """``done`` units are finished; told at most ten times a second."""
        self.done = done
        if done == 1 or time.perf_counter() - self._told_at >= TELL_EVERY:
            self._tell()

    def affordable(self, step: int, pending: int = 1) -> bool:
        """Whether scoring ``step`` keeps within the budget. ``pending``: units not scored yet, where each
        of them costs (trees to add); 1 where only the newest state does."""
        if not self.watched or self.border.crossed:
            return False
        if step - self.scored < SPACING * self.scored:
            return False
        running = time.perf_counter() - self._began
        cost = self._fixed + self._slope * (pending - 1)
        return self._spent + cost <= max(GRACE, SHARE * running)

    def prepared(self, make: Callable[[Any], T]) -> list[T]:
        """``make`` of each watched rows' ``X``: what has to be done once before the first score."""
        began = time.thread_time()
        made = [make(rows.X) for rows in self.watched]
        self._spent += time.thread_time() - began
        return made

    def measure(self, step: int, predict: Callable[[int], Array], pending: int = 1) -> None:
        """Score the watched rows as they are predicted at ``step``; ``predict`` gets their index."""
        # Time this thread has worked: what it waited for was no cost to the fit.
        began = time.thread_time()
        values: dict[str, float] = {}
        for index, rows in enumerate(self.watched):
            values.update(rows.measure(predict(index)))
            self._predicted += rows.size
        if values:
            self._run.log(step, values)
            self.scored = step
        took = time.thread_time() - began
        self._spent += took
        self._learn(took, pending)

    def _learn(self, took: float, pending: int) -> None:
        """The first score warms up all that it calls and says little of the next."""
        self._measured += 1
        if self._measured == 2 or (self._measured > 2 and pending == 1):
            self._fixed = took
        elif pending > 1:
            self._fixed = min(self._fixed, took)
            self._slope = (took - self._fixed) / (pending - 1)

    def end(self) -> None:
        """The fit is over: tell what was not told yet."""
        if self.done > self._told or self._predicted:
            self._tell()

    def _tell(self) -> None:
        self._told_at = time.perf_counter()
        self._told = self.done
        self._stage.advance(self.done)
        if self._predicted:
            self._run.predicted(self._predicted)
            self._predicted = 0


class Border:
    """Lets no exception of the code inside out; ``crossed`` once there was one."""

    def __init__(self) -> None:
        self.crossed = False

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if kind is None or not issubclass(kind, Exception):
            return False
        if not self.crossed:
            self.crossed = True
            _log.warning("The fit goes on, but is not watched any more.", exc_info=error)
        return True
