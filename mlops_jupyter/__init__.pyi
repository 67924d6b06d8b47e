"""The public names for type checkers and editors; ``__init__.py`` hands them out lazily."""

from typing import Any

from mlops_jupyter.client.dataset import Dataset as Dataset
from mlops_jupyter.client.job import Job as Job
from mlops_jupyter.client.model import Model as Model
from mlops_jupyter.client.pipelines import Pipeline as Pipeline
from mlops_jupyter.core.errors import (
    AmbiguousIdError as AmbiguousIdError,
)
from mlops_jupyter.core.errors import (
    ColumnNotFoundError as ColumnNotFoundError,
)
from mlops_jupyter.core.errors import (
    DataError as DataError,
)
from mlops_jupyter.core.errors import (
    DatasetInUse as DatasetInUse,
)
from mlops_jupyter.core.errors import (
    DatasetNotFoundError as DatasetNotFoundError,
)
from mlops_jupyter.core.errors import (
    DeletedJobError as DeletedJobError,
)
from mlops_jupyter.core.errors import (
    ExtensionDisabled as ExtensionDisabled,
)
from mlops_jupyter.core.errors import (
    InputError as InputError,
)
from mlops_jupyter.core.errors import (
    JobNotFoundError as JobNotFoundError,
)
from mlops_jupyter.core.errors import (
    JobStateError as JobStateError,
)
from mlops_jupyter.core.errors import (
    MlopsError as MlopsError,
)
from mlops_jupyter.core.errors import (
    ModelChanged as ModelChanged,
)
from mlops_jupyter.core.errors import (
    ModelNotFoundError as ModelNotFoundError,
)
from mlops_jupyter.core.errors import (
    ModelNotPortable as ModelNotPortable,
)
from mlops_jupyter.core.errors import (
    ModelStateError as ModelStateError,
)
from mlops_jupyter.core.errors import (
    NameTakenError as NameTakenError,
)
from mlops_jupyter.core.errors import (
    NoRoom as NoRoom,
)
from mlops_jupyter.core.errors import (
    NoSuchDataset as NoSuchDataset,
)
from mlops_jupyter.core.errors import (
    OptionError as OptionError,
)
from mlops_jupyter.core.errors import (
    PipelineChanged as PipelineChanged,
)
from mlops_jupyter.core.errors import (
    PipelineNotFoundError as PipelineNotFoundError,
)
from mlops_jupyter.core.errors import (
    ServerUnreachable as ServerUnreachable,
)
from mlops_jupyter.core.errors import (
    ServingFailed as ServingFailed,
)
from mlops_jupyter.core.errors import (
    StoreUnavailable as StoreUnavailable,
)
from mlops_jupyter.core.errors import (
    SubmissionError as SubmissionError,
)
from mlops_jupyter.core.errors import (
    TargetError as TargetError,
)
from mlops_jupyter.core.errors import (
    TooSlow as TooSlow,
)
from mlops_jupyter.core.errors import (
    TrainingCancelled as TrainingCancelled,
)
from mlops_jupyter.core.errors import (
    TrainingFailed as TrainingFailed,
)
from mlops_jupyter.core.errors import (
    UploadNotFoundError as UploadNotFoundError,
)
from mlops_jupyter.core.errors import (
    UploadStateError as UploadStateError,
)
from mlops_jupyter.core.errors import (
    VersionMismatch as VersionMismatch,
)
from mlops_jupyter.notebook.session import activity as activity
from mlops_jupyter.notebook.session import datasets as datasets
from mlops_jupyter.notebook.session import get as get
from mlops_jupyter.notebook.session import health as health
from mlops_jupyter.notebook.session import jobs as jobs
from mlops_jupyter.notebook.session import model as model
from mlops_jupyter.notebook.session import models as models
from mlops_jupyter.notebook.session import open as open  # noqa: A004 - mlops.open(job)
from mlops_jupyter.notebook.session import pipeline as pipeline
from mlops_jupyter.notebook.session import pipelines as pipelines
from mlops_jupyter.notebook.session import save_pipeline as save_pipeline
from mlops_jupyter.notebook.session import set as set  # noqa: A004 - mlops.set(debug=True)
from mlops_jupyter.notebook.session import train as train
from mlops_jupyter.notebook.widgets import JobWidget as JobWidget

__version__: str

def load_ipython_extension(shell: Any) -> None: ...
def _jupyter_server_extension_points() -> list[dict[str, Any]]: ...
def _jupyter_labextension_paths() -> list[dict[str, str]]: ...
