"""What a kernel passes on to a widget whose page cannot reach the server."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from itertools import pairwise
from typing import Any

import pytest

from mlops_jupyter.client.options import Options
from mlops_jupyter.client.session import Session
from mlops_jupyter.notebook import relay
from mlops_jupyter.notebook.widgets import JobWidget
from tests.notebook.conftest import PENGUINS


class Passed:
    """Everything that was sent to one widget."""

    def __init__(self, widget: JobWidget) -> None:
        self.openings = [json.loads(widget.opening)]
        self.batches: list[tuple[float, dict[str, Any]]] = []
        widget.observe(lambda change: self.openings.append(json.loads(change["new"])), "opening")
        widget.observe(
            lambda change: self.batches.append((time.monotonic(), json.loads(change["new"]))), "batch"
        )

    @property
    def sequence(self) -> list[int]:
        """Numbers of all events, as somebody takes them who drops what is known."""
        known: list[int] = [self.openings[0]["head"]]
        for _, batch in self.batches:
            known += [event["seq"] for event in batch["events"] if event["seq"] > known[-1]]
        return known


def relaying() -> bool:
    return any(thread.name == "mlops-relay" for thread in threading.enumerate())


def test_every_event_until_the_end_comes_at_most_four_times_a_second(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A new opening after every few events.
    monkeypatch.setattr(relay, "LONG", 8 << 10)
    job = session.train(PENGUINS, "species", Options(model="mlp", cv=0))
    widget = JobWidget(job)
    passed = Passed(widget)
    assert sorted(passed.openings[0]["answers"]) == [
        f"jobs/{job.job_id}/metrics?buckets=300",
        f"jobs?id={job.job_id}",
    ]
    assert json.loads(widget.batch)["epoch"] == passed.openings[0]["epoch"]
    job.wait(60)
    while relaying():
        time.sleep(0.01)
    last = passed.batches[-1][1]
    assert (last["over"], last["trouble"]) == (True, None)
    assert passed.sequence == list(range(passed.openings[0]["head"], last["head"] + 1))
    assert last["head"] >= job.head
    assert len(passed.openings) > 1
    # A new opening comes with the batch that made it due.
    moments = [at for at, batch in passed.batches if batch["events"]]
    assert min(later - at for at, later in pairwise(moments)) > 0.9 * relay.PACE


def test_a_page_is_told_of_the_end_also_when_the_kernel_learns_of_it_last(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would wait for more, and take the silence for a kernel that is gone."""
    monkeypatch.setattr(relay, "WAIT", 0.5)
    learnt = threading.Event()
    over = JobWidget.over
    monkeypatch.setattr(JobWidget, "over", lambda widget, head: learnt.is_set() and over(widget, head))
    job = session.train(PENGUINS, "species", Options(model="logistic", cv=0))
    passed = Passed(JobWidget(job))
    job.wait(60)
    while not passed.batches or passed.batches[-1][1]["head"] < job.head:
        time.sleep(0.01)
    assert not passed.batches[-1][1]["over"]
    learnt.set()
    while relaying():
        time.sleep(0.01)
    assert passed.batches[-1][1]["over"]


def test_a_page_asks_through_the_kernel_for_jobs_and_nothing_else(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = session.train(PENGUINS, "species", Options(model="knn", cv=0)).wait(60)
    widget = JobWidget(job)
    said: list[tuple[dict[str, Any], Any]] = []
    monkeypatch.setattr(
        widget, "send", lambda content, buffers: said.append((content, json.loads(buffers[0])))
    )

    def asked(method: str, path: str) -> tuple[int, Any]:
        widget._answer({"ask": "a", "method": method, "path": path})
        content, body = said.pop()
        assert content["answer"] == "a"
        return content["status"], body

    assert asked("GET", f"jobs?id={job.job_id}")[1]["jobs"][0]["job_id"] == job.job_id
    status, refusal = asked("POST", f"jobs/{job.job_id}/pause")
    assert (status, "message" in refusal) == (409, True)
    for path in ("http://example.org/", "//example.org/", "jobs/../status", "models/m-1/file", "inputs", ""):
        assert asked("GET", path)[0] == 400
    assert (asked("POST", "jobs")[0], asked("DELETE", "models/m-7f3a")[0]) == (400, 400)


def test_no_event_is_lost_with_the_server_that_told_it(session: Session) -> None:
    endless = {"max_iter": 100_000, "n_iter_no_change": 100_000, "tol": 0.0}
    job = session.train(PENGUINS, "species", Options(model="mlp", cv=0, params=endless))
    passed = Passed(JobWidget(job))

    def moved(beyond: int) -> None:
        while passed.sequence[-1] <= beyond:
            time.sleep(0.05)

    moved(passed.openings[0]["head"])
    _, before = session.status()
    os.kill(before.pid, signal.SIGKILL)
    _, after = session.status()
    moved(after.head)
    assert after.pid != before.pid
    job.stop()
    while relaying():
        time.sleep(0.01)
    assert passed.batches[-1][1]["over"]
    assert passed.sequence == list(range(passed.sequence[0], passed.sequence[-1] + 1))
