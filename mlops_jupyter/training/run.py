"""``Run``: what a training loop holds to tell what it does. It knows no server.

Every call appends one record to the job's journal and returns in microseconds; none raises into
the caller's ``fit`` because of a full disk. Not here: what the stages do (``tabular``).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import msgspec

from mlops_jupyter.core import limits
from mlops_jupyter.core.facts import (
    CandidateChosen,
    CandidateScored,
    Evaluated,
    Fact,
    FindingMade,
    PointsLogged,
    RowsPredicted,
    StageAdvanced,
    StageEnded,
    StageSkipped,
    StageStarted,
)
from mlops_jupyter.core.series import Nonfinite, Point
from mlops_jupyter.core.wire import encode
from mlops_jupyter.training.journal import Writer

_encoder = msgspec.json.Encoder()


def point(name: str, step: int, value: float, elapsed: float) -> Point:
    """A measured value; what is not finite keeps its kind beside a null value."""
    number = float(value)
    if math.isfinite(number):
        return Point(name=name, step=step, value=number, elapsed=elapsed)
    kind: Nonfinite = "nan" if math.isnan(number) else "+inf" if number > 0 else "-inf"
    return Point(name=name, step=step, value=None, nf=kind, elapsed=elapsed)


class Run:
    """One job as seen from inside.

    ``began`` is the ``time.monotonic()`` at which the job's keeper started: all durations count
    from there.
    """

    def __init__(self, writer: Writer, began: float | None = None) -> None:
        self._writer = writer
        self._began = time.monotonic() if began is None else began
        self._names: set[str] = set()
        self._points = self._bytes = self._findings = 0
        self._told: set[str] = set()
        self._dropped = 0

    @property
    def elapsed(self) -> float:
        """Seconds since the job began."""
        return time.monotonic() - self._began

    def tell(self, kind: type[Fact], **fields: Any) -> None:
        """Append one fact to the journal, stamped with now."""
        self._append(encode(kind(time=time.time(), elapsed=self.elapsed, **fields)))

    def _append(self, payload: bytes) -> None:
        self._bytes += len(payload)
        self._writer.append(payload)
        if self._writer.dropped > self._dropped:
            self.tell_dropped()

    def tell_dropped(self) -> None:
        """Say how many records the disk refused for so long that they were given up, once it takes that."""
        dropped = self._writer.dropped - self._dropped
        if dropped and not self._writer.holds:
            self._dropped += dropped
            message = (
                f"The disk refused for so long that {dropped:,} records were given up: points are missing."
            )
            self.tell(FindingMade, code="records_dropped", severity="warning", message=message)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """One or more metrics measured at ``step`` (units of the fit, from 1)."""
        values = self._within(values)
        if not values:
            return
        elapsed = self.elapsed
        # A list first: a generator would cost more than the point.
        points = tuple([point(name, step, value, elapsed) for name, value in values.items()])
        fact = PointsLogged(time=time.time(), elapsed=elapsed, points=points)
        try:
            # Points are strict already, names excepted: this way a step costs a third.
            payload = _encoder.encode(fact)
        except UnicodeEncodeError:
            payload = encode(fact)
        self._append(payload)

    def _within(self, values: Mapping[str, float]) -> Mapping[str, float]:
        """What of ``values`` a job may still keep; that there is more is said once, and the fit goes on."""
        if self._points + len(values) > limits.POINTS or self._bytes > limits.JOURNAL_BYTES:
            self._full("points", f"{self._points:,} points were kept; those that follow are not.")
            return {}
        if not self._names.issuperset(values):
            fresh = [name for name in values if name not in self._names]
            left_out = fresh[limits.METRICS - len(self._names) :]
            if left_out:
                self._full("metrics", f"{limits.METRICS:,} metrics are kept; others are not.")
                values = {name: value for name, value in values.items() if name not in left_out}
            self._names.update(values)
        self._points += len(values)
        return values

    def _full(self, what: str, message: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self.tell(FindingMade, code=f"too_many_{what}", severity="warning", message=message)

    @contextmanager
    def stage(self, name: str, total: int | None = None, unit: str | None = None) -> Iterator[StageRun]:
        """Run a stage: started on entry, ended on a clean exit; an exception leaves it open, so
        that the job fails at this stage."""
        self.tell(StageStarted, stage=name, total=total, unit=unit)
        stage = StageRun(self, name, total, unit)
        yield stage
        self.tell(StageEnded, stage=name, detail=stage.detail)

    def skip(self, name: str, reason: str) -> None:
        """This stage does nothing in this job, and why."""
        self.tell(StageSkipped, stage=name, reason=reason)

    def finding(
        self,
        code: str,
        message: str,
        severity: Literal["info", "warning", "fatal"] = "warning",
        column: str | None = None,
    ) -> None:
        """Something a person should know; one that stops the job is always told."""
        self._findings += 1
        if self._findings > limits.FINDINGS and severity != "fatal":
            self._full("findings", f"There is more than {limits.FINDINGS:,} findings can tell.")
            return
        self.tell(FindingMade, code=code, severity=severity, message=message, column=column)

    def candidate(self, **fields: Any) -> None:
        """One fold of one candidate was scored; fields of ``CandidateScored``."""
        self.tell(CandidateScored, **fields)

    def chosen(self, candidate: int, label: str, parameters: dict[str, Any]) -> None:
        self.tell(CandidateChosen, candidate=candidate, label=label, parameters=parameters)

    def predicted(self, rows: int) -> None:
        """``rows`` more rows were predicted inside this job."""
        self.tell(RowsPredicted, rows=rows)

    def evaluated(
        self,
        metrics: Mapping[str, float],
        report: Mapping[str, Any] | None = None,
        final_score: float | None = None,
    ) -> None:
        """Final numbers measured so far; later calls add to earlier ones."""
        finite = {k: float(v) if math.isfinite(v) else None for k, v in metrics.items()}
        self.tell(
            Evaluated,
            metrics=finite,
            report=dict(report or {}),
            final_score=final_score,
        )


class StageRun:
    """A running stage. Set ``detail`` to what it found out; shown when the stage ends."""

    def __init__(self, run: Run, name: str, total: int | None, unit: str | None) -> None:
        self._run = run
        self.name = name
        self.total = total
        self.unit = unit
        self.detail: str | None = None

    def advance(self, done: int, total: int | None = None, unit: str | None = None) -> None:
        """``done`` units are finished; ``total``/``unit`` when they became known or changed."""
        self.total = total if total is not None else self.total
        self.unit = unit or self.unit
        self._run.tell(
            StageAdvanced,
            stage=self.name,
            done=done,
            total=self.total,
            unit=self.unit,
            detail=self.detail,
        )
