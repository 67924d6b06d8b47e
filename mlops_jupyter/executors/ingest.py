"""Has a file read by a process of its own, which may take so much memory and time and no more.

Not here: how it is read (``training.tabular.ingest``), and what becomes of it (``datasets``).
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import tempfile
from pathlib import Path
from typing import BinaryIO

import msgspec

from mlops_jupyter.core import datasets, wire
from mlops_jupyter.core.errors import DataError
from mlops_jupyter.core.limits import ReadingLimits, told_bytes
from mlops_jupyter.executors.asking import ask

log = logging.getLogger(__name__)

_MODULE = "mlops_jupyter.training.tabular.ingest"
#: Each thread of a numeric library reserves address space, of which the process has little.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_IO_THREADS"), "1")


async def ingest(file: BinaryIO, name: str, folder: Path, most: ReadingLimits) -> datasets.Reading:
    """What is in ``file``, which is at its beginning; ``folder`` is for what its reader writes meanwhile, and
    ``most`` what that may take."""
    own = await asyncio.to_thread(tempfile.mkdtemp, dir=folder, prefix="reading-")
    try:
        return await _read(file, name, own, most)
    finally:
        await asyncio.to_thread(shutil.rmtree, own, ignore_errors=True)


async def _read(file: BinaryIO, name: str, own: str, most: ReadingLimits) -> datasets.Reading:
    environment = {**_ONE_THREAD, "TMPDIR": own}
    try:
        said = await ask(
            *(_MODULE, name, str(most.bytes), str(most.cpu)),
            seconds=most.seconds,
            file=file,
            folder=own,
            environment=environment,
        )
    except TimeoutError:
        return _refused(f"{name} took longer than {most.seconds:g} s to be read.")
    try:
        return wire.decode(said.output, datasets.Reading)  # type: ignore[arg-type]
    except msgspec.DecodeError:
        log.info("The reader of an upload ended with %s: %.2000s", said.code, said.complaint)
    if said.code == -signal.SIGXCPU:
        return _refused(f"{name} took more than {most.cpu} s of a CPU to be read.")
    size = told_bytes(most.bytes)
    return _refused(f"{name} could not be read: its reader ended, {size} of memory may be too little.")


def _refused(message: str) -> datasets.Unreadable:
    return datasets.Unreadable(problem=DataError(message, "Upload fewer rows.").problems[0])
