"""A server whose disk fills up and whose database is replaced by nonsense: Jupyter and its jobs go on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import httpx
import nbformat
import psutil
import pytest
from sklearn.dummy import DummyClassifier

from mlops_jupyter import __version__
from tests.executors.builders import worker_pid
from tests.faults.test_server_restart import PENGUINS, JupyterServer
from tests.mounts import Disk, a_disk
from tests.test_records import damage

pytestmark = pytest.mark.timeout(120)
INPUT = "i-" + 24 * "0"
#: What may be said of a database that is not the one that was opened, by whoever meets it first; and then.
LOST = ("was deleted", "was replaced", "is damaged")
REOPENED = r"The store is being opened again\.|The database is being rebuilt from its folders: \d so far\."
ROUTES = ("status", "jobs", "events", "events?since=0", "models/m-000000000000", "jobs/j-0000/metrics")


class Rig:
    def __init__(self, server: JupyterServer, disk: Disk, folder: Path) -> None:
        self.server = server
        #: Whoever asks while it starts is told so, which is logged.
        self.started = server.log.stat().st_size
        self.disk = disk
        self.data = disk.folder / "data"
        self.release = folder / "release"
        self.alive = folder / "alive"

    def submit(self, key: str) -> str:
        """A job whose fit prints and waits until it is released; says that it is alive elsewhere."""
        # Put where an upload would be: on so small a disk there is no room for uploads.
        inputs = self.data / "inputs"
        inputs.mkdir(mode=0o700, exist_ok=True)
        (inputs / INPUT).write_bytes(cloudpickle.dumps(_waiting(self)))
        spec = {
            "data": {"path": str(self.server.root / PENGUINS)},
            "target": "species",
            "estimator_input": INPUT,
            "cv": 0,
            "version": __version__,
        }
        answer = self.server.post("jobs", spec, **{"Idempotency-Key": key})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["job_id"])

    def worker(self, job_id: str) -> int:
        """The process that does this job's work, once it does."""
        self.server.until(job_id, lambda job: job["status"] == "running")
        return worker_pid(self.data / "jobs" / job_id)

    def stop(self, job_id: str) -> dict[str, Any]:
        answer = self.server.post(f"jobs/{job_id}/stop", {})
        assert answer.status_code == 202, answer.text
        record: dict[str, Any] = answer.json()
        return record

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"token {self.server.token}"}
        if "content" in options:
            headers["Content-Type"] = "application/octet-stream"
        return httpx.request(method, f"{self.server.url}{path}", headers=headers, timeout=20, **options)

    def save_notebook(self, text: str) -> None:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
        body = {"type": "notebook", "format": "json", "content": notebook}
        self.request("PUT", "api/contents/saved.ipynb", json=body).raise_for_status()
        assert text in (self.server.root / "saved.ipynb").read_text()

    def kept(self, job_id: str) -> dict[str, Any]:
        """The record in the job's folder."""
        meta = (self.data / "jobs" / job_id / "meta.json").read_bytes()
        record: dict[str, Any] = json.loads(meta)["job"]
        return record

    def listens(self) -> bool:
        try:
            return self.request("GET", "api").is_success
        except httpx.TransportError:
            return False

    def refused(self) -> str:
        """Wait until every route is refused for one reason, and return it."""
        self.until(lambda: self.request("GET", "mlops/api/status").status_code == 503)
        answers = [self.request("GET", f"mlops/api/{path}") for path in ROUTES]
        answers += [self.server.post("jobs", {"data": {"path": "/x"}, "target": "y"})]
        answers += [self.request("POST", "mlops/api/inputs", content=b"x")]
        assert {(a.status_code, a.json()["reason"]) for a in answers} == {(503, "StoreUnavailable")}
        (message,) = {a.json()["message"] for a in answers}
        return str(message)

    def loses(self, how: str) -> set[str]:
        """Damage the database until it is seen that requests are refused for that: it is soon made again."""
        told: set[str] = set()
        while not told:
            before = self.server.get("mlops/api/status").json()["epoch"]
            damage(self.data / "store.sqlite", how)
            while (answer := self.request("GET", "mlops/api/status")).json().get("epoch") in (None, before):
                if answer.status_code == 503:
                    told.add(answer.json()["message"])
        return told

    def works(self) -> None:
        self.until(lambda: self.request("GET", "mlops/api/status").status_code == 200)

    def lives_on(self) -> None:
        """The job does more than it had done when this was asked."""
        before = self.alive.stat().st_size
        self.until(lambda: self.alive.stat().st_size > before)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, self.server.log.read_text()[-4000:]
            time.sleep(0.05)


