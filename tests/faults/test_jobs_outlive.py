"""Jobs outlive all they can; what they cannot outlive ends them honestly (P1, P6, P7, F1, F11–F13)."""

from __future__ import annotations

import os
import pty
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests import leaks
from tests.executors.builders import keeper, processes_of, worker_pid
from tests.faults.servers import WorksServer, await_true

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorksServer]:
    folder = tmp_path_factory.mktemp("outlive")
    before = leaks.Held.now(folder)
    server = WorksServer(folder / "home")
    yield server
    server.close()
    assert leaks.leaked(before, folder) == []


@pytest.fixture(autouse=True)
def nothing_leaks() -> None:
    """Servers come and go here; what is left of them is looked for once, at the end of the file."""


@pytest.fixture
def server(home: WorksServer) -> WorksServer:
    if home.process is None:
        home.start()
    return home


def lines(file: Any) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


@pytest.mark.parametrize(
    ("kills", "points"),
    [
        pytest.param(3, 6_000, id="a tenth"),
        pytest.param(30, 60_000, id="whole", marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
def test_every_point_is_there_once_in_order_however_often_its_server_is_killed(
    server: WorksServer, kills: int, points: int
) -> None:
    """P1, P6, F1: SIGKILL of the server at any instant while a job emits 1,000 points a second."""
    job_id = server.begun("emits", points=points)
    counted = server.folder(job_id) / "counted"
    for _ in range(kills):
        time.sleep(random.uniform(0.1, 1.0))
        server.kill()
        server.start()
        started, emitted = time.monotonic(), lines(counted)
        server.until(job_id, lambda job, n=emitted: (job["live_metrics"].get("n") or 0) >= n)
        assert time.monotonic() - started < 2
    job = server.over(job_id)
    assert (job["status"], job["error"], job["attempt"]) == ("completed", None, 1)
    assert lines(server.folder(job_id) / "runs") == 1
    told = [event for event in server.events("metric_points") if event["job_id"] == job_id]
    assert [point["value"] for event in told for point in event["points"]] == list(range(1, points + 1))


def test_a_server_with_running_jobs_stops_at_once_and_the_next_one_has_them_all(server: WorksServer) -> None:
    """P6, F12: ``jupyter server stop`` asks by SIGTERM, and kills after some seconds."""
    jobs = [server.begun("waits", seconds=120.0) for _ in range(3)]
    keepers = [keeper(server.folder(job_id)) for job_id in jobs]
    asked = time.monotonic()
    server.stop()
    assert time.monotonic() - asked < 5
    server.start()
    adopted = [server.job(job_id) for job_id in jobs]
    assert [(job["status"], job["attempt"]) for job in adopted] == [("running", 1)] * 3
    assert [keeper(server.folder(job_id)) for job_id in jobs] == keepers
    for job_id in jobs:
        server.stop_job(job_id)
    assert [server.over(job_id)["status"] for job_id in jobs] == ["cancelled"] * 3


def test_a_job_runs_on_when_kernels_are_restarted_and_killed(server: WorksServer) -> None:
    """P6, F11: a restart, and SIGKILL to the process group of the kernel."""
    job_id = server.begun("emits", points=120_000)
    headers = {"Authorization": f"token {server.token}"}
    kernels = f"{server.url}api/kernels"
    kernel = httpx.post(kernels, json={}, headers=headers, timeout=30).json()["id"]
    httpx.post(f"{kernels}/{kernel}/restart", headers=headers, timeout=30).raise_for_status()
    assert server.process
    (process,) = [
        child
        for child in psutil.Process(server.process.pid).children()
        if any("ipykernel" in word for word in child.cmdline())
    ]
    os.killpg(os.getpgid(process.pid), signal.SIGKILL)
    emitted = lines(server.folder(job_id) / "counted")
    server.until(job_id, lambda job: job["live_metrics"]["n"] > emitted)
    httpx.delete(f"{kernels}/{kernel}", headers=headers, timeout=30)
    server.stop_job(job_id)
    assert server.over(job_id)["status"] == "cancelled"


def test_a_job_runs_on_when_its_servers_terminal_says_ctrl_c_and_is_closed(server: WorksServer) -> None:
    """P6, F11: SIGINT to the foreground process group, and SIGHUP when the terminal goes."""
    server.stop()
    master, slave = pty.openpty()
    server.terminal = os.ttyname(slave)
    try:
        server.start()
    finally:
        server.terminal = None
    os.close(slave)
    process, server.process = server.process, None
    assert process
    job_id = server.begun("emits", points=120_000)
    # Ctrl-C as a person types it: the first asks, the second means it.
    os.write(master, b"\x03")
    time.sleep(0.3)
    os.write(master, b"\x03")
    emitted = lines(server.folder(job_id) / "counted")
    os.close(master)
    process.wait(15)
    await_true(lambda: lines(server.folder(job_id) / "counted") > emitted)
    server.start()
    job = server.until(job_id, lambda job: job["live_metrics"]["n"] > emitted)
    assert (job["status"], job["attempt"]) == ("running", 1)
    server.stop_job(job_id)
    assert server.over(job_id)["status"] == "cancelled"


def test_a_killed_worker_is_a_failed_job_within_two_seconds_and_leaves_nobody(server: WorksServer) -> None:
    """P8, P11, F13: the signal is named, detached grandchildren are gone."""
    job_id = server.submit("leaves_processes", seconds=120.0)
    folder = server.folder(job_id)
    await_true((folder / "waiting").exists)
    os.kill(worker_pid(folder), signal.SIGKILL)
    killed = time.monotonic()
    job = server.over(job_id)
    assert time.monotonic() - killed < 2
    assert (job["status"], job["reason"], job["signal"]) == ("failed", "signal", 9)
    assert job["error"] == "The worker was killed by signal 9 (SIGKILL)."
    assert job["log_tail"] == ["waiting"]
    assert processes_of(folder) == []


def test_what_happened_while_no_server_was_up_is_known_at_the_next_start(server: WorksServer) -> None:
    """P7: a worker that died has its true end; where all was killed the job is lost, its numbers kept."""
    ended, failed, killed, vanished = (
        server.begun("emits", points=500),
        server.begun("fails_after", points=200),
        *(server.begun("emits", points=120_000) for _ in range(2)),
    )
    server.kill()
    os.kill(worker_pid(server.folder(killed)), signal.SIGSEGV)
    process = keeper(server.folder(vanished))
    await_true(lambda: lines(server.folder(vanished) / "counted") > 100)
    os.kill(process.pid, signal.SIGKILL)
    await_true(lambda: processes_of(server.folder(vanished)) == [])
    emitted = lines(server.folder(vanished) / "counted")
    await_true(lambda: not psutil.pid_exists(keeper(server.folder(ended)).pid))
    server.start()
    started = time.monotonic()
    records = [server.over(job_id) for job_id in (ended, failed, killed, vanished)]
    assert time.monotonic() - started < 2
    assert [(job["status"], job["reason"], job["signal"]) for job in records] == [
        ("completed", None, None),
        ("failed", "error", None),
        ("failed", "signal", signal.SIGSEGV),
        ("lost", "lost", None),
    ]
    assert records[-1]["error"] == "The job is lost: its processes are gone and left no word of their end."
    points = server.get(f"mlops/api/jobs/{vanished}/metrics").json()["series"]["n"]["points"]
    assert len(points) >= emitted
    assert [point["step"] for point in points] == list(range(1, len(points) + 1))


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])])
def test_a_server_that_dies_while_it_starts_a_job_leaves_one_run_or_a_lost_job(
    server: WorksServer, kills: int
) -> None:
    """P8, P12, F18: never two runs, and no job that stays starting."""
    for _ in range(kills):
        # With its answer the job is stored, and its start under way.
        job_id = server.submit("emits", points=200)
        time.sleep(random.uniform(0, 0.02))
        server.kill()
        server.start()
        job = server.over(job_id)
        assert (job["status"], lines(server.folder(job_id) / "runs")) in (("completed", 1), ("lost", 0))


