"""What a recipe holds, what it cannot, and in what two differ."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import inspect
from msgspec.structs import replace

from mlops_jupyter.core.errors import MlopsError, OptionError, SubmissionError
from mlops_jupyter.core.jobs import Change, JobSpec, Source
from mlops_jupyter.core.pipelines import (
    FIELDS,
    Recipe,
    changed,
    difference,
    fields_changed,
    name_problem,
    recipe_of,
    source_problems,
    spec_of,
)

DATA = Source(path="/data/churn.csv")
RECIPE = Recipe(data=DATA, target="churn", model="rf", params={"max_depth": 3, "n_estimators": 50})


def test_a_recipes_fields_are_those_of_a_submission_with_the_same_defaults() -> None:
    kinds = []
    for struct in (Recipe, JobSpec):
        info = inspect.type_info(struct)
        assert isinstance(info, inspect.StructType)
        kinds.append({field.name: field for field in info.fields if field.name in FIELDS})
    assert kinds[0] == kinds[1]


def test_a_job_that_ran_and_the_recipe_made_of_it_ask_for_the_same() -> None:
    spec = spec_of(RECIPE, "churn")
    assert spec == JobSpec(
        data=DATA, target="churn", model="rf", params={"max_depth": 3, "n_estimators": 50}, name="churn"
    )
    assert recipe_of(replace(spec, interpreter="/usr/bin/python3", cwd="/data", priority=3)) == RECIPE


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"data": Source(input_id="i-1")}, OptionError, "This job had a table sent from memory"),
        ({"test": Source(input_id="i-1")}, OptionError, "This job had a test table sent from memory"),
        ({"estimator_input": "i-1"}, OptionError, "This job was given an estimator object"),
        ({"data": Source(input_id="i-1"), "estimator_input": "i-2"}, SubmissionError, "2 things to change"),
    ],
)
def test_what_came_from_memory_is_no_recipe_and_it_says_what_to_do(
    fields: dict[str, Any], kind: type[MlopsError], said: str
) -> None:
    with pytest.raises(kind, match=said) as caught:
        recipe_of(replace(spec_of(RECIPE, "churn"), **fields))
    assert all(problem.hint and problem.code for problem in caught.value.problems)


def test_a_dataset_is_named_by_its_version_and_not_by_where_its_file_is() -> None:
    at = Source(path="/kept/1", name="churn", dataset="d-7f3a00000000", version=2, sha256="ab")
    kept = recipe_of(replace(spec_of(RECIPE, "churn"), data=at))
    assert kept.data == Source(name="churn", dataset="d-7f3a00000000", version=2)
    assert source_problems(kept) == []


def test_changes_add_parameters_unless_the_model_is_another() -> None:
    assert changed(RECIPE, {"params": {"max_depth": 5}, "seed": 7}) == replace(
        RECIPE, params={"max_depth": 5, "n_estimators": 50}, seed=7
    )
    assert changed(RECIPE, {"model": "knn"}) == replace(RECIPE, model="knn", params={})
    assert changed(RECIPE, {"model": "rf"}) == RECIPE
    assert changed(RECIPE, {"data": {"path": "/data/new.csv"}}).data == Source(path="/data/new.csv")


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"sed": 7}, 'Did you mean "seed"'), ({"cv": "many"}, "not understood"), ({"name": "x"}, "no field")],
)
def test_changes_that_are_none_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        changed(RECIPE, changes)


def test_two_versions_differ_in_options_and_in_parameters_by_their_names() -> None:
    after = replace(
        RECIPE, data=Source(path="/data/b.csv"), params={"max_depth": 5, "min_samples_leaf": None}
    )
    assert fields_changed(RECIPE, after) == ("data", "params")
    assert difference(RECIPE, after) == (
        Change(name="data", before={"path": "/data/churn.csv"}, after={"path": "/data/b.csv"}),
        Change(name="max_depth", before=3, after=5),
        Change(name="min_samples_leaf", before=None, after=None),
        Change(name="n_estimators", before=50, after=None),
    )
    assert difference(RECIPE, RECIPE) == ()


@pytest.mark.parametrize("name", ["", "  ", " churn", "churn ", "a\nb", "a\x1b[31mb", "churn@3", "x" * 257])
def test_a_name_that_cannot_be_typed_or_looked_up_is_refused(name: str) -> None:
    assert name_problem(name) is not None


@pytest.mark.parametrize("name", ["churn", "Kündigung 2026", "<b>x</b>", "流失", "'; DROP TABLE"])
def test_any_other_name_is_a_name(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("source", [Source(input_id="i-1"), Source(), Source(path="churn.csv")])
def test_a_recipe_names_tables_that_others_find_too(source: Source) -> None:
    assert len(source_problems(replace(RECIPE, data=source))) == 1
    assert len(source_problems(replace(RECIPE, test=source))) == 1
    assert source_problems(RECIPE) == []
