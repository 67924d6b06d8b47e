"""Servers that share a store tell the health of the machine they share once, and of others by name."""

from __future__ import annotations

import asyncio
import os
import platform
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlops_jupyter import owners
from mlops_jupyter.core.events import SystemMetrics
from mlops_jupyter.core.health import Thresholds
from mlops_jupyter.hub import Hub
from mlops_jupyter.monitor import Inhabitants, Monitor
from mlops_jupyter.store import Store
from mlops_jupyter.training import processes
from tests.samples import a_sample


class Hardware:
    """A machine whose memory is as full as it is told."""

    def __init__(self) -> None:
        self.memory = 0.0
        self.scope = "host"

    def figures(self) -> dict[str, Any]:
        ours = (
            "type",
            "time",
            "seq",
            "priority",
            "health",
            "levels",
            "active_connections",
            "jobs",
            "kernels",
        )
        told = msgspec.structs.asdict(a_sample(memory_percent=self.memory, memory_scope=self.scope))
        taken = {name: value for name, value in told.items() if name not in ours}
        return {name: value for name, value in taken.items() if not name.endswith("_response_ms")}

    def uses(self, roots: Any, *, with_root: bool) -> tuple[()]:
        return ()

    def forget(self, known: Any) -> None: ...


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite", lambda _: None)
    yield store
    store.close()


@pytest.fixture
def another() -> Iterator[str]:
    """Another server of this machine, as its mark; it lives until the test is over."""
    with subprocess.Popen(["sleep", "60"]) as server:
        found = processes.identify(server.pid)
        assert found
        yield found.mark
        server.kill()


async def nobody() -> Inhabitants:
    return Inhabitants({}, {}, ())


async def nothing(_: SystemMetrics) -> None: ...


Look = Callable[[Monitor, float], Awaitable[None]]


def told(store: Store) -> list[tuple[str, str]]:
    """Changes of health, each with its row of the feed."""
    bodies = [msgspec.json.decode(e.body) for e in store.read(lambda reading: reading.events(0, 1000))]
    changes = [body["current_health"] for body in bodies if body["type"] == "health_change"]
    rows = [body["activity"]["description"] for body in bodies if body["type"] == "activity_update"]
    return list(zip(changes, rows, strict=True))


def acted(
    store: Store, story: Callable[[Callable[[str], Monitor], Look], Awaitable[None]]
) -> list[tuple[str, str]]:
    """What was told once ``story`` was played by monitors of the owners it names."""

    async def play() -> None:
        hub = Hub(store, asyncio.get_running_loop(), 0)
        monitors: list[Monitor] = []

        def of(owner: str) -> Monitor:
            machine: Any = Hardware()
            limits = {"memory": Thresholds(75, 90)}
            monitor = Monitor(
                hub, store, machine, nobody, lambda: False, nothing, every=1e-6, thresholds=limits
            )
            monitor._owner = owner
            monitors.append(monitor)
            return monitor

        async def look(monitor: Monitor, memory: float) -> None:
            """Twice, as hysteresis wants it."""
            machine: Any = monitor._machine
            machine.memory = memory
            for _ in range(2):
                await monitor.newest()

        await story(of, look)
        for monitor in monitors:
            monitor.close()

    asyncio.run(play())
    return told(store)


def test_of_two_servers_of_one_machine_one_tells(store: Store, another: str) -> None:
    async def story(of: Callable[[str], Monitor], look: Look) -> None:
        one, other = of(owners.this_process()), of(another)
        for memory in (95, 80, 20):
            await look(one, memory)
            await look(other, memory)
        await look(other, 95)
        await look(one, 95)

    here = platform.node()
    assert acted(store, story) == [
        ("critical", f"memory 95 %, on {here}"),
        ("warning", f"memory 80 %, on {here}"),
        ("healthy", f"memory 20 %, on {here}"),
        ("critical", f"memory 95 %, on {here}"),
    ]


def test_what_a_server_that_is_gone_has_told_is_told_anew(store: Store) -> None:
    mine = processes.identify(os.getpid())
    assert mine
    gone = mine._replace(ticks=mine.ticks + 1).mark

    async def story(of: Callable[[str], Monitor], look: Look) -> None:
        await look(of(gone), 95)
        await look(of(owners.this_process()), 95)

    assert [health for health, _ in acted(store, story)] == ["critical", "critical"]


def test_another_machine_and_another_container_tell_their_own(store: Store, another: str) -> None:
    _, rest = another.split("/", 1)

    async def story(of: Callable[[str], Monitor], look: Look) -> None:
        await look(of(owners.this_process()), 95)
        await look(of(f"another-boot/{rest}"), 95)
        contained = of(another)
        machine: Any = contained._machine
        machine.scope = "container"
        await look(contained, 95)

    assert [health for health, _ in acted(store, story)] == ["critical"] * 3
