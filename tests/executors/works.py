# ruff: noqa: T201 - they print on purpose
"""What jobs do in these tests: a recipe whose work is the function of this module named by ``spec.model``.

It runs in the worker. Some functions say how far they are by creating a file in the job's folder.
"""

from __future__ import annotations

import atexit
import ctypes
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.training import journal, output
from mlops_jupyter.training.run import Run
from tests.ahead import Ahead


def train(run: Run, spec: JobSpec, folder: Path, estimator: Any) -> None:
    if estimator is not None:
        estimator.fit(folder)
    elif spec.model:
        globals()[spec.model](run, folder, **spec.params)


class Pickled:
    """An estimator as it comes from a kernel."""

    def fit(self, folder: Path) -> None:
        print("unpickled in", Path.cwd())


def nothing(run: Run, folder: Path) -> None:
    pass


def says(run: Run, folder: Path) -> None:
    print("from Python")
    os.write(1, b"from a system call\n")
    ctypes.CDLL(None).puts(b"from C")
    subprocess.run(["sh", "-c", "echo from a child; echo and its errors >&2"], check=True)
    print("\rstep 1\rstep 2", "\udcff", file=sys.stderr, end="")


def prints(run: Run, folder: Path, megabytes: int) -> None:
    """Much, then waits until its log was cut, then a last line."""
    for _ in range(megabytes):
        print("\n".join(["x" * 1023] * 1024))
    log = folder / "output.log"
    # Cut first, and then given its end: what is printed in between is before that.
    while not output.KEPT < log.stat().st_size <= (megabytes - 1) << 20:
        time.sleep(0.05)
    print("the last line")


def fails(run: Run, folder: Path) -> None:
    raise ValueError("the target is empty\nand more")


def exits(run: Run, folder: Path, code: Any) -> None:
    sys.exit(code)


def exits_at_once(run: Run, folder: Path) -> None:
    os._exit(7)


def crashes(run: Run, folder: Path) -> None:
    print("before the crash")
    ctypes.string_at(0)


def waits(run: Run, folder: Path, seconds: float = 60.0) -> None:
    """Between bytecodes of Python, as a fit that reports steps is."""
    print("waiting")
    (folder / "waiting").touch()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)


def swallows_interrupts(run: Run, folder: Path) -> None:
    """As MLPClassifier does."""
    try:
        waits(run, folder)
    except KeyboardInterrupt:
        waits(run, folder)


def ignores(run: Run, folder: Path, signals: list[int]) -> None:
    for number in signals:
        signal.signal(number, signal.SIG_IGN)
    waits(run, folder)


def leaves_processes(run: Run, folder: Path, seconds: float = 0.0) -> None:
    """A child that ignores everything, and a detached grandchild."""
    stubborn = "trap '' TERM INT HUP; touch $0; while true; do sleep 60; done"
    subprocess.Popen(["sh", "-c", stubborn, str(folder / "child")])
    subprocess.Popen(["setsid", "sh", "-c", f"({stubborn}) &", str(folder / "detached")])
    while not ((folder / "child").exists() and (folder / "detached").exists()):
        time.sleep(0.01)
    waits(run, folder, seconds)


def leaves_a_thread(run: Run, folder: Path) -> None:
    threading.Thread(target=time.sleep, args=(3600,)).start()


def works_in_processes(run: Run, folder: Path, seconds: float = 0.0) -> None:
    """joblib maps large arrays into files below its temporary folder."""
    # Not above: all the other works start sooner without them.
    import joblib  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    os.environ["JOBLIB_TEMP_FOLDER"] = str(folder)

    def add(block: Any) -> float:
        (folder / "waiting").touch()
        time.sleep(seconds)
        return float(np.sum(block))

    block = np.ones(200_000)
    sums = joblib.Parallel(n_jobs=2, max_nbytes=1000)(joblib.delayed(add)(block) for _ in range(4))
    print(sum(sums))


def hangs_at_exit(run: Run, folder: Path) -> None:
    atexit.register(time.sleep, 3600)
    waits(run, folder)


def kills_its_group(run: Run, folder: Path) -> None:
    os.killpg(0, signal.SIGKILL)


