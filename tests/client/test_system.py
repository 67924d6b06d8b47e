"""The machine in words: what is raised, and whose each figure is."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from mlops_jupyter.client.system import Level, System, size
from mlops_jupyter.core.events import Gpu, Host, Network, SystemMetrics, Use

GIB = 1 << 30
SAMPLE = SystemMetrics(
    time=datetime(2026, 11, 28, tzinfo=UTC),
    cpu_percent=34.4,
    cpus=1.5,
    cpu_scope="container",
    memory_percent=81.2,
    memory_used=3 * GIB,
    memory_limit=4 * GIB,
    memory_scope="container",
    host=Host(cpu_percent=5.0, cpus=64, memory_percent=15.6, memory_used=40 * GIB, memory_limit=256 * GIB),
    health="warning",
    levels={"cpu": "healthy", "memory": "warning", "disk": "healthy"},
    disk_percent=61.0,
    disk_used=61 * GIB,
    disk_limit=100 * GIB,
    active_connections=2,
    network=Network(received=1536.0, sent=12.0),
    process_count=311,
    uptime=3725.0,
    load_average=(0.5, 0.25, 0.1),
    api_response_ms=3.21,
    ws_response_ms=None,
    gpu=(Gpu(name="A100", percent=97.0, memory_used=60 * GIB, memory_limit=80 * GIB),),
    jobs=(Use(id="j-7f3a00000000", cpu_percent=180.0, memory=GIB, peak=2 * GIB, processes=5),),
    kernels=(Use(id="0f1e2d3c-4b5a", cpu_percent=None, memory=None, peak=None, processes=1),),
)
CALM = Level(level="healthy", percent=34.4, warning=75, critical=90)
ANSWER = System(
    every=5.0,
    system=SAMPLE,
    health="warning",
    gauges={"cpu": CALM, "memory": msgspec.structs.replace(CALM, level="warning", percent=81.2)},
    history=(),
)


def test_each_figure_says_whose_it_is() -> None:
    assert repr(ANSWER).splitlines() == [
        "health     ▲ warning: memory",
        "cpu        34 % of 1.5 CPUs, container",
        "memory     3.0 GiB of 4.0 GiB (81 %), container",
        "host       5 % of 64 CPUs, 40.0 GiB of 256.0 GiB (16 %)",
        "disk       61.0 GiB of 100.0 GiB (61 %), data folder",
        "load       0.50 0.25 0.10, host",
        "network    1.5 KiB/s in, 12 B/s out, server",
        "processes  311 that the server sees",
        "up         1:02:05, host",
        "clients    2 connected",
        "answers    REST 3.21 ms",
        "gpu        A100 97 %, 60.0 GiB of 80.0 GiB",
        "job        j-7f3a  180 % of a CPU, 1.0 GiB, at most 2.0 GiB, 5 processes",
        "kernel     0f1e2d3c  — of a CPU, —",
    ]


def test_what_is_not_known_is_no_number() -> None:
    unknown = msgspec.structs.replace(
        SAMPLE, cpu_percent=None, cpus=None, memory_used=None, memory_percent=None, load_average=None, gpu=()
    )
    lines = repr(msgspec.structs.replace(ANSWER, system=unknown)).splitlines()
    assert lines[1:3] == ["cpu        — of — CPUs, container", "memory     — of 4.0 GiB, container"]
    assert not any(line.startswith(("load", "gpu")) for line in lines)


def test_sizes_have_three_figures_and_a_unit() -> None:
    assert [size(n) for n in (0, 1023, 1024, 1 << 20, 12_345_678, None)] == [
        "0 B",
        "1023 B",
        "1 KiB",
        "1 MiB",
        "11.8 MiB",
        "—",
    ]
