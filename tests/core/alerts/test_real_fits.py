"""Fits of the product's own jobs: none that is well raises an alert, one that is not does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from mlops_jupyter.core.alerts.watch import Watch
from mlops_jupyter.core.jobs import Alert
from mlops_jupyter.core.transitions import advance
from mlops_jupyter.training.live import meter
from tests.core.alerts.builders import said
from tests.core.builders import a_running_job
from tests.training.builders import trained

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Found unknown"
)

CLASSIFIERS = ("hist_gradient_boosting", "gradient_boosting", "rf", "extra_trees", "mlp", "logistic")
REGRESSORS = CLASSIFIERS[:-1]


def of_sklearn(name: str, *, labels: bool = True) -> pd.DataFrame:
    """With words as labels: numbers that are few would be taken for what they are not."""
    table = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return table.assign(target=[f"c{y}" for y in table["target"]]) if labels else table


def made(X: np.ndarray[Any, Any], y: Any) -> pd.DataFrame:
    return pd.DataFrame(X, columns=[f"x{n}" for n in range(X.shape[1])]).assign(target=y)


def flipped(share: float) -> pd.DataFrame:
    X, y = datasets.make_classification(2000, 20, n_informative=8, flip_y=share, random_state=3)
    return made(X, [f"c{label}" for label in y])


def noisy(noise: float) -> pd.DataFrame:
    return made(*datasets.make_regression(1500, 20, n_informative=8, noise=noise, random_state=3))


TABLES: dict[str, tuple[Callable[[], pd.DataFrame], tuple[str, ...]]] = {
    **{n: (lambda n=n: of_sklearn(n), CLASSIFIERS) for n in ("iris", "wine", "breast_cancer", "digits")},
    "diabetes": (lambda: of_sklearn("diabetes", labels=False), REGRESSORS),
    **{
        f"labels flipped {share}": (lambda share=share: flipped(share), CLASSIFIERS)
        for share in (0.0, 0.1, 0.3)
    },
    **{f"noise {noise}": (lambda noise=noise: noisy(noise), REGRESSORS) for noise in (1.0, 50.0, 200.0)},
    "friedman": (lambda: made(*datasets.make_friedman1(1500, noise=1.0, random_state=1)), REGRESSORS),
}


def alerts_of(folder: Path, table: pd.DataFrame, **options: Any) -> tuple[Alert, ...]:
    """What a job on ``table`` raises, taken in a fact at a time."""
    folder.mkdir()
    watch, job = Watch(), a_running_job()
    for fact in trained(folder, table, "target", cv=0, **options).facts:
        job, _ = advance(job, fact)
        for found in watch.take(job, fact):
            job, _ = advance(job, found)
    assert job.live_metrics
    return job.alerts


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine so quick that each unit is scored."""
    monkeypatch.setattr(meter, "SHARE", 100.0)
    monkeypatch.setattr(meter, "SPACING", 0.0)


@pytest.mark.parametrize(
    ("table", "model"), [("iris", "mlp"), ("breast_cancer", "rf"), ("diabetes", "hist_gradient_boosting")]
)
def test_a_healthy_fit_raises_nothing(tmp_path: Path, every_step: None, table: str, model: str) -> None:
    make, _ = TABLES[table]
    assert alerts_of(tmp_path / "job", make(), model=model) == ()


def test_a_fit_that_learns_noise_by_heart_is_told(tmp_path: Path, every_step: None) -> None:
    rng = np.random.default_rng(0)
    table = made(rng.normal(size=(500, 10)), rng.normal(size=500))
    found = alerts_of(tmp_path / "job", table, model="gradient_boosting", params={"max_depth": 4})
    assert said(found) == [("overfitting", "val_r2")]


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("density", ["every step", "as affordable"])
@pytest.mark.parametrize("table", TABLES)
def test_no_healthy_fit_raises_anything(
    tmp_path: Path, table: str, density: str, request: pytest.FixtureRequest
) -> None:
    if density == "every step":
        request.getfixturevalue("every_step")
    make, models = TABLES[table]
    found = {model: said(alerts_of(tmp_path / model, make(), model=model)) for model in models}
    assert {fit: alerts for fit, alerts in found.items() if alerts} == {}
