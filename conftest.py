"""No test, and no notebook run as one, touches the user's own Jupyter, store or servers.

The environment is set before anything is collected, so that whatever is started inherits it. What still
runs for it at the end was left behind; only the private server may linger, and is asked to end.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import psutil
import pytest

from tests import control_groups, leaks, processes

pytest_plugins = ["pytest_jupyter.jupyter_server"]

# Short: unix sockets live below it, and their paths end at 107 characters.
HOME = Path(tempfile.mkdtemp(prefix="mlops-"))
#: Modules that processes of the tests do without.
WITHOUT = Path(__file__).parent / "tests" / "without"
PRIVATE_SERVER = "mlops_jupyter.server.headless"
GOING = 10.0


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
        # BLAS threads that wait for each other's turn make a fit of seconds one of minutes.
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(WITHOUT), os.environ.get("PYTHONPATH")])),
    }


def pytest_report_header() -> str:
    real = "real" in control_groups.kinds()
    return f"control groups: {'real and recorded' if real else 'recorded (none can be made on this machine)'}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: fast answers first, and Playwright keeps the thread's event loop once it has it."""
    items.sort(key=lambda item: "tests/browser/" in item.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing that was started may outlive the tests: not a job, not a worker in reserve."""
    rest = [
        process
        for process in processes.belonging_to(HOME)
        if not any(kept in processes.command(process) for kept in leaks.KEPT_CHILDREN)
    ]
    processes.end([process for process in rest if PRIVATE_SERVER in processes.command(process)])
    _, left = psutil.wait_procs(rest, timeout=GOING)
    for process in left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\nstill running: {process.pid} {processes.command(process)}")
    processes.end(left)
    shutil.rmtree(HOME, ignore_errors=True)
