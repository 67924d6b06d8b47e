"""Jobs on a terminal: one line that moves; in a log, a line for each stage and each ten percent.

All of it goes to stderr: results are for stdout.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import TextIO

from mlops_jupyter.client import sentences
from mlops_jupyter.client.job import Job
from mlops_jupyter.core import glyphs
from mlops_jupyter.core.jobs import Job as Record
from mlops_jupyter.core.stages import STAGES

_COLOURS = {"completed": "32", "failed": "31", "lost": "31", "cancelled": "33"}
_WIDTH = 12


class TerminalView:
    """``MLOPS_QUIET`` silences it, ``NO_COLOR`` leaves out the colours."""

    pace = 0.25

    def __init__(
        self,
        stream: TextIO | None = None,
        environment: Mapping[str, str] = os.environ,
        *,
        quiet: bool = False,
    ) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet or bool(environment.get("MLOPS_QUIET"))
        self._line = self._stream.isatty()
        self._colours = self._line and not environment.get("NO_COLOR")
        self._shown = ""
        self._told: dict[str, tuple[str | None, int]] = {}

    def show(self, job: Job, *, unless_shown: bool = False) -> None:
        shown = glyphs.on_a_line(f"{job.record.name} {job.id}  {sentences.state(job.record)}")
        if not (unless_shown and shown == self._shown):
            self._say(shown)
        self._shown = shown

    def moved(self, job: Job) -> None:
        record = job.record
        if self._line:
            self._write(f"\r{self._fitted(glyphs.on_a_line(line(record)))}\x1b[K")
            return
        tens = int((record.progress or 0.0) // 10)
        if self._told.get(record.job_id) != (record.current_stage, tens) and record.current_stage:
            self._told[record.job_id] = record.current_stage, tens
            moved = f"{record.name} {job.id}  {place(record)}  {sentences.percent(record)}"
            self._say(glyphs.on_a_line(moved))

    def ended(self, job: Job) -> None:
        record = job.record
        self._told.pop(record.job_id, None)
        if self._line:
            self._write("\r\x1b[K")
        state = glyphs.on_a_line(sentences.state(record))
        if self._colours:
            state = f"\x1b[{_COLOURS[record.status]}m{state}\x1b[0m"
        numbers = [part for part in (sentences.score(record), sentences.best(record)) if part]
        name = glyphs.on_a_line(record.name)
        self._say("   ".join([f"{name} {job.id}  {state}", *map(glyphs.on_a_line, numbers)]))

    def _fitted(self, text: str) -> str:
        return text[: shutil.get_terminal_size().columns - 1]

    def _say(self, text: str) -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        if not self._quiet:
            self._stream.write(text)
            self._stream.flush()


def line(record: Record) -> str:
    """``58 % ▰▰▰▰▱▱▱ Training model 5/8 · 4.8 s · left ~0:04 · val_accuracy 0.972``."""
    done = round(_WIDTH * (record.progress or 0.0) / 100)
    parts = [place(record), sentences.seconds(record.elapsed_time), sentences.left(record)]
    if record.live_metrics:
        name = record.best.name if record.best else next(iter(record.live_metrics))
        parts.append(f"{name} {sentences.number(record.live_metrics.get(name))}")
    said = " · ".join(part for part in parts if part)
    return f"{sentences.percent(record):>5} {'▰' * done}{'▱' * (_WIDTH - done)} {said}"


def place(record: Record) -> str:
    """``Training model 5/8``; before and after the stages, the status."""
    if record.current_stage not in STAGES:
        return sentences.state(record)[2:]
    return f"{record.current_stage} {STAGES.index(record.current_stage) + 1}/{len(STAGES)}"
