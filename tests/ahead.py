"""``time`` for a module under test: whatever it sleeps, an hour of its clock has passed.

Standard library only: keepers import it.
"""

from __future__ import annotations

import time
from pathlib import Path


class Ahead:
    """``slept`` is made once it was slept twice: by then any patience has had an end."""

    def __init__(self, slept: Path) -> None:
        self._slept = slept
        self._hours = 0

    def monotonic(self) -> float:
        return time.monotonic() + self._hours * 3600

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
        self._hours += 1
        if self._hours == 2:
            self._slept.touch()
