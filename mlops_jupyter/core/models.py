"""A registered model's record, and which one is meant by what people call it. Pure.

Not here: how a model comes to be (``ends``), how it is kept (``store``) and changed (``registry``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from mlops_jupyter.core.errors import InputError, ModelNotFoundError, closest
from mlops_jupyter.core.jobs import Dataset, JobSpec, Origin

ModelState = Literal["registered", "deploying", "deployed", "failed", "retired"]
#: A model in one of these answers, or is about to.
LIVE: frozenset[str] = frozenset({"deploying", "deployed"})
_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_NUMBER = re.compile(r"v?[0-9]{1,15}")


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model comes from: the job that made it, who submitted that, the data it learned from, and the
    pipeline it was run from. ``job_deleted``: of that job nothing is kept any more."""

    job_id: str
    job_deleted: bool = False
    submitted_by: str | None = None
    dataset: Dataset | None = None
    pipeline: Origin | None = None


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows were divided, which metrics tell by their names: ``test_…`` are of the part held out,
    ``val_…`` of the validation rows, ``train_…`` of those it was fitted on, ``cv_…`` of the folds.

    ``test`` is the name of a table of its own that was held out, instead of ``test_size`` of the rows.
    """

    rule: str
    test_size: float | None
    test: str | None
    cv: int
    refit: bool
    seed: int

    @classmethod
    def of(cls, spec: JobSpec) -> Split:
        test = None if spec.test is None else spec.test.name or "test table"
        return cls(
            rule=spec.split,
            test_size=spec.test_size if test is None else None,
            test=test,
            cv=spec.cv,
            refit=spec.refit,
            seed=spec.seed,
        )


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model: body of ``GET models/{id}``. Unknown is null.

    ``version`` counts within ``name`` and is never given twice; the store gives it (0: not yet). An alias
    belongs to one version of a name. ``score`` is that of ``metric``, the main one, on the part held out;
    ``split`` says how that came about. ``environment`` has the versions of Python and the packages it was
    trained with. ``signature`` is what it takes and gives, ``size`` the bytes of its file."""

    model_id: str
    name: str
    version: int = 0
    aliases: tuple[str, ...] = ()
    status: ModelState = "registered"
    created: datetime
    estimator: str | None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    task: str | None
    target: str | None
    metric: str | None = None
    score: float | None = None
    metrics: dict[str, float | None]
    split: Split | None = None
    signature: dict[str, Any]
    environment: dict[str, str]
    provenance: Provenance
    sha256: str
    size: int

    @property
    def job_id(self) -> str:
        return self.provenance.job_id

    @property
    def label(self) -> str:
        """As people name it: ``churn v3``."""
        return f"{self.name} v{self.version}"


def check_alias(alias: str) -> None:
    """Raise ``InputError`` for what could not be told from a version, or typed."""
    if not _ALIAS.fullmatch(alias) or _NUMBER.fullmatch(alias):
        raise InputError(
            f'"{alias}" cannot be an alias.',
            "Small letters, digits, - and _, a letter first, and no number like v3: champion, prod-eu.",
        )


def chosen(name: str, label: str | None, versions: Sequence[Model], highest: int) -> Model:
    """The one of the ``versions`` of a name that is meant, by its number or an alias; without a ``label`` the
    newest that is not retired, or just the newest. ``highest`` is the last number given."""
    if label is None and versions:
        return next((model for model in versions if model.status != "retired"), versions[0])
    for model in versions:
        if label in (str(model.version), f"v{model.version}", *model.aliases):
            return model
    called = name if label is None else f"{name}@{label}"
    number = int(label.removeprefix("v")) if label and _NUMBER.fullmatch(label) else 0
    if not versions or 0 < number <= highest:
        what = "every version" if not versions else f"v{number}"
        raise ModelNotFoundError(
            f'no model "{called}": {what} of it was deleted.', code="List: mlops.models()"
        )
    near = closest(label or "", [alias for model in versions for alias in model.aliases])
    hint = f'Did you mean "{name}@{near[0]}"?' if near else f"There is {described(name, versions)}."
    raise ModelNotFoundError(f'no model "{called}".', hint, "List: mlops.models()")


def unknown(ref: str, models: Mapping[str, Sequence[Model]]) -> ModelNotFoundError:
    """What to raise of a reference that names none of the ``models``, which are sorted by name."""
    near = closest(ref, models) or closest(ref.rpartition("@")[0], models)
    hint = f"Did you mean {described(near[0], models[near[0]])}?" if near else None
    return ModelNotFoundError(f'no model "{ref}".', hint, "List: mlops.models()")


def described(name: str, versions: Sequence[Model]) -> str:
    """``"digits-mlp" (v1–v4, v4 deployed)``."""
    said = [_ranges(sorted(model.version for model in versions))]
    for model in sorted(versions, key=lambda model: model.version):
        words = [*model.aliases, *([model.status] if model.status in LIVE else [])]
        if words:
            said.append(f"v{model.version} {' '.join(words)}")
    return f'"{name}" ({", ".join(said)})'


def _ranges(numbers: Sequence[int]) -> str:
    """``v1–v3, v5``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"v{first}" if first == last else f"v{first}–v{last}" for first, last in runs)
