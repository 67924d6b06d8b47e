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
            if not _known(model, parameter):
                found.append(_unknown(model, parameter, whose))
                continue
            values = [value]
            if source == "grid":
                if (unfit := _no_values(parameter, value)) is not None:
                    found.append(unfit)
                    continue
                values = list(value)
            found += [p for v in values if (p := _refused(model, parameter, v)) is not None]
    return found


def _no_values(parameter: str, value: Any) -> Problem | None:
    """Why an entry of a grid is nothing to choose from."""
    if not isinstance(value, list | tuple):
        code = f'grid={{"{parameter}": [{value!r}]}}'
        return options.problem(f'grid["{parameter}"] is no list of values.', None, code)
    if not value:
        return options.problem(
            f'grid["{parameter}"] is empty: there is nothing to try.', "Name values, or leave it out."
        )
    return None


def _known(model: Any, parameter: str) -> bool:
    if parameter in model.get_params() or parameter in _final(model).get_params():
        return True
    # Steps of skrub's preprocessing, which comes before everything but a pipeline. Importing it takes two
    # seconds: who names a step pays them.
    return "__" in parameter and not hasattr(model, "steps") and parameter in _prepared(model).get_params()


def _prepared(model: Any) -> Any:
    from skrub import tabular_pipeline  # noqa: PLC0415 - see above

    return tabular_pipeline(model)


def _final(model: Any) -> Any:
    return model.steps[-1][1] if hasattr(model, "steps") else model


def _unknown(model: Any, parameter: str, whose: str) -> Problem:
    names = sorted(_final(model).get_params(deep=False))
    if "__" in parameter:
        whole = model if hasattr(model, "steps") else _prepared(model)
        known = sorted(name for name in whole.get_params() if "__" in name)
        steps = ", ".join(name for name, _ in whole.steps)
        return options.problem(
            f'"{parameter}" is no parameter of {whose} or of a step before it.',
            did_you_mean(parameter, known),
            f"Steps: {steps}. Parameters of the last: {', '.join(names)}",
        )
    return options.problem(
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
        return options.problem(str(refusal))
    return None
