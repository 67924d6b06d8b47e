"""Parameters and grids: short names belong to the final estimator, ``step__name`` to any step.

Not here: the search itself (``selection``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from mlops_jupyter.core.errors import Problem, did_you_mean
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.tabular import catalogue, estimators, options
from mlops_jupyter.training.tabular.catalogue import Task


def full_names(pipeline: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """``given`` with every short name as ``finalstep__name``."""
    final = f"{pipeline.steps[-1][0]}__"
    steps = {name for name, _ in pipeline.steps}
    return {name if name.partition("__")[0] in steps else final + name: v for name, v in given.items()}


def with_labels(given: Mapping[str, Any], y: Array) -> dict[str, Any]:
    """Class weights by the labels themselves: on their way here, JSON made text of them."""
    label = {str(value): value for value in np.unique(y).tolist()}
    return {
        name: {label.get(key, key): weight for key, weight in value.items()}
        if name.endswith("class_weight") and isinstance(value, dict)
        else value
        for name, value in given.items()
    }


def problems(spec: JobSpec, task: Task, estimator: object | None) -> list[Problem]:
    """Names the model does not have, and values its class refuses."""
    name = options.model_name(spec)
    if estimator is None and name == catalogue.AUTO:
        return []
    model: Any = estimator if estimator is not None else estimators.build(name, task)
    whose = type(model).__name__ if estimator is not None else f'{type(model).__name__} (model "{name}")'
    found: list[Problem] = []
    for source, given in (("params", spec.params), ("grid", spec.grid or {})):
        for parameter, value in given.items():
            if not _known(model, parameter, own=estimator is not None):
                found.append(_unknown(model, parameter, whose))
                continue
            values = [value]
            if source == "grid":
                if not isinstance(value, list | tuple) or not len(value):
                    found.append(
                        _problem(
                            f'grid["{parameter}"] is no list of values.',
                            None,
                            f'grid={{"{parameter}": [{value!r}]}}',
                        )
                    )
                    continue
                values = list(value)
            found += [p for v in values if (p := _refused(model, parameter, v)) is not None]
    return found


def _known(model: Any, parameter: str, *, own: bool) -> bool:
    # A step of our own preprocessing is checked where it is built, in the worker: importing
    # skrub costs the kernel two seconds.
    if "__" in parameter and not own:
        return True
    return parameter in model.get_params() or parameter in _final(model).get_params()


def _final(model: Any) -> Any:
    return model.steps[-1][1] if hasattr(model, "steps") else model


def _unknown(model: Any, parameter: str, whose: str) -> Problem:
    names = sorted(_final(model).get_params(deep=False))
    return _problem(
        f'"{parameter}" is no parameter of {whose}.',
        did_you_mean(parameter, names),
        f"Parameters: {', '.join(names)}",
    )


def _refused(model: Any, parameter: str, value: Any) -> Problem | None:
    final = _final(model)
    if parameter not in final.get_params(deep=False) or not hasattr(final, "_validate_params"):
        return None
    try:
        clone(final).set_params(**{parameter: value})._validate_params()  # noqa: SLF001 - what fit itself asks
    except InvalidParameterError as refusal:
        return _problem(str(refusal))
    return None


def _problem(message: str, hint: str | None = None, code: str | None = None) -> Problem:
    return Problem(error="OptionError", message=message, hint=hint, code=code)
