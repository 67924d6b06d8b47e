"""Pipelines are kept in the store and in their folders, and nobody's change is lost."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mlops_jupyter import recipes as module
from mlops_jupyter.core import limits
from mlops_jupyter.core.errors import (
    NameTakenError,
    NoRoom,
    OptionError,
    PipelineChanged,
    PipelineNotFoundError,
    SubmissionError,
)
from mlops_jupyter.core.jobs import Source
from mlops_jupyter.core.pipelines import Pipeline, Recipe
from mlops_jupyter.recipes import Pipelines, lost
from mlops_jupyter.store import Store

RECIPE = Recipe(data=Source(path="/data/churn.csv"), target="churn", model="rf")


class Room:
    """A store and its pipelines; ``run`` waits for what is asked."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "store.sqlite"
        self.folder = folder / "pipelines"
        self.open()

    def open(self) -> None:
        self.store = Store(self.path, lambda stored: None, lost=partial(lost, self.folder))
        self.pipelines = Pipelines(self.store, self.folder)

    def create(self, name: str = "churn", recipe: Recipe = RECIPE) -> Pipeline:
        return asyncio.run(self.pipelines.create(name, recipe, "ada"))

    def update(self, seen: Pipeline, recipe: Recipe, name: str | None = None, by: str = "ada") -> Pipeline:
        return asyncio.run(self.pipelines.update(seen.id, seen.version, name, recipe, by))

    def told(self) -> list[tuple[str, str]]:
        """Types of events, and what the feed says."""
        rows = self.store.read(lambda reading: reading._db.execute("SELECT type FROM events").fetchall())
        return [kind for (kind,) in rows]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.store.close()


def test_each_change_is_a_version_and_earlier_ones_stay(room: Room) -> None:
    first = room.create()
    second = room.update(first, replace(RECIPE, seed=7))
    third = room.update(second, replace(RECIPE, seed=7, cv=3), "churn-2")
    assert (third.version, third.newest, third.name, third.recipe.cv) == (3, 3, "churn-2", 3)
    assert third.versions is not None
    assert [(v.version, v.name, v.changed) for v in third.versions] == [
        (1, "churn", ()),
        (2, "churn", ("seed",)),
        (3, "churn-2", ("name", "cv")),
    ]
    shown = asyncio.run(room.pipelines.shown(first.id, 1))
    assert (shown.version, shown.newest, shown.recipe) == (1, 3, RECIPE)
    assert [each.name for each in asyncio.run(room.pipelines.listed())] == ["churn-2"]
    assert room.told() == [
        *("pipeline_created", "activity_update"),
        *("pipeline_updated", "activity_update"),
        *("pipeline_updated", "activity_update"),
    ]


def test_what_changes_nothing_is_no_version_and_no_event(room: Room) -> None:
    first = room.create()
    assert room.update(first, RECIPE) == first
    assert room.told() == ["pipeline_created", "activity_update"]


def test_of_two_who_change_the_same_version_at_once_one_is_told_to_look_again(room: Room) -> None:
    """No lost updates, whoever is first."""
    first = room.create()

    async def both() -> list[Any]:
        changes = [
            room.pipelines.update(first.id, first.version, None, replace(RECIPE, seed=seed), by)
            for seed, by in ((1, "ada"), (2, "grace"))
        ]
        return await asyncio.gather(*changes, return_exceptions=True)

    found = asyncio.run(both())
    refused = [each for each in found if isinstance(each, PipelineChanged)]
    (kept,) = (each for each in found if isinstance(each, Pipeline))
    assert [error.current for error in refused] == [2]
    assert f"{kept.by} changed seed meanwhile" in str(refused[0])
    newest = asyncio.run(room.pipelines.shown(first.id))
    assert (newest.version, newest.recipe.seed, newest.by) == (2, kept.recipe.seed, kept.by)


def test_of_two_servers_on_one_store_neither_loses_the_others_change(room: Room, tmp_path: Path) -> None:
    """The folder has what the store has, whoever wrote last."""
    other = Room(tmp_path)
    try:
        seen = room.create()
        for turn in range(6):
            first, second = (room, other) if turn % 2 else (other, room)
            changed = first.update(seen, replace(RECIPE, seed=turn + 1))
            with pytest.raises(PipelineChanged):
                second.update(seen, replace(RECIPE, seed=99))
            seen = changed
    finally:
        other.store.close()
    files = sorted(path.name for path in (room.folder / seen.id).iterdir())
    assert files == [*(f"{n}.json" for n in range(1, 8)), "meta.json"]


def test_a_name_belongs_to_one_pipeline_at_a_time(room: Room) -> None:
    first = room.create()
    other = room.create("other")
    with pytest.raises(NameTakenError):
        room.create()
    with pytest.raises(NameTakenError):
        room.update(other, RECIPE, "churn")
    asyncio.run(room.pipelines.delete(first.id, "ada"))
    assert room.update(other, RECIPE, "churn").name == "churn"
    with pytest.raises(NameTakenError):
        asyncio.run(room.pipelines.restore(first.id, "ada"))


