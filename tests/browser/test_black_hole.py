"""A network that swallows every packet while both ends think that they are connected (F24).

Its rules run always: ``tests/server/test_slow_clients.py``, ``labextension/test/client/client.test.ts``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import BrowserType, expect

from tests.browser.lab import Lab, closing
from tests.browser.servers import LabServer
from tests.browser.test_first_training import LOAD, TRAIN, connection, moves, notebook, stops, trains
from tests.browser.test_stopped import Sockets
from tests.namespaces import HERE, THERE, Cable, cable

pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]


class ReachableServer(LabServer):
    host = HERE


@pytest.fixture(scope="module")
def far() -> Iterator[Cable]:
    with cable() as found:
        yield found


@pytest.fixture
def server(far: Cable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    server = ReachableServer(tmp_path_factory.mktemp("lab"))
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def far_lab(
    far: Cable,
    server: LabServer,
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    tmp_path: Path,
) -> Iterator[Lab]:
    """A tab of a browser at the other end of the cable."""
    start = tmp_path / "chromium"
    start.write_text(
        f'#!/bin/sh\nexec {" ".join(far.there)} {browser_type_launch_args["executable_path"]} "$@"\n'
    )
    start.chmod(0o700)
    browser = browser_type.launch(**{**browser_type_launch_args, "executable_path": str(start)})
    lab = Lab(browser.new_page(), server)
    yield lab
    closing(lab)()
    browser.close()


def connections(server: LabServer) -> set[int]:
    """The far ports of those the server thinks are connected."""
    assert server.process is not None
    open_now = psutil.Process(server.process.pid).net_connections("tcp")
    return {
        one.raddr.port
        for one in open_now
        if one.raddr and one.raddr.ip == THERE and one.status == "ESTABLISHED"
    }


def test_both_ends_notice_and_go_on_where_they_stopped(far: Cable, server: LabServer, far_lab: Lab) -> None:
    """F24, P36: the page says so within 40 s of silence, the server lets go 45 s after the last it heard."""
    lab = far_lab
    lab.tolerate("mlops/api|ERR_|Failed to fetch|WebSocket|api/")
    sockets = Sockets(lab)
    notebook(lab, LOAD, TRAIN.replace("8000", "400000"))
    lab.run_all()
    trains(lab)
    expect(connection(lab)).to_contain_text("Live")
    before = connections(server)
    lab.listen()
    (ours,) = connections(server) - before
    with far.black_hole():
        began = time.monotonic()
        # A socket is known to be alive each 15 s, and one ping late is Slow.
        expect(connection(lab)).to_contain_text("Slow", timeout=30_000)
        expect(connection(lab)).to_contain_text(re.compile("Reconnecting|not reachable"), timeout=45_000)
        said = time.monotonic() - began
        while ours in connections(server):
            assert time.monotonic() - began < 55
            lab.page.wait_for_timeout(100)
        freed = time.monotonic() - began
        lab.page.wait_for_timeout(max(0, 1000 * (50 - freed)))
    print(f"the page said so after {said:.0f} s, the server let go after {freed:.0f} s")  # noqa: T201
    # Beside what each promises, a second or two of a machine that does much else.
    assert said < 42
    assert freed < 48
    # A poll may be through before a socket is, which is tried again each minute.
    expect(connection(lab)).to_contain_text(re.compile("Live|Polling"), timeout=45_000)
    moves(lab)
    expect(connection(lab)).to_contain_text("Live", timeout=90_000)
    stops(lab)
    assert sockets.all_came()
