"""Whoever waits gets every event after its cursor, from memory or from the store alike."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops_jupyter import hub as hub_module
from mlops_jupyter.core.events import LogLines
from mlops_jupyter.hub import Hub
from mlops_jupyter.store import Store, Stored

NOW = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)


class Line:
    """A store and its hub on the running loop."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store.sqlite", self._committed)
        head = self.store.read(lambda reading: reading.head())
        self.hub = Hub(self.store, asyncio.get_running_loop(), head)

    def _committed(self, stored: list[Stored]) -> None:
        self.hub.committed(stored)

    async def say(self, count: int) -> None:
        event = LogLines(time=NOW, job_id="j", first=0, lines=("x",))
        await self.store.awrite(lambda tx: [tx.append(event) for _ in range(count)])
        head = await self.store.aread(lambda reading: reading.head())
        await self.hub.moved(head - 1)

    async def after(self, cursor: int, limit: int = 1000) -> list[int]:
        return [event.seq for event in await self.hub.after(cursor, limit)]


def test_a_waiter_wakes_when_something_was_committed_and_not_before(tmp_path: Path) -> None:
    async def story() -> None:
        line = Line(tmp_path)
        assert not await line.hub.moved(0, timeout=0.01)
        waiting = asyncio.create_task(line.hub.moved(0, timeout=10))
        await line.say(1)
        assert await waiting
        assert await line.after(0) == [1]
        line.store.close()

    asyncio.run(story())


def test_who_is_far_behind_reads_the_store_and_misses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "KEPT", 5)

    async def story() -> None:
        line = Line(tmp_path)
        await line.say(20)
        assert line.hub.pending(3, 100) is None
        assert await line.after(3, limit=4) == [4, 5, 6, 7]
        assert [event.seq for event in line.hub.pending(16, 100) or []] == [17, 18, 19, 20]
        assert line.hub.pending(20, 100) == []
        line.store.close()

    asyncio.run(story())


def test_memory_and_store_give_the_same_bytes(tmp_path: Path) -> None:
    async def story() -> None:
        line = Line(tmp_path)
        await line.say(3)
        kept = await line.store.aread(lambda reading: reading.events(0, 10))
        assert [event.body for event in line.hub.pending(0, 10) or []] == [event.body for event in kept]
        line.store.close()

    asyncio.run(story())


def test_a_hub_made_on_an_old_store_knows_its_head(tmp_path: Path) -> None:
    async def story() -> None:
        first = Line(tmp_path)
        await first.say(7)
        first.store.close()
        second = Line(tmp_path)
        assert second.hub.head == 7
        assert await second.after(5) == [6, 7]
        await second.say(1)
        assert await second.after(5) == [6, 7, 8]
        second.store.close()

    asyncio.run(story())
