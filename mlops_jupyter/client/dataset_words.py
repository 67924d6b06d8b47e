"""What can be said of datasets to ``%mlops datasets`` and ``mlops datasets``: one definition for both.

Not here: the other words (``commands``), and what is then shown (``notebook.magics``, ``cli``).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops_jupyter.client.answers import Lineage, MadeOf, UsedBy
from mlops_jupyter.client.dataset import Dataset, line
from mlops_jupyter.client.lists import columns
from mlops_jupyter.client.sentences import UNKNOWN
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.system import size
from mlops_jupyter.client.uploading import Told
from mlops_jupyter.core.datasets import Preview, RegisteredDataset
from mlops_jupyter.core.errors import DatasetNotFoundError, OptionError

OF_DATASETS = ("ls", "upload", "preview", "lineage", "register", "rm")
NOT_USED = "nothing uses it"
_HEAD = ("dataset", "rows", "columns", "size", "created", "id")


def add(words: Any, common: argparse.ArgumentParser, options: dict[str, Any]) -> None:
    """``datasets`` and the words behind it."""
    datasets = words.add_parser(
        "datasets", help="the datasets; also: datasets upload|preview|lineage|register|rm", parents=[common]
    )
    of_datasets = datasets.add_subparsers(dest="what", **options)
    of_datasets.add_parser("ls", help="the datasets, the newest first", parents=[common])
    meanings = {
        "upload": "send a CSV or Parquet file to the server",
        "preview": "what its columns hold, and what is suspicious",
        "lineage": "the jobs that used it, and the models they made",
        "register": "a file below the server's folder, where it is, or from an address that is allowed",
        "rm": "delete a dataset with all of its versions",
    }
    for word, meaning in meanings.items():
        command = of_datasets.add_parser(word, help=meaning, parents=[common])
        if word in ("upload", "register"):
            command.add_argument("path", metavar="FILE", help="CSV or Parquet")
            command.add_argument("--name", help="what to call it; that of the file by default")
        else:
            command.add_argument("dataset", metavar="DATASET", help="name, name@3, or an id")
        if word == "rm":
            command.add_argument("--yes", action="store_true", help="do it: nothing brings it back")


def sent(session: Session, path: str, name: str | None, told: Told) -> Dataset:
    """A file of this machine as a dataset."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise DatasetNotFoundError(f'"{path}" is no file here.')
    with file.open("rb") as opened:
        return session.upload(opened, file.name, name, told)


def done(what: str, session: Session, said: dict[str, Any], prog: str, told: Told) -> tuple[Any, str]:
    """Do one of the words that are about one dataset; what came of it, and what is said of that."""
    if what == "upload":
        dataset = sent(session, said["path"], said.get("name"), told)
        return record(dataset), line(dataset)
    if what == "register":
        dataset = session.register(said["path"], said.get("name"))
        return record(dataset), line(dataset)
    dataset = session.dataset(said["dataset"])
    if what == "preview":
        preview = dataset.preview()
        return preview, previewed(line(dataset), preview)
    if what == "lineage":
        lineage = dataset.lineage()
        head, rows = used(lineage)
        return lineage, columns([head, *rows]) if rows else NOT_USED
    if not said["yes"]:
        raise OptionError(
            f"{dataset.name} ({dataset.id}) would be deleted, {len(dataset.versions)} versions, for good.",
            None,
            f"{prog} datasets rm {dataset.id} --yes",
        )
    dataset.delete()
    return record(dataset), f"{dataset.name} deleted"


def record(dataset: Dataset) -> RegisteredDataset:
    return RegisteredDataset(id=dataset.id, name=dataset.name, versions=dataset.versions)


def listed(found: Sequence[RegisteredDataset]) -> str:
    """One a line, the newest first."""
    rows = [
        (
            f"{each.name}@{each.newest.version}",
            str(each.newest.rows),
            str(each.newest.columns),
            size(each.newest.bytes),
            _day(each.newest.created),
            each.id,
        )
        for each in found
    ]
    return columns([_HEAD, *rows]) if rows else "no datasets yet: mlops datasets upload FILE"


def previewed(title: str, preview: Preview) -> str:
    """Problems first, then a line a column."""
    problems = [f"{'✕' if each.severity == 'fatal' else '⚠'} {each.message}" for each in preview.problems]
    target = preview.suggested_target
    hint = [] if target is None else [f'target? "{target.name}": {target.reason}']
    head, rows = held(preview)
    return "\n".join([title, *problems, *hint, columns([head, *rows])])


def held(preview: Preview) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """What each column holds: the names of what is said, and a row a column."""
    rows: list[tuple[str, ...]] = [
        (
            column.name,
            column.kind,
            f"{100 * column.missing / max(preview.profiled_rows, 1):.3g} %",
            str(column.distinct),
            ", ".join(f"{top.value} ×{top.count}" for top in (column.top or ())[:3]),
        )
        for column in preview.columns
    ]
    return ("column", "kind", "missing", "distinct", "most frequent"), rows


def used(lineage: Lineage) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """What was made of a dataset: the names of what is said, and a row a job or model."""
    rows: list[tuple[str, ...]] = [
        ("job", job.name, job.job_id, _version(job), job.status) for job in lineage.jobs
    ]
    rows += [
        (
            "model",
            f"{model.name}@{model.version}",
            model.model_id,
            _version(model),
            model.status,
        )
        for model in lineage.models
    ]
    return ("", "name", "id", "data", "status"), rows


def _version(user: UsedBy | MadeOf) -> str:
    number = UNKNOWN if user.dataset_version is None else f"v{user.dataset_version}"
    return f"{number}, as test" if user.used_as == "test" else number


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
