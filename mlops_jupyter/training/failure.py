"""An exception as a job's record tells it: one sentence, the fix, the end of the traceback.

Not here: which exceptions we raise ourselves (``core.errors``).
"""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType

import mlops_jupyter
from mlops_jupyter.core.errors import MlopsError

#: Characters; the end of a traceback is what tells.
TRACEBACK_LENGTH = 8000
SENTENCE_LENGTH = 500
_OURS = Path(mlops_jupyter.__file__).parent


def sentence(error: BaseException) -> str:
    """What went wrong, in one line."""
    if isinstance(error, MlopsError):
        return error.message
    name = type(error).__name__
    lines = str(error).strip().splitlines()
    return f"{name}: {lines[0]}"[:SENTENCE_LENGTH] if lines else f"{name} was raised without a message"


def hint(error: BaseException) -> str | None:
    """What to do about it, where that is known."""
    if isinstance(error, MlopsError):
        return "\n".join(line for line in (error.hint, error.code) if line) or None
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (
            f'A job runs in the environment and the directory it was submitted from: "{error.name}" must be '
            "installed there or be a file there, or its code be written in the notebook itself."
        )
    if isinstance(error, MemoryError):
        return "Train on fewer rows or columns, or with n_jobs=1."
    return None


def trimmed_traceback(error: BaseException) -> str | None:
    """The end of the traceback, from the first frame that is not ours; none for errors we raise on
    purpose, whose sentence says it all."""
    if isinstance(error, MlopsError):
        return None
    frame = error.__traceback__
    while frame is not None and _is_ours(frame):
        frame = frame.tb_next
    text = "".join(traceback.format_exception(type(error), error, frame or error.__traceback__))
    if len(text) <= TRACEBACK_LENGTH:
        return text
    return "…\n" + text[-TRACEBACK_LENGTH:].partition("\n")[2]


def _is_ours(frame: TracebackType) -> bool:
    return Path(frame.tb_frame.f_code.co_filename).is_relative_to(_OURS)