def _waiting(rig: Rig) -> Any:
    release, alive = str(rig.release), str(rig.alive)

    # Within a function, so that it is pickled by value: workers do not know these tests.
    class Waiting(DummyClassifier):
        def fit(self, X: Any, y: Any) -> Any:
            import os  # noqa: PLC0415
            import time  # noqa: PLC0415

            while not os.path.exists(release):  # noqa: PTH110
                print("still here")  # noqa: T201
                with open(alive, "ab") as file:  # noqa: PTH123
                    file.write(b".")
                time.sleep(0.02)
            return super().fit(X, y)

    return Waiting()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with a_disk(tmp_path / "small", 16) as disk:
        server = JupyterServer(
            tmp_path / "home",
            options=["--MlopsExtension.max_jobs=2", f"--MlopsExtension.data_dir={disk.folder / 'data'}"],
        )
        server.copy(PENGUINS)
        server.start()
        try:
            yield Rig(server, disk, tmp_path)
        finally:
            server.close()


@pytest.mark.parametrize("how", ["random", "empty", "deleted"])
def test_a_full_disk_and_a_damaged_database_stop_neither_notebooks_nor_jobs(rig: Rig, how: str) -> None:
    """P5, F6, F7."""
    job_id, unwanted = rig.submit("this-one"), rig.submit("another")
    worker = rig.worker(unwanted)
    rig.until(rig.alive.exists)
    rig.disk.fill()
    assert rig.refused() == f"The disk is full: {rig.data} takes nothing more."
    rig.save_notebook("while the disk is full")
    stopping = rig.stop(unwanted)
    assert stopping["status"] == "stopping"
    rig.until(lambda: not psutil.pid_exists(worker))
    assert rig.stop(unwanted)["stopped_by"] == stopping["stopped_by"]
    rig.lives_on()
    rig.disk.free()
    rig.works()
    stopped = rig.server.until(unwanted, lambda job: job["end_time"])
    assert (stopped["status"], stopped["stopped_by"]) == ("cancelled", stopping["stopped_by"])
    before = rig.server.get("mlops/api/jobs").json()
    # A moment after its end was told; until then only the database knows who stopped it.
    rig.until(lambda: rig.kept(unwanted)["stopped_by"] == stopping["stopped_by"])
    told = rig.loses(how)
    lost = "|".join(rf"The database in {re.escape(str(rig.data))} {what}\." for what in LOST)
    assert all(re.fullmatch(f"{lost}|{REOPENED}", message) for message in told), told
    rig.save_notebook("after the database was damaged")
    rig.lives_on()
    # P12: whoever did not hear that it was accepted asks again.
    assert rig.submit("this-one") == job_id
    listed = rig.server.get("mlops/api/jobs").json()["jobs"]
    assert [job["job_id"] for job in listed] == [unwanted, job_id]
    assert listed[0] == stopped
    rig.release.touch()
    ended = rig.server.until(job_id, lambda job: job["status"] not in ("starting", "running"))
    assert (ended["status"], ended["error"], ended["submitted_by"]) == (
        "completed",
        None,
        before["jobs"][1]["submitted_by"],
    )
    assert [stage["state"] for stage in ended["stages"]].count("running") == 0
    log = rig.server.log.read_bytes()[rig.started :].decode()
    assert "Traceback" not in log
    assert log.count("The disk is full") == 1
    assert " 503 " not in log


def test_a_server_that_starts_on_a_read_only_disk_saves_notebooks_and_works_once_it_can_be_written(
    rig: Rig,
) -> None:
    """P5, F7: nobody may have a file open when a disk is made read-only, so nothing runs before."""
    rig.server.stop()
    with rig.disk.read_only():
        rig.server.launch()
        rig.until(rig.listens)
        assert rig.refused() == f"The disk is read-only: {rig.data} cannot be written."
        rig.save_notebook("while the disk is read-only")
    rig.works()
    job_id = rig.submit("afterwards")
    rig.release.touch()
    assert rig.server.until(job_id, lambda job: job["end_time"])["status"] == "completed"
