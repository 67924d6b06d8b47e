"""Stage 3: preprocessing, always inside the pipeline and fitted on the training rows.

An estimator gets that of ``skrub.tabular_pipeline``: dates, text, categories, missing values, scaling
where it needs it. A pipeline of the user's own is taken as it is when it can read the table; when it
cannot (text columns, missing values), skrub's preprocessing is put in front of its own steps. Estimators
that hold a pipeline (a grid search over one, say) are taken as they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import check_array, get_tags
from skrub import tabular_pipeline

from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.run import StageRun
from mlops_jupyter.training.tabular.wording import several

#: Rows by which it is found out whether a pipeline can read the table.
TRIED_ON = 200
#: What preprocessing that cannot read a table raises.
_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError)


class Prepared(NamedTuple):
    """Fitted steps, and the training rows as the last step of their pipeline takes them."""

    steps: list[tuple[str, Any]]
    X: Any


def around(model: Any, X: pd.DataFrame, y: Array, seed: int) -> tuple[Pipeline, str | None]:
    """``model`` as an unfitted pipeline that can read ``X``, and a remark on what was added to it.

    What skrub draws at random is drawn with ``seed``."""
    if isinstance(model, Pipeline):
        if len(model.steps) > 1 and (_holds_its_own(model) or _reads(model, X, y)):
            return model, None
        own = ", ".join(name for name, _ in model.steps[:-1]) or "its estimator"
        remark = f"The pipeline cannot read this table by itself: skrub's preprocessing comes before {own}."
        return _in_front(model, seed), remark
    if _holds_its_own(model):
        return make_pipeline(model), None
    return _seeded(tabular_pipeline(model), seed), None


def prepare_all(
    stage: StageRun, pipelines: Mapping[str, Pipeline], X: pd.DataFrame, y: Array
) -> Prepared | None:
    """Fit the preprocessing of every pipeline, each kind once. Returns it when there is only one kind:
    then the fit that is kept needs it, whichever is chosen."""
    kinds: dict[str, str] = {}
    for name, pipeline in pipelines.items():
        kinds.setdefault(recipe(pipeline), name)
    features: list[str] = []
    prepared: Prepared | None = None
    for name in kinds.values():
        prepared = prepare(pipelines[name], X, y)
        made = several(prepared.X.shape[1], "feature") if prepared.steps else "taken as they are"
        features.append(made if len(kinds) == 1 else f"{made} for {name}")
        stage.advance(len(features), len(kinds), "preparations")
    stage.detail = f"{several(X.shape[1], 'column')} → {', '.join(features)}"
    return prepared if len(kinds) == 1 else None


def prepare(pipeline: Pipeline, X: pd.DataFrame, y: Array) -> Prepared:
    """Fit all steps but the last, as ``pipeline.fit`` does."""
    if len(pipeline.steps) == 1:
        return Prepared([], X)
    front = pipeline[:-1]
    made = front.fit_transform(X, y)
    return Prepared(front.steps, made)


def transformed(pipeline: Pipeline, X: pd.DataFrame) -> Any:
    """``X`` as the fitted pipeline's last step takes it.

    Step by step: ``pipeline[:-1]`` would ask the step before the last whether it is fitted, and a transformer
    of a user's own that learns nothing does not say."""
    for _, step in pipeline.steps[:-1]:
        if step not in (None, "passthrough"):
            X = step.transform(X)
    return X


def recipe(pipeline: Pipeline) -> str:
    """Two pipelines with the same recipe prepare the same rows alike."""
    return repr([(name, _told(step)) for name, step in pipeline.steps[:-1]])


def _told(step: Any) -> object:
    return step if step in (None, "passthrough") else (type(step), step.get_params())


def _holds_its_own(model: Any) -> bool:
    """Whether it chooses columns itself, or wraps a pipeline."""
    parts = [part for part in model.get_params().values() if part is not model]
    inner = (Pipeline, ColumnTransformer)
    return any(isinstance(part, inner) or type(part).__module__.startswith("skrub") for part in parts)


def _seeded(pipeline: Pipeline, seed: int) -> Pipeline:
    for _, step in pipeline.steps[:-1]:
        names = [n for n, value in step.get_params().items() if n.endswith("random_state") and value is None]
        step.set_params(**dict.fromkeys(names, seed))
    return pipeline


def _in_front(model: Pipeline, seed: int) -> Pipeline:
    """As ``tabular_pipeline(model)``, but the user's steps keep their names."""
    taken = {name for name, _ in model.steps}
    ours = _seeded(tabular_pipeline(model.steps[-1][1]), seed).steps[:-1]
    return Pipeline(
        [*((f"table_{name}" if name in taken else name, step) for name, step in ours), *model.steps]
    )


def _reads(model: Pipeline, X: pd.DataFrame, y: Array) -> bool:
    front = clone(model[:-1])
    final = model.steps[-1][1]
    try:
        with warnings.catch_warnings(action="ignore"):
            made = front.fit_transform(X.head(TRIED_ON), y[:TRIED_ON])
            allowed = get_tags(final).input_tags.allow_nan
            check_array(made, accept_sparse=True, ensure_all_finite="allow-nan" if allowed else True)
    except _UNREADABLE:
        return False
    # Missing values may begin beyond the rows it was tried on.
    return bool(allowed or _imputes(front) or not X.isna().to_numpy().any())


def _imputes(front: Pipeline) -> bool:
    return any("impute" in type(step).__module__ for _, step in front.steps)
