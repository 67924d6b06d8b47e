"""What a rerun asks for, and what it changed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mlops_jupyter.core.errors import OptionError
from mlops_jupyter.core.jobs import Change, JobSpec, Source
from mlops_jupyter.core.reruns import again, difference

SENT = Source(path="/data/jobs/j-1/data.parquet", input_id="i-1", name="df")
SPEC = JobSpec(data=SENT, target="y", model="rf", params={"n_estimators": 100, "max_depth": 3}, cv=5)


def changed(spec: JobSpec = SPEC, **changes: Any) -> tuple[Change, ...]:
    return difference(spec, again(spec, changes))


def test_without_changes_it_is_the_same_job_on_what_was_sent_for_it() -> None:
    assert again(SPEC, {}) == msgspec.structs.replace(SPEC, data=Source(input_id="i-1", name="df"))
    assert changed() == ()


def test_parameters_are_added_to_those_given_before_and_told_by_their_names() -> None:
    assert again(SPEC, {"params": {"max_depth": 5}}).params == {"n_estimators": 100, "max_depth": 5}
    assert changed(cv=0, params={"max_depth": 5}) == (
        Change(name="cv", before=5, after=0),
        Change(name="max_depth", before=3, after=5),
    )


def test_another_model_starts_from_its_own_parameters() -> None:
    assert again(SPEC, {"model": "logistic"}).params == {}
    assert changed(model="logistic", params={"C": 2.0})[0] == Change(
        name="model", before="rf", after="logistic"
    )


def test_an_estimator_that_is_sent_takes_the_place_of_a_named_model() -> None:
    spec = again(SPEC, {"estimator_input": "i-2", "model": None})
    assert (spec.model, spec.estimator_input, spec.params) == (None, "i-2", {})
    assert difference(SPEC, spec)[0] == Change(name="model", before="rf", after="object")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"data": {"path": "/etc/passwd"}}, '"data" cannot be changed in a rerun.'),
        ({"seeed": 1}, 'Did you mean "seed"?'),
        ({"cv": "many"}, "Expected `int`, got `str`"),
    ],
)
def test_what_cannot_be_changed_is_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(OptionError) as error:
        again(SPEC, changes)
    assert told in str(error.value)
