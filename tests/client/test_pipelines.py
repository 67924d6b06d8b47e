"""Pipelines by code: kept from a job or a dict, changed, run, compared, deleted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from msgspec.structs import replace

from mlops_jupyter.client import pipelines
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.pipelines import Pipeline, find, save
from mlops_jupyter.client.session import Session
from mlops_jupyter.core.errors import (
    AmbiguousIdError,
    DatasetNotFoundError,
    MlopsError,
    NameTakenError,
    OptionError,
    PipelineChanged,
    PipelineNotFoundError,
)
from mlops_jupyter.core.jobs import Change

PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"
RECIPE = {"data": PENGUINS, "target": "species", "model": "logistic", "cv": 0}


@pytest.fixture
def churn(session: Session) -> Iterator[Pipeline]:
    """A pipeline that is deleted afterwards."""
    pipeline = save("churn", RECIPE, session)
    yield pipeline
    for record in session.pipelines():
        session.delete_pipeline(record.id)


def test_a_pipeline_is_changed_compared_and_seen_as_it_was(churn: Pipeline, session: Session) -> None:
    churn.update(params={"C": 0.5}, seed=7).update(name="churn-2", drop="island")
    assert (churn.name, churn.version, churn.recipe["drop"]) == ("churn-2", 3, ("island",))
    assert [(v.version, v.changed) for v in churn.versions] == [
        (1, ()),
        (2, ("params", "seed")),
        (3, ("name", "drop")),
    ]
    assert churn.compare() == (Change(name="drop", before=[], after=["island"]),)
    assert pipelines.differences(churn.compare(1, 2)) == "seed  0     →  7\nC     None  →  0.5"
    assert churn.at(1).recipe == find("churn-2@1", session).recipe
    assert (churn.at(1).recipe["seed"], churn.at(1).newest) == (0, 3)
    assert repr(churn.at(1)) == "<Pipeline churn-2 v1 logistic on penguins.csv → species>"


def test_a_change_to_what_somebody_else_changed_meanwhile_is_refused(
    churn: Pipeline, session: Session
) -> None:
    other = find("churn", session)
    other.update(seed=1)
    with pytest.raises(PipelineChanged, match="is at version 2, and these changes were made to 1"):
        churn.update(seed=2)
    assert find("churn", session).recipe["seed"] == 1


def test_it_is_found_by_name_version_and_id(churn: Pipeline, session: Session) -> None:
    copy = churn.duplicate("churn copy")
    for ref in ("churn copy", "churn copy@1", copy.id, f"{copy.id}@1"):
        assert find(ref, session).record == copy.record
    for ref, hint in (("chrun", 'Did you mean "churn"?'), ("churn@9", "Its newest is 1."), ("churn@x", "")):
        with pytest.raises(PipelineNotFoundError) as caught:
            find(ref, session)
        assert hint in str(caught.value)
    listed = [replace(each.record, id=f"p-7{number}") for number, each in enumerate((churn, copy))]
    with pytest.raises(AmbiguousIdError, match='"p-7" matches 2 pipelines: churn, churn copy'):
        pipelines._found("p-7", listed)
    with pytest.raises(NameTakenError):
        churn.duplicate("churn copy")


def test_a_run_is_a_job_and_its_changes_are_for_once(churn: Pipeline, session: Session) -> None:
    job = churn.run(seed=7)
    assert (job.name, job.wait().pipeline.version, job.changes) == (
        "churn",
        1,
        (Change(name="seed", before=0, after=7),),
    )
    assert find("churn", session).version == 1
    assert save("churn", job, session).recipe["seed"] == 7
    assert save("churn", job.id, session).version == 2


def test_a_recipe_on_a_dataset_runs_on_the_version_it_was_kept_with(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = PENGUINS.read_bytes()
    for table in (content, content[: content.rindex(b"\n", 0, -1) + 1]):
        newest = session.upload(io.BytesIO(table), "penguins.csv", "birds of recipes", lambda *_: None)
    kept = save("on a dataset", {**RECIPE, "data": "birds of recipes@1"}, session)
    try:
        data = kept.recipe["data"]
        assert (data.dataset, data.version, data.path) == (newest.id, 1, None)
        first, other = kept.run(), kept.run(data="birds of recipes")
        for job, version in ((first, 1), (other, 2)):
            record = job.wait().record
            assert record.dataset is not None
            assert (record.status, record.dataset.id, record.dataset.version) == (
                "completed",
                newest.id,
                version,
            )
        kept.update(data="birds of recipes")
        assert (kept.version, kept.recipe["data"].version) == (2, 2)
        with pytest.raises(DatasetNotFoundError, match=r'Close: dataset "birds of recipes" \(v2\)'):
            kept.update(data="birds of recipe")
    finally:
        kept.delete()


def test_what_was_sent_from_memory_is_no_pipeline_and_it_says_what_to_do(session: Session) -> None:
    table = pd.read_csv(PENGUINS)
    job = session.train(table, "species", Options(model="logistic", cv=0, data_name="birds"))
    with pytest.raises(OptionError, match="sent from memory") as caught:
        save("birds", job, session)
    assert caught.value.code is not None
    assert "to_csv" in caught.value.code
    job.wait()
    for wrong, said in (
        ({**RECIPE, "data": table}, "data is a DataFrame, which no recipe can name."),
        ({**RECIPE, "model": object()}, "model is a object object"),
        ({**RECIPE, "sed": 7}, 'Did you mean "seed"?'),
        ({"target": "y"}, "This is no recipe"),
    ):
        with pytest.raises(OptionError) as refused:
            save("birds", wrong, session)
        assert said in str(refused.value)


def test_a_deleted_pipeline_comes_back(churn: Pipeline, session: Session) -> None:
    churn.delete()
    with pytest.raises(PipelineNotFoundError):
        find("churn", session)
    assert churn.restore().version == 1
    assert find("churn", session).record == churn.record


def test_all_that_stands_against_a_run_is_raised_before_it_is_queued(
    churn: Pipeline, session: Session
) -> None:
    before = session.jobs(1)
    with pytest.raises(MlopsError, match='no column "specie"'):
        churn.run(target="specie")
    assert session.jobs(1) == before


@pytest.mark.parametrize("name", ["<b>x</b>", "'; DROP TABLE pipelines; --", "流失", "a b"])
def test_hostile_names_are_names(name: str, session: Session) -> None:
    hostile: Any = save(name, RECIPE, session)
    assert find(name, session).record == hostile.record
    assert name in pipelines.table(session.pipelines())
    hostile.delete()
