"""Exports models to ONNX, one after the other, each in a process of its own.

Not here: what is exported, and how (``training.tabular.onnx``).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from mlops_jupyter.core.errors import ModelNotPortable, Problem, error_for
from mlops_jupyter.executors.asking import Said, ask

#: Seconds an export may take.
PATIENCE = 120.0
_MODULE = "mlops_jupyter.training.tabular.onnx"
#: The converter writes sets out as they come: with this the same model is the same file.
_AS_BEFORE = {"PYTHONHASHSEED": "0"}


class Exports:
    """Belongs to the event loop it is made on."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def onnx(self, source: Path, sha256: str, target: Path) -> None:
        """Write the model file ``source`` as ONNX; raises what stands against it."""
        async with self._turn:
            try:
                said = await ask(
                    *(_MODULE, str(source), sha256, str(target)), seconds=PATIENCE, environment=_AS_BEFORE
                )
            except TimeoutError as error:
                raise ModelNotPortable(
                    f"It took longer than {PATIENCE:g} s to convert it to ONNX."
                ) from error
        if said.code != 0:
            raise _refused(said)


def _refused(said: Said) -> Exception:
    try:
        return error_for(msgspec.json.decode(said.output, type=list[Problem]))
    except (msgspec.DecodeError, ValueError):
        code = said.code
        how = f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with {code}"
        return ModelNotPortable(f"The process that read the model file to convert it {how}.")
