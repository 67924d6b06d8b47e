"""Jobs on disk, what their journals say, and servers that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import cloudpickle
import msgspec
import pytest

from mlops_jupyter.core import facts, wire
from mlops_jupyter.core.jobs import JobSpec, Process, Source
from mlops_jupyter.executors.local import LocalExecutor
from mlops_jupyter.executors.protocol import Executor
from mlops_jupyter.training import journal, processes

ROOT = Path(__file__).parents[2]
RECIPE = "tests.executors.works"
#: Workers find the recipe of these tests.
PATH = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part)
BEGUN: list[facts.Fact] = [
    facts.KeeperStarted(time=0, pid=0, ticks=0, boot_id="", pid_namespace=""),
    facts.WorkStarted(time=0, pid=0, versions={}),
]
FINISHED = facts.WorkFinished(time=0)


def a_job(
    parent: Path, work: str = "nothing", name: str = "j-1", estimator: Any = None, **params: Any
) -> Path:
    """A job's folder as the server lays it out."""
    folder = parent / name
    folder.mkdir(mode=0o700)
    sent = None if estimator is None else "i-1"
    spec = JobSpec(data=Source(path="/nowhere"), target="y", model=work, params=params, estimator_input=sent)
    (folder / "spec.json").write_bytes(wire.encode(spec))
    if estimator is not None:
        (folder / "estimator.pkl").write_bytes(cloudpickle.dumps(estimator))
    return folder


def recorded(folder: Path) -> list[facts.Fact]:
    """The journal. One stretch may be torn: the record that a killed worker was just writing."""
    batch = journal.read(folder / "journal", 0, 1 << 26)
    assert len(batch.damaged) <= 1
    return [msgspec.json.decode(payload, type=facts.AnyFact) for payload in batch.payloads]


def told(folder: Path) -> list[facts.Fact]:
    """The journal without what differs from run to run."""
    return [_plain(fact) for fact in recorded(folder)]


def ended(**fields: Any) -> facts.WorkerEnded:
    return facts.WorkerEnded(time=0, **fields)


def worker_pid(folder: Path) -> int:
    return next(fact.pid for fact in recorded(folder) if isinstance(fact, facts.WorkStarted))


def _plain(fact: facts.Fact) -> facts.Fact:
    changing: dict[str, Any] = {
        "pid": 0,
        "ticks": 0,
        "boot_id": "",
        "pid_namespace": "",
        "versions": {},
        "cpu_seconds": None,
        "peak_memory_bytes": None,
        "memory_limit_bytes": None,
        "traceback": None,
        "paused_for": 0.0,
    }
    fields = {name: value for name, value in changing.items() if name in fact.__struct_fields__}
    return msgspec.structs.replace(fact, time=0, elapsed=0.0, **fields)


@contextlib.asynccontextmanager
async def an_executor(**options: Any) -> AsyncIterator[LocalExecutor]:
    """Without a next worker, unless asked for: it would cost each test a second of imports."""
    executor = LocalExecutor(**{"recipe": RECIPE, "standby": False, **options})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", PATH)
        try:
            yield executor
        except BaseException:
            # A test that fails leaves no job behind.
            for pid in below(os.getpid()):
                os.kill(pid, signal.SIGKILL)
            raise
        finally:
            await executor.close()


async def run(executor: Executor, folder: Path, **options: Any) -> Process:
    """Start a job and wait until nothing of it is left."""
    process = await executor.start(folder, **options)
    await over(executor, process)
    return process


async def over(executor: Executor, process: Process) -> None:
    exited = asyncio.Event()
    executor.adopt(process, exited.set)
    async with asyncio.timeout(30):
        await exited.wait()


async def until(condition: Callable[[], Any], patience: float = 60.0) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.005)


def processes_of(folder: Path) -> list[int]:
    """Everything that runs for this job, whoever its parent is: what names its folder."""
    word = str(folder).encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = [str(file.readlink()).encode() for file in (entry / "fd").iterdir()]
            if any(word in text for text in [(entry / "cmdline").read_bytes(), *words]):
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


def below(pid: int) -> list[int]:
    """Running descendants."""
    return [child for child in processes.descendants(pid) if processes.identify(child)]


SERVER = """
import asyncio, sys
from pathlib import Path
from mlops_jupyter.executors.local import LocalExecutor

async def serve(recipe, orphan_ttl, *folders):
    executor = LocalExecutor(recipe=recipe, orphan_ttl=float(orphan_ttl), standby=False)
    for folder in folders:
        await executor.start(Path(folder))
    await executor.warm()
    print("ready", flush=True)
    await asyncio.sleep(3600)

asyncio.run(serve(*sys.argv[1:]))
"""


class Server:
    """A process that runs an executor, has started some jobs, and gets killed."""

    def __init__(self, *folders: Path, orphan_ttl: float = 3600.0) -> None:
        words = [sys.executable, "-c", SERVER, RECIPE, str(orphan_ttl), *map(str, folders)]
        environment = {**os.environ, "PYTHONPATH": PATH}
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, env=environment)
        assert self._process.stdout
        assert self._process.stdout.readline() == b"ready\n"
        self.pid = self._process.pid

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()


def keeper(folder: Path) -> Process:
    """Identity of the job's keeper, as its journal has it."""
    first = recorded(folder)[0]
    assert isinstance(first, facts.KeeperStarted)
    return Process(pid=first.pid, ticks=first.ticks, boot_id=first.boot_id, pid_namespace=first.pid_namespace)
