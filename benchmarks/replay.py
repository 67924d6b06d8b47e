"""How fast a client that was away gets what it missed: events a second.

Ours by polling (pages of 1,000, HTTP and all) and by websocket (5,000 events at most), beside SQLite alone
reading the same rows in the same pages, in the same run.

    python benchmarks/replay.py [events]
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from serving import TOKEN, served
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

from mlops_jupyter.core.events import MetricPoints
from mlops_jupyter.core.series import Point

EVENTS, PAGE, BY_SOCKET = 100_000, 1000, 5000
HEADERS = {"Authorization": f"token {TOKEN}"}


async def fill(rooms: Any, count: int) -> None:
    now = datetime.now(UTC)

    def some(tx: Any, first: int) -> None:
        for step in range(first, min(first + PAGE, count)):
            point = Point(name="train_loss", step=step, value=1 / (step + 1), nf=None, elapsed=step / 1000)
            tx.append(MetricPoints(time=now, job_id="j-7f3a00000000", points=(point,)))

    for first in range(0, count, PAGE):
        await rooms.store.awrite(lambda tx, first=first: some(tx, first))


def by_sqlite(path: Path) -> int:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    since = total = 0
    while rows := db.execute(
        "SELECT seq, body FROM events WHERE seq>? ORDER BY seq LIMIT ?", (since, PAGE)
    ).fetchall():
        since = rows[-1][0]
        total += len(rows)
    db.close()
    return total


async def by_polling(port: int, head: int) -> int:
    client = AsyncHTTPClient()
    since = total = 0
    while since < head:
        url = f"http://127.0.0.1:{port}/mlops/api/events?since={since}"
        events = json.loads((await client.fetch(url, headers=HEADERS)).body)["events"]
        since = events[-1]["seq"]
        total += len(events)
    return total


async def by_socket(port: int, head: int) -> int:
    since = head - min(BY_SOCKET, head)
    url = f"ws://127.0.0.1:{port}/mlops/api/events/subscribe?since={since}"
    socket = await websocket_connect(HTTPRequest(url, headers=HEADERS))
    total = 0
    while since < head:
        events = json.loads(await socket.read_message() or "{}").get("events", [])
        total += len(events)
        since = events[-1]["seq"] if events else since
    socket.close()
    return total


async def measure(count: int, home: Path) -> None:
    async with served(home) as (port, rooms):
        await fill(rooms, count)
        figures: dict[str, float] = {}
        for name, replay in {
            "SQLite alone": lambda: asyncio.to_thread(by_sqlite, home / "data" / "mlops" / "store.sqlite"),
            "polling": lambda: by_polling(port, count),
            "websocket": lambda: by_socket(port, count),
        }.items():
            rates = []
            for _ in range(3):
                began = time.perf_counter()
                total = await replay()
                rates.append(total / (time.perf_counter() - began))
            figures[name] = sorted(rates)[1]
            share = figures[name] / figures["SQLite alone"]
            print(f"{name:16}{figures[name]:12,.0f} events/s{share:8.2f} × SQLite alone")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(measure(count, Path(home)))


if __name__ == "__main__":
    main()
