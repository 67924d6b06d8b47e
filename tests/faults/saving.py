"""Run in a process that a test kills: children of it save a model, each killed one system call later.

strace counts the calls of each process by itself and kills at a number that is the same for all: a child
makes as many calls of its own before, so that one start does for all of them. It comes once everything is
imported, which takes it three times as long.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from mlops_jupyter.core.stages import STAGES
from mlops_jupyter.training.journal import Writer
from mlops_jupyter.training.run import Run
from mlops_jupyter.training.tabular import model
from tests import strace

TABLE = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "y": [0, 0, 1, 1]})


def main(call: str, kill_at: int, folder: Path) -> None:
    """``kill_at``: the call at which strace kills whoever makes it. Says of each child what became of it."""
    pipeline = make_pipeline(LogisticRegression()).fit(TABLE[["x"]], TABLE.y)
    before = _CALLS[call](folder / "scratch")
    subprocess.Popen([*strace.command(f"{call}:signal=SIGKILL:when={kill_at}"), "-p", str(os.getpid())])
    while b"TracerPid:\t0\n" in Path("/proc/self/status").read_bytes():
        time.sleep(0.01)
    ends = []
    for child in range(1, kill_at + 1):
        pid = os.fork()
        if pid == 0:
            for _ in range(kill_at - child):
                before()
            save(folder / str(child), pipeline)
            os._exit(0)
        ends.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    print(" ".join(map(str, ends)))  # noqa: T201 - this is what it is for


def save(job: Path, pipeline: object) -> None:
    job.mkdir()
    run = Run(Writer(job / "journal"))
    signature = model.signature(TABLE[["x"]], "y", [0, 1])
    with run.stage(STAGES[-1]) as stage:
        model.save(run, stage, pipeline, job, TABLE[["x"]], signature, {})


def _syncs(scratch: Path) -> Callable[[], object]:
    file = os.open(scratch, os.O_WRONLY | os.O_CREAT)
    return lambda: os.fsync(file)


def _writes(scratch: Path) -> Callable[[], object]:
    file = os.open(scratch, os.O_WRONLY | os.O_CREAT)
    return lambda: os.write(file, b"x")


def _makes_folders(scratch: Path) -> Callable[[], object]:
    scratch.mkdir()

    def make() -> None:
        with contextlib.suppress(FileExistsError):
            scratch.mkdir()

    return make


def _renames(scratch: Path) -> Callable[[], object]:
    scratch.touch()
    return lambda: scratch.rename(scratch)


_CALLS = {"fsync": _syncs, "mkdir": _makes_folders, "write": _writes, "rename": _renames}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
