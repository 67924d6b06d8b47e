"""The eight stages of a training job, their shares of its time, and progress that never falls.

Not here: what a stage does (``training.tabular``) and how long is left (``core.eta``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

STAGES = (
    "Data validation",
    "Data preprocessing",
    "Feature engineering",
    "Model selection",
    "Training model",
    "Model validation",
    "Performance evaluation",
    "Finalizing model",
)

#: Shares of a job's time before any earlier run is known; they sum to 1. Taken from
#: a 7,000-row table with a forest and five folds; learned shares replace them.
FIRST_SHARES = (0.04, 0.04, 0.06, 0.26, 0.26, 0.20, 0.10, 0.04)

StageState = Literal["pending", "running", "done", "skipped", "failed", "cancelled"]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One of the eight stages as a job's record shows it.

    ``share`` is the expected part of the job's time (0–1), ``done``/``total`` count
    finished units (folds, trees, epochs …; ``total`` null when the length is unknown),
    ``elapsed`` is in seconds.
    """

    name: str
    state: StageState = "pending"
    share: float = 0.0
    started: float | None = None
    elapsed: float | None = None
    done: int | None = None
    total: int | None = None
    unit: str | None = None
    detail: str | None = None
    skipped_reason: str | None = None

    @property
    def over(self) -> bool:
        return self.state in ("done", "skipped")

    @property
    def fraction(self) -> float | None:
        """Finished part of this stage, 0–1; ``None`` while its length is unknown."""
        if self.over:
            return 1.0
        if self.done is None or not self.total:
            return None
        return min(self.done / self.total, 1.0)


def fresh_stages(shares: Sequence[float] = FIRST_SHARES) -> tuple[Stage, ...]:
    """Eight pending stages with the given shares (any positive numbers; normalised)."""
    whole = sum(shares)
    return tuple(Stage(name=name, share=share / whole) for name, share in zip(STAGES, shares, strict=True))


def learned_shares(runs: Sequence[Mapping[str, float]]) -> tuple[float, ...]:
    """Shares from the stage seconds of earlier runs (one mapping a run, stage -> seconds).

    Every run counts the same whatever its length; a stage no run has taken time for keeps
    a thousandth, so that finishing it still moves the bar.
    """
    runs = [run for run in runs if sum(run.values()) > 0]
    if not runs:
        return FIRST_SHARES
    means = [sum(run.get(name, 0.0) / sum(run.values()) for run in runs) / len(runs) for name in STAGES]
    floored = [max(mean, 0.001) for mean in means]
    return tuple(share / sum(floored) for share in floored)


def overall_progress(stages: Sequence[Stage], before: float) -> float:
    """Progress of the whole job in percent, never below ``before`` and < 100 until all are over.

    A skipped stage took no time, so its share is that of the others: what is left counts for more.
    """
    if all(stage.over for stage in stages):
        return 100.0
    counted = [stage for stage in stages if stage.state != "skipped"]
    done = sum(stage.share * (stage.fraction or 0.0) for stage in counted)
    return max(before, min(round(100 * done / sum(stage.share for stage in counted), 1), 99.9))
