"""A script of a recipe makes the model of the job: predictions and all that was learned, to the last bit."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.training.journal import Writer
from mlops_jupyter.training.run import Run
from mlops_jupyter.training.tabular import catalogue, recipe
from mlops_jupyter.training.tabular.script import script

PENGUINS = Path(__file__).parents[3] / "notebooks" / "data" / "penguins.csv"


def customers(rows: int = 240) -> pd.DataFrame:
    """Categories, dates, text, booleans with gaps, infinite and missing values, two kinds of targets."""
    rng = np.random.default_rng(3)
    age = rng.normal(45, 12, rows).round(1)
    plan = rng.choice(["basic", "pro", "team"], rows)
    since = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, rows), unit="D")
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(rows) < 0.1, np.nan, age),
            "plan": np.where(rng.random(rows) < 0.05, None, plan),
            "since": since.astype(str),
            "note": [f"call {n % 37} about {'price' if n % 3 else 'speed'}" for n in range(rows)],
            "paid": [None if n % 11 == 0 else bool(n % 2) for n in range(rows)],
            "debt": np.where(rng.random(rows) < 0.03, np.inf, rng.exponential(200, rows)),
            "shop": rng.integers(0, 12, rows),
            "spend": age * 3 + (plan == "pro") * 40 + rng.normal(0, 5, rows),
        }
    )
    frame["churn"] = np.where(frame.spend + rng.normal(0, 20, rows) > 150, "yes", "no")
    return frame


def learned(thing: Any, seen: dict[int, Any] | None = None) -> Any:
    """Everything ``thing`` holds as plain values: arrays as bytes, objects by what they are pickled of."""
    seen = {} if seen is None else seen
    if thing is None or isinstance(thing, str | int | float | bool | bytes | type) or callable(thing):
        return repr(thing) if not callable(thing) else getattr(thing, "__qualname__", "function")
    if id(thing) in seen:
        return "again"
    seen[id(thing)] = thing
    if isinstance(thing, np.ndarray):
        kept = [learned(each, seen) for each in thing.ravel()] if thing.dtype == object else thing.tobytes()
        return (str(thing.dtype), thing.shape, kept)
    if isinstance(thing, dict):
        return {repr(key): learned(value, seen) for key, value in thing.items()}
    if isinstance(thing, list | tuple | set | frozenset):
        return [learned(each, seen) for each in thing]
    return [type(thing).__name__, *(learned(each, seen) for each in thing.__reduce_ex__(4)[1:3])]


def both(spec: JobSpec, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, dict[str, Any]]:
    """The pipeline a job saves, that of the script, and the script's names."""
    saved: list[Any] = []
    monkeypatch.setattr(recipe.model, "save", lambda run, stage, pipeline, *_: saved.append(pipeline))
    (folder / "job").mkdir()
    path = folder / "script.py"
    path.write_text(script(spec, "a test"), "utf-8")
    with warnings.catch_warnings(action="ignore"), closing(Writer(folder / "job" / "journal")) as writer:
        recipe.train(Run(writer), spec, folder / "job")
        names = runpy.run_path(str(path))
    return saved[0], names["model"], names


CASES: dict[str, dict[str, Any]] = {
    "default": {"target": "churn"},
    "logistic": {"target": "churn", "model": "logistic", "params": {"class_weight": {"yes": 2.0, "no": 1.0}}},
    "forest-grid": {
        "target": "churn",
        "model": "rf",
        "params": {"n_estimators": 12},
        "grid": {"max_depth": [2, 4], "tablevectorizer__cardinality_threshold": [20, 40]},
        "metric": "f1",
        "cv": 3,
        "seed": 7,
    },
    "auto": {"target": "churn", "model": "auto", "cv": 2, "metric": "log_loss"},
    "auto-without-folds": {"target": "spend", "model": "auto", "cv": 0},
    "regression-refit": {
        "target": "spend",
        "model": "gradient_boosting",
        "params": {"n_estimators": 15},
        "refit": True,
        "drop": ("churn",),
        "seed": 3,
    },
    "mlp": {
        "target": "churn",
        "model": "mlp",
        "params": {"max_iter": 15, "hidden_layer_sizes": [8]},
        "cv": 0,
    },
    "sgd": {"target": "churn", "model": "sgd", "cv": 0, "n_jobs": 2},
    "group": {"target": "spend", "model": "knn", "split": "group:shop", "cv": 0},
    "group-grid": {"target": "spend", "model": "ridge", "split": "group:shop", "grid": {"alpha": [0.1, 9]}},
    "time-grid": {
        "target": "spend",
        "model": "extra_trees",
        "split": "time:since",
        "grid": {"max_depth": [2, 3]},
        "params": {"n_estimators": 5},
        "cv": 2,
        "metric": "neg_mean_absolute_error",
    },
    "svm": {"target": "churn", "model": "svm", "task": "classification", "cv": 0, "test_size": 0.3},
}


