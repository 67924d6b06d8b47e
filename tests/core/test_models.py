"""Which model is meant by what people call it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mlops_jupyter.core.errors import InputError, ModelNotFoundError
from mlops_jupyter.core.models import Model, Provenance, check_alias, chosen, described, unknown

NOW = datetime(2026, 11, 28, 14, 2, tzinfo=UTC)


def a_model(version: int = 1, *aliases: str, **changes: Any) -> Model:
    fields = {
        "model_id": f"m-{version:012d}",
        "name": "churn",
        "version": version,
        "aliases": aliases,
        "created": NOW,
        "estimator": "rf",
        "task": "classification",
        "target": "churn",
        "metrics": {},
        "signature": {},
        "environment": {},
        "provenance": Provenance(job_id=f"j-{version:012d}"),
        "sha256": "ab",
        "size": 2,
    }
    return Model(**{**fields, **changes})


VERSIONS = [a_model(5, status="retired"), a_model(4), a_model(2, "champion"), a_model(1, status="deployed")]


@pytest.mark.parametrize(
    ("label", "version"), [(None, 4), ("2", 2), ("v2", 2), ("champion", 2), ("5", 5), ("v1", 1)]
)
def test_a_version_is_meant_by_its_number_or_an_alias_and_else_the_newest_not_retired(
    label: str | None, version: int
) -> None:
    assert chosen("churn", label, VERSIONS, 5).version == version


def test_of_a_name_whose_versions_are_all_retired_the_newest_is_meant() -> None:
    retired = [a_model(2, status="retired"), a_model(1, status="retired")]
    assert chosen("churn", None, retired, 2) == retired[0]


@pytest.mark.parametrize(
    ("label", "versions", "said"),
    [
        ("3", VERSIONS, 'no model "churn@3": v3 of it was deleted.\nList: mlops.models()'),
        (None, [], 'no model "churn": every version of it was deleted.\nList: mlops.models()'),
        (
            "chamipon",
            VERSIONS,
            'no model "churn@chamipon".\nDid you mean "churn@champion"?\nList: mlops.models()',
        ),
        (
            "9",
            VERSIONS,
            'no model "churn@9".\nThere is "churn" (v1–v2, v4–v5, v1 deployed, v2 champion).\n{LIST}',
        ),
    ],
)
def test_what_is_not_there_is_said_with_what_is(label: str | None, versions: list[Model], said: str) -> None:
    with pytest.raises(ModelNotFoundError) as raised:
        chosen("churn", label, versions, 5)
    assert str(raised.value) == said.replace("{LIST}", "List: mlops.models()")


def test_a_misspelt_name_is_told_what_it_may_have_meant() -> None:
    """The error table of the interface, word for word."""
    digits = [a_model(n, name="digits-mlp") for n in (1, 2, 3)]
    digits.append(a_model(4, name="digits-mlp", status="deployed"))
    said = 'no model "digits-mpl".\nDid you mean "digits-mlp" (v1–v4, v4 deployed)?\nList: mlops.models()'
    assert str(unknown("digits-mpl", {"digits-mlp": digits, "churn": VERSIONS})) == said
    assert "digits-mlp" in str(unknown("digits-mpl@champion", {"digits-mlp": digits}))
    assert str(unknown("x", {"digits-mlp": digits})) == 'no model "x".\nList: mlops.models()'


def test_one_version_is_described_by_its_number() -> None:
    assert described("churn", [a_model(7)]) == '"churn" (v7)'


@pytest.mark.parametrize("alias", ["champion", "prod-eu", "a", "v3x", "x_1"])
def test_a_word_can_be_an_alias(alias: str) -> None:
    check_alias(alias)


@pytest.mark.parametrize(
    "alias", ["", "3", "v3", "Champion", "a b", "a@b", "-a", "a" * 65, "<img>", "ä", "a\n"]
)
def test_what_could_be_a_version_or_cannot_be_typed_is_no_alias(alias: str) -> None:
    with pytest.raises(InputError, match="cannot be an alias"):
        check_alias(alias)
