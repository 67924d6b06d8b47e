"""A registered model in a person's words: the same in terminals, lists and notebooks. Pure.

Unknown is left out, or ``—`` in a column; nothing is made up.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlops_jupyter.client import sentences
from mlops_jupyter.client.lists import columns
from mlops_jupyter.client.system import size
from mlops_jupyter.core import glyphs
from mlops_jupyter.core.models import Model, Split

_MARKS = {"registered": "○", "deploying": "◔", "deployed": "●", "failed": "✕", "retired": "◌"}
_HEAD = ("model", "aliases", "status", "score", "data", "created", "id")
#: Columns of the signature that are named; all are in the record.
MOST_COLUMNS = 8


def state(model: Model) -> str:
    """``● deployed``."""
    return f"{_MARKS[model.status]} {model.status}"


def score(model: Model) -> str | None:
    """``accuracy 0.974``."""
    if model.metric is None or model.score is None:
        return None
    return f"{model.metric} {sentences.number(model.score)}"


def measured_on(split: Split) -> str:
    """On which rows ``test_…`` metrics were measured, and how these were chosen."""
    if split.test is not None:
        return f"the table {split.test}"
    share = f"{(split.test_size or 0) * 100:.3g} % of the rows, held out"
    return f"{share} by {split.rule}" + (f", seed {split.seed}" if split.rule == "random" else "")


def data(model: Model) -> str | None:
    """``penguins.csv, 344 rows × 8 columns, sha 9c1d2e3f``."""
    dataset = model.provenance.dataset
    if dataset is None:
        return None
    shape = None if dataset.rows is None else f"{dataset.rows} rows × {dataset.columns} columns"
    sha = None if dataset.hash is None else f"sha {dataset.hash[:8]}"
    return ", ".join(part for part in (dataset.name, shape, sha) if part)


def takes(model: Model) -> str | None:
    """``island (category), bill (number), … of 6 columns``."""
    inputs = model.signature.get("inputs") or []
    named = [f"{column.get('name')} ({column.get('kind')})" for column in inputs[:MOST_COLUMNS]]
    more = f", … of {len(inputs)} columns" if len(inputs) > MOST_COLUMNS else ""
    return ", ".join(named) + more if named else None


def gives(model: Model) -> str | None:
    """``species: Adelie, Chinstrap or Gentoo``."""
    output = model.signature.get("output") or {}
    classes = output.get("classes")
    if classes:
        more = f", … of {len(classes)}" if len(classes) > MOST_COLUMNS else ""
        return f"{output.get('name')}: {', '.join(classes[:MOST_COLUMNS])}{more}"
    return None if not output else f"{output.get('name')}: a {output.get('kind')}"


def facts(model: Model) -> list[tuple[str, str]]:
    """All that a card says, in its order."""
    made = model.provenance
    by = f" by {made.submitted_by}" if made.submitted_by else ""
    gone = ", which was deleted," if made.job_deleted else ""
    parameters = ", ".join(f"{name}={value}" for name, value in model.parameters.items())
    environment = ", ".join(f"{name} {version}" for name, version in model.environment.items())
    found = [
        ("model", model.model_id),
        ("status", state(model)),
        ("aliases", ", ".join(model.aliases)),
        ("score", score(model)),
        ("measured on", None if model.split is None else measured_on(model.split)),
        ("data", data(model)),
        ("pipeline", made.pipeline and f"{made.pipeline.name}@{made.pipeline.version}"),
        ("estimator", model.estimator),
        ("parameters", parameters),
        ("takes", takes(model)),
        ("gives", gives(model)),
        ("environment", environment),
        ("size", size(model.size)),
        ("made", f"{sentences.clock(model.created)} in {sentences.short(made.job_id)}{gone}{by}"),
        *((name, sentences.number(value)) for name, value in model.metrics.items()),
    ]
    return [(name, value) for name, value in found if value]


def card(model: Model) -> str:
    """One model, a fact a line."""
    return f"{glyphs.on_a_line(model.label)}\n" + columns(facts(model))


def models(listed: Sequence[Model]) -> str:
    """A line a model, the newest first."""
    if not listed:
        return 'no models yet: mlops.train(df, target="…") registers one'
    rows = [
        (
            f"{model.name}@{model.version}",
            ", ".join(model.aliases) or sentences.UNKNOWN,
            state(model),
            score(model) or sentences.UNKNOWN,
            model.provenance.dataset.name if model.provenance.dataset else sentences.UNKNOWN,
            sentences.clock(model.created),
            model.model_id,
        )
        for model in listed
    ]
    return columns([_HEAD, *rows])
