"""What ``/proc`` and control groups say, read right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_jupyter.training import container, processes

#: A child with two children of its own, one of them through a thread, and 60 MB that all of them share.
FAMILY = """
import os, subprocess, sys, threading
block = bytearray(b"x") * 60_000_000
def grandchild():
    if os.fork() == 0:
        print("there", flush=True)
        sys.stdin.read()
        os._exit(0)
grandchild()
thread = threading.Thread(target=grandchild)
thread.start()
thread.join()
sys.stdin.read()
for _ in range(2):
    os.wait()
"""


def test_descendants_are_found_with_and_without_the_kernels_help() -> None:
    words = [sys.executable, "-W", "ignore", "-c", FAMILY]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as family:
        assert family.stdin
        assert family.stdout
        assert [family.stdout.readline() for _ in range(2)] == [b"there\n"] * 2
        below = processes.descendants(family.pid)
        assert len(below) == 2
        assert sorted(below) == sorted(processes.scanned_descendants(family.pid))
        assert family.pid in processes.descendants(os.getpid())
        together, alone = processes.memory([family.pid, *below]), processes.memory([family.pid])
        assert 60e6 < alone < 100e6
        assert 60e6 < together < 100e6
        family.stdin.close()


def test_nothing_hangs_below_a_process_that_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    assert processes.identify(process.pid) is None
    assert processes.status(process.pid) is None
    assert processes.descendants(process.pid) == []
    assert processes.memory([process.pid]) == 0


def a_group(root: Path, path: str, files: dict[str, str]) -> None:
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


V2 = (
    "0::/pod/session\n",
    {
        "pod": {
            "memory.max": "2000000\n",
            "memory.current": "1900000\n",
            "memory.stat": "inactive_file 500000\n",
        },
        "pod/session": {"memory.max": "max\n", "memory.events": "oom 4\noom_kill 3\noom_group_kill 0\n"},
    },
)
V1 = (
    "5:cpu,cpuacct:/other\n4:memory:/pod\n0::/\n",
    {
        "memory": {"memory.limit_in_bytes": "9223372036854771712\n", "memory.usage_in_bytes": "1\n"},
        "memory/pod": {
            "memory.limit_in_bytes": "2000000\n",
            "memory.usage_in_bytes": "1900000\n",
            "memory.stat": "inactive_file 1\ntotal_inactive_file 500000\n",
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
        },
    },
)
#: Only the container's own group is mounted, under a name that is the machine's.
HIDDEN = (
    "0::/machine/docker/abc\n",
    {"": {**V2[1]["pod"], **V2[1]["pod/session"], "memory.max": "2000000\n"}},
)


@pytest.mark.parametrize(("membership", "groups"), [V2, V1, HIDDEN], ids=["version 2", "version 1", "hidden"])
def test_the_container_counts_and_not_the_machine(
    tmp_path: Path, membership: str, groups: dict[str, dict[str, str]]
) -> None:
    (tmp_path / "membership").write_text(membership)
    for path, files in groups.items():
        a_group(tmp_path, path, files)
    place = (str(tmp_path), str(tmp_path / "membership"))
    assert container.memory_left(*place) == 600_000
    assert container.memory(*place) == (1_400_000, 2_000_000)
    assert container.oom_kills(*place) == 3
    assert container.memory_limit(*place) == 2_000_000


def test_without_a_container_the_machine_counts(tmp_path: Path) -> None:
    (tmp_path / "membership").write_text("0::/\n")
    place = (str(tmp_path), str(tmp_path / "membership"))
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert available / 2 < container.memory_left(*place) < os.sysconf("SC_PHYS_PAGES") * 65536
    assert container.oom_kills(*place) >= 0
    assert container.memory(*place) is None
    limit = container.memory_limit(*place)
    assert limit
    assert available < limit
