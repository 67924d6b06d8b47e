"""A web service that is told things: a real HTTP server, which answers, refuses or hangs as its path says."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


class Receiver:
    """``/hang…`` answers once it is let go, ``/refuse…`` with 500 while ``refusing``, all else takes it."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.refusing = True
        self._moved = threading.Condition()
        self._let_go = threading.Event()
        handler = type("_Handler", (_Handler,), {"receiver": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def url(self, path: str) -> str:
        """As apprise calls it; what stands before the host is a secret."""
        return f"json://ada:hunter2@127.0.0.1:{self._server.server_port}/{path}"

    def told(self, path: str) -> list[str]:
        """Titles and texts that came to ``path``."""
        with self._moved:
            return [f"{body['title']}: {body['message']}" for at, body in self.got if at == f"/{path}"]

    def wait(self, path: str, count: int, patience: float = 30.0) -> list[str]:
        """What came to ``path``, once that is ``count``."""
        deadline = time.monotonic() + patience
        while len(found := self.told(path)) < count:
            with self._moved:
                assert self._moved.wait(max(deadline - time.monotonic(), 0.0)), found
        return found

    def came(self, path: str, body: dict[str, Any]) -> int:
        with self._moved:
            self.got.append((path, body))
            self._moved.notify_all()
        if path.startswith("/hang"):
            self._let_go.wait(60)
        return 500 if path.startswith("/refuse") and self.refusing else 200

    def let_go(self) -> None:
        self._let_go.set()

    def close(self) -> None:
        self.let_go()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    receiver: ClassVar[Receiver]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.receiver.came(self.path, body)
        try:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            # Whoever hung has gone by now.
            self.close_connection = True

    def log_message(self, *_: Any) -> None: ...
