"""From the arguments of ``mlops.train`` to a job that can be queued: checked first, all problems at once.

Not here: the server (``rest``), and the job afterwards (``job``).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from mlops_jupyter import __version__
from mlops_jupyter.client import tables
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.sources import Datasets
from mlops_jupyter.client.tables import Table
from mlops_jupyter.core.errors import MlopsError, Problem, error_for
from mlops_jupyter.core.jobs import Job as Record
from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.core.reruns import again
from mlops_jupyter.core.wire import EXACT_INTEGER
from mlops_jupyter.training.tabular import checks
from mlops_jupyter.training.tabular import options as trainable
from mlops_jupyter.training.tabular.catalogue import Task

_AS_THEY_ARE = (
    *("split", "test_size", "metric", "cv", "refit", "n_jobs"),
    *("name", "timeout", "priority", "seed", "task", "target_na"),
)


class Submission(NamedTuple):
    """A job that may be sent: the tables and the estimator still here, ``spec`` without them."""

    spec: JobSpec
    data: Table
    test: Table | None
    estimator: Any

    def sent(self, upload: Callable[[bytes], str]) -> JobSpec:
        """Send what the job needs ahead; returns the spec that names it."""
        estimator = None if self.estimator is None else upload(_pickled(self.estimator))
        return msgspec.structs.replace(
            self.spec,
            data=self.data.source(upload),
            test=None if self.test is None else self.test.source(upload),
            estimator_input=estimator,
        )


def submission(
    data: Any, target: str | None, folder: Path, options: Options, datasets: Datasets = tuple
) -> Submission:
    """Check everything that can be known here; raises all that stands against it. A name that is
    no file is that of one of the ``datasets``: the server checks the rest then."""
    found: list[Problem] = []
    # Columns have texts for names in every table file, whatever they were called in the DataFrame.
    target = None if target is None else str(target)
    estimator, model = _estimator(options.model, found)
    split = str(options.split)
    train, target = _table(data, target, split, options.data_name, folder, datasets, found)
    own_test = (
        None if options.test is None else _table(options.test, target, "", None, folder, datasets, found)[0]
    )
    spec = _spec(
        found,
        options,
        data=Source(path="-", name=None if train is None else train.name),
        target=target or "",
        model=model,
        test=None if own_test is None else Source(path="-", name=own_test.name),
        interpreter=sys.executable,
        cwd=str(folder),
        version=__version__,
    )
    if spec is not None and train is not None and train.seen is not None and target is not None:
        found += checks.check(
            train.seen, spec, estimator=estimator, test=None if own_test is None else own_test.seen
        )
    elif spec is not None:
        # Without table or target the rest can still be told.
        found += trainable.problems(spec, checks.chosen_task(None, spec, estimator), None, estimator)
    if found or spec is None or train is None:
        raise error_for(found)
    return Submission(spec, train, own_test, estimator)


def changes(job: Record, options: Mapping[str, Any], upload: Callable[[bytes], str]) -> dict[str, Any]:
    """Options of a rerun of ``job`` as they are sent; raises what is wrong with their values, and with an
    estimator object, which nobody looks into before the worker. The rest is for the server to say: it has
    the table and the options of before."""
    found: list[Problem] = []
    changed = {name: _number(value) for name, value in options.items()}
    for name in ("params", "grid"):
        if options.get(name) is not None:
            changed[name] = _values(options[name], found)
    if "model" in options:
        estimator, changed["model"] = _estimator(options["model"], found)
        if estimator is not None:
            found += _of_estimator(job, changed, estimator)
            if not found:
                changed["estimator_input"] = upload(_pickled(estimator))
    if found:
        raise error_for(found)
    return changed


def _of_estimator(job: Record, changed: Mapping[str, Any], estimator: Any) -> list[Problem]:
    try:
        spec = again(JobSpec(data=Source(path="-"), target=job.target or ""), {**changed, "model": None})
    except MlopsError as error:
        return list(error.problems)
    if spec.task is None and trainable.estimator_kind(estimator) is None:
        spec = msgspec.structs.replace(spec, task=cast("Task | None", job.task))
    classes = None if job.classes is None else len(job.classes)
    return trainable.problems(spec, checks.chosen_task(None, spec, estimator), classes, estimator)


def _table(
    data: Any,
    target: str | None,
    split: str,
    name: str | None,
    folder: Path,
    datasets: Datasets,
    found: list[Problem],
) -> tuple[Table | None, str | None]:
    try:
        table, target = tables.table(data, target, split, name, folder, datasets)
    except MlopsError as error:
        found += error.problems
        return None, target
    if target is None:
        message = f"which column of {table.name} is to be predicted? No target was given."
        listed = None
        if table.seen is not None:
            names = table.seen.columns
            listed = f"Columns: {', '.join(names[:12])}" + (" …" if len(names) > 12 else "")
        found.append(trainable.problem(message, 'mlops.train(…, target="…")', listed))
    return table, target


def _estimator(model: Any, found: list[Problem]) -> tuple[Any, str | None]:
    """An estimator object, or a model's short name."""
    if model is None or isinstance(model, str):
        return None, model
    if isinstance(model, type) and hasattr(model, "fit"):
        found.append(
            trainable.problem(f"model={model.__name__} is a class.", "Make one:", f"model={model.__name__}()")
        )
    elif hasattr(model, "fit") and hasattr(model, "get_params"):
        return model, None
    else:
        message = f"model is a {type(model).__name__}, which cannot be fitted."
        hint = 'A short name (model="rf") or a scikit-learn estimator or Pipeline.'
        found.append(trainable.problem(message, hint))
    return None, None


def _spec(found: list[Problem], options: Options, **fields: Any) -> JobSpec | None:
    """The spec; or, into ``found``, what in the options is no such thing."""
    params = _values(options.params or {}, found)
    grid = None if options.grid is None else _values(options.grid, found)
    drop = (options.drop,) if isinstance(options.drop, str) else tuple(options.drop)
    same = {name: _number(getattr(options, name)) for name in _AS_THEY_ARE}
    try:
        return msgspec.convert({**same, **fields, "params": params, "grid": grid, "drop": drop}, JobSpec)
    except msgspec.ValidationError as error:
        kind, _, where = str(error).partition(" - at `$.")
        found.append(trainable.problem(f"{where.rstrip('`')}: {kind[0].lower()}{kind[1:]}."))
        return None


def _values(given: Mapping[str, Any], found: list[Problem]) -> dict[str, Any]:
    """Parameters as JSON has them; anything more needs the estimator object."""
    values = {}
    for name, value in given.items():
        try:
            values[name] = _plain(value)
        except TypeError as error:
            message = f'"{name}" is given a {error}, which no short name of a model takes.'
            found.append(trainable.problem(message, "Build the estimator yourself:", f"model=…({name}=…)"))
    return values


def _plain(value: Any) -> Any:
    """Raises ``TypeError`` with the name of a type that JSON does not have."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple | range):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"float ({value})")
    if isinstance(value, int) and abs(value) > EXACT_INTEGER:
        raise TypeError("int beyond 2**53")
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(type(value).__name__)


def _number(value: Any) -> Any:
    """numpy's numbers as Python's."""
    return value.item() if hasattr(value, "item") else value


def _pickled(estimator: Any) -> bytes:
    import cloudpickle  # noqa: PLC0415 - only estimators need it

    body: bytes = cloudpickle.dumps(estimator)
    return body
