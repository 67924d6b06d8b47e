"""What a client gets next: by how it drains, and whether anybody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from mlops_jupyter.server.frames import Frames
from mlops_jupyter.server.pump import BEHIND, SLOW, Pump
from tests.lines import Line, a_line, a_point, a_start, a_volume
from tests.server.messages import text

OTHER = "j-0b0000000000"


def story(folder: Path, told: Callable[[Line, Pump], Awaitable[None]]) -> None:
    async def run() -> None:
        line = Line(folder)
        async with asyncio.timeout(30):
            await told(line, Pump(line.hub, Frames(line.hub)))
        line.store.close()

    asyncio.run(run())


async def frame(pump: Pump, seconds: float = 0.0) -> dict[str, Any] | None:
    """The next frame, which took the client so long to drain."""
    found = await pump.next()
    pump.sent(seconds)
    return found and text(found)


def seqs(told: dict[str, Any] | None) -> tuple[int, list[int], int]:
    assert told is not None
    return told["prev"], [event["seq"] for event in told["events"]], told.get("skipped", 0)


def test_a_client_that_drains_gets_every_event_however_far_behind_it_is(tmp_path: Path) -> None:
    """P15"""

    async def told(line: Line, pump: Pump) -> None:
        await line.write([a_point(step) for step in range(200)])
        got = [seqs(await frame(pump)) for _ in range(4)]
        assert [seq for _, part, _ in got for seq in part] == list(range(1, 201))
        assert [(prev, skipped) for prev, _, skipped in got] == [(0, 0), (64, 0), (128, 0), (192, 0)]

    story(tmp_path, told)


def test_a_slow_client_gets_all_of_class_a_and_the_latest_of_the_rest(tmp_path: Path) -> None:
    """F26: what was merged is counted."""

    async def told(line: Line, pump: Pump) -> None:
        await line.say(1)
        await frame(pump, seconds=SLOW)
        await line.write([a_point(step) for step in range(60)])
        await line.write([a_start(), a_start()])
        await line.write([a_point(1, OTHER), a_point(2, OTHER), a_point(60)])
        assert seqs(await frame(pump)) == (1, [62, 63, 65, 66], 61)

    story(tmp_path, told)


def test_a_milestone_is_merged_with_no_later_count(tmp_path: Path) -> None:
    """Who is slow, and who looks away, is told of it as well."""
    counted = [a_volume(900), a_volume(1032, milestone=1000), *map(a_volume, range(1040, 1200))]

    async def slow(line: Line, pump: Pump) -> None:
        await line.say(1)
        await frame(pump, seconds=SLOW)
        await line.write(counted)
        assert seqs(await frame(pump)) == (1, [3, 163], 160)

    async def hidden(line: Line, pump: Pump) -> None:
        pump.show(False)
        await line.write(counted)
        assert seqs(await frame(pump)) == (0, [2], 1)

    for told in (slow, hidden):
        (tmp_path / told.__name__).mkdir()
        story(tmp_path / told.__name__, told)


def test_a_client_that_has_caught_up_is_slow_no_more(tmp_path: Path) -> None:
    async def told(line: Line, pump: Pump) -> None:
        await line.say(1)
        await frame(pump, seconds=SLOW)
        await line.say(100)
        assert seqs(await frame(pump))[1] == [101]
        await line.say(3)
        assert seqs(await frame(pump)) == (101, [102, 103, 104], 0)
        await line.say(100)
        assert seqs(await frame(pump))[1] == list(range(105, 169))

    story(tmp_path, told)


def test_a_client_too_far_behind_is_told_so_and_goes_on_from_a_snapshot(tmp_path: Path) -> None:
    """P16"""

    async def told(line: Line, pump: Pump) -> None:
        await line.say(BEHIND + 1)
        assert await frame(pump) is None
        pump.jump(BEHIND + 1)
        await line.say(1)
        assert seqs(await frame(pump)) == (BEHIND + 1, [BEHIND + 2], 0)

    story(tmp_path, told)


def test_a_page_nobody_looks_at_gets_class_a_alone_and_the_rest_when_it_is_shown(tmp_path: Path) -> None:
    async def told(line: Line, pump: Pump) -> None:
        pump.show(False)
        await line.write([a_line(), a_line(), a_start(), a_line()])
        assert seqs(await frame(pump)) == (0, [3], 2)
        hidden = asyncio.create_task(frame(pump))
        await line.say(10)
        await line.write([a_start()])
        assert seqs(await hidden) == (3, [15], 11)
        waiting = asyncio.create_task(frame(pump))
        await line.say(2)
        assert not (await asyncio.wait({waiting}, timeout=0.05))[0]
        pump.show(True)
        assert seqs(await waiting) == (15, [16, 17], 0)

    story(tmp_path, told)


def test_clients_at_the_same_place_get_the_very_same_bytes(tmp_path: Path) -> None:
    async def told(line: Line, pump: Pump) -> None:
        await line.say(5)
        frames = Frames(line.hub)
        first, second = await frames.after(2), await frames.after(2)
        assert first.message is second.message
        await line.say(1)
        assert (await frames.after(2)).last == 6

    story(tmp_path, told)
