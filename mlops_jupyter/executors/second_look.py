"""Asks a process of the job's own interpreter what stands against it, before it is queued once more, or
before a recipe is kept.

Not here: what is asked (``training.tabular.second_look``, ``beforehand``), and whether it must be
(``submissions``, ``recipes``).
"""

from __future__ import annotations

import logging
from typing import Literal

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import Problem
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.executors.asking import ask

log = logging.getLogger(__name__)

#: Seconds after which the job is queued as it is: its first stage checks the same.
PATIENCE = 30.0
_FOLDER = "mlops_jupyter.training.tabular"


async def problems(
    spec: JobSpec, module: Literal["second_look", "beforehand"] = "second_look"
) -> list[Problem]:
    """None, too, where nobody could tell: no refusal without a reason. ``beforehand`` looks at no table."""
    try:
        said = await ask(
            f"{_FOLDER}.{module}", seconds=PATIENCE, told=wire.encode(spec), interpreter=spec.interpreter
        )
        return msgspec.json.decode(said.output, type=list[Problem])
    except (OSError, msgspec.DecodeError) as error:
        log.info("Options could not be checked: %r", error)
        return []
