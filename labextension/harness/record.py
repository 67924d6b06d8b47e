"""Records ``states.json`` from real jobs: ``record.py URL TOKEN ROOT``, ROOT the server's root directory.

Every record and series is what the server said at that moment of a real run on scikit-learn's digits.
Only what no short run gives (a hundred thousand points, names out to do harm) and the states of the
connection are made up here. Not a part of the product.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import httpx
import psutil
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

Record = dict[str, Any]
STATES = Path(__file__).with_name("states.json")
OVER = {"completed", "failed", "cancelled", "lost"}
#: Of this machine, and of no use to a picture.
PRIVATE = {"process": None, "owner": None, "submitted_by": "ada", "report": {}, "versions": {}}


class Server:
    def __init__(self, url: str, token: str, root: Path) -> None:
        headers = {"Authorization": f"token {token}"}
        self._http = httpx.Client(base_url=f"{url}mlops/api/", headers=headers, timeout=60)
        frame = load_digits(as_frame=True).frame.rename(columns={"target": "digit"})
        self._table = root / "digits.csv"
        frame.to_csv(self._table, index=False)

    def submit(self, **wishes: Any) -> str:
        spec = {"data": {"path": str(self._table)}, "target": "digit", **wishes}
        answer = self._http.post("jobs", json=spec)
        assert answer.is_success, answer.text
        return answer.json()["job_id"]

    def send(self, estimator: Any) -> str:
        headers = {"Content-Type": "application/octet-stream"}
        answer = self._http.post("inputs", content=cloudpickle.dumps(estimator), headers=headers)
        assert answer.is_success, answer.text
        return answer.json()["input_id"]

    def job(self, job_id: str) -> Record:
        return self._http.get(f"jobs/{job_id}").json()["job"]

    def stop(self, job_id: str) -> None:
        self._http.post(f"jobs/{job_id}/stop", json={})

    def pause(self, job_id: str) -> None:
        self._http.post(f"jobs/{job_id}/pause", json={})

    def state(self, job_id: str, when: Callable[[Record], bool]) -> dict[str, Any]:
        """Record and series at the first moment ``when`` holds, or at the job's end."""
        while not (when(job := self.job(job_id)) or job["status"] in OVER):
            time.sleep(0.01)
        series = self._http.get(f"jobs/{job_id}/metrics", params={"buckets": 300}).json()["series"]
        points = {name: [_short(point) for point in one["points"]] for name, one in series.items()}
        return {"record": _public({**job, "findings": job["findings"][:2]}), "series": points}


def _short(point: Record) -> Record:
    kept = {name: point[name] for name in ("step", "value", "nf") if name in point}
    return kept if kept["value"] is None else {**kept, "value": float(f"{kept['value']:.5g}")}


def _public(job: Record) -> Record:
    nameless = re.sub(r"(/[\w.-]+)+/(?=site-packages/|[\w.-]+\.(csv|py))", "", json.dumps(job))
    return {
        **json.loads(nameless),
        **{name: value for name, value in PRIVATE.items() if name in job},
        "stopped_by": job["stopped_by"] and "ada",
        "paused_by": job["paused_by"] and "ada",
    }


def over(job: Record) -> bool:
    return job["status"] in OVER


def in_stage(name: str, part: float = 0.0) -> Callable[[Record], bool]:
    def reached(job: Record) -> bool:
        if job["current_stage"] != name:
            return False
        stage = next(stage for stage in job["stages"] if stage["name"] == name)
        return part == 0 or (stage["done"] or 0) >= part * (stage["total"] or math.inf)

    return reached


def kill(job: Record, *, keeper: bool) -> None:
    process = psutil.Process(job["process"]["pid"])
    workers = process.children(recursive=True)
    for one in [process, *workers] if keeper else workers:
        os.kill(one.pid, signal.SIGKILL)


