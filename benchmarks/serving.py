"""A Jupyter server with our extension inside the process of a benchmark, its rooms in reach."""

from __future__ import annotations

import os
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
