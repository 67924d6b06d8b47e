"""What goes wrong, in words that say what to do. Line 1: what and the value; 2: the nearest right
answer; 3: the code to paste.

* MlopsError                         everything we raise on purpose
  + SubmissionError (ValueError)     several problems of one submission, all of them printed
  + ColumnNotFoundError (KeyError)   a column the table does not have
  + DatasetNotFoundError (FileNotFoundError)
    - NoSuchDataset                  no dataset has this id: nothing was looked for on a disk
  + DatasetInUse (RuntimeError)      jobs used it, or a pipeline is for it
  + UploadNotFoundError (LookupError)
  + UploadStateError (RuntimeError)  what was sent does not fit how far the upload is
  + DataError (ValueError)           the table itself cannot be trained on
  + TargetError (ValueError)         the target column cannot be learned
  + OptionError (ValueError)         an option, parameter, model or metric that does not exist
  + ModelNotFoundError (LookupError)
  + ModelStateError (RuntimeError)   what was asked does not fit what the model is doing
  + PipelineNotFoundError (LookupError)
  + PipelineChanged (RuntimeError)   somebody was quicker: its newest version is not the one that was changed
  + NameTakenError (ValueError)      another has this name
  + KeyReusedError (ValueError)      two different submissions came under one Idempotency-Key
  + ModelChanged (RuntimeError)      its file is not the one that was registered
  + InputError (ValueError)          rows that a model cannot predict
    - FaultyRows                     with the fields that are to blame
  + ServingFailed (RuntimeError)     a deployed model does not answer: it crashed, or has too much to do
    - TooSlow                        it took too long
  + JobNotFoundError (LookupError)
    - DeletedJobError                it was deleted, by whom and when
    - AmbiguousIdError               several jobs or models have this prefix
  + JobStateError (RuntimeError)     what was asked does not fit what the job is doing
  + TrainingFailed (RuntimeError)    the job being waited for failed or was lost
  + TrainingCancelled (RuntimeError)
  + NoRoom (OSError)                 the queue, the disk or the waiting inputs are full
  + ServerUnreachable (ConnectionError)
  + StoreUnavailable (RuntimeError)  the disk or the database fails; it says how
  + ExtensionDisabled (UserWarning)  warned of, never raised
  + VersionMismatch (RuntimeError)   kernel and server have different mlops_jupyter
  + ModelNotPortable (RuntimeError)  the fit is done, but its model cannot be kept safely
  + InvalidTransition (RuntimeError) a job was told what cannot happen to it: a fault of ours
  + StartRefused (RuntimeError)      no worker could be started; the job fails with its words (executors)
    - BegunBefore                    another keeper was first: the job is what that one makes of it

Apart from them: StoppedWaiting (KeyboardInterrupt), which is Ctrl-C while a job is waited for (client).
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec

from mlops_jupyter.core import glyphs


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to change: ``error`` is the class below that says it; ``hint`` the nearest right
    answer; ``code`` what to paste, or the list to choose from."""

    error: str
    message: str
    hint: str | None = None
    code: str | None = None

    def __str__(self) -> str:
        return "\n".join(line for line in (self.message, self.hint, self.code) if line)


class MlopsError(Exception):
    """Base of all of them; prints its message, hint and code on a line each."""

    #: Notebooks show the words only: our frames help nobody to mend a column's name.
    whole_traceback: ClassVar[bool] = False

    def __init__(self, message: str, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message, hint, code)
        self.message = message
        self.hint = hint
        self.code = code

    def __str__(self) -> str:
        """For people, on whatever terminal Python prints it; ``problems`` has the words as they are."""
        return glyphs.visible("\n".join(line for line in (self.message, self.hint, self.code) if line))

    def _render_traceback_(self) -> list[str]:
        """What IPython prints."""
        if self.whole_traceback:
            return traceback.format_exception(self)
        return [f"{type(self).__name__}: {self}"]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """This error as data; a ``SubmissionError`` has several."""
        name = type(self).__name__
        return (Problem(error=name, message=self.message, hint=self.hint, code=self.code),)


class SubmissionError(MlopsError, ValueError):
    """Everything that stands against one submission, so that it is changed in one go."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self._problems = tuple(problems)
        super().__init__(f"{len(self._problems)} things to change:", _numbered(self._problems))
        self.args = (self._problems,)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self._problems


class ColumnNotFoundError(MlopsError, KeyError):
    """A column was named that the table does not have."""


class DatasetNotFoundError(MlopsError, FileNotFoundError):
    """Neither a file nor a dataset has this name."""


class NoSuchDataset(DatasetNotFoundError):
    """No dataset has this id, or it has no such version."""


class DatasetInUse(MlopsError, RuntimeError):
    """A dataset that jobs used or a pipeline is for is not deleted: nobody could train them again."""


class UploadNotFoundError(MlopsError, LookupError):
    """No upload has this id: it was cancelled, or is too old."""


class UploadStateError(MlopsError, RuntimeError):
    """What was asked of an upload does not fit how far it is; ``offset`` is where it goes on."""

    offset: int | None = None

    @classmethod
    def at(cls, message: str, offset: int) -> UploadStateError:
        error = cls(message, f"Go on at {offset}.")
        error.offset = offset
        return error


class DataError(MlopsError, ValueError):
    """The table cannot be read, split or trained on; ``line`` of its file is to blame, counted from 1."""

    def __init__(
        self, message: str, hint: str | None = None, code: str | None = None, line: int | None = None
    ) -> None:
        super().__init__(message, hint, code)
        self.line = line


class TargetError(MlopsError, ValueError):
    """The target column cannot be learned as it is."""


class OptionError(MlopsError, ValueError):
    """An option, parameter, model or metric does not exist or does not fit."""


class ModelNotFoundError(MlopsError, LookupError):
    """No model has this name or id."""


class ModelStateError(MlopsError, RuntimeError):
    """What was asked of a model does not fit what it is doing: deleting one that is deployed, …"""


class PipelineNotFoundError(MlopsError, LookupError):
    """No pipeline has this name or id, or it has no such version."""


class PipelineChanged(MlopsError, RuntimeError):
    """What is to be changed is not the newest version any more; ``current`` is."""

    current: int | None = None


class NameTakenError(MlopsError, ValueError):
    """Another one is called so."""


class KeyReusedError(MlopsError, ValueError):
    """An ``Idempotency-Key`` says that this is a submission sent before, and it is another one."""


class ModelChanged(MlopsError, RuntimeError):
    """The file of a model was changed after it was registered: it is neither sent nor loaded."""


class InputError(MlopsError, ValueError):
    """Rows to predict do not have the columns the model was trained on."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a field; null where it is no single row's, or no column's."""

    row: int | None
    column: str | None
    message: str


