"""No test, and no notebook run as one, touches the user's own Jupyter, store or servers.

The environment is set before anything is collected, so that whatever is started inherits it; what
still runs for it at the end is ended, and was a leak unless it is the private server.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

pytest_plugins = ["pytest_jupyter.jupyter_server"]

# Short: unix sockets live below it, and their paths end at 107 characters.
HOME = Path(tempfile.mkdtemp(prefix="mlops-"))
LEAKED: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_configure() -> None:
    for name in [*os.environ]:
        if name.startswith(("JUPYTER", "JPY_", "MLOPS_")):
            del os.environ[name]
    os.environ |= {
        "JUPYTER_CONFIG_DIR": str(HOME / "config"),
        "JUPYTER_DATA_DIR": str(HOME / "data"),
        "JUPYTER_RUNTIME_DIR": str(HOME / "runtime"),
        "IPYTHONDIR": str(HOME / "ipython"),
        "MPLCONFIGDIR": str(HOME / "matplotlib"),
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: fast answers first, and Playwright keeps the thread's event loop once it has it."""
    items.sort(key=lambda item: "tests/browser/" in item.nodeid)
