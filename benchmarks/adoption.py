"""From starting a server to its having taken over the job another server left behind, seconds.

A real job trains; its server is killed (SIGKILL) and started again. Adopted: an answer of REST names the new
server as the one that cares for the job; told apart is what follows once the server listens. Beside it, in
turn: a bare Jupyter server, without our extension, until it answers its first request.

    python benchmarks/adoption.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from serving import address, started

from mlops_jupyter import __version__

ROUNDS = 7
PROMISE = 2.0
BARE = "--ServerApp.jpserver_extensions={'mlops_jupyter': False}"
SPEC = {
    "target": "y",
    "model": "gradient_boosting",
    "params": {"n_estimators": 1_000_000},
    "cv": 0,
    "version": __version__,
}


class Job:
    """As the server that was started last tells of it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._id = ""

    def begin(self) -> None:
        """Submit it, and wait until it trains."""
        self.start()
        spec = {**SPEC, "data": {"path": str(self._home / "table.csv")}}
        self._id = self._asked("POST", "jobs", json=spec)["job_id"]
        while not self.record()["live_metrics"]:
            time.sleep(0.05)

    def start(self) -> None:
        self.server = started(self._home)
        address(self._home, self.server, "jpserver")
        self._listens = time.monotonic()
        found = address(self._home, self.server)
        auth = {"Authorization": f"mlops {found['secret']}"}
        self._client = httpx.Client(base_url=found["url"] + "mlops/api", headers=auth)

    def _asked(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        return dict(self._client.request(method, path, **more).raise_for_status().json())

    def record(self) -> dict[str, Any]:
        return dict(self._asked("GET", f"jobs/{self._id}")["job"])

    def adopted(self) -> tuple[float, float]:
        """Kill the server and start another; seconds until it has taken over, and of them once it listens."""
        before = self.record()
        self.server.kill()
        self.server.wait()
        began = time.monotonic()
        self.start()
        while (now := self.record())["owner"] == before["owner"]:
            time.sleep(0.005)
        ended = time.monotonic()
        assert (now["status"], now["attempt"]) == ("running", 1), now
        return ended - began, ended - self._listens

    def end(self) -> None:
        if self._id:
            self._stop()
        self.server.terminate()
        self.server.wait()

    def _stop(self) -> None:
        self._asked("POST", f"jobs/{self._id}/stop", json={})
        while self.record()["end_time"] is None:
            time.sleep(0.05)


def bare(home: Path) -> float:
    began = time.monotonic()
    server = started(home, BARE)
    url = address(home, server, "jpserver")["url"]
    httpx.get(url + "api").raise_for_status()
    took = time.monotonic() - began
    assert httpx.get(url + "mlops/api/status").status_code == 404
    server.terminate()
    server.wait()
    return took


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home, other = Path(folder) / "ours", Path(folder) / "bare"
        home.mkdir()
        other.mkdir()
        (home / "table.csv").write_text("x,y\n" + "".join(f"{n},{n % 2}\n" for n in range(100)))
        bare(other)
        job = Job(home)
        try:
            job.begin()
            turns = [(*job.adopted(), bare(other)) for _ in range(ROUNDS)]
        finally:
            job.end()
    print(f"{ROUNDS} turns, seconds from a server's start")
    print(f"{'':28}{'median':>9}{'max':>9}")
    names = ("ours, until the job is its", "the same once it listens", "a bare one, until it answers")
    for name, times in zip(names, zip(*turns, strict=True), strict=True):
        print(f"{name:28}{statistics.median(times):9.2f}{max(times):9.2f}")
    later = statistics.median(ours - plain for ours, _, plain in turns)
    print(f"adopted later than a bare start: {later:+.2f} s")
    print(f"promise: {PROMISE:g} s")


if __name__ == "__main__":
    main()
