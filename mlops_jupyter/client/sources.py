"""What a user's word for a table stands for: a file of this machine, or a dataset of the server.

Not here: tables in memory (``tables``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from mlops_jupyter.core.datasets import RegisteredDataset, chosen
from mlops_jupyter.core.errors import DatasetNotFoundError, closest
from mlops_jupyter.core.jobs import Source

#: Asks the server which there are.
Datasets = Callable[[], Sequence[RegisteredDataset]]


def found(given: str | os.PathLike[str], folder: Path, datasets: Datasets) -> Source:
    """A file by its absolute path, else the version of a dataset; ``DatasetNotFoundError`` names what is
    close."""
    path = folder / Path(given).expanduser()
    if path.is_file():
        return Source(path=str(path.resolve()), name=path.name)
    known = datasets()
    try:
        dataset, version = chosen(os.fspath(given), known)
    except DatasetNotFoundError as error:
        raise _missing(os.fspath(given), folder, known) from error
    return Source(dataset=dataset.id, version=version.version, name=dataset.name)


def _missing(name: str, folder: Path, known: Sequence[RegisteredDataset]) -> DatasetNotFoundError:
    wanted = Path(name)
    beside = (folder / wanted).parent
    files = [f.name for f in beside.iterdir() if f.suffix in (".csv", ".parquet")] if beside.is_dir() else []
    near = [
        str(wanted.parent / file) if wanted.is_absolute() else f"./{wanted.parent / file}"
        for file in closest(wanted.name, files, 3)
    ]
    versions = {dataset.name: dataset.newest.version for dataset in known}
    near += [f'dataset "{each}" (v{versions[each]})' for each in closest(name.partition("@")[0], versions, 3)]
    hint = f"Close: {', '.join(near)}" if near else None
    if hint is None and files:
        hint = f"Files there: {', '.join(sorted(files)[:5])}"
    return DatasetNotFoundError(
        f'"{name}" is neither a file in the notebook\'s folder nor an uploaded dataset.', hint
    )
