"""One sample of the machine, as the monitor takes it in a thread every five seconds, whoever looks.

Beside it, in turn: the same figures of the host alone by plain psutil, and what a job with four children
adds to ours.

    python benchmarks/system_sample.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from mlops_jupyter.machine import Machine
from mlops_jupyter.training import processes

ROUNDS = 300
CHILDREN = 4
FAMILY = f"""
import subprocess, sys
pipes = {{"stdin": subprocess.PIPE}}
waits = [sys.executable, "-c", "import sys; sys.stdin.read()"]
children = [subprocess.Popen(waits, **pipes) for _ in range({CHILDREN})]
print("there", flush=True)
input()
"""


def plain() -> None:
    """The host's CPU, memory, disk, network, load, processes and uptime."""
    psutil.cpu_percent()
    psutil.virtual_memory()
    psutil.disk_usage("/")
    psutil.net_io_counters(pernic=True)
    psutil.getloadavg()
    psutil.pids()
    psutil.boot_time()


def milliseconds(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    family = subprocess.Popen(
        [sys.executable, "-c", FAMILY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert family.stdin is not None
    assert family.stdout is not None
    family.stdout.readline()
    root = processes.identify(family.pid)
    assert root is not None
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        ways: dict[str, Callable[[], object]] = {
            "psutil, the host's figures alone": plain,
            "ours: the container's and the host's": machine.figures,
            f"ours: a job with {CHILDREN} children": lambda: machine.uses({"j": root}, with_root=True),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                taken[name].append(milliseconds(way))
    family.communicate("\n")
    least = statistics.median(taken["psutil, the host's figures alone"])
    print(f"{'one sample, ms':42} {'median':>8} {'max':>8} {'':>8}")
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"{name:42} {median:8.2f} {max(times):8.2f} {median / least:6.2f} x")


if __name__ == "__main__":
    main()
