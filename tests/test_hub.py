"""Whoever waits gets every event after its cursor, from memory or from the store alike."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from pathlib import Path

import msgspec
import pytest

from mlops_jupyter import hub as hub_module
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.events import LogLines
from mlops_jupyter.store import database
from mlops_jupyter.store.files import Files
from tests.lines import NOW, Line, a_line, a_start


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


def test_long_events_fill_no_memory_and_are_handed_out_a_few_at_a_time(tmp_path: Path) -> None:
    """P17: what a job prints or measures between two looks is one event, of a megabyte if need be."""

    async def story() -> None:
        line = Line(tmp_path)
        long = LogLines(time=NOW, job_id="j-7f3a00000000", first=0, lines=("x" * 999_900,))
        for _ in range(5):
            await line.write([long] * 5)
        held = sum(len(event.body) for event in line.hub._newest)
        assert (held <= hub_module.KEPT_BYTES, len(line.hub._newest)) == (True, 16)
        # From the store, from memory, and one that is longer than what is handed out.
        assert [await line.after(cursor) for cursor in (3, 20)] == [[4, 5, 6, 7], [21, 22, 23, 24]]
        await line.write([msgspec.structs.replace(long, lines=("x" * hub_module.KEPT_BYTES,))])
        assert (await line.after(25), len(line.hub._newest)) == ([26], 1)
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


def test_what_every_client_must_get_does_not_wait_for_the_pace_and_takes_along_what_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "PACE", 60.0)

    async def story() -> None:
        line = Line(tmp_path)
        await line.say(1)
        await line.store.awrite(lambda tx: tx.append(a_line()))
        assert not await line.hub.moved(1, timeout=0.05)
        await line.write([a_start()])
        assert await line.after(1) == [2, 3]
        line.store.close()

    asyncio.run(story())


def test_the_head_rests_as_long_as_serving_everybody_took(tmp_path: Path) -> None:
    async def story() -> None:
        line = Line(tmp_path)
        loop = asyncio.get_running_loop()

        async def slowly() -> float:
            await line.hub.moved(0)
            began = loop.time()
            while loop.time() < began + 0.2:
                pass
            return loop.time()

        serving = asyncio.create_task(slowly())
        await asyncio.sleep(0)
        await line.say(1)
        served = await serving
        await line.store.awrite(lambda tx: tx.append(a_line()))
        await line.hub.moved(1)
        assert loop.time() >= served + 0.19
        line.store.close()

    asyncio.run(story())


def test_who_catches_up_lets_the_loop_go_on_between_two_frames(tmp_path: Path) -> None:
    async def story() -> None:
        line = Line(tmp_path)
        await line.say(5)
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        other = asyncio.create_task(others())
        for cursor in range(5):
            await line.hub.moved(cursor)
        assert turns >= 5
        other.cancel()
        line.store.close()

    asyncio.run(story())


def test_servers_that_share_a_store_hear_each_other_in_one_order_without_gaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F20, the events: both write; each hub tells all of it, its own and the other's, from memory."""
    monkeypatch.setattr(hub_module, "LOOK_FOR_OTHERS", 0.05)

    async def heard(line: Line, total: int) -> list[int]:
        seen: list[int] = []
        while len(seen) < total:
            cursor = seen[-1] if seen else 0
            await line.hub.moved(cursor)
            pending = line.hub.pending(cursor, 1000)
            assert pending is not None
            seen += [event.seq for event in pending]
        return seen

    async def story() -> None:
        lines = [Line(tmp_path), Line(tmp_path)]
        following = [asyncio.create_task(line.hub.follow_others()) for line in lines]
        hearing = [asyncio.create_task(heard(line, 200)) for line in lines]
        for _ in range(20):
            await asyncio.gather(lines[0].say(5), lines[1].say(5))
        async with asyncio.timeout(30):
            assert await asyncio.gather(*hearing) == [list(range(1, 201))] * 2
        for task in following:
            task.cancel()
        for line in lines:
            line.store.close()

    asyncio.run(story())


def test_a_server_knows_whether_another_lives_on_its_store(tmp_path: Path) -> None:
    async def story() -> None:
        first = Line(tmp_path)
        alone = first.store.shared()
        second = Line(tmp_path)
        together = (first.store.shared(), second.store.shared())
        second.store.close()
        assert (alone, together, first.store.shared()) == (False, (True, True), False)
        first.store.close()

    asyncio.run(story())


def test_a_server_that_slept_does_not_take_all_that_others_wrote_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "OTHERS", 10)

    async def story() -> None:
        first, second = Line(tmp_path), Line(tmp_path)
        await first.say(3)
        await second.say(50)
        await first.say(1)
        assert first.hub.pending(40, 5) is None
        assert await first.after(3) == list(range(4, 55))
        first.store.close()
        second.store.close()

    asyncio.run(story())


def test_a_lock_that_hangs_does_not_hold_up_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P21, F53: whether there are other servers is asked of a lock."""
    free = threading.Event()

    async def story() -> None:
        line = Line(tmp_path)
        monkeypatch.setattr(line.store, "shared", lambda: free.wait(10))
        following = asyncio.create_task(line.hub.follow_others())
        began = time.monotonic()
        await line.say(1)
        assert time.monotonic() - began < 5
        free.set()
        following.cancel()
        line.store.close()

    asyncio.run(story())


def test_a_store_whose_lock_hangs_is_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F12, F53: a server that is asked to stop does, and who waits for the store is told."""
    free = threading.Event()
    monkeypatch.setattr(database, "CLOSING", 0.1)

    def hang(_: Files) -> None:
        free.wait(10)
        raise OSError(errno.EIO, "it is gone")

    monkeypatch.setattr(Files, "prepare", hang)
    store = database.Store(tmp_path / "store.sqlite", lambda _: None)
    began = time.monotonic()
    store.close()
    with pytest.raises(StoreUnavailable):
        store.read(lambda reading: reading.head())
    assert time.monotonic() - began < 5
    free.set()
    store._writer.join(10)
