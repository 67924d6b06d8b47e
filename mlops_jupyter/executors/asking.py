"""Asks a process of its own one thing, with a limit of time.

Not here: what is asked (``ingest``, ``export``, ``second_look``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from typing import IO, NamedTuple

from mlops_jupyter.executors.environment import worker_environment


class Said(NamedTuple):
    """What a process wrote, and how it ended: the negative number of the signal that ended it."""

    output: bytes
    complaint: bytes
    code: int | None


async def ask(
    module: str,
    *arguments: str,
    seconds: float,
    file: IO[bytes] | None = None,
    told: bytes | None = None,
    interpreter: str | None = None,
    folder: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Said:
    """What ``module`` says as a program, which reads ``file``, or what it is ``told``, from its stdin.

    Works in ``folder``, with ``environment`` over its own. ``TimeoutError`` after that many ``seconds``,
    ``OSError`` where it cannot be started; in no case it is left running."""
    process = await asyncio.create_subprocess_exec(
        *(interpreter or sys.executable, "-P", "-m", module, *arguments),
        stdin=file or (DEVNULL if told is None else PIPE),
        stdout=PIPE,
        stderr=PIPE,
        cwd=folder,
        env={**worker_environment(os.environ), **(environment or {})},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            output, complaint = await process.communicate(told)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return Said(output, complaint, process.returncode)
