"""Train, watch, compare and serve models without leaving the notebook.

Importing prints, starts and opens nothing, and imports nothing heavy: public names come when they are
asked for. They are written down in ``__init__.pyi``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# By name, not by import: every room may ask for __version__ without knowing those above it.
_HOMES = {
    "mlops_jupyter.notebook.session": (
        *("train", "get", "jobs", "datasets", "models", "model"),
        *("pipelines", "pipeline", "save_pipeline"),
        *("activity", "health", "open", "set"),
    ),
    "mlops_jupyter.notebook.widgets": ("JobWidget",),
    "mlops_jupyter.client.job": ("Job",),
    "mlops_jupyter.client.dataset": ("Dataset",),
    "mlops_jupyter.client.model": ("Model",),
    "mlops_jupyter.client.pipelines": ("Pipeline",),
    "mlops_jupyter.core.errors": (
        "MlopsError",
        "SubmissionError",
        "ColumnNotFoundError",
        "DatasetNotFoundError",
        "NoSuchDataset",
        "DatasetInUse",
        "UploadNotFoundError",
        "UploadStateError",
        "DataError",
        "TargetError",
        "OptionError",
        "InputError",
        "ServingFailed",
        "TooSlow",
        "ModelNotFoundError",
        "ModelStateError",
        "ModelChanged",
        "PipelineNotFoundError",
        "PipelineChanged",
        "NameTakenError",
        "JobNotFoundError",
        "DeletedJobError",
        "AmbiguousIdError",
        "JobStateError",
        "TrainingFailed",
        "TrainingCancelled",
        "NoRoom",
        "ServerUnreachable",
        "StoreUnavailable",
        "ExtensionDisabled",
        "VersionMismatch",
        "ModelNotPortable",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604 - names


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext mlops_jupyter`` adds ``%mlops``."""
    import_module("mlops_jupyter.notebook.magics").load(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    extension = import_module("mlops_jupyter.server.extension")
    return [{"module": "mlops_jupyter.server.extension", "app": extension.MlopsExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "mlops_jupyter"}]