def test_a_deleted_pipeline_is_there_again_for_a_day(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    first = room.create()
    deleted = asyncio.run(room.pipelines.delete(first.id, "ada"))
    assert deleted.deleted is not None
    assert asyncio.run(room.pipelines.listed()) == []
    for gone in (room.pipelines.shown(first.id), room.pipelines.delete(first.id, "ada")):
        with pytest.raises(PipelineNotFoundError, match="was deleted"):
            asyncio.run(gone)
    assert asyncio.run(room.pipelines.restore(first.id, "ada")) == first
    assert asyncio.run(room.pipelines.restore(first.id, "ada")) == first
    assert room.told()[::2] == ["pipeline_created", "pipeline_deleted", "pipeline_created"]
    asyncio.run(room.pipelines.delete(first.id, "ada"))
    monkeypatch.setattr(module, "KEPT_SECONDS", -1.0)
    with pytest.raises(PipelineNotFoundError, match="for good"):
        asyncio.run(room.pipelines.restore(first.id, "ada"))
    second = room.create()
    assert [path.name for path in room.folder.iterdir()] == [second.id]
    with pytest.raises(PipelineNotFoundError, match="no pipeline"):
        asyncio.run(room.pipelines.restore(first.id, "ada"))


def test_all_that_is_wrong_with_a_recipe_is_said_when_it_is_kept(room: Room) -> None:
    wrong = replace(RECIPE, model="rff", metric="acuracy", cv=1, split="groups", drop=("churn",))
    with pytest.raises(SubmissionError) as caught:
        room.create(recipe=wrong)
    said = [problem.message for problem in caught.value.problems]
    assert said == [
        '"churn" is the target and cannot be dropped.',
        'no model "rff".',
        "cv=1 is no number of folds.",
        'no metric "acuracy".',
        'split="groups" is none of "random", "group:<column>", "time:<column>".',
    ]
    assert asyncio.run(room.pipelines.listed()) == []


def test_parameters_are_checked_against_their_class_in_a_process_of_its_own(room: Room) -> None:
    with pytest.raises(OptionError, match='"max_dept" is no parameter') as caught:
        room.create(recipe=replace(RECIPE, params={"max_dept": 3}))
    assert caught.value.hint == 'Did you mean "max_depth"?'
    assert room.create(recipe=replace(RECIPE, params={"max_depth": 3})).version == 1


def test_what_only_a_table_can_tell_stands_against_no_recipe(room: Room) -> None:
    """Whether the target is a class or a number decides if r2 or logistic is right."""
    room.create("a", replace(RECIPE, model=None, metric="r2"))
    room.create("b", replace(RECIPE, model="logistic"))
    with pytest.raises(OptionError, match='metric "r2" does not score classification'):
        room.create("c", replace(RECIPE, model=None, metric="r2", task="classification"))


def test_more_pipelines_or_versions_than_the_limit_are_refused(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PIPELINES", 1)
    monkeypatch.setattr(limits, "VERSIONS", 1)
    first = room.create()
    with pytest.raises(NoRoom):
        room.create("other")
    with pytest.raises(NoRoom):
        room.update(first, replace(RECIPE, seed=1))


def test_a_lost_database_is_made_again_from_the_folders(room: Room) -> None:
    """P5: all versions, and what was deleted in the last day is still to be restored."""
    first = room.update(room.create(), replace(RECIPE, seed=7))
    gone = room.create("gone")
    asyncio.run(room.pipelines.delete(gone.id, "ada"))
    epoch = room.store.epoch
    room.store.close()
    for path in room.path.parent.glob("store.sqlite*"):
        path.unlink()
    room.open()
    assert asyncio.run(room.pipelines.shown(first.id)) == first
    assert room.store.epoch != epoch
    assert [each.name for each in asyncio.run(room.pipelines.listed())] == ["churn"]
    assert asyncio.run(room.pipelines.restore(gone.id, "ada")).name == "gone"


def test_a_database_that_lost_its_end_gets_the_versions_it_lost(room: Room) -> None:
    first = room.create()
    room.store.close()
    shutil.copy(room.path, room.path.with_suffix(".copy"))
    room.open()
    second = room.update(first, replace(RECIPE, seed=7))
    room.store.close()
    for path in room.path.parent.glob("store.sqlite-*"):
        path.unlink()
    room.path.with_suffix(".copy").rename(room.path)
    room.open()
    assert asyncio.run(room.pipelines.shown(first.id)) == second


def test_a_damaged_row_or_folder_holds_up_no_other(room: Room) -> None:
    damaged, whole = room.create("damaged"), room.create()
    (room.folder / damaged.id / "1.json").write_bytes(b"{")
    (room.folder / "p-000000000000").mkdir()
    room.store.close()
    with sqlite3.connect(room.path) as db:
        db.execute("UPDATE pipeline_versions SET record='{' WHERE pipeline_id=?", (damaged.id,))
    db.close()
    room.open()
    assert [each.id for each in asyncio.run(room.pipelines.listed())] == [whole.id]


def test_files_of_a_pipeline_are_the_users_alone(room: Room) -> None:
    first = room.create()
    folder = room.folder / first.id
    modes = {path.name: path.stat().st_mode & 0o777 for path in (room.folder, folder, *folder.iterdir())}
    assert modes == {"pipelines": 0o700, first.id: 0o700, "1.json": 0o600, "meta.json": 0o600}
