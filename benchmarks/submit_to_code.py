"""From submitting a job to the first line of the user's code, beside what else could run it.

All ways in turn, in one run, milliseconds:

* fork: an already imported process forks; the limit, and no job is kept, logged or survives its parent
* warm: ``LocalExecutor.start`` with a worker standing by, all of scikit-learn, pandas and skrub imported
* server: the same behind ``POST jobs`` of a real server, so with the store, the queue and HTTP
* cold: ``LocalExecutor.start`` with nothing standing by
* subprocess: a new interpreter that imports the same

The user's code is an object sent with the job, which writes down when it is unpickled in the worker.

    python benchmarks/submit_to_code.py
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cloudpickle
import httpx
from serving import address, started

from mlops_jupyter import __version__
from mlops_jupyter.core import wire
from mlops_jupyter.core.jobs import JobSpec, Process, Source
from mlops_jupyter.executors.local import RECIPE, LocalExecutor

ROUNDS = 10
PROMISE = 50.0
STAMP = f"import time, {RECIPE}; print(time.monotonic())"
FORKING = f"""
import os, sys, time, {RECIPE}
print(flush=True)
for _ in sys.stdin:
    begun = time.monotonic()
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, repr(time.monotonic()).encode())
        os._exit(0)
    print(1000 * (float(os.read(read, 100)) - begun), flush=True)
    os.wait()
"""


class Clock:
    """What a user sends: unpickled, it writes down the time. All processes share this clock."""

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def __setstate__(self, state: dict[str, Any]) -> None:
        Path(state["file"]).write_text(repr(time.monotonic()))
        self.__dict__.update(state)


def a_job(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    spec = JobSpec(data=Source(path="/nowhere", name="x"), target="y", estimator_input="i-1")
    (folder / "spec.json").write_bytes(wire.encode(spec))
    (folder / "estimator.pkl").write_bytes(cloudpickle.dumps(Clock(folder / "clock")))
    return folder


def stamp(file: Path) -> float:
    while not file.exists() or not file.read_text():
        time.sleep(0.001)
    return float(file.read_text())


async def over(executor: LocalExecutor, process: Process) -> None:
    exited = asyncio.Event()
    executor.adopt(process, exited.set)
    await exited.wait()


async def executed(executor: LocalExecutor, folder: Path, *, warm: bool) -> float:
    a_job(folder)
    if warm:
        assert await executor.warm()
    begun = time.monotonic()
    process = await executor.start(folder)
    took = 1000 * (await asyncio.to_thread(stamp, folder / "clock") - begun)
    await over(executor, process)
    return took


async def served(client: httpx.AsyncClient, home: Path, number: int) -> float:
    """Submit to the server once its next worker is surely ready: it imports for about three seconds."""
    clock = home / f"clock-{number}"
    pickled, kind = cloudpickle.dumps(Clock(clock)), {"Content-Type": "application/octet-stream"}
    sent = (await client.post("inputs", content=pickled, headers=kind)).raise_for_status().json()
    spec = {
        "data": {"path": str(home / "table.csv")},
        "target": "y",
        "estimator_input": sent["input_id"],
        "version": __version__,
    }
    await asyncio.sleep(6 if number else 0)
    begun = time.monotonic()
    (await client.post("jobs", json=spec)).raise_for_status()
    return 1000 * (await asyncio.to_thread(stamp, clock) - begun)


def spawned() -> float:
    begun = time.monotonic()
    said = subprocess.run([sys.executable, "-c", STAMP], capture_output=True, check=True, text=True).stdout
    return 1000 * (float(said) - begun)


class Forking:
    """A process that has imported everything and forks when asked to."""

    def __init__(self) -> None:
        words = [sys.executable, "-c", FORKING]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._line()

    def took(self) -> float:
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return float(self._line())

    def end(self) -> None:
        self._process.communicate()

    def _line(self) -> bytes:
        assert self._process.stdout
        return self._process.stdout.readline()


async def measured(home: Path, found: dict[str, Any], forking: Forking) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {way: [] for way in ("fork", "warm", "server", "cold", "subprocess")}
    executor = LocalExecutor(next_after=3600.0)
    auth = {"Authorization": f"mlops {found['secret']}"}
    async with httpx.AsyncClient(base_url=found["url"] + "mlops/api/", headers=auth) as client:
        await served(client, home, 0)
        for number in range(1, ROUNDS + 1):
            took["fork"].append(await asyncio.to_thread(forking.took))
            took["cold"].append(await executed(executor, home / f"cold-{number}", warm=False))
            took["warm"].append(await executed(executor, home / f"warm-{number}", warm=True))
            took["subprocess"].append(await asyncio.to_thread(spawned))
            took["server"].append(await served(client, home, number))
    await executor.close()
    return took


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "table.csv").write_text("x,y\n" + "".join(f"{n},{n % 2}\n" for n in range(100)))
        server = started(home)
        found = address(home, server)
        forking = Forking()
        try:
            took = asyncio.run(measured(home, found, forking))
        finally:
            forking.end()
            server.terminate()
            server.wait()
    fork = statistics.median(took["fork"])
    print(f"{ROUNDS} rounds, milliseconds from the submission to the user's code")
    print(f"{'':12}{'median':>9}{'max':>9}{'x fork':>9}")
    for way, times in took.items():
        middle = statistics.median(times)
        print(f"{way:12}{middle:9.1f}{max(times):9.1f}{middle / fork:9.1f}")
    print(f"promise: warm behind the server {PROMISE:.0f} ms")


if __name__ == "__main__":
    main()
