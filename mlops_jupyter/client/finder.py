"""Finds the server that takes our jobs; starts the private one where there is none.

Not here: requests (``rest``) and what runtime files say (``servers``).
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir

from mlops_jupyter.client import servers
from mlops_jupyter.client.notices import warn
from mlops_jupyter.client.private import PrivateServer
from mlops_jupyter.client.servers import Server
from mlops_jupyter.core.errors import ExtensionDisabled

#: A server that is just starting refuses at first: three tries in two seconds.
PAUSES = (0.7, 1.3)
PATIENCE = 5.0


class Finder:
    """``parent`` is the process this kernel was started by, ``folder`` the working directory."""

    def __init__(self, runtime: Path, data: Path, parent: int | None, folder: Callable[[], Path]) -> None:
        self.private = PrivateServer(runtime, data)
        self._runtime = runtime
        self._parent = parent
        self._folder = folder
        self._told = False
        # The caller and the feed may both have lost the same server.
        self._finding = threading.Lock()

    @classmethod
    def of_this_process(cls) -> Finder:
        """As environment and working directory say."""
        parent = os.environ.get("JPY_PARENT_PID", "")
        return cls(
            runtime=Path(jupyter_runtime_dir()),
            data=Path(jupyter_data_dir()),
            parent=int(parent) if parent.isdigit() else None,
            folder=Path.cwd,
        )

    def forked(self) -> None:
        """In a copy of the process nobody is finding anything."""
        self._finding = threading.Lock()

    def find(self) -> Server:
        """The best server that answers. ``ServerUnreachable`` when even the private one does not."""
        with self._finding:
            return self._public() or self._private()

    def up(self) -> bool:
        """Whether there is a server to be found, without starting one."""
        return self.running() is not None

    def running(self) -> Server | None:
        """The best server whose process lives, whether it answers or not; none is started."""
        known = servers.known(self._runtime)
        best = servers.candidates(known, self._parent, self._folder())
        return best[0] if best else self.private.running()

    def is_parent(self, server: Server) -> bool:
        """Whether the browser of this kernel's notebook can reach ``server``: it belongs to it."""
        return server.pid == self._parent

    def _public(self) -> Server | None:
        for pause in (*PAUSES, 0.0):
            known = servers.known(self._runtime)
            best = servers.candidates(known, self._parent, self._folder())
            for server in best:
                if answers(server):
                    return server
            if not best:
                self._tell_when_off(known)
                break
            time.sleep(pause)
        return None

    def _private(self) -> Server:
        server = self.private.running()
        if server is not None and answers(server):
            return server
        return self.private.start(answers)

    def _tell_when_off(self, known: list[Server]) -> None:
        if self._told or not servers.without_extension(known, self._parent, self._runtime):
            return
        self._told = True
        warn(
            ExtensionDisabled(
                "mlops server extension is installed but not enabled in this Jupyter server "
                f"(pid {self._parent}).",
                "Run: jupyter server extension enable mlops_jupyter — then restart JupyterLab.",
                "Until then jobs run under a private server; the side panel stays empty.",
            )
        )


def answers(server: Server) -> bool:
    """Whether the server behind a runtime file is up and takes its secret. One in trouble is: what it says
    of it is to be told, and another server would be no better off."""
    try:
        with connect(server, PATIENCE) as http:
            answer = http.get("status")
    except httpx.TransportError:
        return False
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        # One that just starts has no problem to name; nor has a proxy.
        return b'"StoreUnavailable"' in answer.content
    ours = "X-Mlops-Version" in answer.headers
    return answer.is_success or (ours and answer.is_server_error)


def connect(server: Server, patience: float | None) -> httpx.Client:
    """A connection to the server's API; relative URLs are those of docs/API.md."""
    return httpx.Client(
        base_url=f"{server.address}mlops/api/",
        headers={"Authorization": f"mlops {server.secret}"},
        # Its certificate, if any, is made out to another name than this machine's own address;
        # who answers proves itself by nothing else, but runtime files are written by us alone.
        transport=_UnixSocket(server.socket) if server.socket else httpx.HTTPTransport(verify=False),
        trust_env=False,
        timeout=httpx.Timeout(patience, connect=2.0),
    )


class _Unasked(logging.Filter):
    """httpx logs every request; a notebook that logs its own would be full of our polls."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "/mlops/api/" not in record.getMessage()


logging.getLogger("httpx").addFilter(_Unasked())


class _UnixSocket(httpx.HTTPTransport):
    """Asks first whether anybody listens: httpcore 1.0 leaves its own socket open when nobody does."""

    def __init__(self, path: str) -> None:
        # There is no certificate to look at: reading those of the world takes 45 ms.
        super().__init__(uds=path, verify=False)
        self._path = path

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(self._path)
            except OSError as error:
                raise httpx.ConnectError(str(error), request=request) from error
        return super().handle_request(request)
