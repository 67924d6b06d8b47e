"""The servers of this user as their runtime files tell, and which of them takes our jobs.

A running extension writes ``mlops-<pid>.json`` (mode 0600) into Jupyter's runtime directory.
Not here: whether a server answers (``finder``), and how a private one is started (``private``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec

#: Listening on these means on all addresses: our own is one of them.
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - read, not bound


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """What a runtime file holds. ``url`` ends with the base URL; ``socket`` is the path of the unix
    socket where the server listens on one. Whoever knows ``secret`` is the same OS user."""

    pid: int
    url: str
    base_url: str
    root_dir: str
    secret: str
    version: str
    private: bool = False
    socket: str | None = None

    @property
    def address(self) -> str:
        """``url`` as this machine reaches it, ending with ``/``."""
        if self.socket:
            return f"http://localhost{self.base_url.rstrip('/')}/"
        parts = urlsplit(self.url)
        host = ANY_ADDRESS.get(parts.hostname or "")
        if host is not None:
            netloc = host if parts.port is None else f"{host}:{parts.port}"
            parts = parts._replace(netloc=netloc)
        return urlunsplit(parts._replace(query="", fragment="")).rstrip("/") + "/"


def known(runtime: Path) -> list[Server]:
    """Servers whose processes live, the newest first."""
    found: list[tuple[float, Server]] = []
    for path in runtime.glob("mlops-*.json"):
        try:
            facts = path.stat()
            server = msgspec.json.decode(path.read_bytes(), type=Server)
        except (OSError, msgspec.DecodeError):
            # Being written, or gone between the two lines: not there, then.
            continue
        if facts.st_uid == os.getuid() and alive(server.pid):
            found.append((facts.st_mtime, server))
    return [server for _, server in sorted(found, key=lambda pair: pair[0], reverse=True)]


def candidates(servers: Sequence[Server], parent: int | None, folder: Path) -> list[Server]:
    """Who may take our jobs, best first: the server this kernel was started by, then those whose
    root directory holds ``folder``. Private servers are nobody's choice but their starter's."""
    public = [server for server in servers if not server.private]
    first = [server for server in public if server.pid == parent]
    return first + [s for s in public if s not in first and _holds(s.root_dir, folder)]


def without_extension(servers: Iterable[Server], parent: int | None, runtime: Path) -> bool:
    """Whether ``parent`` is a Jupyter server in which our extension does not run."""
    if parent is None or any(server.pid == parent for server in servers):
        return False
    return (runtime / f"jpserver-{parent}.json").exists() and alive(parent)


def alive(pid: int) -> bool:
    """Whether a process of ours has this id."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _holds(root: str, folder: Path) -> bool:
    return bool(root) and folder.resolve().is_relative_to(Path(root).expanduser().resolve())
