"""What is said of the machine is what the kernel of the machine says."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_jupyter.machine import Machine
from mlops_jupyter.training import container, processes
from mlops_jupyter.training.processes import Identity

#: A parent with four children of 100 MB each, as joblib's are.
FAMILY = """
import subprocess, sys
child = "import sys; a = bytearray(b'x' * 100_000_000); print('there', flush=True); sys.stdin.read()"
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
children = [subprocess.Popen([sys.executable, "-c", child], **pipes) for _ in range(4)]
for one in children: one.stdout.readline()
print("there", flush=True)
sys.stdin.read()
"""
BUSY = "print('there', flush=True)\nwhile True: pass"


@pytest.fixture
def started() -> Iterator[object]:
    running = []

    def start(code: str) -> Identity:
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        running.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        identity = processes.identify(process.pid)
        assert identity is not None
        return identity

    yield start
    for process in running:
        process.kill()
        process.communicate()


def meminfo(name: str) -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def test_the_machine_is_what_proc_says(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    _spend(0.3)
    figures = machine.figures()
    host = figures["host"]
    assert host.memory_limit == meminfo("MemTotal")
    assert abs(host.memory_used - (meminfo("MemTotal") - meminfo("MemAvailable"))) < 200 << 20
    assert host.cpus == sum(line.startswith("cpu") for line in Path("/proc/stat").read_text().split("\n")) - 1
    # This process alone was at work for all of the time.
    assert 80 / host.cpus < host.cpu_percent <= 100
    assert figures["load_average"] == pytest.approx(
        [float(n) for n in Path("/proc/loadavg").read_text().split()[:3]], abs=0.5
    )
    assert abs(figures["uptime"] - float(Path("/proc/uptime").read_text().split()[0])) < 5
    assert abs(figures["process_count"] - len(processes.pids())) < 20
    assert 0 < figures["disk_used"] < figures["disk_limit"]
    assert figures["disk_percent"] == pytest.approx(
        100 * figures["disk_used"] / figures["disk_limit"], abs=0.1
    )
    assert figures["gpu"] == ()


def _spend(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_the_containers_limits_are_told_as_the_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control group of version 2 with 512 MiB and half a CPU, as its folder was recorded."""
    group = tmp_path / "group"
    group.mkdir()
    files = {"memory.max": 512 << 20, "memory.current": 300 << 20, "cpu.max": "50000 100000"}
    for name, value in files.items():
        (group / name).write_text(f"{value}\n")
    (group / "memory.stat").write_text(f"inactive_file {44 << 20}\n")
    (group / "cpu.stat").write_text("usage_usec 1000000\n")
    (tmp_path / "membership").write_text("0::/\n")
    place = (str(group), str(tmp_path / "membership"))
    for told in (container.memory, container.cpu_quota, container.cpu_seconds):
        monkeypatch.setattr(told, "__defaults__", place)
    machine = Machine(tmp_path)
    began = time.monotonic()
    _spend(0.1)
    (group / "cpu.stat").write_text("usage_usec 1025000\n")
    figures = machine.figures()
    seconds = time.monotonic() - began
    assert (figures["memory_used"], figures["memory_limit"]) == (256 << 20, 512 << 20)
    assert (figures["memory_percent"], figures["memory_scope"]) == (50, "container")
    assert (figures["cpus"], figures["cpu_scope"]) == (0.5, "container")
    assert figures["cpu_percent"] == pytest.approx(100 * 0.025 / seconds / 0.5, rel=0.2)
    assert figures["host"].memory_limit == meminfo("MemTotal")


def test_a_job_is_counted_with_all_processes_below_it(tmp_path: Path, started) -> None:
    root = started(FAMILY)
    machine = Machine(tmp_path)
    (use,) = machine.uses({"j-1": root}, with_root=False)
    assert (use.id, use.processes, use.cpu_percent) == ("j-1", 4, None)
    assert use.memory is not None
    assert 400_000_000 <= use.memory < 500_000_000
    assert use.peak == use.memory
    (whole,) = machine.uses({"k-1": root}, with_root=True)
    assert whole.processes == 5


def test_cpu_is_what_was_spent_since_the_sample_before(tmp_path: Path, started) -> None:
    root = started(BUSY)
    machine = Machine(tmp_path)
    (first,) = machine.uses({"k-1": root}, with_root=True)
    assert first.cpu_percent is None
    before, began = processes.status(root.pid), time.monotonic()
    assert before is not None
    while (now := processes.status(root.pid)) and now.cpu_seconds - before.cpu_seconds < 0.3:
        _spend(0.01)
    (second,) = machine.uses({"k-1": root}, with_root=True)
    expected = 100 * 0.3 / (time.monotonic() - began)
    assert second.cpu_percent == pytest.approx(expected, rel=0.25)


def test_who_is_gone_is_left_out_and_forgotten(tmp_path: Path, started) -> None:
    root = started(BUSY)
    machine = Machine(tmp_path)
    machine.uses({"k-1": root}, with_root=True)
    stranger = root._replace(ticks=root.ticks + 1)
    assert machine.uses({"k-1": stranger}, with_root=True) == ()
    machine.forget({})
    (again,) = machine.uses({"k-1": root}, with_root=True)
    assert again.cpu_percent is None
