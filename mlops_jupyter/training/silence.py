"""When nothing of a job moves: it is stopped, swapped out, deadlocked, or waits for somebody else.

The keeper looks, on its own clock. A beat sent by the worker would need a thread in the user's process, and
would be missing while compiled code holds the interpreter's lock, and sound while everything else is stuck.
Standard library only. Not here: what follows from silence (``core``; never the job's end).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from mlops_jupyter.training import processes

#: Seconds without any sign of life.
SILENT_AFTER = 30.0
#: A look that comes later than this was itself held up: the job had as little chance to move.
LONGEST_LOOK = 5.0

Sign = tuple[tuple[int, float, str], ...]


def sign_of_life(tree: Iterable[int]) -> Sign:
    """Differs from the one before when a process of ``tree`` ran in between, came or went."""
    found = ((pid, processes.status(pid), processes.read(f"/proc/{pid}/schedstat")) for pid in tree)
    # Ticks count all threads, in steps of 10 ms; the other file the first thread only, to the nanosecond.
    return tuple((pid, status.cpu_seconds, exact or "") for pid, status, exact in found if status)


class Silence:
    _sign: Sign | None = None
    _looked = 0.0
    _silent_for = 0.0
    _told = False

    def look(self, now: float, sign: Sign) -> Literal["silent", "heard"] | None:
        """What there is to tell: that it has been silent for long, or that it moves again."""
        if sign != self._sign:
            self._sign, self._looked, self._silent_for = sign, now, 0.0
            told, self._told = self._told, False
            return "heard" if told else None
        self._silent_for += min(now - self._looked, LONGEST_LOOK)
        self._looked = now
        if self._told or self._silent_for < SILENT_AFTER:
            return None
        self._told = True
        return "silent"
