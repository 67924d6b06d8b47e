"""Real servers that get killed, and jobs whose work is a function of ``tests.executors.works``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops_jupyter import __version__
from tests.browser.servers import ROOT
from tests.faults.test_server_restart import JupyterServer
from tests.faults.works_server import DIES_AT, HOLDS, TERMINAL

PATIENCE = 60.0


class WorksServer(JupyterServer):
    module = "tests.faults.works_server"
    #: Path of the terminal the next start takes as its own.
    terminal: str | None = None
    #: A class and its method, a step of starting or deleting a job, at which the next server is killed.
    dies_at: str | None = None
    #: Bytes that the next server has in memory.
    holds = 0

    def __init__(self, home: Path, data: Path | None = None) -> None:
        """``data``: the directory of another server's jobs and store, to share it."""
        self.data = data or home / "data" / "mlops"
        super().__init__(
            home,
            options=["--MlopsExtension.max_jobs=20", f"--MlopsExtension.data_dir={self.data}"],
        )
        (self.root / "table.csv").write_text("x,y\n1,2\n")

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part)
        terminal = {TERMINAL: self.terminal} if self.terminal else {}
        dies_at = {DIES_AT: self.dies_at} if self.dies_at else {}
        return {**super().environment, "PYTHONPATH": path, **terminal, **dies_at, HOLDS: str(self.holds)}

    def submit(self, work: str, **params: Any) -> str:
        """Returns once the job is stored."""
        spec = {
            "data": {"path": str(self.root / "table.csv")},
            "target": "y",
            "model": work,
            "params": params,
            "version": __version__,
        }
        answer = self.post("jobs", spec)
        assert answer.status_code == 201, answer.text
        job_id: str = answer.json()["job_id"]
        return job_id

    def begun(self, work: str, **params: Any) -> str:
        """The same, once its code runs."""
        job_id = self.submit(work, **params)
        self.until(job_id, lambda job: job["status"] != "queued" and job["status"] != "starting")
        return job_id

    def folder(self, job_id: str) -> Path:
        return self.data / "jobs" / job_id

    def over(self, job_id: str) -> dict[str, Any]:
        """The record of a job that has ended."""
        return self.until(job_id, lambda job: job["end_time"] is not None)

    def events(self, *types: str, after: int = 0) -> list[dict[str, Any]]:
        """All that are stored, of these types; those ``after`` one."""
        found: list[dict[str, Any]] = []
        since = after
        while part := self.get("mlops/api/events", since=since).json()["events"]:
            found += part
            since = part[-1]["seq"]
        assert [event["seq"] for event in found] == list(range(after + 1, since + 1))
        return [event for event in found if event["type"] in types]


def await_true(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
