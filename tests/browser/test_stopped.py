"""A worker and a server that are stopped for long, as by a laptop that sleeps, and continued (F17)."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from playwright.sync_api import Response, WebSocket, expect

from tests.browser.lab import Lab
from tests.browser.servers import LabServer
from tests.browser.test_first_training import (
    LOAD,
    TRAIN,
    card,
    connection,
    job_id,
    moves,
    notebook,
    state,
    stops,
    stored_since,
    trains,
    worker_of,
)

pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]
LONG_TRAIN = TRAIN.replace("8000", "400000")


class Sockets:
    """What came over the page's websockets of ours, and by asking where there was none."""

    def __init__(self, lab: Lab) -> None:
        self.hellos = 0
        self.seqs: list[int] = []
        self._answers: list[Response] = []
        lab.page.on("websocket", self._opened)
        lab.page.on("response", self._answered)

    def all_came(self) -> bool:
        """Every event from the first to the last, by whichever way."""
        polled = [event["seq"] for answer in self._answers for event in answer.json()["events"]]
        seqs = sorted({*self.seqs, *polled})
        return seqs == list(range(seqs[0], seqs[-1] + 1))

    def _answered(self, answer: Response) -> None:
        if "mlops/api/events?" in answer.url and answer.ok:
            self._answers.append(answer)

    def _opened(self, socket: WebSocket) -> None:
        if "mlops/api/events/subscribe" in socket.url:
            socket.on("framereceived", self._received)

    def _received(self, frame: str | bytes) -> None:
        message = json.loads(frame)
        self.hellos += message.get("type") == "hello"
        self.seqs += [event["seq"] for event in message.get("events", [])]


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def test_a_worker_stopped_for_a_minute_is_unresponsive_and_runs_on(lab: Lab) -> None:
    """P9."""
    notebook(lab, LOAD, LONG_TRAIN)
    lab.run_all()
    trains(lab)
    with stopped(worker_of(lab)):
        expect(state(lab)).to_have_text("Running, unresponsive", timeout=35_000)
        lab.page.wait_for_timeout(30_000)
        expect(state(lab)).to_have_text("Running, unresponsive")
    expect(state(lab)).to_have_text("Running", timeout=5_000)
    moves(lab)
    stops(lab)


def test_pages_of_a_server_stopped_for_ninety_seconds_are_back_once_and_get_each_event_once(
    lab: Lab, lab_server: LabServer
) -> None:
    """P9, P15."""
    lab.tolerate("mlops/api|ERR_|Failed to fetch|WebSocket|api/")
    sockets = Sockets(lab)
    notebook(lab, LOAD, LONG_TRAIN)
    lab.run_all()
    trains(lab)
    expect(connection(lab)).to_contain_text("Live")
    assert lab_server.process is not None
    with stopped(psutil.Process(lab_server.process.pid)):
        expect(connection(lab)).to_contain_text(re.compile("Reconnecting|not reachable"), timeout=50_000)
        lab.page.wait_for_timeout(45_000)
        before = sockets.hellos
    expect(connection(lab)).to_contain_text("Live", timeout=40_000)
    expect(state(lab)).to_have_text("Running")
    moves(lab)
    assert sockets.hellos == before + 1
    job = job_id(lab)
    stops(lab)
    # Without a gap and without a double, across both sockets.
    assert sockets.seqs == list(range(sockets.seqs[0], sockets.seqs[0] + len(sockets.seqs)))
    told = [event["type"] for event in stored_since(lab_server, 0) if event.get("job_id") == job]
    assert [name for name in told if name in ("training_failed", "training_cancelled")] == [
        "training_cancelled"
    ]
    expect(card(lab)).to_contain_text("Cancelled")
