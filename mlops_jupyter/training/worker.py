"""The worker: a process that imports what jobs need, waits for one, does it and ends.

It runs the submitter's interpreter. Not here: who stops it and how its end is told (``keeper``), and
what a job does (``tabular``).
"""

from __future__ import annotations

import atexit
import ctypes
import faulthandler
import gc
import importlib
import io
import json
import os
import platform
import signal
import sys
import sysconfig
import threading
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import cloudpickle

import mlops_jupyter
from mlops_jupyter.core import wire
from mlops_jupyter.core.facts import WorkFailed, WorkFinished, WorkStarted
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.training.failure import hint, sentence, trimmed_traceback
from mlops_jupyter.training.journal import Writer
from mlops_jupyter.training.run import Run

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

#: Exit code of a worker that stopped when it was asked to.
STOPPED = 130
#: Seconds that threads and exit functions of the user's code may take once the work is over.
LEAVE_WITHIN = 5.0
LEAVE_WITHIN_WHEN_STOPPED = 1.0
_PACKAGES = ("scikit-learn", "pandas", "skrub", "numpy")
_LINE_BUFFERED = 1


class Stopped(BaseException):
    """Somebody asked the job to stop.

    No ``KeyboardInterrupt``: estimators catch that one and go on as if they had finished
    (``MLPClassifier`` does)."""


class Order(NamedTuple):
    """What the keeper sends. ``began``: when the job did, on the machine's monotonic clock."""

    folder: str
    cwd: str
    began: float


def main(channel: int, recipe: str) -> NoReturn:
    """``recipe`` names the module whose ``train(run, spec, folder, estimator)`` is the job's work."""
    signal.signal(signal.SIGINT, _raise_stopped)
    os.set_inheritable(channel, False)
    sys.argv = ["mlops-worker"]
    try:
        # What is imported stays: to look through it again and again is a tenth of the time.
        gc.disable()
        work = importlib.import_module(recipe)
        used = versions()
        gc.collect()
        gc.freeze()
        gc.enable()
        order = _wait(channel)
        code = _do(work, order, used) if order else 0
    except Stopped:
        code = STOPPED
    _leave(code)


def versions() -> dict[str, str]:
    """Of Python and the packages that decide what a model is."""
    found = {"python": platform.python_version(), "mlops_jupyter": mlops_jupyter.__version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _wait(channel: int) -> Order | None:
    """Say that this worker is ready and wait for a job; None when the keeper is gone."""
    folders = sorted({sysconfig.get_path(name) for name in ("purelib", "platlib")})
    ready = {"word": "ready", "python": platform.python_version(), "packages": folders}
    os.write(channel, json.dumps(ready).encode() + b"\n")
    with os.fdopen(channel, "rb") as lines:
        line = lines.readline()
    return Order(**json.loads(line)) if line else None


def _do(work: Any, order: Order, used: dict[str, str]) -> int:
    """The job; its exit code."""
    folder = Path(order.folder)
    _redirect_output(folder / "output.log")
    writer = Writer(folder / "journal")
    run = Run(writer, order.began)
    try:
        os.chdir(order.cwd)
        sys.path.insert(0, order.cwd)
        spec = wire.decode((folder / "spec.json").read_bytes(), JobSpec)
        run.tell(WorkStarted, pid=os.getpid(), versions=used)
        work.train(run, spec, folder, _estimator(folder) if spec.estimator_input else None)
    except SystemExit as left:
        return _exit_code(left.code)
    except Stopped:
        raise
    except BaseException as error:  # noqa: BLE001 - the user's code may raise anything; it is told, not hidden
        _hold_stops()
        run.tell(WorkFailed, error=sentence(error), hint=hint(error), traceback=trimmed_traceback(error))
        return 1
    else:
        _hold_stops()
        run.tell(WorkFinished)
        return 0
    finally:
        writer.write_out()
        run.tell_dropped()
        writer.write_out()


def _estimator(folder: Path) -> Any:
    """The object the submitter sent. Nothing else is ever unpickled: who sends it may run code."""
    return cloudpickle.loads((folder / "estimator.pkl").read_bytes())


class _Output(io.FileIO):
    """A disk that is full must not end a fit that prints: such lines are lost, and nothing else is."""

    def write(self, data: Buffer) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data).cast("B"))


def _redirect_output(log: Path) -> None:
    """Everything written from now on, by Python or by C, goes to the job's log, a line at a time."""
    sys.stdout.flush()
    sys.stderr.flush()
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    for name, number in (("stdout", 1), ("stderr", 2)):
        raw = io.BufferedWriter(_Output(number, "w", closefd=False))
        stream = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)
        setattr(sys, name, stream)
    libc = ctypes.CDLL(None)
    libc.setvbuf(ctypes.c_void_p.in_dll(libc, "stdout"), None, _LINE_BUFFERED, 0)
    # A crash in compiled code leaves the Python lines that led to it.
    faulthandler.enable()


def _raise_stopped(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - how handlers are called
    raise Stopped


def _hold_stops() -> None:
    """From here on the job has an outcome; a stop comes too late to change it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _exit_code(code: object) -> int:
    """What ``sys.exit(code)`` means; a text is an error message."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _leave(code: int) -> NoReturn:
    """End without the interpreter's own ending: exit functions run (they remove temporary files), but
    neither a thread that never ends nor a library that crashes while it is unloaded changes the outcome."""
    _hold_stops()
    _flush()
    within = LEAVE_WITHIN_WHEN_STOPPED if code == STOPPED else LEAVE_WITHIN
    guard = threading.Timer(within, os._exit, (code,))
    guard.daemon = True
    guard.start()
    # Both as the interpreter does it, in its order: joblib ends its processes in the first, and the second
    # would wait for them for minutes.
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001
    _flush()
    os._exit(code)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)
