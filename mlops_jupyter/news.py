"""What a job's files hold beyond what was taken in: records of its journal, lines of its output.

Not here: what follows from them (``intake``), and how they are written (``training``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from mlops_jupyter.core import facts
from mlops_jupyter.core.bursts import joined
from mlops_jupyter.store import Cursor
from mlops_jupyter.training import journal, output

log = logging.getLogger(__name__)

#: Characters of a line of output; what follows is cut.
LINE_LENGTH = 16 << 10
#: Bytes of each file that are read at once.
READ_BYTES = 1 << 20


class News(NamedTuple):
    """News of one job, and the cursor behind them."""

    cursor: Cursor
    payloads: list[bytes]
    damaged: list[int]
    cut: list[int]
    lines: list[str]

    @classmethod
    def read(cls, folder: Path, before: Cursor, *, final: bool) -> News:
        """``final``: nothing will be added any more."""
        batch = journal.read(folder / "journal", before.journal)
        lines, log_offset = new_lines(folder / "output.log", before.log, final=final)
        cursor = Cursor(batch.offset, log_offset, before.log_lines + len(lines))
        return cls(cursor, batch.payloads, batch.damaged, batch.cut, lines)

    def told(self, job_id: str) -> list[facts.Fact]:
        """What the journal tells, and that a part of it cannot be read."""
        return [*self._damages(), *joined(_known(job_id, self.payloads))]

    def _damages(self) -> Iterator[facts.Fact]:
        """What was acknowledged and cannot be read any more is said in the job's record."""
        for offset in self.damaged:
            if offset not in self.cut:
                yield facts.FindingMade(
                    time=time.time(),
                    code="journal_damaged",
                    severity="warning",
                    message=f"The job's journal is damaged at byte {offset}: what was told there is missing.",
                )


def _known(job_id: str, payloads: list[bytes]) -> Iterator[facts.Fact]:
    """Payloads as facts; what is none is logged and left out, since it never will be one."""
    for payload in payloads:
        try:
            yield facts.decode(payload)
        except msgspec.DecodeError:
            log.exception("Ignored a record of job %s: %.200r", job_id, payload)


def new_lines(path: Path, offset: int, *, final: bool) -> tuple[list[str], int]:
    """Whole lines of ``path`` after ``offset``, and the offset behind them; ``final`` takes an
    unfinished last line too. Beyond what is kept of it there is one more line, which says so."""
    left = output.KEPT - offset
    if left < 0:
        return [], offset
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(min(READ_BYTES, left or 1))
    except FileNotFoundError:
        return [], offset
    if left == 0:
        return ([as_line(output.NOTICE)], offset + 1) if data else ([], offset)
    end = data.rfind(b"\n") + 1
    whole_rest = len(data) < READ_BYTES
    if len(data) == left:
        end = len(data)
    if (final and whole_rest) or (end == 0 and not whole_rest):
        end = len(data)
    # Not splitlines(): a form feed or U+2028 inside a line is no end of it.
    lines = data[:end].removesuffix(b"\n").split(b"\n") if end else []
    return [as_line(line) for line in lines], offset + end


def as_line(data: bytes) -> str:
    """A line of output as people get it: text, without its end, cut where nobody reads on."""
    return data.rstrip(b"\r\n").decode("utf-8", "replace")[:LINE_LENGTH]
