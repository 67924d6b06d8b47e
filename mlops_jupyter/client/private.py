"""The private server: our extension in a headless Jupyter server on a unix socket, one per user and
data directory, shared by kernels and command line. It ends by itself after its last client and job.

Not here: when it is needed (``finder``) and what runs in it (``server.headless``).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil

from mlops_jupyter.client import servers
from mlops_jupyter.client.servers import Server
from mlops_jupyter.core.errors import ServerUnreachable

#: Seconds a slow machine may take to import a server; a process that died is noticed at once.
STARTING = 60.0
#: ``sun_path`` of a unix socket holds 108 bytes, 104 on macOS.
SOCKET_PATH = 100
LOG_BYTES = 1 << 20
#: A shell leaves the server to the system, so that no kernel has to wait for its end.
_LEAVE = 'log=$1; shift; "$@" >>"$log" 2>&1 </dev/null & echo $!'
#: Meant for the kernel that starts the server, not for the server's own jobs.
_OF_THE_KERNEL = ("JPY_", "MPLBACKEND", "FORCE_COLOR", "CLICOLOR", "JUPYTER_TOKEN")


class PrivateServer:
    """The one private server of a runtime and a data directory, running or not."""

    def __init__(self, runtime: Path, data: Path) -> None:
        self._runtime = runtime
        self._data = data
        #: Where its jobs, models and database are.
        self.store = data / "mlops"
        # A home shared by several machines has one private server on each of them.
        key = hashlib.sha256(f"{data} {_boot()}".encode()).hexdigest()[:8]
        self._stem = f"mlops-private-{key}"
        self.log = runtime / f"{self._stem}.log"
        self.socket = _socket_folder(runtime, self._stem) / f"{self._stem}.sock"

    def running(self) -> Server | None:
        """As its runtime file says; whether it answers is another question."""
        for server in servers.known(self._runtime):
            if server.private and server.socket == str(self.socket):
                return server
        return None

    def start(self, answers: Callable[[Server], bool]) -> Server:
        """Start it, unless somebody else just did, and return when it answers."""
        why = f"see its log at {self.log}"
        try:
            self._runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone():
                server = self.running()
                if server is not None and answers(server):
                    return server
                self._forget_the_dead()
                server = self._started(self._launch(), answers)
                if server is not None:
                    return server
        except OSError as error:
            why = str(error)
        raise ServerUnreachable(
            "no mlops server answers (refused, 3 tries in 2 s).",
            f"Private server: could not start, {why}.",
            "Details: mlops doctor",
        )

    def _started(self, pid: int, answers: Callable[[Server], bool]) -> Server | None:
        """The server of this process once it answers; ``None`` when it died or takes too long."""
        deadline = time.monotonic() + STARTING
        while time.monotonic() < deadline and _runs(pid):
            server = self.running()
            if server is not None and server.pid == pid and answers(server):
                return server
            time.sleep(0.05)
        return None

    def _launch(self) -> int:
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.unlink()
        os.close(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        server = [sys.executable, "-m", "mlops_jupyter.server.headless", str(self.socket), str(self._data)]
        done = subprocess.run(
            ["/bin/sh", "-c", _LEAVE, "sh", str(self.log), *server],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={name: text for name, text in os.environ.items() if not name.startswith(_OF_THE_KERNEL)},
            cwd="/",
            start_new_session=True,
            check=True,
        )
        return int(done.stdout)

    def _forget_the_dead(self) -> None:
        """Remove the runtime files that killed servers on our socket left."""
        for path in self._runtime.glob("mlops-*.json"):
            try:
                server = msgspec.json.decode(path.read_bytes(), type=Server)
            except (OSError, msgspec.DecodeError):
                continue
            if server.socket == str(self.socket) and not servers.alive(server.pid):
                path.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One starter at a time; the others wait and find its server."""
        path = self._runtime / f"{self._stem}.lock"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return os.uname().nodename


def _socket_folder(runtime: Path, stem: str) -> Path:
    if len(os.fsencode(runtime / f"{stem}.sock")) <= SOCKET_PATH:
        return runtime
    folder = Path(tempfile.gettempdir()) / f"mlops-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise ServerUnreachable(
            "no place for the private server's socket.", f"{folder} belongs to somebody else."
        )
    return folder
