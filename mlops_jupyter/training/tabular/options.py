"""The options of a submission: each names the nearest right answer when it is wrong.

Not here: columns and target (``checks``). scikit-learn is imported only when parameters or a grid
must be checked against a class.
"""

from __future__ import annotations

from collections.abc import Iterable

from mlops_jupyter.core import limits
from mlops_jupyter.core.errors import Problem, did_you_mean
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.training.tabular import catalogue
from mlops_jupyter.training.tabular.catalogue import Task


def problems(spec: JobSpec, task: Task, classes: int | None, estimator: object | None) -> list[Problem]:
    """``classes``: how many the target has, None when that is not known (or for regression)."""
    found = [*_model(spec, task, estimator), *_numbers(spec), *_metric(spec, task, classes, estimator)]
    if catalogue.parse_split(spec.split) is None:
        found.append(_split(spec.split))
    sent_ahead = estimator is None and spec.estimator_input is not None
    known = estimator is not None or (not sent_ahead and _offered(model_name(spec), task))
    if spec.grid is not None and not spec.grid:
        found.append(problem("grid={} names no parameter.", None, 'grid={"max_depth": [3, 5, 8]}'))
    if known and (spec.params or spec.grid):
        found += _parameters(spec, task, estimator)
    return found


def model_name(spec: JobSpec) -> str:
    """The short name asked for, or the one taken when none is."""
    return spec.model or catalogue.DEFAULT_MODEL


def _offered(model: str, task: Task) -> bool:
    if model == catalogue.AUTO:
        return True
    offer = catalogue.MODELS.get(model)
    return offer is not None and getattr(offer, task) is not None


def _model(spec: JobSpec, task: Task, estimator: object | None) -> list[Problem]:
    if estimator is not None:
        return _predictor(estimator)
    if spec.estimator_input is not None:
        return []
    name = model_name(spec)
    if name != catalogue.AUTO and name not in catalogue.MODELS:
        names = [*catalogue.MODELS, catalogue.AUTO]
        meant = catalogue.ALSO_KNOWN_AS.get(name.casefold().replace(" ", "_").replace("-", "_"))
        hint = f'Did you mean "{meant}"?' if meant else did_you_mean(name, names) or _by_class(name)
        return [
            problem(f'no model "{name}".', hint, f"Models: {', '.join(names)}, or any scikit-learn estimator")
        ]
    if not _offered(name, task):
        other = "ridge" if task == "regression" else "logistic"
        wants = "numbers" if task == "regression" else "classes"
        return [
            problem(
                f'"{name}" cannot predict {wants}, and "{spec.target}" is a {task} target.',
                f'Did you mean model="{other}"?',
            )
        ]
    if name == catalogue.AUTO and (spec.params or spec.grid):
        which = "params" if spec.params else "grid"
        return [
            problem(
                f'model="auto" compares several models; {which} would fit only one of them.',
                f'Name the model the {which} belong{"s" * (which == "grid")} to, e.g. model="rf".',
            )
        ]
    return []


def _predictor(estimator: object) -> list[Problem]:
    """A transformer, a clusterer or a detector of outliers fits a table, too, but predicts no target.

    Who says what it is need not have ``predict`` yet: a stack has it when it is fitted."""
    kind = estimator_kind(estimator)
    if kind in ("classifier", "regressor") or (kind is None and hasattr(estimator, "predict")):
        return []
    what = "has no predict() and"
    if kind is not None and hasattr(estimator, "predict"):
        what = f"is {'an' if kind[0] in 'aeiou' else 'a'} {kind.replace('_', ' ')} and"
    name = type(estimator).__name__
    code = f"model=make_pipeline({name}(), LogisticRegression())" if hasattr(estimator, "transform") else None
    return [
        problem(
            f"{name} {what} predicts no target.",
            "End with a classifier or a regressor, after it or alone:",
            code,
        )
    ]


def estimator_kind(estimator: object) -> str | None:
    """``"classifier"``, ``"regressor"``, ``"clusterer"`` …; None where the estimator does not say.

    A class attribute of old, tags since scikit-learn 1.6; asking for tags needs no import of it."""
    tags = getattr(estimator, "__sklearn_tags__", None)
    kind = tags().estimator_type if callable(tags) else getattr(estimator, "_estimator_type", None)
    return None if kind is None else str(kind)