@pytest.fixture
def other(server: WorksServer, tmp_path: Path) -> Iterator[WorksServer]:
    """Another server on the same store."""
    other = WorksServer(tmp_path / "other", data=server.data)
    other.start()
    yield other
    other.close()


def test_two_servers_on_one_store_run_each_job_once_and_one_inherits_what_the_other_leaves(
    server: WorksServer, other: WorksServer
) -> None:
    """P6, P8, P12, F20: each job has one owner; SIGKILL one, and the other cares for its jobs."""
    jobs = [both.submit("emits", points=50) for _ in range(6) for both in (server, other)]
    ended = [server.over(job_id) for job_id in jobs]
    assert {(job["status"], job["error"], lines(server.folder(job["job_id"]) / "runs")) for job in ended} == {
        ("completed", None, 1)
    }
    left = [other.begun("waits", seconds=120.0) for _ in range(2)]
    owner = other.job(left[0])["owner"]
    other.kill()
    # It looks once a second, and then has two for it.
    died = time.monotonic()
    await_true(lambda: all(server.job(job_id)["owner"] != owner for job_id in left))
    adopted = [server.job(job_id) for job_id in left]
    assert time.monotonic() - died < 3
    assert [(job["status"], job["attempt"]) for job in adopted] == [("running", 1)] * 2
    os.kill(keeper(server.folder(left[0])).pid, signal.SIGKILL)
    server.stop_job(left[1])
    assert [server.over(job_id)["status"] for job_id in left] == ["lost", "cancelled"]
