"""What is said of the machine is what the kernel of the machine says."""

from __future__ import annotations

import ctypes
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from mlops_jupyter.core.events import Gpu
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


#: Trees of version 1 as they were recorded: the lines of ``/proc/self/cgroup``, and files below the mount.
QUOTA = {"cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "100000"}
FREE = {"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"}
V1: dict[str, tuple[str, dict[str, dict[str, str]]]] = {
    "apart, our group is all that is mounted": (
        "5:cpuacct:/docker/3f2a\n4:cpu:/docker/3f2a\n",
        {"cpu": QUOTA, "cpuacct": {"cpuacct.usage": "12500000000"}},
    ),
    "apart, below": (
        "5:cpuacct:/docker/3f2a\n4:cpu:/docker/3f2a\n",
        {
            "cpu": FREE,
            "cpuacct": {"cpuacct.usage": "99000000000"},
            "cpu/docker/3f2a": QUOTA,
            "cpuacct/docker/3f2a": {"cpuacct.usage": "12500000000"},
        },
    ),
    "apart, below one that is called cpu": (
        "5:cpuacct:/cpu/a\n4:cpu:/cpu/a\n",
        {"cpu/cpu/a": QUOTA, "cpuacct/cpu/a": {"cpuacct.usage": "12500000000"}},
    ),
    "together, our group is all that is mounted": (
        "4:cpu,cpuacct:/docker/3f2a\n",
        {"cpu,cpuacct": {**QUOTA, "cpuacct.usage": "12500000000"}},
    ),
    "together, below": (
        "4:cpu,cpuacct:/docker/3f2a\n",
        {
            "cpu,cpuacct": {**FREE, "cpuacct.usage": "99000000000"},
            "cpu,cpuacct/docker/3f2a": {**QUOTA, "cpuacct.usage": "12500000000"},
        },
    ),
}


def recorded(folder: Path, membership: str, tree: dict[str, dict[str, str]]) -> tuple[str, str]:
    """What ``container``'s functions take: the root of the mounts, and the file that says where we are."""
    for name, files in tree.items():
        place = folder / "cgroup" / name
        place.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (place / file).write_text(f"{text}\n")
    (folder / "membership").write_text(membership)
    return str(folder / "cgroup"), str(folder / "membership")


@pytest.mark.parametrize("links", [True, False], ids=["linked", "bare"])
@pytest.mark.parametrize("tree", V1)
def test_the_quota_of_version_1_and_what_was_spent_of_it_are_known(
    tmp_path: Path, tree: str, links: bool
) -> None:
    place = recorded(tmp_path, *V1[tree])
    if links and tree.startswith("together"):
        for name in ("cpu", "cpuacct"):
            (tmp_path / "cgroup" / name).symlink_to("cpu,cpuacct")
    assert (container.cpu_quota(*place), container.cpu_seconds(*place)) == (0.5, 12.5)


def test_cpus_of_version_1_are_told_as_the_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = recorded(tmp_path, *V1["apart, our group is all that is mounted"])
    for told in (container.cpu_quota, container.cpu_seconds):
        monkeypatch.setattr(told, "__defaults__", place)
    machine = Machine(tmp_path)
    (tmp_path / "cgroup" / "cpuacct" / "cpuacct.usage").write_text("12600000000\n")
    figures = machine.figures()
    assert (figures["cpus"], figures["cpu_scope"]) == (0.5, "container")
    assert figures["cpu_percent"] > 0


def netdev() -> tuple[float, int, int]:
    """When, and how many bytes came and went by all interfaces but the loopback."""
    lines = [line.split(":") for line in Path("/proc/net/dev").read_text().splitlines() if ":" in line]
    counted = [numbers.split() for name, numbers in lines if name.strip() != "lo"]
    received, sent = (sum(int(numbers[column]) for numbers in counted) for column in (0, 8))
    return time.monotonic(), received, sent


def test_the_network_is_what_proc_says(tmp_path: Path) -> None:
    """Counters are read before and after each of the machine's two looks; what a machine says to itself in
    between is none of it."""
    began, machine, first = netdev(), Machine(tmp_path), netdev()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
        alone.bind(("127.0.0.1", 0))
        for _ in range(1000):
            alone.sendto(bytes(50_000), alone.getsockname())
    second, figures, ended = netdev(), machine.figures(), netdev()
    longest, shortest = ended[0] - began[0], second[0] - first[0]
    for column, rate in ((1, figures["network"].received), (2, figures["network"].sent)):
        assert rate * longest >= second[column] - first[column]
        assert rate * shortest <= ended[column] - began[column]


class _Utilization(ctypes.Structure):
    """``nvmlUtilization_t``."""

    _fields_ = [("gpu", ctypes.c_uint), ("memory", ctypes.c_uint)]


class _Memory(ctypes.Structure):
    """``nvmlMemory_t``."""

    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


class NVMLError(Exception):
    """As there, of every kind of failure."""


def stand_in(names: Sequence[str], *, divided: Sequence[int] = (), broken: bool = False) -> ModuleType:
    """No device: a module with the names and types of NVIDIA's ``pynvml``, which tells what it was given. It
    shows that NVML's own functions are asked, and not that the figures of a GPU are right."""
    nvml = ModuleType("pynvml")

    def init() -> None:
        if nvml.broken:
            raise NVMLError("Driver Not Loaded")

    def count() -> int:
        if nvml.broken:
            raise NVMLError("GPU is lost")
        return len(names)

    def number(handle: ctypes.c_void_p) -> int:
        return int(handle.value or 0) - 1

    def rates(handle: ctypes.c_void_p) -> _Utilization:
        if number(handle) in divided:
            raise NVMLError("Not Supported")
        return _Utilization(gpu=97, memory=40)

    vars(nvml).update(
        broken=broken,
        NVMLError=NVMLError,
        nvmlInit=init,
        nvmlDeviceGetCount=count,
        nvmlDeviceGetHandleByIndex=lambda index: ctypes.c_void_p(index + 1),
        nvmlDeviceGetName=lambda handle: names[number(handle)],
        nvmlDeviceGetUtilizationRates=rates,
        nvmlDeviceGetMemoryInfo=lambda _: _Memory(total=80 << 30, free=20 << 30, used=60 << 30),
    )
    return nvml


def test_gpus_are_told_as_nvml_tells_them_and_a_divided_one_tells_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml = stand_in(["NVIDIA A100", "NVIDIA A100 MIG 1g.5gb"], divided=[1])
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    machine = Machine(tmp_path)
    whole = Gpu(name="NVIDIA A100", percent=97.0, memory_used=60 << 30, memory_limit=80 << 30)
    part = Gpu(name="NVIDIA A100 MIG 1g.5gb", percent=None, memory_used=60 << 30, memory_limit=80 << 30)
    assert machine.figures()["gpu"] == (whole, part)
    # A driver that went away is asked no more.
    vars(nvml)["broken"] = True
    assert machine.figures()["gpu"] == ()
    vars(nvml)["broken"] = False
    assert machine.figures()["gpu"] == ()


@pytest.mark.parametrize("module", [None, stand_in([], broken=True)], ids=["not installed", "no driver"])
def test_without_nvml_there_is_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType | None
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", module)
    assert Machine(tmp_path).figures()["gpu"] == ()


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