#: The same code reads both kinds of files.
@pytest.mark.parametrize(
    ("case", "kind"),
    [*((case, "csv") for case in CASES), ("default", "parquet"), ("time-grid", "parquet")],
)
def test_job_and_script_learn_the_same_to_the_last_bit(
    case: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, path = customers(), tmp_path / f"customers.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False, sep=";")
    else:
        frame.assign(since=pd.to_datetime(frame.since), plan=frame.plan.astype("category")).to_parquet(path)
    spec = JobSpec(data=Source(path=str(path)), **CASES[case])
    job, made, names = both(spec, tmp_path, monkeypatch)
    rows = names["X"]
    assert np.array_equal(job.predict(rows), made.predict(rows))
    if hasattr(job, "predict_proba"):
        assert np.array_equal(job.predict_proba(rows), made.predict_proba(rows))
    assert learned(job) == learned(made)


def test_the_same_with_a_hold_out_of_ones_own_and_rows_without_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = customers()
    frame.loc[::17, "churn"] = None
    frame[:180].to_csv(tmp_path / "train.csv", index=False)
    frame[180:].to_csv(tmp_path / "test.csv", index=False)
    data, test = (Source(path=str(tmp_path / f"{name}.csv")) for name in ("train", "test"))
    spec = JobSpec(data=data, test=test, target="churn", model="logistic", target_na="drop", cv=0)
    job, made, names = both(spec, tmp_path, monkeypatch)
    assert len(names["y_test"]) < 60
    assert learned(job) == learned(made)


def coded(distinct: int) -> pd.DataFrame:
    """A column of codes among numbers of as many digits, and a target of codes alone."""
    rng = np.random.default_rng(5)
    number = rng.integers(1, distinct + 1, 10 * distinct)
    code = np.where(number % 2, number.astype(str), "0" + number.astype(str).astype(object))
    return pd.DataFrame({"code": code, "x": number + rng.normal(0, 0.1, len(number)), "y": number}).assign(
        y=lambda frame: frame.y.map("{:03d}".format)
    )


@pytest.mark.parametrize("distinct", [2, 60], ids=["two", "more than a regression has"])
def test_codes_that_begin_with_a_zero_are_text_for_both(
    distinct: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "coded.csv"
    coded(distinct).to_csv(path, index=False)
    spec = JobSpec(data=Source(path=str(path)), target="y", model="rf", params={"n_estimators": 5}, cv=0)
    job, made, names = both(spec, tmp_path, monkeypatch)
    assert set(made.predict(names["X"])) <= set(coded(distinct).y)
    assert learned(job) == learned(made)


@pytest.mark.parametrize(
    "content",
    [b"a,b\n1,2,\n3,4,\n", b"a,b\n0,1,2\n1,3,4\n", b"a,b\n1,2,3,4\n", b"# comment\na,b\n1,2\n"],
    ids=["separator-at-the-end", "names-of-rows", "two-too-many", "comment"],
)
def test_a_first_row_longer_than_the_header_ends_the_script(tmp_path: Path, content: bytes) -> None:
    """F44: as it is refused for a job."""
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    made = tmp_path / "script.py"
    made.write_text(script(JobSpec(data=Source(path=str(path)), target="b"), "torn"), "utf-8")
    with pytest.raises(pd.errors.ParserError, match=r"fields in line 2, saw"):
        runpy.run_path(str(made))


HOSTILE = (
    "x\n__import__('os').abort()\n",
    "'''\"\"\" + __import__('os').abort() #",
    "\\",
    "{TARGET}\r\u2028\u202eabort",
    "\x00",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_a_user_is_code(name: str) -> None:
    """Only values of assignments, and the comment's line, hold what a user wrote."""
    harmless, hostile = (
        script(
            JobSpec(
                data=Source(path=f"/data/{word}"),
                target=word,
                drop=(word,),
                model="rf",
                params={word: word},
                grid={word: [word]},
                split=f"group:{word}",
                test=Source(path=f"/data/{word}"),
            ),
            word,
        )
        for word in ("word", name)
    )

    class Blank(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.Constant:
            given = isinstance(node.value, str) and ("word" in node.value or name in node.value)
            return ast.Constant(value="given") if given else node

    assert ast.dump(Blank().visit(ast.parse(harmless))) == ast.dump(Blank().visit(ast.parse(hostile)))
    assert len(harmless.splitlines()) == len(hostile.splitlines())


def test_a_script_imports_nothing_of_ours_and_runs_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(script(JobSpec(data=Source(path=str(PENGUINS)), target="species"), "penguins"), "utf-8")
    assert "mlops" not in path.read_text("utf-8")
    done = subprocess.run(
        [sys.executable, "-I", path], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("HistGradientBoostingClassifier: 0.9")


def test_every_model_on_offer_has_a_script() -> None:
    for name in (*catalogue.MODELS, catalogue.AUTO):
        for grid in (None, {"x": [1]}):
            ast.parse(script(JobSpec(data=Source(path="/a"), target="y", model=name, grid=grid), name))
