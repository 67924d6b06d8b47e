"""A recipe as a plain Python script: pandas, scikit-learn and skrub, nothing of ours.

It reads, splits, prepares, compares and fits as a job does, so that the model is the same to the last digit
(where packages and processor are); what only watches or measures is left out. All a user wrote is in it as
``repr`` has it, so that none of it is code. Importing this imports none of those packages.
"""

from __future__ import annotations

from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.training.tabular import catalogue, options
from mlops_jupyter.training.tabular.catalogue import Split, Task
from mlops_jupyter.training.tabular.script_parts import (
    CHOOSE,
    COLUMNS,
    CUTS,
    FINISH,
    FIT,
    FOLDS,
    LABELS,
    NATURAL_TASK,
    PREPARE,
    READ,
    REFIT,
    SCORER,
    SPLIT,
)


def script(spec: JobSpec, title: str) -> str:
    """``spec`` names its tables by their paths; ``title`` says what it is a script of."""
    split = catalogue.parse_split(spec.split) or Split("random")
    compared = spec.grid is not None or options.model_name(spec) == catalogue.AUTO
    parts = [
        _head(title),
        _settings(spec, split, compared),
        READ,
        *([] if _task(spec) else [NATURAL_TASK]),
        LABELS,
        COLUMNS,
        CUTS[split.kind],
        SPLIT[spec.test is not None],
        _models(spec),
        PREPARE,
        *([SCORER, FOLDS[split.kind], CHOOSE] if compared else []),
        FIT[compared],
        *([REFIT] if spec.refit else []),
        FINISH,
    ]
    return "".join(part.rstrip("\n") + "\n" for part in parts)


def _task(spec: JobSpec) -> Task | None:
    """The task, where no table is needed to know it."""
    offer = catalogue.MODELS.get(options.model_name(spec))
    if spec.task is not None or offer is None or (offer.classification and offer.regression):
        return spec.task
    return "classification" if offer.classification else "regression"


def _head(title: str) -> str:
    return f"""\
# Trains the model of a recipe, the same to the last digit with the same versions of the packages:
#   pip install pandas pyarrow scikit-learn skrub
# {title!r}
import math
import warnings
from contextlib import nullcontext
from decimal import Decimal

import numpy as np
import pandas as pd
from sklearn.base import clone
from skrub import tabular_pipeline
from threadpoolctl import threadpool_limits

warnings.filterwarnings("ignore", "Found unknown categories", UserWarning)
"""


def _settings(spec: JobSpec, split: Split, compared: bool) -> str:
    task = _task(spec)
    lines = [
        f"DATA = {spec.data.path!r}",
        *([f"TEST = {spec.test.path!r}"] if spec.test is not None else []),
        f"TARGET = {spec.target!r}",
        *([f"TASK = {task!r}"] if task else []),
        f"DROP = {list(spec.drop)!r}",
        f"DROP_ROWS_WITHOUT_TARGET = {spec.target_na == 'drop'!r}",
        *([f"SPLIT_BY = {split.column!r}"] if split.column is not None else []),
        f"GROUP = {[split.column] if split.kind == 'group' else []!r}  # rows of other groups are predicted",
        f"TEST_SIZE = {spec.test_size!r}",
        f"SEED = {spec.seed!r}",
        f"N_JOBS = {spec.n_jobs!r}",
        f"PARAMS = {spec.params!r}",
        *([f"GRID = {spec.grid or {}!r}"] if compared else []),
        *([f"CV = {spec.cv!r}", f"METRIC = {_scorer(spec)!r}  # None: accuracy or r2"] if compared else []),
        f"ONE_THREAD = {catalogue.ONE_THREAD!r}  # rows up to which OpenMP is given one thread",
    ]
    return "\n" + "\n".join(lines)


def _scorer(spec: JobSpec) -> str | None:
    return None if spec.metric is None else catalogue.scorer_name(spec.metric)


def _models(spec: JobSpec) -> str:
    """What is imported, and the estimators of each task by the names they have in the recipe."""
    name, task = options.model_name(spec), _task(spec)
    imports: set[str] = set()
    lines = ["MODELS = {"]
    for each in catalogue.TASKS if task is None else (task,):
        names = catalogue.CANDIDATES[each] if name == catalogue.AUTO else (name,)
        lines.append(f"    {each!r}: {{")
        for short in names:
            offer = catalogue.MODELS[short]
            path: str | None = getattr(offer, each)
            assert path is not None
            module, _, kind = path.partition(":")
            imports.add(f"from {module} import {kind}")
            given = dict(offer.parameters)
            if each == "classification":
                given |= dict(offer.classifier_parameters)
            said = ", ".join(f"{key}={value!r}" for key, value in given.items())
            lines.append(f"        {short!r}: {kind}({said}),")
        lines.append("    },")
    lines.append("}")
    return "\n" + "\n".join([*sorted(imports), "", *lines])
