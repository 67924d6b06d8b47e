"""A keeper and its worker as the server that started them sees them, up to the start of a job.

Not here: which pair gets which job (``local``), and jobs that run (``liveness``).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

import mlops_jupyter
from mlops_jupyter.core.jobs import Process
from mlops_jupyter.executors.liveness import gone
from mlops_jupyter.training.standby import Assignment, tail

#: The keeper runs the server's own interpreter without ``site``: it needs nothing but this package.
_KEEPER = "import sys; sys.path.append(sys.argv[1]); from mlops_jupyter.training.keeper import main; main()"
_ROOT = str(Path(mlops_jupyter.__file__).parent.parent)
#: A keeper that has a job answers in milliseconds; for so long whoever gives up still waits for its word.
LAST_WORD = 2.0

Why = Literal[
    "interpreter",
    "package_missing",
    "version",
    "worker_ended",
    "keeper_ended",
    "too_slow",
    "cwd",
    "taken",
    "folder",
]


class Ready(msgspec.Struct, frozen=True, tag_field="word", tag="ready"):
    """The worker has imported everything. ``packages``: the folders its packages are installed in."""

    python: str
    packages: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True, tag_field="word", tag="refused"):
    """No job can be started with this pair."""

    why: Why
    detail: str


class Started(Process, frozen=True, kw_only=True, tag_field="word", tag="started"):
    """The keeper has opened the journal and told the worker to begin."""


_decoder = msgspec.json.Decoder(Ready | Refused | Started)


class Pair:
    """A started pair. Until it has a job it ends when this server does."""

    def __init__(self, interpreter: str, recipe: str, environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        output = os.memfd_create("output")
        try:
            with theirs:
                self._pid = _spawn_keeper(theirs, output, interpreter, recipe, environment)
        except BaseException:
            ours.close()
            os.close(output)
            raise
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._installed: dict[str, int] = {}
        self._last_words = ""
        self._unwanted = False
        #: Whether the keeper may have a job: it then goes on without us.
        self.assigned = False
        #: Done once the keeper is gone and reaped.
        self.ended = asyncio.create_task(self._reap(output))
        self.ready = asyncio.create_task(self._get_ready(ours))

    async def take(self, assignment: Assignment) -> Started | Refused:
        """Hand over a job as soon as the worker is ready. Whatever the answer, this pair takes no other."""
        try:
            ready = await asyncio.shield(self.ready)
            if isinstance(ready, Refused):
                return ready
            if await asyncio.to_thread(self._is_outdated):
                return Refused("worker_ended", "packages were installed since it was started")
            assert self._writer
            self._writer.write(json.dumps(assignment._asdict()).encode() + b"\n")
            self.assigned = True
            said = await self._answer()
            self.assigned = isinstance(said, Started)
        finally:
            self.end()
        return said if isinstance(said, Started | Refused) else Refused("keeper_ended", "")

    async def _answer(self) -> Ready | Refused | Started:
        """Also when this is cancelled it ends with a keeper that has begun the job, or never will."""
        hearing = asyncio.create_task(self._hear())
        try:
            return await asyncio.shield(hearing)
        except asyncio.CancelledError:
            await asyncio.wait([hearing], timeout=LAST_WORD)
            if not hearing.done():
                self.kill()
                await asyncio.wait([hearing, self.ended])
            raise

    def end(self) -> None:
        """End a pair that has no job; a keeper that has one does not mind."""
        self._unwanted = True
        if self._writer:
            self._writer.close()

    def kill(self) -> None:
        """End it whatever it is doing; the worker dies with its keeper."""
        # Not reaped, so the pid is still the keeper's.
        if not self.ended.done():
            os.kill(self._pid, signal.SIGKILL)

    def _is_outdated(self) -> bool:
        return self._installed != {folder: _changed(folder) for folder in self._installed}

    async def _get_ready(self, channel: socket.socket) -> Ready | Refused:
        self._reader, self._writer = await asyncio.open_unix_connection(sock=channel)
        if self._unwanted:
            self._writer.close()
        said = await self._hear()
        if isinstance(said, Ready):
            self._installed = await asyncio.to_thread(lambda: {f: _changed(f) for f in said.packages})
        return said if isinstance(said, Ready | Refused) else Refused("keeper_ended", "")

    async def _hear(self) -> Ready | Refused | Started:
        assert self._reader
        with contextlib.suppress(ConnectionError):
            line = await self._reader.readline()
            if line:
                said: Ready | Refused | Started = _decoder.decode(line)
                return said
        await asyncio.wait([self.ended])
        return Refused("keeper_ended", self._last_words)

    async def _reap(self, output: int) -> None:
        try:
            await gone(os.pidfd_open(self._pid))
            os.waitpid(self._pid, 0)  # noqa: ASYNC222 - it has exited
            self._last_words = "\n".join(tail(output))
        finally:
            os.close(output)


def _spawn_keeper(
    channel: socket.socket, output: int, interpreter: str, recipe: str, environment: Mapping[str, str]
) -> int:
    """Takes 0.3 ms: the kernel shares our memory with the child until it runs its own program.

    ``output`` takes what keeper and worker write until they have a job, whose log takes the rest."""
    version = mlops_jupyter.__version__
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", "-c", _KEEPER, _ROOT, interpreter, version, recipe],
        environment,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, channel.fileno(), 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ],
        setsid=True,
        setsigmask=[],
    )


def _changed(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0
