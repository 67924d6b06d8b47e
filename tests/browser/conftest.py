"""Fixtures of the browser tests: real JupyterLab servers, real tabs, a proxy, a second environment."""

from __future__ import annotations

import fcntl
import functools
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from hatch_build import npm
from tests.browser import chromium
from tests.browser.cards import HARNESS
from tests.browser.environments import another_environment
from tests.browser.lab import Lab, closing
from tests.browser.proxy import Proxy
from tests.browser.servers import LabServer

HERE = Path(__file__).parent
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

#: Files that take long, many of them with few tests: first, so that no process waits for another at the end.
LONG = [
    *("test_every_event", "test_first_training", "test_many_tabs", "test_marimo", "test_models"),
    *("test_relay", "test_servers_end", "test_surroundings", "test_transports", "test_whole_way"),
]

# On a busy machine; what is there at once is not waited for.
expect.set_options(timeout=20_000)

find_chromium = functools.cache(chromium.executable)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have a browser before the clock of the first test starts."""
    if any(HERE in item.path.parents for item in session.items):
        find_chromium()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starting JupyterLab and a browser takes longer than other tests."""
    items.sort(key=lambda item: HERE in item.path.parents and item.path.stem not in LONG)
    for item in items:
        if HERE in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(180))


@pytest.fixture(autouse=True)
def jp_asyncio_loop() -> None:
    """Playwright has the thread's event loop: the one of pytest-jupyter stays away."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Servers are processes here; there is none of pytest-jupyter to clean up."""


@pytest.fixture(autouse=True)
def nothing_leaks() -> None:
    """A shared server keeps the kernels of a test; ``LabServer.close`` ends whatever it left."""


@pytest.fixture(scope="session")
def bundle() -> None:
    """The harness page, built from the sources as they are; once, however many processes test with it."""
    command, environment = npm()
    held = os.open(HARNESS, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (HARNESS.parent / "node_modules" / ".package-lock.json").exists():
            subprocess.run([*command, "ci"], cwd=HARNESS.parent, env=environment, check=True)
        built = HARNESS / "build" / "harness.js"
        sources = [HARNESS / "page.ts", *(HARNESS.parent / "src").rglob("*.*")]
        if not built.exists() or built.stat().st_mtime <= max(path.stat().st_mtime for path in sources):
            subprocess.run([*command, "run", "harness"], cwd=HARNESS.parent, env=environment, check=True)
    finally:
        os.close(held)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": str(find_chromium()), "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def start_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LabServer]]:
    """``start_lab(base_url="/", password=None, options=()) -> LabServer``, started; closed after the test."""
    with ExitStack() as stack:

        def start(**wishes: Any) -> LabServer:
            server = LabServer(tmp_path_factory.mktemp("lab"), **wishes)
            stack.callback(server.close)
            server.start()
            return server

        yield start


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """One server with a token at ``/`` for all tests that do not change it."""
    server = LabServer(tmp_path_factory.mktemp("lab"))
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def start_proxy() -> Iterator[Callable[[LabServer], Proxy]]:
    """``start_proxy(server) -> Proxy`` in front of a server; closed after the test."""
    with ExitStack() as stack:

        def start(server: LabServer) -> Proxy:
            proxy = Proxy(server.url)
            stack.callback(proxy.close)
            return proxy

        yield start


@pytest.fixture
def open_lab(context: BrowserContext) -> Iterator[Callable[..., Lab]]:
    """``open_lab(server, proxy=None) -> Lab``: a new tab, which may log no error until the test ends."""
    with ExitStack() as stack:

        def start(server: LabServer, proxy: Proxy | None = None) -> Lab:
            lab = Lab(context.new_page(), server, proxy)
            stack.callback(closing(lab))
            return lab

        yield start


@pytest.fixture
def lab(open_lab: Callable[..., Lab], lab_server: LabServer) -> Lab:
    """A tab on the shared server."""
    return open_lab(lab_server)


@pytest.fixture(scope="session")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of another virtual environment with the same packages."""
    return another_environment(tmp_path_factory.mktemp("env") / "other")
