"""What the container allows us and did to us: CPUs and memory, and processes killed for want of it.

Control groups of version 2 and 1; without any, the machine itself. Standard library only.
Not here: what is made of it (``keeper``, ``executors``).
"""

from __future__ import annotations

import os

from mlops_jupyter.training.processes import read

_ROOT = "/sys/fs/cgroup"
_MEMBERSHIP = "/proc/self/cgroup"


def oom_kills(root: str = _ROOT, membership: str = _MEMBERSHIP) -> int:
    """How many processes of our control group the kernel has killed to free memory, ever."""
    for folder in _folders(root, membership):
        for name in ("memory.events", "memory.oom_control"):
            count = _entry(f"{folder}/{name}", "oom_kill")
            if count is not None:
                return count
    return _entry("/proc/vmstat", "oom_kill") or 0


def memory_left(root: str = _ROOT, membership: str = _MEMBERSHIP) -> int:
    """Bytes a new process could take: the machine's, or less where a control group above us has less."""
    machine = _entry("/proc/meminfo", "MemAvailable:")
    left = [machine * 1024] if machine is not None else []
    left += [max(limit - used, 0) for used, limit in _memories(root, membership)]
    return min(left, default=0)


def memory(root: str = _ROOT, membership: str = _MEMBERSHIP) -> tuple[int, int] | None:
    """Bytes used and allowed in the control group whose limit is nearest; None where none has a limit below
    what the machine has."""
    machine = _entry("/proc/meminfo", "MemTotal:")
    most = float("inf") if machine is None else machine * 1024
    limited = [(used, limit) for used, limit in _memories(root, membership) if limit < most]
    return min(limited, key=lambda group: group[1] - group[0], default=None)


def _memories(root: str, membership: str) -> list[tuple[int, int]]:
    """Used and allowed, of each control group that has a limit, innermost first."""
    found = []
    for folder in _folders(root, membership):
        limit = _number(f"{folder}/memory.max") or _number(f"{folder}/memory.limit_in_bytes")
        used = _number(f"{folder}/memory.current") or _number(f"{folder}/memory.usage_in_bytes")
        if limit is None or used is None:
            continue
        # Cached files count as used but are given back when memory is wanted.
        names = ("total_inactive_file", "inactive_file")
        cached = next((n for n in (_entry(f"{folder}/memory.stat", name) for name in names) if n), 0)
        found.append((max(used - cached, 0), limit))
    return found


def memory_limit(root: str = _ROOT, membership: str = _MEMBERSHIP) -> int | None:
    """Bytes that all of us together may use: the machine's, or less where a control group says so."""
    machine = _entry("/proc/meminfo", "MemTotal:")
    limits = [machine * 1024] if machine is not None else []
    for folder in _folders(root, membership):
        limit = _number(f"{folder}/memory.max") or _number(f"{folder}/memory.limit_in_bytes")
        if limit is not None:
            limits.append(limit)
    return min(limits, default=None)


def cores(root: str = _ROOT, membership: str = _MEMBERSHIP) -> int:
    """Whole CPUs we may use, at least 1: those we may run on, or less where a control group has a quota."""
    allowed = float(len(os.sched_getaffinity(0)))
    return max(int(min(allowed, cpu_quota(root, membership) or allowed)), 1)


def cpu_quota(root: str = _ROOT, membership: str = _MEMBERSHIP) -> float | None:
    """CPUs that all of us together may use; None where no control group has a quota."""
    quotas = [quota for _, quota in _quotas(root, membership)]
    return min(quotas, default=None)


def cpu_seconds(root: str = _ROOT, membership: str = _MEMBERSHIP) -> float | None:
    """What has been used so far in the control group whose quota is lowest; None where none has one."""
    folder = min(_quotas(root, membership), key=lambda group: group[1], default=("", 0.0))[0]
    if not folder:
        return None
    if (spent := _entry(f"{folder}/cpu.stat", "usage_usec")) is not None:
        return spent / 1e6
    # In version 1 another controller counts; mounted apart, it has the same groups.
    apart = f"{root}/cpuacct{folder.removeprefix(f'{root}/cpu')}"
    spent = _number(f"{folder}/cpuacct.usage") or _number(f"{apart}/cpuacct.usage")
    return None if spent is None else spent / 1e9


def _quotas(root: str, membership: str) -> list[tuple[str, float]]:
    """Folder and CPUs of each control group that has a quota, innermost first."""
    found = []
    for folder in _folders(root, membership, "cpu"):
        quota, _, period = (read(f"{folder}/cpu.max") or "").strip().partition(" ")
        if not period:
            quota = (read(f"{folder}/cpu.cfs_quota_us") or "").strip()
            period = (read(f"{folder}/cpu.cfs_period_us") or "").strip()
        if quota.isdigit() and period.isdigit():
            found.append((folder, int(quota) / int(period)))
    return found


def _folders(root: str, membership: str, controller: str = "memory") -> list[str]:
    """Folders of our control group, innermost first, up to the root of what is mounted."""
    folders: list[str] = []
    for line in (read(membership) or "").splitlines():
        number, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            # Several that are mounted together are one folder, by whose names mostly links lead there.
            top = f"{root}/{controller if os.path.isdir(f'{root}/{controller}') else controllers}"  # noqa: PTH112
        elif number == "0":
            top = root
        else:
            continue
        parts = [part for part in path.split("/") if part and part != ".."]
        while parts:
            folders.append("/".join([top, *parts]))
            parts.pop()
        folders.append(top)
    # In a container the path may be the machine's while only our own group is mounted.
    return [folder for folder in folders if os.path.isdir(folder)]  # noqa: PTH112


def _entry(path: str, name: str) -> int | None:
    for line in (read(path) or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value.split()[0])
    return None


def _number(path: str) -> int | None:
    text = (read(path) or "").strip()
    return int(text) if text.isdigit() else None
