"""Jupyter servers with our extension: in a benchmark's own process, its rooms in reach, and in others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

TOKEN = "a-token-of-the-benchmarks"


@asynccontextmanager
async def served(home: Path) -> AsyncIterator[tuple[int, Any]]:
    """Its port, and its rooms."""
    for kind in ("CONFIG", "DATA", "RUNTIME"):
        os.environ[f"JUPYTER_{kind}_DIR"] = str(home / kind.lower())
    # Paths are read from the environment at the first import.
    from jupyter_server.serverapp import ServerApp  # noqa: PLC0415

    from mlops_jupyter.server.handler import ROOMS  # noqa: PLC0415

    app = ServerApp.instance()
    app.initialize(
        [
            *("--no-browser", "--allow-root", "--port=0", "--ServerApp.log_level=ERROR"),
            f"--ServerApp.root_dir={home}",
            f"--IdentityProvider.token={TOKEN}",
        ]
    )
    await app.extension_manager.start_all_extensions()
    try:
        yield app.port, app.web_app.settings[ROOMS]
    finally:
        await app.extension_manager.stop_all_extensions()
        app.http_server.stop()


def started(home: Path, *options: str) -> subprocess.Popen[bytes]:
    """A server in a process of its own, with all it keeps below ``home``."""
    kinds = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0", *options]
    with (home / "server.log").open("wb") as log:
        return subprocess.Popen(command, cwd=home, env={**os.environ, **kinds}, stdout=log, stderr=log)


def address(home: Path, server: subprocess.Popen[bytes], name: str = "mlops") -> dict[str, Any]:
    """What ``server`` says of itself once it listens, in the file whose name begins with ``name``."""
    file = home / "runtime" / f"{name}-{server.pid}.json"
    while True:
        assert server.poll() is None, (home / "server.log").read_text()
        try:
            return dict(json.loads(file.read_bytes()))
        except (FileNotFoundError, json.JSONDecodeError):
            time.sleep(0.005)