def uses_resources(run: Run, folder: Path) -> None:
    block = bytearray(150_000_000)
    child = subprocess.Popen(
        [sys.executable, "-c", "x = bytearray(150_000_000); input()"], stdin=subprocess.PIPE
    )
    began = time.process_time()
    while time.process_time() - began < 0.3:
        block[0] += 1 if block[0] < 9 else -1
    time.sleep(1.5)
    child.communicate(b"\n")


def counts(run: Run, folder: Path) -> None:
    """Each number is in ``counted`` only after ``log`` has returned."""
    with (folder / "counted").open("wb", buffering=0) as counted:
        for number in itertools.count(1):
            run.log(number, {"n": number})
            counted.write(b"%d\n" % number)


def emits(run: Run, folder: Path, points: int, per_second: float = 1000.0) -> None:
    """As ``counts``, at a rate and up to a number, or until ``enough`` is there; ``runs`` has a line for each
    time it was started."""
    with (folder / "runs").open("a") as runs:
        runs.write(f"{os.getpid()}\n")
    began = time.monotonic()
    with (folder / "counted").open("ab", buffering=0) as counted:
        for number in range(1, points + 1):
            if (folder / "enough").exists():
                return
            run.log(number, {"n": number})
            counted.write(b"%d\n" % number)
            time.sleep(max(began + number / per_second - time.monotonic(), 0))


def ends_on_a_full_disk(run: Run, folder: Path, points: int = 0, fails: bool = False) -> None:
    """Goes on once ``full`` is there, and holds 4 KiB of what the disk refuses then. Waiting for the disk
    takes hours of its clock; ``slept`` is there once it was two."""
    journal.time = Ahead(folder / "slept")  # type: ignore[assignment]
    journal.HELD_BYTES = 4096
    (folder / "waiting").touch()
    while not (folder / "full").exists():
        time.sleep(0.01)
    for number in range(1, points + 1):
        run.log(number, {"n": number})
    if fails:
        raise ValueError("no room for the model")


def goes_wrong(run: Run, folder: Path) -> None:
    """Measures what is no number, until there is ``enough`` of it."""
    step = 0
    while not (folder / "enough").exists():
        step += 1
        run.log(step, {"train_loss": float("nan")})
        time.sleep(0.02)


def fails_after(run: Run, folder: Path, points: int) -> None:
    emits(run, folder, points)
    fails(run, folder)


def grows(run: Run, folder: Path) -> None:
    """Until it is killed."""
    (folder / "waiting").touch()
    while not (folder / "grow").exists():
        time.sleep(0.01)
    blocks = [bytearray(10_000_000)]
    while True:
        blocks.append(bytearray(os.urandom(1) * 10_000_000))


def looks_around(run: Run, folder: Path) -> None:
    open_files = [
        file for file in map(Path, (f"/proc/self/fd/{n}" for n in range(3, 50))) if file.is_symlink()
    ]
    seen = {
        "cwd": str(Path.cwd()),
        "path": sys.path[0],
        "executable": sys.executable,
        "arguments": sys.argv,
        "stdin": str(Path("/proc/self/fd/0").readlink()),
        "leader": os.getsid(0) == os.getpid(),
        "oom": int(Path("/proc/self/oom_score_adj").read_text()),
        "files": [str(file.readlink()) for file in open_files],
        "environment": dict(os.environ),
    }
    (folder / "seen").write_text(json.dumps(seen))


def counts_everywhere(run: Run, folder: Path) -> None:
    """Itself, a child, and a grandchild that has left for a session of its own, each in a file of its own."""
    count = "import sys,time,pathlib\nwhile True: pathlib.Path(sys.argv[1]).write_text(str(time.monotonic()))"
    words = f"[sys.executable, '-c', {count!r}, sys.argv[1]]"
    leave = f"import subprocess, sys; subprocess.Popen({words}, start_new_session=True)"
    subprocess.Popen([sys.executable, "-c", count, str(folder / "child")])
    subprocess.run([sys.executable, "-c", leave, str(folder / "grandchild")], check=True)
    while not ((folder / "child").exists() and (folder / "grandchild").exists()):
        time.sleep(0.01)
    waits(run, folder)
