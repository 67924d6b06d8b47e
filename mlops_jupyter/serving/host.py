"""The host: the process of one deployed model. Loads its file, answers requests, ends with its server.

The file is skops, read with the reviewed types only; whatever it does all the same (a crash, a gulp of
memory) happens here. Not here: which model is served, and what becomes of one whose host ends (``live``).
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import socket
import sys
import time
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import mlops_jupyter.training.tabular.ready  # noqa: F401 - what its model is made of
from mlops_jupyter.core.errors import MlopsError
from mlops_jupyter.serving.messages import Answers, Batch, Charge, Head, Ready, Refused, pack, receive, split
from mlops_jupyter.serving.model import Served
from mlops_jupyter.training import processes
from mlops_jupyter.training.standby import libc, prefer_for_oom
from mlops_jupyter.training.tabular import model

_PR_SET_PDEATHSIG = 1


def main(server: int) -> None:
    """Stdin is the server's socket; ``server`` its pid."""
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != server:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prefer_for_oom()
    channel = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    # What a model keeps to itself does not belong into anybody's files.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Unseen categories are what rows to predict have; skrub would say so each time.
    warnings.simplefilter("ignore")
    first = receive(channel)
    if first is None or not isinstance(first[0], Charge):
        return
    try:
        served = load(first[0])
    except Exception as error:  # noqa: BLE001 - whatever a file does to its reader is why it is not served
        channel.sendall(pack(Refused(_why(error))))
        return
    gc.collect()
    gc.freeze()
    channel.sendall(pack(Ready()))
    serve(channel, served)


def load(charge: Charge) -> Served:
    """The model of ``charge``, in the memory it may take."""
    processes.limit_memory(charge.memory)
    folder = Path(charge.folder)
    body = (folder / "model.skops").read_bytes()
    pipeline = model.loads(body, charge.sha256)
    meta = json.loads((folder / "meta.json").read_bytes())
    _check_versions(meta["versions"])
    return Served(charge, pipeline, meta["signature"]["inputs"], meta.get("reference") or [])


def serve(channel: socket.socket, served: Served) -> None:
    """Until the server is gone, or wants it no more."""
    while (heard := receive(channel)) is not None:
        head, body = heard
        if not isinstance(head, Batch):
            return
        try:
            channel.sendall(_answered(served, head, body))
        except ConnectionError:
            return


def _answered(served: Served, head: Head, body: bytes) -> bytes:
    assert isinstance(head, Batch)
    began = time.perf_counter()
    answers = served.answers(split(body, list(head.sizes))[:-1])
    seconds = time.perf_counter() - began
    bodies = b"".join(answer.body for answer in answers)
    return pack(Answers(tuple(answer.reply for answer in answers), seconds), bodies + served.bins.take())


def _check_versions(trained: dict[str, str]) -> None:
    """Another major of the packages that made the model would read it as something else."""
    for package, theirs in trained.items():
        try:
            ours = version(package)
        except PackageNotFoundError:
            continue
        if ours.partition(".")[0] != theirs.partition(".")[0]:
            raise MlopsError(f"It was trained with {package} {theirs}, and this server has {ours}.")


def _why(error: Exception) -> str:
    if isinstance(error, MlopsError):
        return str(error)
    if isinstance(error, MemoryError):
        return "It takes more memory than a deployed model may (serving_memory)."
    if isinstance(error, FileNotFoundError):
        return "Its file is gone."
    return f"It cannot be read: {type(error).__name__}: {error}"[:1000]


if __name__ == "__main__":
    main(int(sys.argv[1]))
