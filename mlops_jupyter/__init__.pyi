"""The public names for type checkers and editors; ``__init__.py`` hands them out lazily."""

from typing import Any

from mlops_jupyter.client.job import Job as Job
from mlops_jupyter.core.errors import (
    AmbiguousIdError as AmbiguousIdError,
    ColumnNotFoundError as ColumnNotFoundError,
    DataError as DataError,
    DatasetNotFoundError as DatasetNotFoundError,
    ExtensionDisabled as ExtensionDisabled,
    JobNotFoundError as JobNotFoundError,
    MlopsError as MlopsError,
    ModelNotPortable as ModelNotPortable,
    OptionError as OptionError,
    ServerUnreachable as ServerUnreachable,
    SubmissionError as SubmissionError,
    TargetError as TargetError,
    TrainingCancelled as TrainingCancelled,
    TrainingFailed as TrainingFailed,
    VersionMismatch as VersionMismatch,
)
from mlops_jupyter.notebook.session import get as get, jobs as jobs, set as set, train as train
from mlops_jupyter.notebook.widgets import JobWidget as JobWidget

__version__: str

def load_ipython_extension(shell: Any) -> None: ...
def _jupyter_server_extension_points() -> list[dict[str, Any]]: ...
def _jupyter_labextension_paths() -> list[dict[str, str]]: ...
