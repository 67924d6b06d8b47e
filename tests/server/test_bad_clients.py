"""Clients that misbehave are refused or closed, each with a reason, and disturb nobody (F29)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from contextlib import ExitStack

import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError

from mlops_jupyter.training import processes
from tests.lines import a_line
from tests.server.raw import upgrade

DEEP = 100_000


async def hear(rooms, good) -> None:
    """``good`` is undisturbed: it gets the next event."""
    seq = await rooms.store.awrite(lambda tx: tx.append(a_line()))
    assert [event["seq"] for event in (await good.message())["events"]] == [seq]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("{}", id="no-type"),
        pytest.param('{"type":"order","of":"more"}', id="unknown-type"),
        pytest.param('{"type":"shown","shown":"perhaps"}', id="not-a-boolean"),
        pytest.param("nonsense", id="no-json"),
        pytest.param("[" * 50_000, id="deep"),
        pytest.param('{"type":"pong","nonce":1,"x":' + "[" * 30_000 + "]" * 30_000 + "}", id="deep-inside"),
        pytest.param("[" * DEEP + "]" * DEEP, id="deeper-than-allowed"),
        pytest.param('{"type":"pong","nonce":' + "9" * 5000 + "}", id="long-number"),
        pytest.param("x" * (65 << 10), id="too-long"),
        pytest.param("x" * (10 << 20), id="ten-mebibytes"),
    ],
)
async def test_a_client_that_says_what_is_not_understood_is_closed_and_disturbs_nobody(
    rooms, subscribe, message
) -> None:
    async with subscribe() as good, subscribe() as bad:
        for client in (good, bad):
            assert [(await client.message())["type"] for _ in range(2)] == ["hello", "snapshot"]
        # The server need not wait for the end of what is too long.
        with contextlib.suppress(WebSocketClosedError):
            await bad.say(message)
        with pytest.raises(EOFError, match=r"100[89]|None"):
            await bad.message()
        await hear(rooms, good)


async def test_a_client_that_says_a_thousand_things_a_second_is_closed(rooms, subscribe) -> None:
    async with subscribe() as good, subscribe() as bad:
        for client in (good, bad):
            assert [(await client.message())["type"] for _ in range(2)] == ["hello", "snapshot"]
        with contextlib.suppress(WebSocketClosedError):
            for _ in range(1000):
                await bad.say({"type": "pong", "nonce": 0})
        with pytest.raises(EOFError, match=r"1008|None"):
            await bad.message()
        await hear(rooms, good)


@pytest.mark.parametrize("since", ["1e99", "x", "", "0x10", "1.5", "9" * 5000])
async def test_a_cursor_that_is_no_number_is_refused_both_ways(rooms, ask, jp_fetch, since) -> None:
    status, answer = await ask("GET", f"events?since={since}")
    assert (status, answer["reason"]) == (400, "since must be a whole number")
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch(
            "mlops/api/events/subscribe",
            params={"since": since},
            headers={**headers, "Sec-WebSocket-Key": "x"},
        )
    assert refused.value.code == 400
    assert not rooms.sockets


@pytest.mark.parametrize("since", ["-1", "9" * 4000, "-" + "9" * 4000])
async def test_a_cursor_outside_of_history_is_reset_whatever_its_size(rooms, ask, since) -> None:
    status, answer = await ask("GET", f"events?since={since}")
    assert (status, answer["reset"]["why"]) == (200, "The cursor is outside of history")


@pytest.mark.parametrize(
    "count", [pytest.param(50, id="fifty"), pytest.param(500, id="five-hundred", marks=pytest.mark.soak)]
)
async def test_upgrades_that_are_never_finished_disturb_nobody(
    rooms, subscribe, jp_http_port, jp_base_url, jp_auth_header, count
) -> None:
    request = upgrade(f"{jp_base_url}mlops/api/events/subscribe", jp_auth_header)
    loop = asyncio.get_running_loop()
    async with subscribe() as good:
        assert [(await good.message())["type"] for _ in range(2)] == ["hello", "snapshot"]
        memory = processes.memory([os.getpid()])
        with ExitStack() as held:
            for _ in range(count):
                half = held.enter_context(socket.socket())
                half.setblocking(False)
                # The server, in this thread, takes them in: more than a hundred wait for no one.
                await loop.sock_connect(half, ("127.0.0.1", jp_http_port))
                await loop.sock_sendall(half, request[:-2])
            await hear(rooms, good)
            assert len(rooms.sockets) == 1
            assert processes.memory([os.getpid()]) - memory < 16 << 20
        await hear(rooms, good)


async def test_no_more_sockets_are_let_in_than_allowed_when_many_ask_at_once(
    http_server_client, rooms, jp_http_port, jp_base_url, jp_auth_header
) -> None:
    rooms.most_sockets = 5
    request = upgrade(f"{jp_base_url}mlops/api/events/subscribe", jp_auth_header)

    loop = asyncio.get_running_loop()
    with ExitStack() as held:
        plain = [held.enter_context(socket.socket()) for _ in range(20)]
        for one in plain:
            one.setblocking(False)
            await loop.sock_connect(one, ("127.0.0.1", jp_http_port))
        for one in plain:
            await loop.sock_sendall(one, request)
        answers = [(await loop.sock_recv(one, 12))[9:] for one in plain]
        assert sorted(answers) == [b"101"] * 5 + [b"429"] * 15


async def test_what_a_refused_upgrade_is_told_is_json(rooms, jp_fetch) -> None:
    rooms.most_sockets = 0
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("mlops/api/events/subscribe", headers={**headers, "Sec-WebSocket-Key": "x"})
    assert refused.value.response is not None
    assert json.loads(refused.value.response.body)["message"] == "Too many event sockets"
