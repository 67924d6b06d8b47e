"""A job outlives its server, and the next server takes it over."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlops_jupyter import __version__
from tests.browser.servers import TLS, LabServer

PENGUINS = "notebooks/data/penguins.csv"
#: Enabled where they are installed; a start costs half as much without them.
OTHERS = dict.fromkeys(("jupyterlab", "jupyter_lsp", "notebook_shim"), False)
pytestmark = pytest.mark.timeout(120)


class JupyterServer(LabServer):
    """Without JupyterLab: it starts in a second."""

    module = "jupyter_server"

    def __init__(self, home: Path, options: Sequence[str] = ()) -> None:
        super().__init__(home, options=[*options, f"--ServerApp.jpserver_extensions={OTHERS}"])

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        headers |= {"Authorization": f"token {self.token}"}
        return httpx.post(f"{self.url}mlops/api/{path}", json=body, headers=headers, timeout=60, verify=TLS)

    def delete(self, path: str) -> httpx.Response:
        headers = {"Authorization": f"token {self.token}"}
        url = f"{self.url}mlops/api/{path}"
        return httpx.request("DELETE", url, json={}, headers=headers, timeout=60, verify=TLS)

    def job(self, job_id: str) -> dict[str, Any]:
        return self.get(f"mlops/api/jobs/{job_id}").json()["job"]

    def until(self, job_id: str, condition: Any) -> dict[str, Any]:
        """Waits on events, not on the clock."""
        while True:
            answer = self.get(f"mlops/api/jobs/{job_id}").json()
            assert "job" in answer, answer
            if condition(answer["job"]):
                return answer["job"]
            self.get("mlops/api/events", since=answer["head"], wait=5)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path / "home")
    server.copy(PENGUINS)
    server.start()
    yield server
    server.close()


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_job_goes_on_without_its_server_and_the_next_one_has_all_of_it(
    server: JupyterServer, end: str
) -> None:
    # Slow enough to be in the fit when the server goes, whatever the machine.
    spec = {
        "data": {"path": str(server.root / PENGUINS)},
        "target": "species",
        "model": "gradient_boosting",
        "params": {"n_estimators": 300},
        "cv": 0,
        "version": __version__,
    }
    named = {"Idempotency-Key": "this-one"}
    job_id = server.post("jobs", spec, **named).json()["job_id"]
    server.until(job_id, lambda job: job["live_metrics"])
    getattr(server, end)()
    server.start()
    started = time.monotonic()
    adopted = server.job(job_id)
    assert time.monotonic() - started < 2
    assert (adopted["job_id"], adopted["attempt"]) == (job_id, 1)
    # Whoever did not hear that it was accepted asks again: P12.
    assert server.post("jobs", spec, **named).json()["job_id"] == job_id
    ended = server.until(job_id, lambda job: job["status"] not in ("starting", "running"))
    assert (ended["status"], ended["error"]) == ("completed", None)
    series = server.get(f"mlops/api/jobs/{job_id}/metrics").json()["series"]
    steps = [point["step"] for point in series["train_loss"]["points"]]
    assert steps == sorted(set(steps))
    stored = server.get("mlops/api/events", since=0).json()
    assert [event["seq"] for event in stored["events"]] == list(range(1, len(stored["events"]) + 1))


def test_a_paused_job_stays_paused_while_its_server_is_killed_and_can_be_resumed(
    server: JupyterServer,
) -> None:
    """P6 of a paused job: same id, its place and its pause kept."""
    spec = {
        "data": {"path": str(server.root / PENGUINS)},
        "target": "species",
        "model": "gradient_boosting",
        "params": {"n_estimators": 3000},
        "cv": 0,
        "version": __version__,
    }
    job_id = server.post("jobs", spec).json()["job_id"]
    server.until(job_id, lambda job: job["live_metrics"])
    assert server.post(f"jobs/{job_id}/pause", {}).status_code == 202
    paused = server.until(job_id, lambda job: job["status"] != "running")
    assert paused["status"] == "paused"
    seen = time.monotonic()
    server.kill()
    server.start()
    # The same record, but that another server cares for it now.
    adopted = server.until(job_id, lambda job: job["owner"] != paused["owner"])
    assert {**adopted, "owner": None} == {**paused, "owner": None}
    stood = time.monotonic() - seen
    assert server.post(f"jobs/{job_id}/resume", {}).status_code == 202
    done = paused["stages"][4]["done"]
    resumed = server.until(job_id, lambda job: job["status"] != "paused" and job["stages"][4]["done"] > done)
    assert (resumed["status"], resumed["attempt"]) == ("running", 1)
    assert resumed["paused_time"] >= stood
    told = [event["type"] for event in server.get("mlops/api/events", since=0).json()["events"]]
    assert [name for name in told if name in ("training_paused", "training_resumed")] == [
        "training_paused",
        "training_resumed",
    ]
