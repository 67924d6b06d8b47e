"""Before a job: a worker that has imported what jobs need, and waits beside its keeper.

The keeper's side of it, standard library only. Not here: the worker's own side (``worker``), and what
happens once a job is assigned (``keeper``).
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
from pathlib import Path
from typing import Any, NamedTuple

from mlops_jupyter.training import processes

libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1

#: First words of the worker. They must run on any Python 3 and beside any mlops_jupyter, since they
#: are what finds out that there is a wrong one or none.
ENTRY = """
import json, os, sys
channel, version, recipe = int(sys.argv[1]), sys.argv[2], sys.argv[3]
def refuse(why, detail):
    os.write(channel, (json.dumps({"word": "refused", "why": why, "detail": detail}) + chr(10)).encode())
    os._exit(0)
# The directory the server was started in holds nothing the worker should import by accident.
sys.path[:] = [entry for entry in sys.path if entry]
try:
    import mlops_jupyter
except ImportError as error:
    if getattr(error, "name", None) != "mlops_jupyter":
        raise
    refuse("package_missing", "")
if getattr(mlops_jupyter, "__version__", "") != version:
    refuse("version", getattr(mlops_jupyter, "__version__", ""))
from mlops_jupyter.training.worker import main
main(channel, recipe)
"""


class Assignment(NamedTuple):
    """What the server sends: a job's folder, its working directory, and limits in seconds.

    ``orphan_ttl``: how long the job goes on without any server; null for ever."""

    folder: str
    cwd: str
    timeout: float | None
    orphan_ttl: float | None


class Worker(NamedTuple):
    """A started worker and our end of the channel to it."""

    pid: int
    channel: socket.socket


def start_worker(interpreter: str, version: str, recipe: str) -> Worker:
    """Fork and exec; why the exec failed comes through the channel like any other refusal."""
    ours, theirs = socket.socketpair()
    keeper = os.getpid()
    identity = processes.identify(keeper)
    environment = dict(os.environ)
    if identity:
        environment[processes.MARK] = identity.mark
    words = [interpreter, "-c", ENTRY, str(theirs.fileno()), version, recipe]
    pid = os.fork()
    if pid:
        theirs.close()
        return Worker(pid, ours)
    try:
        # Nobody would see the end of a worker without a keeper, nor enforce its limits.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == keeper:
            # Own session: what the user's code sends to its process group does not reach the keeper.
            os.setsid()
            prefer_for_oom()
            theirs.set_inheritable(True)
            os.execve(interpreter, words, environment)  # noqa: S606
    except OSError as error:
        say(theirs, word="refused", why="interpreter", detail=error.strerror or str(error))
    finally:
        os._exit(127)


def stand_by(server: socket.socket, worker: Worker) -> Assignment | None:
    """Pass the worker's words on until the server assigns a job; None when either of them is gone."""
    gone = os.pidfd_open(worker.pid)
    poll = select.poll()
    for file in (server.fileno(), worker.channel.fileno(), gone):
        poll.register(file, select.POLLIN)
    received = b""
    while True:
        ready = {file for file, _ in poll.poll()}
        said = hear(worker.channel) if worker.channel.fileno() in ready else b""
        if said:
            server.sendall(said)
        elif ready != {server.fileno()}:
            # Its end of the channel closes a moment before it counts as gone.
            say(server, word="refused", why="worker_ended", detail=_last_words(worker.pid))
            return None
        else:
            part = hear(server)
            received += part
            if not part or received.endswith(b"\n"):
                os.close(gone)
                return Assignment(**json.loads(received)) if part else None


def say(channel: socket.socket, **words: Any) -> None:
    """One line of JSON."""
    try:
        channel.sendall(json.dumps(words).encode() + b"\n")
    except OSError:
        # Whoever listened is gone; who hears them next finds out.
        return


def hear(channel: socket.socket) -> bytes:
    """What was said; nothing when the other side is gone."""
    try:
        return channel.recv(1 << 16)
    except ConnectionError:
        return b""


def tail(output: int, count: int = 20, width: int = 1000) -> list[str]:
    """The last lines of an open file, as a terminal would show them; none where it cannot be read."""
    try:
        size = os.fstat(output).st_size
        start = max(size - (1 << 16), 0)
        text = os.pread(output, size - start, start)
    except OSError:
        return []
    lines = text.decode(errors="replace").split("\n")
    if not lines[-1]:
        lines.pop()
    # A progress bar draws over itself.
    shown = [line.rstrip("\r").rpartition("\r")[2] for line in lines[-count:]]
    return [line[:width] for line in shown]


def _last_words(pid: int) -> str:
    """What a worker that could not stand by left: the end of its output, or how it ended."""
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    lines = [line for line in tail(2) if line.strip()]
    if lines:
        return "\n".join(lines)
    code = os.waitstatus_to_exitcode(status)
    return f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with exit code {code}"


def prefer_for_oom() -> None:
    """When memory runs out, a worker should go before the server and its notebooks."""
    file = Path("/proc/self/oom_score_adj")
    try:
        file.write_text(str(min(int(file.read_text()) + 300, 1000)))
    except OSError:
        return
