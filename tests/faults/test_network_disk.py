"""A data directory on a file system that is served by a program, and one whose locks hang (F53).

What always runs, with recorded mounts and locks that fail at once: ``tests/test_intake.py``.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import nbformat
import pytest

from tests.faults.servers import WorksServer, await_true

HERE = Path(__file__).parent
#: Seconds a lock hangs.
HANGING = 60.0
pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]


def request(server: WorksServer, method: str, path: str, **options: object) -> httpx.Response:
    headers = {"Authorization": f"token {server.token}"}
    return httpx.request(method, f"{server.url}{path}", headers=headers, timeout=5, **options)


def saves_a_notebook(server: WorksServer, text: str) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    body = {"type": "notebook", "format": "json", "content": notebook}
    request(server, "PUT", "api/contents/saved.ipynb", json=body).raise_for_status()
    assert text in (server.root / "saved.ipynb").read_text()


def answers(server: WorksServer, path: str) -> bool:
    try:
        return request(server, "GET", path).is_success
    except httpx.TransportError:
        return False


def steps(server: WorksServer, job_id: str) -> list[int]:
    series = server.get(f"mlops/api/jobs/{job_id}/metrics").json()["series"]
    return [point["step"] for point in series["n"]["points"]]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds a server takes to start on a local disk, on this machine as it is now."""
    server = WorksServer(tmp_path_factory.mktemp("local"))
    began = time.monotonic()
    try:
        server.start()
        return time.monotonic() - began
    finally:
        server.close()


@pytest.fixture
def start(usual: float) -> Iterator[Callable[..., WorksServer]]:
    """``start(server)``: launched, and Jupyter works; closed after the test."""
    started: list[WorksServer] = []

    def launch(server: WorksServer) -> WorksServer:
        started.append(server)
        began = time.monotonic()
        server.launch()
        await_true(lambda: answers(server, "api"))
        saves_a_notebook(server, "at the start")
        assert time.monotonic() - began < usual + 10
        return server

    yield launch
    for server in started:
        server.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """A folder served by ``bindfs``."""
    if shutil.which("bindfs") is None:
        raise RuntimeError("No bindfs: install it (apt-get install bindfs) and run this again.")
    behind, folder = tmp_path / "behind", tmp_path / "served"
    for path in (behind, folder):
        path.mkdir(mode=0o700)
    subprocess.run(["bindfs", str(behind), str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_served_file_system_starts_soon_and_loses_nothing_when_its_server_is_killed(
    start: Callable[..., WorksServer], served: Path, tmp_path: Path
) -> None:
    """F53, with F1 in short: without shared memory and a log beside the database."""
    server = start(WorksServer(tmp_path / "home", served / "mlops"))
    await_true(lambda: answers(server, "mlops/api/status"))
    job_id = server.begun("emits", points=3000, per_second=500)
    for _ in range(5):
        server.kill()
        server.start()
    assert server.over(job_id)["status"] == "completed"
    assert steps(server, job_id) == list(range(1, 3001))
    assert not (served / "mlops" / "store.sqlite-wal").exists()
    saves_a_notebook(server, "at the end")


class HangingLocks:
    def __init__(self, folder: Path, below: Path) -> None:
        self._library = folder / "hanging_locks.so"
        self._hanging = folder / "hanging"
        source = str(HERE / "hanging_locks.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(self._library), source, "-ldl"], check=True)
        self.environment = {
            "LD_PRELOAD": str(self._library),
            "HANGING_BELOW": str(below),
            "HANGING_WHILE": str(self._hanging),
        }

    def begin(self) -> None:
        self._hanging.touch()

    def end(self) -> None:
        self._hanging.unlink()


class HungServer(WorksServer):
    def __init__(self, home: Path, data: Path, locks: HangingLocks) -> None:
        super().__init__(home, data)
        self._locks = locks

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **self._locks.environment}


def test_a_lock_that_hangs_for_a_minute_holds_up_neither_jupyter_nor_a_job(
    start: Callable[..., WorksServer], tmp_path: Path
) -> None:
    """F53, P5, P21: at the start, and in mid-run; nobody has to start anything again."""
    data = tmp_path / "data" / "mlops"
    locks = HangingLocks(tmp_path, data)
    locks.begin()
    server = start(HungServer(tmp_path / "home", data, locks))
    try:
        began = time.monotonic()
        await_true(lambda: request(server, "GET", "mlops/api/status").json()["message"])
        while time.monotonic() - began < HANGING:
            assert request(server, "GET", "mlops/api/status").status_code == 503
            saves_a_notebook(server, f"after {time.monotonic() - began:.0f} s")
    finally:
        locks.end()
    await_true(lambda: answers(server, "mlops/api/status"))

    job_id = server.begun("emits", points=3000, per_second=500)
    locks.begin()
    try:
        began = time.monotonic()
        while time.monotonic() - began < HANGING:
            asked = time.monotonic()
            saves_a_notebook(server, f"again after {asked - began:.0f} s")
            assert time.monotonic() - asked < 1
    finally:
        locks.end()
    assert server.over(job_id)["status"] == "completed"
    assert steps(server, job_id) == list(range(1, 3001))
