"""What can be asked for by name: models, metrics, splits. Names only, so that a kernel can check
a submission without importing scikit-learn (a second). ``estimators`` builds what is named here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Task = Literal["classification", "regression"]
TASKS: tuple[Task, ...] = ("classification", "regression")

#: What ``mlops.train`` takes when no model is named: needs no imputing or scaling, copes with
#: any table, and can be watched while it fits.
DEFAULT_MODEL = "hist_gradient_boosting"
AUTO = "auto"
#: Rows up to which a team of OpenMP threads only waits for itself: 0.3 s for a fit on one thread, as on
#: two idle cores, but up to 16 s on two busy ones, where its threads spin for each other.
ONE_THREAD = 5000
DEFAULT_METRIC: dict[Task, str] = {"classification": "accuracy", "regression": "r2"}


class Offer(NamedTuple):
    """A class as ``module:name`` for each task it can do, and where we differ from its defaults.

    ``probabilities``: its classifier has ``predict_proba``."""

    classification: str | None
    regression: str | None
    parameters: Mapping[str, Any] = MappingProxyType({})
    classifier_parameters: Mapping[str, Any] = MappingProxyType({})
    probabilities: bool = True


MODELS: dict[str, Offer] = {
    # 100 iterations end in a ConvergenceWarning on most real tables.
    "logistic": Offer("sklearn.linear_model:LogisticRegression", None, {"max_iter": 1000}),
    "rf": Offer("sklearn.ensemble:RandomForestClassifier", "sklearn.ensemble:RandomForestRegressor"),
    "extra_trees": Offer("sklearn.ensemble:ExtraTreesClassifier", "sklearn.ensemble:ExtraTreesRegressor"),
    "gradient_boosting": Offer(
        "sklearn.ensemble:GradientBoostingClassifier", "sklearn.ensemble:GradientBoostingRegressor"
    ),
    "hist_gradient_boosting": Offer(
        "sklearn.ensemble:HistGradientBoostingClassifier",
        "sklearn.ensemble:HistGradientBoostingRegressor",
    ),
    "mlp": Offer(
        "sklearn.neural_network:MLPClassifier", "sklearn.neural_network:MLPRegressor", {"max_iter": 500}
    ),
    # With the hinge loss it would give no probabilities: no loss, no ROC, no calibration.
    "sgd": Offer(
        "sklearn.linear_model:SGDClassifier",
        "sklearn.linear_model:SGDRegressor",
        {},
        {"loss": "log_loss"},
    ),
    "ridge": Offer("sklearn.linear_model:RidgeClassifier", "sklearn.linear_model:Ridge", probabilities=False),
    "knn": Offer("sklearn.neighbors:KNeighborsClassifier", "sklearn.neighbors:KNeighborsRegressor"),
    "svm": Offer("sklearn.svm:SVC", "sklearn.svm:SVR", probabilities=False),
}

#: What ``model="auto"`` compares: a linear model, bagged trees, boosted trees.
CANDIDATES: dict[Task, tuple[str, ...]] = {
    "classification": ("logistic", "rf", "hist_gradient_boosting"),
    "regression": ("ridge", "rf", "hist_gradient_boosting"),
}

#: Other names people know these models by; only used to suggest the right one.
ALSO_KNOWN_AS = {
    "random_forest": "rf",
    "forest": "rf",
    "et": "extra_trees",
    "gbm": "gradient_boosting",
    "gb": "gradient_boosting",
    "gradientboosting": "gradient_boosting",
    "hgb": "hist_gradient_boosting",
    "histgradientboosting": "hist_gradient_boosting",
    "xgboost": "hist_gradient_boosting",
    "xgb": "hist_gradient_boosting",
    "lightgbm": "hist_gradient_boosting",
    "lgbm": "hist_gradient_boosting",
    "catboost": "hist_gradient_boosting",
    "logreg": "logistic",
    "lr": "logistic",
    "logistic_regression": "logistic",
    "linear": "ridge",
    "linear_regression": "ridge",
    "lasso": "ridge",
    "nn": "mlp",
    "neural_network": "mlp",
    "kneighbors": "knn",
    "svc": "svm",
    "svr": "svm",
}

#: scikit-learn's scorers that suit one target column, and what they score. ``binary``: two
#: classes only. A test compares this with ``sklearn.metrics.get_scorer_names()``.
METRICS: dict[str, Literal["classification", "binary", "regression"]] = {
    "accuracy": "classification",
    "average_precision": "classification",
    "balanced_accuracy": "classification",
    "d2_brier_score": "classification",
    "d2_log_loss_score": "classification",
    "f1": "binary",
    "f1_macro": "classification",
    "f1_micro": "classification",
    "f1_weighted": "classification",
    "jaccard": "binary",
    "jaccard_macro": "classification",
    "jaccard_micro": "classification",
    "jaccard_weighted": "classification",
    "matthews_corrcoef": "classification",
    "neg_brier_score": "classification",
    "neg_log_loss": "classification",
    "neg_negative_likelihood_ratio": "binary",
    "positive_likelihood_ratio": "binary",
    "precision": "binary",
    "precision_macro": "classification",
    "precision_micro": "classification",
    "precision_weighted": "classification",
    "recall": "binary",
    "recall_macro": "classification",
    "recall_micro": "classification",
    "recall_weighted": "classification",
    "roc_auc": "binary",
    "roc_auc_ovo": "classification",
    "roc_auc_ovo_weighted": "classification",
    "roc_auc_ovr": "classification",
    "roc_auc_ovr_weighted": "classification",
    "top_k_accuracy": "classification",
    "d2_absolute_error_score": "regression",
    "explained_variance": "regression",
    "neg_max_error": "regression",
    "neg_mean_absolute_error": "regression",
    "neg_mean_absolute_percentage_error": "regression",
    "neg_mean_gamma_deviance": "regression",
    "neg_mean_poisson_deviance": "regression",
    "neg_mean_squared_error": "regression",
    "neg_mean_squared_log_error": "regression",
    "neg_median_absolute_error": "regression",
    "neg_root_mean_squared_error": "regression",
    "neg_root_mean_squared_log_error": "regression",
    "r2": "regression",
}

#: The ones to suggest to somebody who has to choose.
USUAL_METRICS: dict[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "balanced_accuracy", "f1_macro", "roc_auc", "log_loss"),
    "regression": ("r2", "rmse", "mae"),
}

#: Scorers that need ``predict_proba``.
OF_PROBABILITIES = frozenset(
    {
        "d2_brier_score",
        "d2_log_loss_score",
        "neg_brier_score",
        "neg_log_loss",
        "roc_auc_ovo",
        "roc_auc_ovo_weighted",
        "roc_auc_ovr",
        "roc_auc_ovr_weighted",
    }
)

#: The nearest metric for more than two classes.
FOR_MANY_CLASSES = {
    "f1": "f1_macro",
    "jaccard": "jaccard_macro",
    "precision": "precision_macro",
    "recall": "recall_macro",
    "roc_auc": "roc_auc_ovr",
    "neg_negative_likelihood_ratio": "matthews_corrcoef",
    "positive_likelihood_ratio": "matthews_corrcoef",
}

#: Scorers that are shown, and may be asked for, by a shorter name. All others lose their ``neg_``:
#: an error is shown as the positive number it is.
SHORT_NAMES = {
    "neg_root_mean_squared_error": "rmse",
    "neg_mean_squared_error": "mse",
    "neg_mean_absolute_error": "mae",
}

#: Other short names people write; only used to suggest the right one.
METRIC_SHORTHAND = {
    "acc": "accuracy",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "mcc": "matthews_corrcoef",
    "logloss": "log_loss",
    "brier": "brier_score",
    "mape": "mean_absolute_percentage_error",
    "rmsle": "root_mean_squared_log_error",
    "r2_score": "r2",
    "f1_score": "f1",
}


class Split(NamedTuple):
    """How hold-out and validation rows are chosen; ``column`` for group and time."""

    kind: Literal["random", "group", "time"]
    column: str | None = None


def scorer_name(metric: str) -> str | None:
    """The scikit-learn scorer behind a metric's name, its own or the one it is shown by."""
    return next((name for name in METRICS if metric in (name, display_name(name))), None)


def display_name(scorer: str) -> str:
    """What a metric is called in its own direction."""
    return SHORT_NAMES.get(scorer, scorer.removeprefix("neg_"))


def parse_split(split: str) -> Split | None:
    """``random``, ``group:<column>`` or ``time:<column>``; None when it is none of them."""
    if split == "random":
        return Split("random")
    kind, _, column = split.partition(":")
    if kind == "group" and column:
        return Split("group", column)
    if kind == "time" and column:
        return Split("time", column)
    return None
