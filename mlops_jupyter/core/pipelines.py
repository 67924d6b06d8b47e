"""A pipeline: a named recipe of a job, in numbered versions. What one holds, and in what two differ. Pure.

Not here: where they are kept (``recipes``), and how a job is run (``submissions``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import asdict, replace

from mlops_jupyter.core.errors import OptionError, Problem, did_you_mean, error_for
from mlops_jupyter.core.jobs import Change, JobSpec, Source, Whole
from mlops_jupyter.core.limits import NAME


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a pipeline asks for: the fields of ``JobSpec`` that mean the same tomorrow and to anybody."""

    data: Source
    target: str
    task: Literal["classification", "regression"] | None = None
    model: str | None = None
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    grid: dict[str, list[Any]] | None = None
    split: str = "random"
    test: Source | None = None
    test_size: float = 0.2
    metric: str | None = None
    drop: tuple[str, ...] = ()
    cv: Whole = 5
    refit: bool = False
    n_jobs: Whole = 1
    seed: Whole = 0
    timeout: float | None = None
    target_na: Literal["error", "drop"] = "error"


FIELDS = Recipe.__struct_fields__


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a pipeline as it is kept. ``changed``: the fields in which it differs from the last."""

    version: int
    name: str
    recipe: Recipe
    time: datetime
    by: str
    changed: tuple[str, ...] = ()


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """When and by whom a version was made, and of which fields."""

    version: int
    name: str
    time: datetime
    by: str
    changed: tuple[str, ...]


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """Body of ``GET pipelines/{id}``: the recipe of ``version``; ``newest`` is the last there is.

    ``versions`` is null in a list."""

    id: str
    name: str
    version: int
    newest: int
    recipe: Recipe
    created: datetime
    updated: datetime
    by: str
    deleted: datetime | None = None
    versions: tuple[Revision, ...] | None = None


def recipe_of(spec: JobSpec) -> Recipe:
    """What of a job can be asked again by anybody; ``OptionError`` says what cannot."""
    sent = [what for what, source in (("data", spec.data), ("test", spec.test)) if source and source.input_id]
    problems = []
    if sent:
        named = {"data": "a table", "test": "a test table"}
        problems.append(
            Problem(
                error="OptionError",
                message=f"This job had {named[sent[0]]} sent from memory, which no recipe can name.",
                hint="Write it to a file, and train from that:",
                code='df.to_csv("table.csv", index=False); mlops.train("table.csv", target=…)',
            )
        )
    if spec.estimator_input is not None:
        problems.append(
            Problem(
                error="OptionError",
                message="This job was given an estimator object, which no recipe can hold.",
                hint="Name a model, and its parameters:",
                code='mlops.train(…, model="rf", params={"max_depth": 5})',
            )
        )
    if problems:
        raise error_for(problems)
    asked = {name: getattr(spec, name) for name in FIELDS}
    test = None if spec.test is None else _named(spec.test)
    return Recipe(**{**asked, "data": _named(spec.data), "test": test})


def spec_of(recipe: Recipe, name: str) -> JobSpec:
    """The job a recipe asks for, called ``name``."""
    return JobSpec(**{field: getattr(recipe, field) for field in FIELDS}, name=name)


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """``recipe`` with ``changes``: parameters are added to those before, unless the model is another."""
    for name in changes:
        if name not in FIELDS:
            raise OptionError(f'"{name}" is no field of a recipe.', did_you_mean(name, FIELDS))
    asked = dict(changes)
    if "model" in asked and asked["model"] != recipe.model:
        asked = {"params": {}, "grid": None, **asked}
    elif isinstance(asked.get("params"), Mapping):
        asked["params"] = {**recipe.params, **asked["params"]}
    try:
        checked = msgspec.convert({"data": {"path": "-"}, "target": "-", **asked}, Recipe)
    except msgspec.ValidationError as error:
        raise OptionError(f"The changes are not understood: {error}") from error
    return replace(recipe, **{name: getattr(checked, name) for name in asked})


def fields_changed(before: Recipe, after: Recipe) -> tuple[str, ...]:
    """The fields in which two recipes differ."""
    return tuple(name for name in FIELDS if getattr(before, name) != getattr(after, name))


def difference(before: Recipe, after: Recipe) -> tuple[Change, ...]:
    """The same with both values; tables as people call them, parameters by their own names."""
    found = [
        Change(name=name, before=_said(getattr(before, name)), after=_said(getattr(after, name)))
        for name in fields_changed(before, after)
        if name != "params"
    ]
    for name in sorted({*before.params, *after.params}):
        was, is_ = before.params.get(name), after.params.get(name)
        if was != is_ or (name in before.params) != (name in after.params):
            found.append(Change(name=name, before=was, after=is_))
    return tuple(found)


def name_problem(name: str) -> Problem | None:
    """Why a pipeline cannot be called so: names are typed, looked up, and followed by ``@version``."""
    if not name.strip() or name != name.strip():
        why = "A pipeline's name is not empty, and neither begins nor ends with a space."
    elif len(name) > NAME:
        why = f"A pipeline's name has at most {NAME} characters."
    elif not name.isprintable():
        why = "A pipeline's name has no line breaks or control characters."
    elif "@" in name:
        why = f'"{name}" has an @, which stands before a version: churn@3 is the third of churn.'
    else:
        return None
    return Problem(error="OptionError", message=why, hint='For example: name="churn".')


def source_problems(recipe: Recipe) -> list[Problem]:
    """A recipe names tables that others find, too."""
    unnamed = [
        what
        for what, source in (("data", recipe.data), ("test", recipe.test))
        if source is not None
        and source.dataset is None
        and (source.path is None or not Path(source.path).is_absolute())
    ]
    return [
        Problem(
            error="OptionError",
            message=f'"{what}" of a recipe is a dataset, or a file of the server by its absolute path.',
            hint="What was sent from memory is gone when the recipe is run.",
        )
        for what in unnamed
    ]


def _named(source: Source) -> Source:
    """A dataset by its version alone: where its file is, the server says anew."""
    return source if source.dataset is None else replace(source, path=None, sha256=None)


def _said(value: Any) -> Any:
    if isinstance(value, Source):
        return {name: said for name, said in asdict(value).items() if said is not None}
    return value
