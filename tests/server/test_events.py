"""The stream: the same events, once and in order, by websocket and by polling."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import random
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tornado.httpclient import HTTPClientError

from mlops_jupyter.core.events import LogLines, MetricPoints, TrainingStarted
from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.server import subscription
from mlops_jupyter.training.run import point
from tests.core.builders import a_job

NOW = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)


def line(text: str = "x") -> LogLines:
    return LogLines(time=NOW, job_id="j-7f3a00000000", first=0, lines=(text,))


async def say(rooms, count: int) -> None:
    await rooms.store.awrite(lambda tx: [tx.append(line(str(n))) for n in range(count)])


async def read_until(socket, seq: int) -> list[int]:
    """Sequence numbers of all events up to ``seq``; frames must join without a gap."""
    seen: list[int] = []
    while not seen or seen[-1] < seq:
        frame = await socket.message()
        if seen:
            assert frame["prev"] == seen[-1]
        seen += [event["seq"] for event in frame["events"]]
    return seen


async def test_a_new_client_is_greeted_and_gets_the_jobs_and_then_what_happens(rooms, subscribe) -> None:
    await say(rooms, 3)
    async with subscribe() as socket:
        hello = await socket.message()
        assert (hello["type"], hello["epoch"], hello["head"]) == ("hello", rooms.store.epoch, 3)
        snapshot = await socket.message()
        assert (snapshot["type"], snapshot["head"], snapshot["jobs"]) == ("snapshot", 3, [])
        await say(rooms, 1)
        frame = await socket.message()
        assert frame["prev"] == 3
        assert [(e["type"], e["seq"], e["lines"]) for e in frame["events"]] == [("log_lines", 4, ["0"])]


async def test_a_client_with_a_cursor_gets_what_it_missed_and_no_snapshot(rooms, subscribe) -> None:
    await say(rooms, 200)
    async with subscribe(since=17, epoch=rooms.store.epoch) as socket:
        assert (await socket.message())["type"] == "hello"
        assert await read_until(socket, 200) == list(range(18, 201))


async def test_polling_answers_the_same_events_with_the_same_cursor(rooms, subscribe, ask) -> None:
    await say(rooms, 5)
    async with subscribe(since=2, epoch=rooms.store.epoch) as socket:
        await socket.message()
        pushed = (await socket.message())["events"]
    status, answer = await ask("GET", f"events?since=2&epoch={rooms.store.epoch}")
    assert (status, answer["prev"], answer["head"], answer["snapshot"]) == (200, 2, 5, None)
    assert answer["events"] == pushed


async def test_polling_without_a_cursor_gives_the_snapshot_to_go_on_from(rooms, ask) -> None:
    await say(rooms, 2)
    _, answer = await ask("GET", "events")
    assert (answer["snapshot"]["head"], answer["prev"], answer["events"]) == (2, 2, [])


async def test_a_poll_that_waits_is_answered_when_something_happens(rooms, ask) -> None:
    waiting = asyncio.ensure_future(ask("GET", f"events?since=0&epoch={rooms.store.epoch}&wait=10"))
    await asyncio.sleep(0)
    await say(rooms, 1)
    _, answer = await waiting
    assert [event["seq"] for event in answer["events"]] == [1]


@pytest.mark.parametrize(
    ("cursor", "why"),
    [
        pytest.param({"since": 3, "epoch": "another"}, "The store was replaced", id="foreign-epoch"),
        pytest.param({"since": 99}, "The cursor is outside of history", id="beyond-the-head"),
        pytest.param({"since": -1}, "The cursor is outside of history", id="negative"),
    ],
)
async def test_a_cursor_that_cannot_be_resumed_is_reset_and_never_skips_silently(
    rooms, subscribe, ask, cursor, why
) -> None:
    await say(rooms, 5)
    async with subscribe(**cursor) as socket:
        kinds = [(await socket.message()) for _ in range(3)]
    assert [kind["type"] for kind in kinds] == ["hello", "reset", "snapshot"]
    assert kinds[1]["why"] == why
    query = "&".join(f"{name}={value}" for name, value in cursor.items())
    _, answer = await ask("GET", f"events?{query}")
    assert (answer["reset"]["why"], answer["snapshot"]["head"]) == (why, 5)


async def test_a_page_that_was_busy_when_it_was_asked_is_not_called_slow_for_long(subscribe, rooms) -> None:
    async with subscribe(since=0, epoch=rooms.store.epoch) as socket:
        await socket.message()
        first = await socket.ping()
        await asyncio.sleep(subscription.SLOW_TRIP)
        await socket.say({"type": "pong", "nonce": first["nonce"]})
        second = await socket.ping()
        assert second["rtt"] >= subscription.SLOW_TRIP
        await socket.say({"type": "pong", "nonce": second["nonce"]})
        # Long before the next heartbeat.
        third = await socket.ping()
        assert third["rtt"] < subscription.SLOW_TRIP


async def test_the_server_tells_the_round_trip_as_soon_as_it_knows_it(rooms, subscribe) -> None:
    async with subscribe(since=0, epoch=rooms.store.epoch) as socket:
        await socket.message()
        first = await socket.ping()
        await socket.say({"type": "pong", "nonce": first["nonce"]})
        second = await socket.ping()
        assert 0 <= second["rtt"] < 10


async def test_lifecycle_events_do_not_wait_for_a_frame_to_fill(rooms, subscribe, monkeypatch) -> None:
    monkeypatch.setattr("mlops_jupyter.hub.PACE", 60.0)
    started = TrainingStarted(time=NOW, job_id="j-7f3a00000000", job=a_job())
    async with subscribe(since=0, epoch=rooms.store.epoch) as socket:
        await socket.message()
        await say(rooms, 1)
        await read_until(socket, 1)
        await say(rooms, 1)
        await rooms.store.awrite(lambda tx: tx.append(started))
        frame = await socket.message()
        assert [event["type"] for event in frame["events"]] == ["log_lines", "training_started"]


async def test_a_page_nobody_looks_at_gets_lifecycle_events_alone_and_the_rest_when_it_is_shown(
    rooms, subscribe
) -> None:
    started = TrainingStarted(time=NOW, job_id="j-7f3a00000000", job=a_job())
    async with subscribe(since=0, epoch=rooms.store.epoch) as socket:
        await socket.message()
        await socket.say({"type": "shown", "shown": False})
        # The answer to a first pong says that what was sent before it has been heard.
        await socket.say({"type": "pong", "nonce": (await socket.ping())["nonce"]})
        await socket.ping()
        await say(rooms, 3)
        await rooms.store.awrite(lambda tx: tx.append(started))
        await say(rooms, 2)
        frame = await socket.message()
        assert ([event["seq"] for event in frame["events"]], frame["skipped"]) == ([4], 3)
        await socket.say({"type": "shown", "shown": True})
        told = [await socket.message()]
        while not (told[-1].get("events") and told[-1]["events"][-1]["seq"] == 6):
            told.append(await socket.message())
        assert [message["epoch"] for message in told if message.get("type") == "hello"] == [rooms.store.epoch]
        frames = [message for message in told if "events" in message]
        assert [event["seq"] for frame in frames for event in frame["events"]] == [5, 6]


async def test_a_frame_never_has_more_events_than_its_limit(rooms, subscribe) -> None:
    async with subscribe(since=0, epoch=rooms.store.epoch) as socket:
        await socket.message()
        await say(rooms, 1000)
        sizes = []
        while sum(sizes) < 1000:
            sizes.append(len((await socket.message())["events"]))
        assert max(sizes) <= 64


async def test_more_sockets_than_allowed_are_refused(rooms, subscribe, jp_fetch) -> None:
    rooms.most_sockets = 1
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    async with subscribe() as first:
        assert [(await first.message())["type"] for _ in range(2)] == ["hello", "snapshot"]
        with pytest.raises(HTTPClientError) as refused:
            await jp_fetch("mlops/api/events/subscribe", headers={**upgrade, "Sec-WebSocket-Key": "x"})
        assert (refused.value.code, refused.value.response.headers["Retry-After"]) == (429, "10")


async def follow(rooms, subscribe, ask, until: int, cuts: int, chance: random.Random) -> list[int]:
    """Read all events up to ``until`` while the socket is cut ``cuts`` times, polling now and then."""
    seen: list[int] = []
    cursor: dict[str, Any] = {"since": 0, "epoch": rooms.store.epoch}
    while not seen or seen[-1] < until:
        if chance.random() < 0.3:
            query = "&".join(f"{name}={value}" for name, value in cursor.items())
            _, answer = await ask("GET", f"events?{query}")
            assert answer["prev"] == cursor["since"]
            seen += [event["seq"] for event in answer["events"]][: chance.randint(1, 50)]
        else:
            async with subscribe(**cursor) as socket:
                assert (await socket.message())["type"] == "hello"
                frames = chance.randint(0, 3) if cuts > 0 else 10**9
                while frames and (not seen or seen[-1] < until):
                    frame = await socket.message()
                    assert frame["prev"] == cursor["since"]
                    seen += [event["seq"] for event in frame["events"]]
                    cursor["since"] = seen[-1]
                    frames -= 1
                socket.cut()
                cuts -= 1
        cursor["since"] = seen[-1] if seen else 0
    assert cuts <= 0
    return seen


@pytest.mark.parametrize(
    ("events", "cuts"),
    [
        pytest.param(1_000, 10, id="a-tenth"),
        pytest.param(10_000, 100, id="whole", marks=[pytest.mark.soak, pytest.mark.timeout(600)]),
    ],
)
async def test_a_client_cut_off_at_random_sees_each_event_once_in_order(
    rooms, subscribe, ask, events, cuts
) -> None:
    async def flow() -> None:
        for _ in range(events // 5):
            await say(rooms, 5)
            await asyncio.sleep(0.002)

    flowing = asyncio.ensure_future(flow())
    seen = await follow(rooms, subscribe, ask, events, cuts, random.Random(7))
    await flowing
    assert seen == list(range(1, events + 1))


@pytest.mark.parametrize(
    "connects",
    [
        pytest.param(30, id="a-tenth"),
        pytest.param(300, id="whole", marks=[pytest.mark.soak, pytest.mark.timeout(600)]),
    ],
)
async def test_replay_joins_what_happens_meanwhile_without_a_seam(rooms, subscribe, connects) -> None:
    """F27: connect anywhere in history while two thousand events a second come in."""
    chance = random.Random(11)

    async def flow() -> None:
        while True:
            await say(rooms, 20)
            await asyncio.sleep(0.01)

    flowing = asyncio.ensure_future(flow())
    for _ in range(connects):
        head = rooms.hub.head
        since = chance.randint(max(0, head - 2000), head)
        async with subscribe(since=since, epoch=rooms.store.epoch) as socket:
            assert (await socket.message())["type"] == "hello"
            seen: list[int] = [since]
            while seen[-1] < head + 40:
                frame = await socket.message()
                assert (frame["prev"], "skipped" in frame) == (seen[-1], False)
                seen += [event["seq"] for event in frame["events"]]
            assert seen == list(range(since, seen[-1] + 1))
            socket.cut()
    flowing.cancel()


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(2.0, id="short"),
        pytest.param(60.0, id="whole", marks=[pytest.mark.soak, pytest.mark.timeout(300)]),
    ],
)
async def test_a_client_that_reconnects_all_the_time_sees_each_event_once_in_order(
    rooms, subscribe, seconds
) -> None:
    """F27, second half: a new socket every 50 to 500 ms at two thousand events a second."""
    chance = random.Random(13)
    loop = asyncio.get_running_loop()
    ending = loop.time() + seconds

    async def flow() -> int:
        while loop.time() < ending:
            await say(rooms, 20)
            await asyncio.sleep(0.01)
        await say(rooms, 1)
        return await rooms.store.aread(lambda reading: reading.head())

    flowing = asyncio.ensure_future(flow())
    seen = [0]
    while not flowing.done() or seen[-1] < flowing.result():
        async with subscribe(since=seen[-1], epoch=rooms.store.epoch) as socket:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(chance.uniform(0.05, 0.5)):
                    assert (await socket.message())["type"] == "hello"
                    while not flowing.done() or seen[-1] < flowing.result():
                        frame = await socket.message()
                        assert frame["prev"] == seen[-1]
                        seen += [event["seq"] for event in frame["events"]]
            socket.cut()
    assert seen == list(range(flowing.result() + 1))


async def test_what_a_client_has_seen_is_on_disk(rooms, subscribe) -> None:
    async with subscribe(since=0, epoch=rooms.store.epoch) as socket:
        await socket.message()
        await say(rooms, 30)
        seen: list[dict[str, Any]] = []
        while len(seen) < 30:
            seen += (await socket.message())["events"]
    kept = await rooms.store.aread(lambda reading: reading.events(0, 100))
    assert [json.loads(event.body) for event in kept] == seen


async def test_nan_and_both_infinities_stay_apart_in_every_answer(rooms, ask, subscribe) -> None:
    """P34."""
    # Over: nobody has anything else to tell of it.
    job = a_job(status="completed")
    values = (1.0, math.nan, math.inf, -math.inf)
    points = tuple(point("loss", step, value, 0.0) for step, value in enumerate(values))
    told = MetricPoints(time=datetime(2026, 11, 21, tzinfo=UTC), job_id=job.job_id, points=points)
    spec = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
    await rooms.store.awrite(lambda tx: tx.add_job(job, spec, "rf"))
    await rooms.store.awrite(lambda tx: tx.append(told))
    async with subscribe(since=0, epoch=rooms.store.epoch) as socket:
        assert (await socket.message())["type"] == "hello"
        (by_socket,) = (await socket.message())["events"]
    (by_polling,) = (await ask("GET", "events?since=0"))[1]["events"]
    whole = (await ask("GET", f"jobs/{job.job_id}/metrics"))[1]["series"]["loss"]["points"]
    reduced = (await ask("GET", f"jobs/{job.job_id}/metrics?buckets=2"))[1]["series"]["loss"]["points"]
    kept = [(1.0, None), (None, "nan"), (None, "+inf"), (None, "-inf")]
    for answer in (by_socket["points"], by_polling["points"], whole, reduced):
        assert [(one["value"], one.get("nf")) for one in answer] == kept


async def test_what_json_has_no_word_for_is_told_the_same_by_every_answer(rooms, ask, subscribe) -> None:
    """F43, from end to end: of a record, in the form that docs/API.md says."""
    numbers = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "np": np.float64("nan"), "one": 1.0}
    parameters = {
        "huge": 2**70,
        "half": "a\ud800b",
        "array": np.array([0.5, math.nan]),
        "decimal": Decimal("1e400"),
        "no time": pd.NaT,
        "bytes": b"\xff",
        "by pairs": {(1, 2): {3}},
        "at": datetime(2026, 11, 21, 16, 2, tzinfo=timezone(timedelta(hours=2))),
    }
    job = a_job(status="completed", metrics=numbers, live_metrics=numbers, parameters=parameters)
    null = dict.fromkeys(numbers, None) | {"one": 1.0}
    told = {
        "huge": str(2**70),
        "half": "a?b",
        "array": [0.5, None],
        "decimal": None,
        "no time": None,
        "bytes": "\ufffd",
        "by pairs": {"(1, 2)": [3]},
        "at": "2026-11-21T14:02:00.000Z",
    }
    spec = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
    async with subscribe() as socket:
        assert [(await socket.message())["type"] for _ in range(2)] == ["hello", "snapshot"]
        await rooms.store.awrite(lambda tx: tx.add_job(job, spec, "rf"))
        event = TrainingStarted(time=NOW, job_id=job.job_id, job=job)
        await rooms.store.awrite(lambda tx: tx.append(event))
        records = {"live": (await socket.message())["events"][0]["job"]}
    async with subscribe(since=0, epoch=rooms.store.epoch) as socket:
        await socket.message()
        records["replayed"] = (await socket.message())["events"][0]["job"]
    async with subscribe() as socket:
        await socket.message()
        records["snapshot"] = (await socket.message())["jobs"][0]
    records["polled"] = (await ask("GET", "events?since=0"))[1]["events"][0]["job"]
    records["polled snapshot"] = (await ask("GET", "events"))[1]["snapshot"]["jobs"][0]
    records["alone"] = (await ask("GET", f"jobs/{job.job_id}"))[1]["job"]
    records["listed"] = (await ask("GET", "jobs"))[1]["jobs"][0]
    seen = {by: (one["metrics"], one["live_metrics"], one["parameters"]) for by, one in records.items()}
    assert seen == dict.fromkeys(records, (null, null, told))
