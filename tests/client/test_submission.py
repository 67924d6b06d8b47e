"""What is sent, and every message about what cannot be: in the words people see."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from skrub import tabular_pipeline

from mlops_jupyter.client import tables
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.submission import submission
from mlops_jupyter.core.errors import (
    ColumnNotFoundError,
    DataError,
    DatasetNotFoundError,
    MlopsError,
    OptionError,
    SubmissionError,
    TargetError,
)
from mlops_jupyter.core.jobs import JobSpec, Source


def customers(rows: int = 60) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": np.arange(rows) % 50,
            "spend": np.arange(rows) / 7,
            "town": ["Ulm", "Bonn", None] * (rows // 3),
            "churn": ["Yes", "No"] * (rows // 2),
        }
    )


def refused(data: Any, target: str | None, folder: Path, **options: Any) -> Exception:
    with pytest.raises(MlopsError) as error:
        submission(data, target, folder, Options(**options))
    return error.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    customers().to_csv(tmp_path / "customers.csv", index=False)
    return tmp_path


def test_a_file_is_named_by_its_path_and_not_sent(folder: Path) -> None:
    ready = submission("customers.csv", "churn", folder, Options(model="rf", drop="age", cv=np.int64(3)))
    spec = ready.sent(upload=lambda _: pytest.fail("nothing is sent"))
    expected = JobSpec(
        data=Source(path=str(folder / "customers.csv"), name="customers.csv"),
        target="churn",
        model="rf",
        drop=("age",),
        cv=3,
        cwd=str(folder),
        interpreter=spec.interpreter,
        version=spec.version,
    )
    assert spec == expected


def test_a_dataframe_and_an_estimator_travel_ahead(folder: Path) -> None:
    sent: list[bytes] = []

    def upload(body: bytes) -> str:
        sent.append(body)
        return f"i-{len(sent)}"

    model = RandomForestClassifier(n_estimators=3)
    options = Options(model=model, data_name="df", test=customers(12))
    spec = submission(customers(), "churn", folder, options).sent(upload)
    assert (spec.estimator_input, spec.data, spec.test) == (
        "i-1",
        Source(input_id="i-2", name="df"),
        Source(input_id="i-3", name="DataFrame"),
    )
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(sent[1])), customers())


@pytest.mark.parametrize("made", [np.asarray, np.ndarray.tolist, csr_matrix], ids=["array", "list", "sparse"])
def test_arrays_become_a_table_with_the_names_skrub_gives_them(folder: Path, made: Any) -> None:
    X, y = np.eye(12), np.arange(12) % 2
    ready = submission((made(X), y), None, folder, Options())
    assert (ready.spec.target, ready.data.seen.columns) == ("target", (*map(str, range(12)), "target"))
    assert ready.data.frame.iloc[:, :-1].to_numpy().tolist() == X.tolist()


def test_a_model_of_arrays_predicts_arrays(folder: Path) -> None:
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    frame = submission((X, y), None, folder, Options()).data.frame
    fitted = tabular_pipeline(LogisticRegression()).fit(frame.drop(columns="target"), y)
    assert len(fitted.predict(X)) == 40


def test_a_sparse_matrix_too_large_for_a_table_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"table of 20000 × 20000 cells it takes 3\.0 GiB"):
        submission((csr_matrix((20_000, 20_000)), np.zeros(20_000)), None, folder, Options())


def test_a_target_of_two_columns_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"y has the shape \(12, 2\), and a target is one column"):
        submission((np.eye(12), np.zeros((12, 2))), None, folder, Options())


def test_a_column_named_by_a_number_can_be_the_target(folder: Path) -> None:
    df = customers().set_axis(range(customers().shape[1]), axis=1)
    place = customers().columns.get_loc("churn")
    with pytest.warns(
        tables.RenamedColumns, match=r'the column 0 is called "0" by the model: predict with'
    ) as told:
        ready = submission(df, place, folder, Options())  # type: ignore[arg-type]
    assert told[0].filename == __file__
    assert ready.spec.target == str(customers().columns.get_loc("churn"))


def test_a_series_keeps_its_name_and_rows_are_joined_by_position(folder: Path) -> None:
    df = customers()
    shuffled = df["churn"].set_axis(range(100, 160))
    ready = submission((df[["age", "spend"]], shuffled), None, folder, Options())
    pd.testing.assert_frame_equal(ready.data.frame, df[["age", "spend", "churn"]])


def test_the_index_stays_behind_and_mixed_columns_travel_as_text() -> None:
    df = pd.DataFrame(
        {"a": [1, "two", None], "b": [[1], [2], [3]], "c": pd.period_range("2026", periods=3), 4: [1, 2, 3]},
        index=["x", "y", "z"],
    )
    with pytest.warns(tables.MixedColumns) as told:
        body = tables.parquet(df)
    assert [(str(w.message), w.filename) for w in told] == [
        ('"a", "b", "c": mixed types, sent as text.', __file__)
    ]
    expected = {"a": ["1", "two", None], "b": ["[1]", "[2]", "[3]"], "c": list("234"), "4": [1, 2, 3]}
    expected["c"] = ["2026-01-01", "2026-01-02", "2026-01-03"]
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(body)), pd.DataFrame(expected))


@pytest.mark.filterwarnings("ignore::mlops_jupyter.client.tables.MixedColumns")
def test_what_no_file_can_hold_travels_as_what_it_can() -> None:
    df = pd.DataFrame(
        {
            "big": pd.Series([2**65, 1, None], dtype=object),
            "half": pd.Series(["a\ud800", "b", None], dtype=object),
            "few": pd.arrays.SparseArray([0.0, 0.0, 1.5]),
        }
    )
    read = pd.read_parquet(io.BytesIO(tables.parquet(df)))
    expected = {"big": [str(2**65), "1", None], "half": ["a?", "b", None], "few": [0.0, 0.0, 1.5]}
    pd.testing.assert_frame_equal(read, pd.DataFrame(expected))


def test_what_parquet_knows_travels_as_it_is() -> None:
    df = pd.DataFrame(
        {
            "when": pd.date_range("2026-01-01", periods=3, tz="Europe/Berlin"),
            "kind": pd.Categorical(["a", "b", None]),
            "count": pd.array([1, None, 3], dtype="Int64"),
            "share": [0.1, np.nan, np.inf],
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        body = tables.parquet(df)
    read = pd.read_parquet(io.BytesIO(body))
    pd.testing.assert_frame_equal(read, df, check_dtype=False)


# --- the messages ---------------------------------------------------------------------------


def test_an_unknown_column(folder: Path) -> None:
    error = refused("customers.csv", "chrun", folder)
    assert (type(error), str(error)) == (
        ColumnNotFoundError,
        (
            'no column "chrun" in customers.csv (4 columns).\n'
            'Did you mean "churn"?\n'
            "Columns: age, spend, town, churn"
        ),
    )
    assert isinstance(error, KeyError)


def test_a_missing_file(folder: Path) -> None:
    error = refused("custmers.csv", "churn", folder)
    assert (type(error), str(error)) == (
        DatasetNotFoundError,
        (
            '"custmers.csv" is neither a file in the notebook\'s folder nor an uploaded dataset.\n'
            "Close: ./customers.csv"
        ),
    )
    assert isinstance(error, FileNotFoundError)


def test_one_class(folder: Path) -> None:
    df = customers().assign(churn="No")
    error = refused(df, "churn", folder)
    assert (type(error), str(error)) == (
        TargetError,
        (
            '"churn" has one class ("No", 60 rows); a classifier needs 2 or more.\n'
            'Filter too strict? For a constant or numeric target use task="regression".'
        ),
    )


def test_missing_values_in_the_target(folder: Path) -> None:
    df = customers(600)
    df.loc[[4, 19, 33, *range(100, 109)], "churn"] = None
    error = refused(df, "churn", folder)
    assert (type(error), str(error)) == (
        TargetError,
        (
            '"churn" has 12 missing values (rows 4, 19, 33, +9).\n'
            'mlops.train(..., target_na="drop") drops them (2 % of rows).'
        ),
    )
    assert submission(df, "churn", folder, Options(target_na="drop")).spec.target_na == "drop"


def test_no_target(folder: Path) -> None:
    error = refused("customers.csv", None, folder)
    assert (type(error), str(error)) == (
        OptionError,
        (
            "which column of customers.csv is to be predicted? No target was given.\n"
            'mlops.train(…, target="…")\n'
            "Columns: age, spend, town, churn"
        ),
    )


def test_something_that_is_no_table(folder: Path) -> None:
    error = refused([1, 2], "y", folder)
    assert (type(error), str(error)) == (
        DataError,
        (
            "a list is no table.\n"
            "data is a CSV or Parquet file, a DataFrame or (X, y):\n"
            'mlops.train(df, target="…")'
        ),
    )


def test_features_and_target_of_different_lengths(folder: Path) -> None:
    error = refused((np.eye(3), [1, 2]), None, folder)
    assert str(error) == "X has 3 rows and y has 2.\nThey must be of the same rows."


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"model": RandomForestClassifier}, "model=RandomForestClassifier is a class.\nMake one:\n"),
        ({"model": 7}, "model is a int, which cannot be fitted.\n"),
        ({"cv": "five"}, "cv: expected `int`, got `str`."),
        (
            {"params": {"estimator": RandomForestClassifier()}},
            '"estimator" is given a RandomForestClassifier',
        ),
        ({"model": "random_forrest"}, 'no model "random_forrest".\n'),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], told: str, folder: Path) -> None:
    error = refused("customers.csv", "churn", folder, **options)
    assert isinstance(error, OptionError)
    assert str(error).startswith(told)


def test_all_problems_are_told_at_once(folder: Path) -> None:
    error = refused("customers.csv", "chrun", folder, model="rff", split="groups:town", cv=1)
    assert isinstance(error, SubmissionError)
    assert [problem.error for problem in error.problems] == ["ColumnNotFoundError", *["OptionError"] * 3]
    assert str(error).splitlines()[:3] == [
        "4 things to change:",
        '1. ColumnNotFoundError: no column "chrun" in customers.csv (4 columns).',
        '   Did you mean "churn"?',
    ]


def test_without_the_file_the_options_are_checked_all_the_same(folder: Path) -> None:
    error = refused("custmers.csv", "churn", folder, model="rff")
    assert isinstance(error, SubmissionError)
    assert [problem.error for problem in error.problems] == ["DatasetNotFoundError", "OptionError"]


def test_what_only_the_whole_table_tells_is_told_before_a_job_is_queued(folder: Path) -> None:
    torn = folder / "torn.csv"
    torn.write_text((folder / "customers.csv").read_text() + "1,2,Ulm,Yes,more\n")
    error = refused("torn.csv", "churn", folder, model="rff")
    assert isinstance(error, SubmissionError)
    assert [problem.message for problem in error.problems] == [
        "Line 62 of torn.csv has 5 fields; the first has 4.",
        'no model "rff".',
    ]
    foreign = folder / "foreign.csv"
    foreign.write_bytes(b"town,churn\n" + "Köln,1\n".encode("latin-1") * 20)
    assert str(refused("foreign.csv", "churn", folder)).startswith(
        "foreign.csv is not UTF-8 text (byte 0xf6)"
    )
    error = refused("customers.csv", "churn", folder, split="group:town")
    assert isinstance(error, SubmissionError)
    assert [problem.message for problem in error.problems] == [
        '"town" has 20 missing values (rows 2, 5, 8, +17); each row needs one for split="group:town".',
        '"town" has 2 groups ("Ulm", "Bonn"); training, validation and hold-out need three.',
    ]
    empty = customers()[["churn"]].assign(a=None, b=None)
    empty.to_csv(folder / "empty.csv", index=False)
    for data in ("empty.csv", empty):
        assert str(refused(data, "churn", folder)) == "Every column to learn from is empty."


def test_bytes_are_not_learned_from(folder: Path) -> None:
    error = refused(customers().assign(raw=b"\xff"), "churn", folder)
    assert str(error) == (
        '"raw" holds bytes, which cannot be learned from.\n'
        "Make it text:\n"
        'df["raw"] = df["raw"].str.decode("utf-8")'
    )
    error = refused(customers().assign(tags=[[1], [2]] * 30), "tags", folder)
    assert str(error) == '"tags" holds lists, which are neither classes nor numbers.'
