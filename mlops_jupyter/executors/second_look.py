"""Asks a process of the job's own interpreter what stands against it, before it is queued once more.

Not here: what is asked (``training.tabular.second_look``), and whether it must be (``submissions``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import Problem
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.executors.environment import worker_environment

log = logging.getLogger(__name__)

#: Seconds after which the job is queued as it is: its first stage checks the same.
PATIENCE = 30.0
_MODULE = "mlops_jupyter.training.tabular.second_look"


async def problems(spec: JobSpec) -> list[Problem]:
    """None, too, where nobody could tell: no refusal without a reason."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(spec.interpreter or sys.executable, "-P", "-m", _MODULE),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=worker_environment(os.environ),
            start_new_session=True,
        )
    except OSError as error:
        log.info("A rerun could not be checked: %s", error)
        return []
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await process.communicate(wire.encode(spec))
        return msgspec.json.decode(said, type=list[Problem])
    except (TimeoutError, msgspec.DecodeError) as error:
        log.info("A rerun could not be checked: %r", error)
        return []
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
