"""What is worth knowing of a table is said, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.core.jobs import Finding
from mlops_jupyter.training.tabular.findings import findings, in_both, other_kinds

ROWS = 60
CLASSES = pd.Series(["a", "b", "c"] * (ROWS // 3))
NUMBERS = pd.Series(np.random.default_rng(0).normal(size=ROWS))
CLEAN = pd.DataFrame(
    {"size": np.random.default_rng(1).normal(size=ROWS), "shape": ["round", "flat"] * (ROWS // 2)}
)


def codes(features: pd.DataFrame, target: pd.Series = CLASSES) -> list[tuple[str, str | None]]:
    task = "classification" if target is CLASSES or target.dtype == object else "regression"
    return [(found.code, found.column) for found in findings(features, target, task)]


def test_a_clean_table_has_nothing_to_say() -> None:
    assert codes(CLEAN) == codes(CLEAN, NUMBERS) == []


def test_missing_values_are_counted_and_columns_that_are_mostly_empty_named() -> None:
    table = CLEAN.assign(weight=CLEAN["size"].where(CLEAN.index < 12))
    assert findings(table, CLASSES, "classification") == [
        Finding("missing_values", "1 column has missing values (27 % of all cells).", "info"),
        Finding("mostly_missing", '"weight" is missing in 80 % of the rows.', column="weight"),
    ]


def test_what_is_missing_nearly_everywhere_is_not_called_missing_everywhere() -> None:
    rows = 400
    table = pd.DataFrame({"weight": [1.0] + [np.nan] * (rows - 1)})
    found = findings(table, pd.Series(["a", "b"] * (rows // 2)), "classification")
    assert [one.message for one in found if "missing" in one.code] == [
        "1 column has missing values (99 % of all cells).",
        '"weight" is missing in 99 % of the rows.',
    ]


def test_repeated_rows_are_counted() -> None:
    table = pd.concat([CLEAN, CLEAN.head(2)], ignore_index=True)
    target = pd.concat([CLASSES, CLASSES.head(2)], ignore_index=True)
    (found,) = findings(table, target, "classification")
    assert found.message.startswith("2 rows are a repetition of another")


def test_columns_that_tell_nothing_are_named() -> None:
    table = CLEAN.assign(country="NO", empty=np.nan)
    assert ("constant_column", "country") in codes(table)
    assert ("constant_column", "empty") in codes(table)


@pytest.mark.parametrize("ids", [[f"c-{n}" for n in range(ROWS)], list(range(1000, 1000 + ROWS))])
def test_a_column_of_ids_is_recognised(ids: list[object]) -> None:
    assert codes(CLEAN.assign(customer=ids)) == [("id_like_column", "customer")]


def test_numbers_read_as_text_because_of_a_few_others_are_recognised() -> None:
    charges = [" " if n == 7 else f"{n % 11}.5" for n in range(ROWS)]
    (found,) = findings(CLEAN.assign(charges=charges), CLASSES, "classification")
    assert found == Finding(
        "numbers_as_text",
        '"charges" holds numbers, but 1 value is none (" "), so it is read as text. To mend it: '
        'df["charges"] = pd.to_numeric(df["charges"], errors="coerce")',
        column="charges",
    )


def test_a_column_that_gives_the_target_away_is_recognised() -> None:
    of_text = CLEAN.assign(grade=CLASSES.map({"a": "A", "b": "B", "c": "C"}))
    of_numbers = CLEAN.assign(points=CLASSES.map({"a": 1.0, "b": 5.0, "c": 9.0}) + NUMBERS.clip(-1, 1))
    the_same = CLEAN.assign(fahrenheit=NUMBERS * 1.8 + 32)
    assert codes(of_text) == [("gives_target_away", "grade")]
    assert codes(of_numbers) == [("gives_target_away", "points")]
    assert codes(the_same, NUMBERS) == [("gives_target_away", "fahrenheit")]


def test_rare_classes_are_named() -> None:
    target = pd.Series(["yes"] * (ROWS - 2) + ["no"] * 2, dtype=object)
    (found,) = findings(CLEAN, target, "classification")
    assert found.message == (
        '"no" is 3.3 % of the rows: accuracy may hide it; '
        'metric="balanced_accuracy" counts every class alike.'
    )


def test_cells_that_cannot_be_compared_do_not_stop_the_look() -> None:
    assert codes(CLEAN.assign(tags=[["x"], ["y"]] * (ROWS // 2))) == []


def test_columns_of_another_kind_in_a_test_table_are_named() -> None:
    learned = pd.DataFrame({"age": [30, 41], "city": ["Bern", "Chur"], "joined": ["a", None]})
    held = pd.DataFrame({"age": ["30", "old"], "city": ["Bern", None], "joined": [None, None]})
    (finding,) = other_kinds(learned, held)
    assert finding == Finding(
        "other_kind_in_test",
        '"age" holds numbers in the training table and words in the test table: what cannot be read alike '
        "counts as missing there.",
        column="age",
    )


def test_rows_of_a_test_table_that_are_learned_from_are_counted() -> None:
    table = CLEAN.assign(kind=CLASSES)
    test = pd.concat([table.head(2), table.assign(size=99.0).head(3)]).assign(extra=1)
    (finding,) = in_both(table, test)
    assert finding == Finding(
        "test_in_training",
        "2 rows of the 5 of the test table are in the training table, too: scores on them say nothing of new "
        "rows.",
    )
    assert in_both(table, test.tail(3)) == []
    assert in_both(table.assign(tags=[["x"]] * ROWS), test.assign(tags=[["x"]] * 5)) == []
