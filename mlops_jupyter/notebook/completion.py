"""Tab completion of ``%mlops``: words, flags, models, metrics, columns, files, datasets, ids.

It starts no server and reads no more of a file than its header.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mlops_jupyter.client import commands, dataset_words, model_words, pipeline_words, sentences
from mlops_jupyter.core.errors import MlopsError
from mlops_jupyter.notebook import session
from mlops_jupyter.training.tabular import catalogue

_FILES = (".csv", ".parquet")


def complete(shell: Any, event: Any) -> list[str]:
    """What may stand at the cursor; IPython leaves out what does not begin like it."""
    words = event.text_until_cursor.rpartition("%mlops")[2].split(" ")
    # The last of them is being typed.
    said = [word for word in words[:-1] if word]
    if not said or said[0] == "help":
        return list(commands.WORDS)
    if said[0] == "train":
        return _train(shell, said, words[-1])
    if said == ["jobs"]:
        return list(commands.OF_JOBS)
    if said[0] in _NOUNS:
        return _NOUNS[said[0]](said, words[-1])
    if said == ["open"]:
        return ["panel", *_ids()]
    return _ids() if said[-1] in (*commands.OF_JOBS, "rerun") else []


def _train(shell: Any, said: list[str], typed: str) -> list[str]:
    flag = said[-1].removeprefix("--").replace("-", "_") if said[-1].startswith("--") else None
    if flag in _VALUES:
        return _VALUES[flag]()
    if flag in ("target", "drop", "split"):
        columns = _columns(shell, said)
        return ["random", "group:", "time:"] if flag == "split" and ":" not in typed else columns
    if typed.startswith("$"):
        return [name for name, value in shell.user_ns.items() if hasattr(value, "columns")]
    if typed.startswith("-") or len(said) > 1:
        given = {word.partition("=")[0] for word in said}
        flags = [f"--{name.replace('_', '-')}" for name in (*commands.TRAIN, "wait")]
        return [flag for flag in flags if flag not in given]
    return [*_tables(Path(typed)), *_datasets()]


def _of_datasets(said: list[str], typed: str) -> list[str]:
    if len(said) == 1:
        return list(dataset_words.OF_DATASETS)
    if len(said) > 2 or said[1] == "ls":
        return []
    return _tables(Path(typed)) if said[1] in ("upload", "register") else _datasets()


def _datasets() -> list[str]:
    """By name, and each version."""
    here = session.session()
    if not here.finder.up():
        return []
    found = here.datasets()
    refs = [f"{dataset.name}@{each.version}" for dataset in found for each in reversed(dataset.versions)]
    return [shlex.quote(ref) for ref in (*(dataset.name for dataset in found), *refs)]


def _columns(shell: Any, said: list[str]) -> list[str]:
    """Columns of the table that is named in the line already."""
    name = next((word for word in said[1:] if word.startswith("$") or word.endswith(_FILES)), "")
    if name.startswith("$"):
        names: Iterable[Any] = getattr(shell.user_ns.get(name[1:]), "columns", ())
    else:
        names = _header(Path(name))
    return [shlex.quote(str(column)) for column in names]


def _header(path: Path) -> tuple[str, ...]:
    from mlops_jupyter.training.tabular import data  # noqa: PLC0415 - it imports pandas

    try:
        return data.columns(path)
    except MlopsError:
        return ()


def _tables(typed: Path) -> list[str]:
    folder = typed if typed.is_dir() else typed.parent
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return []
    return [
        f"{path}/" if path.is_dir() else str(path) for path in found if path.is_dir() or path.suffix in _FILES
    ]


def _pipelines(said: list[str], _typed: str) -> list[str]:
    if len(said) == 1:
        return list(pipeline_words.OF_PIPELINES)
    if said[1] == "save":
        return _ids() if len(said) == 3 else []
    here = session.session()
    if len(said) > 2 or said[1] in ("ls", "restore") or not here.finder.up():
        return []
    return [shlex.quote(pipeline.name) for pipeline in here.pipelines()]


def _ids() -> list[str]:
    here = session.session()
    if not here.finder.up():
        return []
    ids = [job.job_id for job in here.jobs(50)]
    return [sentences.short(job_id, ids) for job_id in ids]


def _models(said: list[str], _typed: str) -> list[str]:
    if len(said) == 1:
        return list(model_words.OF_MODELS)
    if said[1] in model_words.SERVING:
        return _serving(said[1:], _typed)
    return _refs(said[1] != "ls") if len(said) == 2 else []


def _serving(said: list[str], _typed: str) -> list[str]:
    """What may be deployed; of the other words, what was."""
    here = session.session()
    if len(said) > 1 or not here.finder.up():
        return []
    if said == ["deploy"]:
        return _refs(versions=True)
    return [shlex.quote(endpoint.name) for endpoint in here.endpoints() if endpoint.wanted]


def _refs(versions: bool) -> list[str]:
    """Models by name, and each version and alias."""
    here = session.session()
    if not here.finder.up():
        return []
    found = here.models(200)
    names = [*dict.fromkeys(model.name for model in found)]
    refs = [f"{model.name}@{label}" for model in found for label in (*model.aliases, model.version)]
    return [shlex.quote(ref) for ref in ([*names, *refs] if versions else names)]


_VALUES: dict[str | None, Callable[[], list[str]]] = {
    "model": lambda: [*catalogue.MODELS, catalogue.AUTO],
    "metric": lambda: list(catalogue.METRICS),
    "task": lambda: list(catalogue.TASKS),
    "target_na": lambda: ["drop", "error"],
}
_NOUNS: dict[str, Callable[[list[str], str], list[str]]] = {
    "datasets": _of_datasets,
    "models": _models,
    "pipelines": _pipelines,
    **dict.fromkeys(model_words.SERVING, _serving),
}
