"""Pipelines by code: ``mlops.pipelines()``, ``mlops.pipeline("churn")``, ``mlops.save_pipeline``.

A ``Pipeline`` is the version it was asked for; changing one that somebody else changed meanwhile is refused.
Not here: what a recipe is (``core.pipelines``), and the server (``rest``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec.structs import asdict

from mlops_jupyter.client import lists, sources
from mlops_jupyter.client.job import Job
from mlops_jupyter.core import glyphs
from mlops_jupyter.core.errors import AmbiguousIdError, OptionError, PipelineNotFoundError, did_you_mean
from mlops_jupyter.core.jobs import Change, Source
from mlops_jupyter.core.pipelines import Pipeline as Record
from mlops_jupyter.core.pipelines import Recipe, Revision, changed

if TYPE_CHECKING:
    from mlops_jupyter.client.session import Session

_ID = re.compile(r"p-[0-9a-z]{1,12}")


class Pipeline:
    """A named, versioned recipe of a job. Besides those below, ``name``, ``version``, ``newest``,
    ``recipe``, ``versions``, ``created``, ``updated``, ``by`` and ``deleted`` are attributes."""

    def __init__(self, record: Record, session: Session) -> None:
        self._record = record
        self._session = session

    @property
    def record(self) -> Record:
        """The whole record, as ``GET pipelines/{id}`` gives it."""
        return self._record

    @property
    def id(self) -> str:
        return self._record.id

    @property
    def recipe(self) -> dict[str, Any]:
        """What it asks for, by the names of ``mlops.train``; what was left out has its default."""
        return asdict(self._record.recipe)

    @property
    def versions(self) -> tuple[Revision, ...]:
        """When and by whom each was made, the oldest first."""
        return self._record.versions or ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in Record.__struct_fields__:
            raise AttributeError(f"a Pipeline has no attribute {name!r}")
        return getattr(self._record, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *Record.__struct_fields__})

    def run(self, **changes: Any) -> Job:
        """Queue a job of this version; shows it and returns at once. ``changes`` are for this run alone.

        All that stands against it is raised before anything is queued, as by ``mlops.train``."""
        job = self._session.run_pipeline(self.id, self.version, _sent(changes, self._session))
        job.show()
        return job

    def update(self, **changes: Any) -> Self:
        """Make a version with these ``changes``: fields of the recipe, or its ``name``. Parameters are added
        to those before, unless the model is another.

        Raises ``PipelineChanged`` when this is not the newest version any more."""
        name = changes.pop("name", None)
        recipe = changed(self._record.recipe, _sent(changes, self._session))
        self._record = self._session.change_pipeline(self._record, name, recipe)
        return self

    def duplicate(self, name: str) -> Self:
        """A new pipeline with this recipe."""
        return type(self)(self._session.duplicate_pipeline(self.id, name, self.version), self._session)

    def compare(self, before: int | None = None, after: int | None = None) -> tuple[Change, ...]:
        """In what two versions differ; by default this one from the one before."""
        after = self.version if after is None else after
        return self._session.compare_pipeline(self.id, max(after - 1, 1) if before is None else before, after)

    def script(self) -> str:
        """A Python script that trains the model of this version, with pandas, scikit-learn and skrub
        alone: the same to the last digit where packages and processor are the same."""
        return self._session.script_of_pipeline(self.id, self.version)

    def at(self, version: int) -> Self:
        """The same as it was in ``version``."""
        return type(self)(self._session.shown_pipeline(self.id, version), self._session)

    def delete(self) -> None:
        """It is gone for everybody; ``restore()`` brings it back for a day."""
        self._session.delete_pipeline(self.id)

    def restore(self) -> Self:
        """Undo ``delete()``."""
        self._record = self._session.restore_pipeline(self.id)
        return self

    def __repr__(self) -> str:
        record = self._record
        return glyphs.on_a_line(f"<Pipeline {record.name} v{record.version} {_what(record)}>")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(glyphs.visible(told(self._record)))


def find(ref: str, session: Session) -> Pipeline:
    """By ``name``, ``name@3``, an id, or any unique beginning of one."""
    listed = session.pipelines()
    name, at, version = ref.rpartition("@")
    if not at:
        name, version = ref, ""
    elif not version.isdecimal():
        raise PipelineNotFoundError(f'"{ref}": "{version}" is no version.', f"For example: {name}@2")
    record = _found(name, listed)
    return Pipeline(session.shown_pipeline(record.id, int(version) if version else None), session)


def save(name: str, what: Job | str | Mapping[str, Any], session: Session) -> Pipeline:
    """The pipeline called ``name`` with what a job was asked for, or a recipe: a new one, or its next
    version."""
    asked: Recipe | str
    if isinstance(what, Job):
        asked = what.record.job_id
    elif isinstance(what, str):
        asked = session.get(what).record.job_id
    else:
        asked = _recipe(what, session)
    there = [record for record in session.pipelines() if record.name == name]
    if not there:
        return Pipeline(session.create_pipeline(name, asked), session)
    return Pipeline(session.change_pipeline(there[0], None, asked), session)


def _recipe(said: Mapping[str, Any], session: Session) -> Recipe:
    sent = _sent(said, session)
    try:
        return msgspec.convert(sent, Recipe)
    except msgspec.ValidationError as error:
        unknown = next((name for name in sent if name not in Recipe.__struct_fields__), None)
        hint = None if unknown is None else did_you_mean(unknown, Recipe.__struct_fields__)
        code = 'mlops.save_pipeline("churn", {"data": "customers.csv", "target": "churn", "model": "rf"})'
        raise OptionError(f"This is no recipe: {error}", hint, code) from error


def _sent(said: Mapping[str, Any], session: Session) -> dict[str, Any]:
    """Tables as the server finds them; what only this process has is refused."""
    sent = dict(said)
    for name in ("data", "test"):
        given = sent.get(name)
        if isinstance(given, str | Path):
            sent[name] = asdict(sources.found(given, Path.cwd(), session.datasets))
        elif isinstance(given, Source):
            sent[name] = asdict(given)
        elif given is not None and not isinstance(given, Mapping):
            raise OptionError(
                f"{name} is a {type(given).__name__}, which no recipe can name.",
                "Write it to a file, and name that:",
                'df.to_csv("table.csv", index=False)',
            )
    model = sent.get("model")
    if model is not None and not isinstance(model, str):
        raise OptionError(
            f"model is a {type(model).__name__} object, which no recipe can hold.",
            "Name a model, and its parameters:",
            'model="rf", params={"max_depth": 5}',
        )
    if isinstance(sent.get("drop"), str):
        sent["drop"] = (sent["drop"],)
    return sent


def _found(ref: str, listed: Sequence[Record]) -> Record:
    named = [record for record in listed if record.name == ref]
    by_id = [record for record in listed if _ID.fullmatch(ref) and record.id.startswith(ref)]
    found = named or by_id
    if len(found) == 1:
        return found[0]
    if found:
        raise AmbiguousIdError(f'"{ref}" matches {len(found)} pipelines: {", ".join(r.name for r in found)}.')
    raise PipelineNotFoundError(
        f'no pipeline "{ref}".', did_you_mean(ref, [r.name for r in listed]), "List: mlops.pipelines()"
    )


def whole(pipeline_id: str) -> str:
    """A full id as somebody typed it."""
    if not _ID.fullmatch(pipeline_id) or len(pipeline_id) != len("p-") + 12:
        raise PipelineNotFoundError(f'no pipeline "{pipeline_id}" was deleted in the last day.')
    return pipeline_id


def table(listed: Sequence[Record]) -> str:
    """A line a pipeline, by name."""
    if not listed:
        return 'no pipelines yet: mlops.save_pipeline("churn", job)'
    rows = [(r.name, f"v{r.version}", _what(r), r.by, r.id) for r in listed]
    return lists.columns([("name", "version", "trains", "by", "id"), *rows])


def told(record: Record) -> str:
    """One pipeline, a fact a line."""
    return f"{glyphs.on_a_line(record.name)}\n" + lists.columns(facts(record))


def facts(record: Record) -> list[tuple[str, str]]:
    """What is known of it; of the recipe what is not left to its default."""
    return [
        *[("pipeline", record.id), ("version", _version(record)), ("by", record.by)],
        *(
            (field.name, _said(getattr(record.recipe, field.name)))
            for field in msgspec.structs.fields(Recipe)
            if field.required or getattr(record.recipe, field.name) != _default(field)
        ),
    ]


def differences(changes: Sequence[Change]) -> str:
    """A line a difference."""
    if not changes:
        return "no difference"
    return lists.columns([(c.name, _said(c.before), "→", _said(c.after)) for c in changes])


def _version(record: Record) -> str:
    return f"{record.version}" + ("" if record.version == record.newest else f" of {record.newest}")


def _what(record: Record) -> str:
    recipe = record.recipe
    table = recipe.data.name or Path(recipe.data.path or "").name
    return f"{recipe.model or 'hist_gradient_boosting'} on {table} → {recipe.target}"


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else made()


def _said(value: Any) -> str:
    if isinstance(value, Source):
        return value.path or f"{value.name or value.dataset} v{value.version}"
    if isinstance(value, Mapping) and value.get("path"):
        return str(value["path"])
    return value if isinstance(value, str) else repr(value)