def _by_class(name: str) -> str | None:
    """``RandomForestClassifier`` -> the short name of that class."""
    for short, offer in catalogue.MODELS.items():
        for path in (offer.classification, offer.regression):
            if path and path.partition(":")[2].casefold() == name.casefold():
                return f'Did you mean "{short}"?'
    return None


def _split(split: str) -> Problem:
    kinds = ("random", "group", "time")
    kind, colon, column = split.partition(":")
    meant = did_you_mean(kind, kinds)
    if kind in ("group", "time"):
        return problem(f'split="{split}" names no column.', f'split="{kind}:<column>"')
    if meant and colon:
        meant = meant.replace('"?', f':{column}"?')
    return problem(f'split="{split}" is none of "random", "group:<column>", "time:<column>".', meant)


def _numbers(spec: JobSpec) -> Iterable[Problem]:
    if not 0 < spec.test_size < 1:
        yield problem(
            f"test_size={spec.test_size:g} is no share of the rows.", "Between 0 and 1, e.g. test_size=0.2"
        )
    if spec.cv < 0 or spec.cv == 1:
        yield problem(
            f"cv={spec.cv} is no number of folds.", "2 or more, e.g. cv=5; cv=0 skips cross-validation."
        )
    if spec.n_jobs == 0:
        yield problem("n_jobs=0 would run nothing.", "n_jobs=1 is one core, n_jobs=-1 all of them.")
    if not 0 <= spec.seed < 2**32:
        yield problem(f"seed={spec.seed} is no seed.", "A whole number from 0 to 4294967295.")
    yield from limits.too_short(spec.timeout)


def _metric(spec: JobSpec, task: Task, classes: int | None, estimator: object | None) -> list[Problem]:
    if spec.metric is None:
        return []
    short = catalogue.METRIC_SHORTHAND.get(spec.metric.casefold())
    name = catalogue.scorer_name(spec.metric)
    kind = catalogue.METRICS.get(name or catalogue.scorer_name(short or "") or "")
    fitting = [
        spelling
        for scorer, of in catalogue.METRICS.items()
        if (of == "regression") == (task == "regression")
        for spelling in (catalogue.display_name(scorer), scorer)
    ]
    usual = f"Metrics: {', '.join(catalogue.USUAL_METRICS[task])} … (sklearn.metrics.get_scorer_names())"
    if kind is not None and (kind == "regression") != (task == "regression"):
        return [
            problem(
                f'metric "{spec.metric}" does not score {task}.',
                f'Did you mean "{catalogue.DEFAULT_METRIC[task]}"?',
                usual,
            )
        ]
    if name is None:
        hint = f'Did you mean "{short}"?' if short else did_you_mean(spec.metric, fitting)
        return [problem(f'no metric "{spec.metric}".', hint, usual)]
    if kind == "binary" and classes is not None and classes > 2:
        return [
            problem(
                f'metric "{spec.metric}" is for two classes; "{spec.target}" has {classes}.',
                f'Did you mean "{catalogue.FOR_MANY_CLASSES[name]}"?',
            )
        ]
    if name in catalogue.OF_PROBABILITIES and not _probabilities(spec, estimator):
        what = f'"{model_name(spec)}"' if estimator is None else type(estimator).__name__
        return [
            problem(
                f'metric "{spec.metric}" needs probabilities, which {what} does not give.',
                'Did you mean "accuracy"? "logistic" and "rf" give probabilities.',
            )
        ]
    return []


def _probabilities(spec: JobSpec, estimator: object | None) -> bool:
    if estimator is not None:
        return hasattr(estimator, "predict_proba")
    if spec.estimator_input is not None:
        return True
    offer = catalogue.MODELS.get(model_name(spec))
    return offer is None or offer.probabilities


def _parameters(spec: JobSpec, task: Task, estimator: object | None) -> list[Problem]:
    # A second of import that most submissions need not pay in the kernel.
    from mlops_jupyter.training.tabular import parameters  # noqa: PLC0415

    return parameters.problems(spec, task, estimator)


def problem(message: str, hint: str | None = None, code: str | None = None) -> Problem:
    """What is wrong with an option."""
    return Problem(error="OptionError", message=message, hint=hint, code=code)
