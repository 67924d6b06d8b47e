"""Runs jobs on this machine: a keeper and a worker each, the next worker already standing by.

Not here: how a keeper keeps (``training.keeper``), how many jobs may run (``supervisor``).
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from signal import SIGTERM
from typing import Any

from mlops_jupyter.core.jobs import Process
from mlops_jupyter.executors import liveness
from mlops_jupyter.executors.environment import worker_environment
from mlops_jupyter.executors.pair import Pair, Ready, Refused, Started
from mlops_jupyter.executors.refusal import refusal
from mlops_jupyter.training.container import memory_left
from mlops_jupyter.training.keeper import ADOPTED, PAUSE, RESUME
from mlops_jupyter.training.standby import Assignment

log = logging.getLogger(__name__)

RECIPE = "mlops_jupyter.training.tabular.recipe"
START_TIMEOUT = 30.0
ORPHAN_TTL = 24 * 3600.0
#: A worker that stands by costs some 250 MB. It ends when nobody wanted it for ``IDLE`` seconds, and there
#: is none where less than ``ROOM`` bytes are left.
IDLE = 600.0
ROOM = 1 << 30
#: Importing takes the next worker a second of processor time; not the first second of the job before it.
NEXT_AFTER = 1.0
#: Seconds until a process is looked for again when it could not be told whether it is there.
LOOK_AGAIN = 1.0


class LocalExecutor:
    """``executors.protocol.Executor`` with processes. Belongs to the event loop it is used on.

    ``recipe`` names the module whose ``train(run, spec, folder, estimator)`` is a job's work;
    ``orphan_ttl`` is for how many seconds jobs go on without any server (null: for ever). Without
    ``standby`` each job has its worker started when it begins."""

    def __init__(
        self,
        *,
        recipe: str = RECIPE,
        start_timeout: float = START_TIMEOUT,
        orphan_ttl: float | None = ORPHAN_TTL,
        standby: bool = True,
        idle: float = IDLE,
        room: int = ROOM,
        next_after: float = NEXT_AFTER,
    ) -> None:
        self._recipe = recipe
        self._start_timeout = start_timeout
        self._orphan_ttl = orphan_ttl
        self._standby = standby
        self._idle = idle
        self._room = room
        self._next_after = next_after
        self._cwd = str(Path.cwd())
        self._pairs: set[Pair] = set()
        self._standing_by: dict[str, Pair] = {}
        self._warming: dict[str, asyncio.Task[bool]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._spawning = asyncio.Lock()

    async def start(
        self,
        folder: Path,
        interpreter: str | None = None,
        cwd: str | None = None,
        timeout: float | None = None,
    ) -> Process:
        interpreter = interpreter or sys.executable
        assignment = Assignment(str(folder), cwd or self._cwd, timeout, self._orphan_ttl)
        answer = await self._assign(interpreter, assignment)
        if isinstance(answer, Refused):
            raise refusal(answer, interpreter, assignment)
        if self._standby:
            self._in_background(self._prepare_next(interpreter))
        return Process(
            pid=answer.pid, ticks=answer.ticks, boot_id=answer.boot_id, pid_namespace=answer.pid_namespace
        )

    def stop(self, process: Process) -> bool:
        return liveness.tell(process, SIGTERM)

    def pause(self, process: Process) -> bool:
        return liveness.tell(process, PAUSE)

    def resume(self, process: Process) -> bool:
        return liveness.tell(process, RESUME)

    def adopt(self, process: Process, on_exit: Callable[[], None]) -> None:
        self._in_background(_watch(process, on_exit))

    def warm(self, interpreter: str | None = None) -> asyncio.Task[bool]:
        """The task ends when the worker is ready (True), or when there will be none."""
        interpreter = interpreter or sys.executable
        task = self._warming.get(interpreter)
        if task is None or task.done():
            task = self._warming[interpreter] = asyncio.create_task(self._stand_by(interpreter))
        return task

    async def close(self) -> None:
        idle = [self._standing_by.pop(interpreter) for interpreter in list(self._standing_by)]
        await _cancel(*self._background, *self._warming.values())
        idle += [pair for pair in self._pairs if not pair.assigned and pair not in idle]
        for pair in idle:
            pair.end()
        if idle:
            await asyncio.wait([pair.ended for pair in idle], timeout=5)
        await _cancel(*(task for pair in self._pairs for task in (pair.ended, pair.ready)))

    async def _assign(self, interpreter: str, assignment: Assignment) -> Started | Refused:
        deadline = asyncio.get_running_loop().time() + self._start_timeout
        waiting = self._standing_by.pop(interpreter, None)
        if waiting is not None:
            answer = await self._hand_over(waiting, assignment, deadline)
            # What stood by may have died or grown old; what is wrong with the job itself stays wrong.
            if not isinstance(answer, Refused) or answer.why in ("too_slow", "cwd", "taken", "folder"):
                return answer
        return await self._hand_over(await self._new_pair(interpreter), assignment, deadline)

    async def _hand_over(self, pair: Pair, assignment: Assignment, deadline: float) -> Started | Refused:
        try:
            async with asyncio.timeout_at(deadline):
                return await pair.take(assignment)
        except TimeoutError:
            if pair.assigned:
                # Or it might begin, after all, a job that has been given up.
                pair.kill()
            return Refused("too_slow", f"{self._start_timeout:g}")

    async def _new_pair(self, interpreter: str) -> Pair:
        async with self._spawning:
            # A spawn holds the interpreter's lock, for 30 ms on a busy machine: one a turn of the loop.
            await asyncio.sleep(0)
            pair = Pair(interpreter, self._recipe, worker_environment(os.environ))
        self._pairs.add(pair)
        pair.ended.add_done_callback(lambda _: self._forget(interpreter, pair))
        return pair

    def _forget(self, interpreter: str, pair: Pair) -> None:
        self._pairs.discard(pair)
        pair.end()
        if self._standing_by.get(interpreter) is pair:
            del self._standing_by[interpreter]

    async def _stand_by(self, interpreter: str) -> bool:
        pair = self._standing_by.get(interpreter)
        if pair is None:
            if memory_left() < self._room:
                return False
            pair = self._standing_by[interpreter] = await self._new_pair(interpreter)
            self._in_background(self._end_idle(interpreter, pair))
        await asyncio.wait([pair.ready])
        return not pair.ready.cancelled() and isinstance(pair.ready.result(), Ready)

    async def _end_idle(self, interpreter: str, pair: Pair) -> None:
        await asyncio.sleep(self._idle)
        if self._standing_by.get(interpreter) is pair:
            del self._standing_by[interpreter]
            pair.end()

    async def _prepare_next(self, interpreter: str) -> None:
        await asyncio.sleep(self._next_after)
        await self.warm(interpreter)

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(process: Process, on_exit: Callable[[], None]) -> None:
    opened = await _handle(process)
    if opened is not None:
        liveness.send(opened, ADOPTED)
        await liveness.gone(opened)
    try:
        await asyncio.to_thread(liveness.sweep, process)
    except OSError as error:
        # Its end is to be known whatever is left.
        log.warning("What process %d left could not be looked for: %s", process.pid, error)
    on_exit()


async def _handle(process: Process) -> int | None:
    """Once it can be told: whoever cannot look must neither call a job gone nor sweep it away."""
    while True:
        try:
            return liveness.handle(process)
        except OSError as error:
            log.warning("Process %d cannot be watched yet: %s", process.pid, error)
            await asyncio.sleep(LOOK_AGAIN)
