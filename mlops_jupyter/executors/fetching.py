"""Has a file fetched from an address by a process of its own.

Not here: how (``training.fetch``), from where (``core.remote``), and what becomes of it (``arrivals``).
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.core.datasets import Unreadable
from mlops_jupyter.core.errors import DataError, error_for
from mlops_jupyter.core.limits import ReadingLimits
from mlops_jupyter.core.remote import Address, Fetched, Order, TooMuch
from mlops_jupyter.executors.asking import ask
from mlops_jupyter.training.fetch import DATA

log = logging.getLogger(__name__)

_MODULE = "mlops_jupyter.training.fetch"


async def fetched(address: Address, most: int, folder: Path, reading: ReadingLimits) -> Path | None:
    """Where in ``folder`` the file is now; ``None`` when it has more than ``most`` bytes.
    ``reading`` is what the process may take."""
    order = wire.encode(Order(address, most, reading))
    try:
        said = await ask(_MODULE, seconds=reading.seconds, told=order, folder=str(folder))
    except TimeoutError as error:
        raise DataError(f"{address.shown} took longer than {reading.seconds:g} s to be fetched.") from error
    try:
        answer = wire.decode(said.output, Fetched | TooMuch | Unreadable)  # type: ignore[arg-type]
    except msgspec.DecodeError as error:
        # Of what it complains about nothing is logged: it may hold the address, signature and all.
        log.info("The process that fetches %s ended with %s", address.shown, said.code)
        raise DataError(
            f"{address.shown} could not be fetched: its process ended with {said.code}."
        ) from error
    if isinstance(answer, Unreadable):
        raise error_for([answer.problem])
    return folder / DATA if isinstance(answer, Fetched) else None