def record(server: Server) -> dict[str, Any]:
    params = {"hidden_layer_sizes": [256], "max_iter": 120, "n_iter_no_change": 120, "verbose": True}
    mlp = {"model": "mlp", "name": "digits-mlp", "params": params, "cv": 3}
    states: dict[str, Any] = {}

    jobs = [server.submit(**mlp) for _ in range(6)]
    states["queued"] = server.state(jobs[-1], lambda job: job["ahead"] is not None)
    for job_id in jobs:
        server.stop(job_id)
    for job_id in jobs:
        server.state(job_id, over)

    job_id = server.submit(**mlp)
    states["starting"] = server.state(job_id, lambda job: job["status"] == "starting")
    states["preprocessing"] = server.state(job_id, in_stage("Feature engineering"))
    states["running"] = server.state(job_id, in_stage("Training model", 0.55))
    states["finished"] = server.state(job_id, over)

    job_id = server.submit(**mlp)
    server.state(job_id, in_stage("Training model", 0.55))
    server.pause(job_id)
    states["paused"] = server.state(job_id, lambda job: job["status"] == "paused")
    server.stop(job_id)

    grid = {"alpha": [0.0001, 0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0]}
    job_id = server.submit(model="mlp", grid=grid, params=params, cv=3, name="digits-search")
    states["selecting"] = server.state(job_id, in_stage("Model selection", 0.5))
    states["running after selection"] = server.state(job_id, in_stage("Training model", 0.3))
    states["finished after selection"] = server.state(job_id, over)

    job_id = server.submit(model="svm", name="digits-svm")
    states["length unknown"] = {**server.state(job_id, in_stage("Training model")), "quiet": 4}
    states["finished without curves"] = server.state(job_id, over)

    estimator = server.send(
        make_pipeline(FunctionTransformer(lambda table: table), LogisticRegression(max_iter=50))
    )
    job_id = server.submit(estimator_input=estimator, name="digits-mine")
    states["finished, model not kept"] = server.state(job_id, over)

    states["not finite"] = server.state(
        server.submit(
            model="gradient_boosting", task="regression", params={"learning_rate": 1e155}, name="digits-wild"
        ),
        lambda job: any(value is None for value in job["live_metrics"].values()),
    )

    runs_away = {"learning_rate": 2.2, "n_estimators": 4000, "max_depth": 2}
    states["diverging"] = server.state(
        server.submit(model="gradient_boosting", task="regression", params=runs_away, cv=0, name="digits-gb"),
        lambda job: bool(job["alerts"]),
    )

    states["timed out"] = server.state(server.submit(**mlp, timeout=1.5), over)
    for name, keeper in (("killed", False), ("lost", True)):
        job_id = server.submit(**mlp)
        server.state(job_id, in_stage("Training model", 0.5))
        kill(server.job(job_id), keeper=keeper)
        states[name] = server.state(job_id, over)
    job_id = server.submit(**mlp)
    server.state(job_id, in_stage("Training model", 0.5))
    server.stop(job_id)
    states["stopping"] = server.state(job_id, lambda job: job["status"] == "stopping")
    states["cancelled"] = server.state(job_id, over)
    return states


def made(running: dict[str, Any]) -> dict[str, Any]:
    """Trouble with the connection, and what no short run gives."""
    spiky = random.Random(0)
    many = [
        {"step": i, "value": round(math.exp(-i / 30_000) + spiky.gauss(0, 0.01), 4)}
        for i in range(1, 100_001, 100)
    ]
    changes = [
        {"name": "hidden_layer_sizes", "before": [128], "after": [256]},
        {"name": "cv", "before": 5, "after": 3},
    ]
    bad = "<img src=x onerror=alert(1)>"
    gone = {"phase": "waiting", "transport": None}
    return {
        "overdue": {
            **running,
            "record": {**running["record"], "estimated_total_time": 0.5, "estimated_remaining": None},
        },
        "second attempt": {
            **running,
            "record": {**running["record"], "attempt": 2, "rerun_of": "j-fqppv4fnr435", "changes": changes},
        },
        "stale": {**running, "quiet": 11},
        "polling": {**running, "link": {"transport": "polling", "rtt": None}},
        "reconnecting": {**running, "link": {**gone, "attempt": 3, "retryIn": 4, "downFor": 11}},
        "server gone": {**running, "link": {**gone, "attempt": 7, "retryIn": 20, "downFor": 60}},
        "saved while running": {**running, "source": "saved", "as_of": "2026-11-21T14:02:07Z"},
        "long": {**running, "series": {"train_loss": many}, "counts": {"train_loss": 100_000}},
        "hostile": {
            "record": {**running["record"], "name": bad * 3},
            "series": {f"train_{bad}": running["series"]["train_loss"]},
        },
    }


if __name__ == "__main__":
    url, token, root = sys.argv[1:]
    recorded = record(Server(url, token, Path(root)))
    STATES.write_text(json.dumps({**recorded, **made(recorded["running"])}, separators=(",", ":")))
