"""A store and its hub on the running loop, without a server around them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from mlops_jupyter.core.assets import PredictionVolume
from mlops_jupyter.core.events import Event, LogLines, MetricPoints, TrainingStarted
from mlops_jupyter.core.series import Point
from mlops_jupyter.hub import Hub
from mlops_jupyter.store import Store, Stored
from tests.core.builders import a_job

NOW = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)


def a_line(job_id: str = "j-7f3a00000000") -> Event:
    return LogLines(time=NOW, job_id=job_id, first=0, lines=("x",))


def a_point(step: int, job_id: str = "j-7f3a00000000") -> Event:
    point = Point(name="loss", step=step, value=1.0, nf=None, elapsed=0.1)
    return MetricPoints(time=NOW, job_id=job_id, points=(point,))


def a_start(job_id: str = "j-7f3a00000000") -> Event:
    """An event every client must get."""
    return TrainingStarted(time=NOW, job_id=job_id, job=a_job())


def a_volume(total: int, milestone: int | None = None) -> Event:
    return PredictionVolume(
        time=NOW,
        model_id="m-7f3a00000000",
        name="penguins",
        version=1,
        total_predictions=total,
        rate=None,
        milestone=milestone,
    )


class Line:
    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store.sqlite", self._committed)
        head = self.store.read(lambda reading: reading.head())
        self.hub = Hub(self.store, asyncio.get_running_loop(), head)

    def _committed(self, stored: list[Stored]) -> None:
        self.hub.committed(stored)

    async def write(self, events: Iterable[Event]) -> int:
        """Keep ``events`` in one commit and return the number of the last, once the hub knows it."""
        last = await self.store.awrite(lambda tx: [tx.append(event) for event in events][-1])
        await self.hub.moved(last - 1)
        return last

    async def say(self, count: int) -> int:
        return await self.write([a_line()] * count)

    async def after(self, cursor: int, limit: int = 1000) -> list[int]:
        return [event.seq for event in await self.hub.after(cursor, limit)]
