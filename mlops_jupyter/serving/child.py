"""A host as the server that started it sees it: made, asked, ended. Belongs to the event loop.

Not here: the host's own side (``host``), and what is made of its end (``live``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from mlops_jupyter.executors.liveness import gone
from mlops_jupyter.serving.messages import (
    Answers,
    Batch,
    Charge,
    Head,
    NonsenseError,
    Ready,
    Refused,
    Reply,
    hear,
    pack,
    split,
)
from mlops_jupyter.training import container
from mlops_jupyter.training.standby import tail

#: What a host has: a model's own memory is bounded, and threads that reserve addresses would eat it up.
#: OpenMP threads that wait for each other do not spin: on two busy cores 10,000 rows took six times as long
#: as on one thread while they did.
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "OMP_WAIT_POLICY": "PASSIVE"}


#: Bytes on the way to a host, or from it: those of thousands of rows.
_BUFFER = 4 << 20
#: What a host answers a request with (``serving.model``).
STATUSES = (200, 400, 507)


class GoneError(Exception):
    """The host ended, or could not be heard any more."""


class End(NamedTuple):
    """How a host ended. ``crashed``: by itself, for its memory or for what it did, and not because it was
    wanted no more."""

    told: str
    crashed: bool


class Answered(NamedTuple):
    """To a batch: an answer and its body each, and what was counted of the rows."""

    replies: tuple[Reply, ...]
    bodies: list[bytes]
    counted: bytes
    seconds: float


class Child:
    """One process that serves ``charge``."""

    def __init__(self, charge: Charge, environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            # As much as the system gives: waiting for the other side to read is a switch of processes.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self._output = os.memfd_create("output")
        self._oom_kills = container.oom_kills()
        #: Why we ended it; None where nobody of us did.
        self._killed: End | None = None
        try:
            with theirs:
                self.pid = _spawn(theirs, self._output, environment)
        except BaseException:
            ours.close()
            os.close(self._output)
            raise
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        #: Done once the process is gone and reaped.
        self.ended: asyncio.Task[End] = asyncio.create_task(self._reap())
        #: Done once it has answered for the first time, said why it never will, or ended (None).
        self.ready: asyncio.Task[Ready | Refused | None] = asyncio.create_task(self._get_ready(ours, charge))

    async def ask(self, bodies: Sequence[bytes]) -> Answered:
        """Raises ``GoneError``. One batch at a time."""
        assert self._writer
        assert self._reader
        try:
            self._writer.write(pack(Batch(tuple(map(len, bodies))), b"".join(bodies)))
            await self._writer.drain()
            head, body = await hear(self._reader)
            _check(head, len(bodies))
        except (ConnectionError, EOFError) as error:
            raise GoneError("its process ended") from error
        except (NonsenseError, msgspec.DecodeError) as error:
            self.kill(End("it talked nonsense", crashed=True))
            raise GoneError("its process talks nonsense") from error
        assert isinstance(head, Answers)
        *answers, counted = split(body, [reply.size for reply in head.replies])
        return Answered(head.replies, answers, counted, head.seconds)

    async def end(self) -> None:
        """Let it go; whatever it is doing."""
        self.kill(End("it was ended", crashed=False))
        await asyncio.wait([self.ended])
        self.ready.cancel()
        await asyncio.gather(self.ready, return_exceptions=True)
        if self._writer:
            self._writer.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()

    def kill(self, why: End) -> None:
        """End it; it has no more to say."""
        # Not reaped, so the pid is still the host's.
        if not self.ended.done():
            self._killed = why
            os.kill(self.pid, signal.SIGKILL)

    async def _get_ready(self, channel: socket.socket, charge: Charge) -> Ready | Refused | None:
        self._reader, self._writer = await asyncio.open_unix_connection(sock=channel)
        try:
            self._writer.write(pack(charge))
            await self._writer.drain()
            head, _ = await hear(self._reader)
        except (ConnectionError, EOFError):
            await asyncio.wait([self.ended])
            return None
        except (NonsenseError, msgspec.DecodeError):
            return Refused("Its process talks nonsense.")
        return head if isinstance(head, Ready | Refused) else Refused("Its process talks nonsense.")

    async def _reap(self) -> End:
        try:
            await gone(os.pidfd_open(self.pid))
            _, status = os.waitpid(self.pid, 0)  # noqa: ASYNC222 - it has exited
            return self._end(os.waitstatus_to_exitcode(status))
        finally:
            os.close(self._output)

    def _end(self, code: int) -> End:
        if self._killed is not None:
            return self._killed
        if code == -signal.SIGKILL:
            # Somebody's kill says nothing of the model; the kernel's, for want of memory, does.
            out_of_memory = container.oom_kills() > self._oom_kills
            return End("out of memory, killed by the kernel" if out_of_memory else "killed", out_of_memory)
        lines = [line for line in tail(self._output, 3) if line.strip()]
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return End(": ".join([how, *lines[-1:]])[:1000], crashed=True)


def _check(head: Head, asked: int) -> None:
    """Raise ``NonsenseError`` for what is no answer to so many requests."""
    if not isinstance(head, Answers) or len(head.replies) != asked:
        raise NonsenseError("no answer to what was asked")
    if any(reply.status not in STATUSES or reply.size < 0 or reply.rows < 0 for reply in head.replies):
        raise NonsenseError("an answer nobody gives")


def _spawn(channel: socket.socket, output: int, environment: Mapping[str, str]) -> int:
    """Takes 0.3 ms, as a keeper's start does; the server's own interpreter, nothing from its directory."""
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-m", "mlops_jupyter.serving.host", str(os.getpid())],
        {**environment, **_ENVIRONMENT},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, channel.fileno(), 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ],
        setsid=True,
        setsigmask=[],
    )
