"""The estimators that are offered by name, built with their seed. ``catalogue`` lists them."""

from __future__ import annotations

import importlib
from typing import Any

from mlops_jupyter.training.tabular import catalogue
from mlops_jupyter.training.tabular.catalogue import Task


def kind(name: str, task: Task) -> type[Any]:
    """The class behind a short name; imports only its own module."""
    path = getattr(catalogue.MODELS[name], task)
    module, _, attribute = path.partition(":")
    found: type[Any] = getattr(importlib.import_module(module), attribute)
    return found


def build(name: str, task: Task, seed: int = 0, n_jobs: int = 1) -> Any:
    """An unfitted estimator: scikit-learn's defaults but for what ``catalogue`` says, the seed, and
    ``n_jobs`` where the class has them."""
    offer = catalogue.MODELS[name]
    given = dict(offer.parameters)
    if task == "classification":
        given |= dict(offer.classifier_parameters)
    estimator = kind(name, task)(**given)
    own = estimator.get_params(deep=False)
    if "random_state" in own:
        estimator.set_params(random_state=seed)
    # Logistic regression has the parameter still, and warns of it.
    if "n_jobs" in own and n_jobs != 1 and name != "logistic":
        estimator.set_params(n_jobs=n_jobs)
    return estimator