class FaultyRows(InputError):
    """Rows that do not fit, with the faults of each field."""

    def __init__(self, message: str, faults: Sequence[Fault], hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.faults = tuple(faults)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """For whoever asked, an ``InputError`` like others."""
        return (Problem(error="InputError", message=self.message, hint=self.hint),)


class ServingFailed(MlopsError, RuntimeError):
    """A deployed model did not answer; nothing was predicted or counted."""


class TooSlow(ServingFailed):
    """A deployed model did not answer in time."""


class JobNotFoundError(MlopsError, LookupError):
    """No job has this id."""


class DeletedJobError(JobNotFoundError):
    """The job of this id was deleted."""


class AmbiguousIdError(JobNotFoundError):
    """Several jobs or models begin with this id."""


class JobStateError(MlopsError, RuntimeError):
    """What was asked of a job does not fit what it is doing: pausing one that is over, …"""


class TrainingFailed(MlopsError, RuntimeError):
    """The job that was waited for failed, or its processes vanished."""


class TrainingCancelled(MlopsError, RuntimeError):
    """The job that was waited for was stopped."""


class NoRoom(MlopsError, OSError):
    """The queue, the disk or what waits to be taken by a job is full; later there may be room."""


class ServerUnreachable(MlopsError, ConnectionError):
    """No server answers, and no private one could be started."""


class StoreUnavailable(MlopsError, RuntimeError):
    """The store cannot be read or written now: the disk is full, read-only or broken, or its database is
    locked or being rebuilt. Jobs go on meanwhile; what they write is taken in afterwards."""


class ExtensionDisabled(MlopsError, UserWarning):
    """The server extension is installed but not enabled in this Jupyter server. Only ever warned of:
    a private server takes the jobs."""


class VersionMismatch(MlopsError, RuntimeError):
    """Kernel and server have different versions of mlops_jupyter."""


class ModelNotPortable(MlopsError, RuntimeError):
    """The model was fitted, but holds types that cannot be kept safely in a file."""


class InvalidTransition(MlopsError, RuntimeError):
    """A job was told what cannot happen to it in its state."""


def error_for(problems: Sequence[Problem]) -> MlopsError:
    """The exception to raise: that of the only problem, or one that holds them all."""
    if len(problems) > 1:
        return SubmissionError(problems)
    (problem,) = problems
    kind = _BY_NAME.get(problem.error, MlopsError)
    return kind(problem.message, problem.hint, problem.code)


def closest(word: str, words: Iterable[str], count: int = 1) -> list[str]:
    """Up to ``count`` of ``words`` somebody who wrote ``word`` may have meant, best first."""
    by_key = {other.casefold(): other for other in words}
    found = difflib.get_close_matches(word.casefold(), by_key, n=count, cutoff=0.6)
    return [by_key[key] for key in found]


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """The hint for a misspelt word, when there is a close one."""
    near = closest(word, words)
    return f'Did you mean "{near[0]}"?' if near else None


def _numbered(problems: Sequence[Problem]) -> str:
    entries = []
    for number, problem in enumerate(problems, 1):
        first, *rest = str(problem).splitlines()
        entries += [f"{number}. {problem.error}: {first}", *(f"   {line}" for line in rest)]
    return "\n".join(entries)


_BY_NAME: dict[str, type[MlopsError]] = {
    kind.__name__: kind
    for kind in (
        ColumnNotFoundError,
        DatasetNotFoundError,
        NoSuchDataset,
        DatasetInUse,
        UploadNotFoundError,
        UploadStateError,
        DataError,
        TargetError,
        OptionError,
        ModelNotFoundError,
        ModelStateError,
        ModelChanged,
        PipelineNotFoundError,
        PipelineChanged,
        NameTakenError,
        KeyReusedError,
        InputError,
        ServingFailed,
        TooSlow,
        NoRoom,
        JobNotFoundError,
        DeletedJobError,
        AmbiguousIdError,
        JobStateError,
        TrainingFailed,
        TrainingCancelled,
        ServerUnreachable,
        StoreUnavailable,
        ExtensionDisabled,
        VersionMismatch,
        ModelNotPortable,
        InvalidTransition,
    )
}
