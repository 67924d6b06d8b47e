"""Processes a test has left behind, found by the directory they were started for."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

import psutil


def belonging_to(home: Path) -> list[psutil.Process]:
    """All processes, whoever their parent is, whose command line or environment names ``home``.

    Detached ones are no children any more; the directory given to them is what still tells."""
    word = str(home)
    found = []
    for process in psutil.process_iter():
        try:
            told = [*process.cmdline(), *process.environ().values()]
            mine = any(word in text for text in told) and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if mine and process.pid != psutil.Process().pid:
            found.append(process)
    return found


def command(process: psutil.Process) -> str:
    """Its command line; empty once it is gone."""
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""


def end(processes: list[psutil.Process], patience: float = 5.0) -> None:
    """Ask all of them to end, and kill those that have not after ``patience`` seconds."""
    for process in processes:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=patience)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=patience)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
