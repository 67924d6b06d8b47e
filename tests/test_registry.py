"""Versions are given once, whatever becomes of models, folders and the database."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from mlops_jupyter.core import facts, wire
from mlops_jupyter.core.errors import InputError, ModelNotFoundError, ModelStateError
from mlops_jupyter.core.jobs import Dataset
from mlops_jupyter.core.models import Model, Provenance, Split
from mlops_jupyter.registry import Registry
from mlops_jupyter.store import Store, migrations
from tests.core.builders import a_job
from tests.desk import SPEC, Desk

JOBS = [f"j-{n}00000000000" for n in range(1, 9)]
MODELS = ["m" + job_id[1:] for job_id in JOBS]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def complete(desk: Desk, number: int, name: str = "churn") -> Model:
    """A job that ends with a model; its file is there."""
    job_id = JOBS[number]
    run = desk.begin(job_id, name=name)
    (desk.jobs / job_id / "model").mkdir()
    (desk.jobs / job_id / "model" / "model.skops").write_bytes(b"a model")
    run.tell(facts.ModelSaved, sha256="ab", bytes=7, signature={"inputs": []})
    run.tell(facts.WorkFinished)
    desk.end(job_id)
    desk.read_all(job_id)
    desk.intake.look(job_id, desk.jobs / job_id)
    shelved = desk.path.parent / "models" / MODELS[number] / "meta.json"
    # The intake's own thread may have been quicker with the end, and is writing it.
    while not shelved.exists():
        time.sleep(0.01)
    return desk.store.read(lambda reading: reading.model(MODELS[number]))


def registry(desk: Desk) -> Registry:
    return Registry(desk.store, desk.records, desk.shelves, desk.jobs)


def change(desk: Desk, model: Model, **order: object) -> Model:
    return asyncio.run(registry(desk).change(model.model_id, "ada", **order))  # type: ignore[arg-type]


def delete(desk: Desk, model: Model) -> None:
    asyncio.run(registry(desk).delete(model.model_id, "ada"))


def labels(desk: Desk) -> list[tuple[str, tuple[str, ...], str]]:
    models = desk.store.read(lambda reading: reading.models(-1))
    return sorted((model.label, model.aliases, model.status) for model in models)


def lose(desk: Desk) -> None:
    desk.let_go()
    for path in desk.path.parent.glob("store.sqlite*"):
        path.unlink()
    desk.open()


def test_a_completed_job_registers_its_model_under_the_next_version_of_its_name(desk: Desk) -> None:
    """P3."""
    model = complete(desk, 0)
    assert model == Model(
        model_id=MODELS[0],
        name="churn",
        version=1,
        created=model.created,
        estimator=None,
        task=None,
        target=None,
        metric="accuracy",
        metrics={},
        split=Split(rule="random", test_size=0.2, test=None, cv=5, refit=False, seed=0),
        signature={"inputs": []},
        environment={"python": "3.11"},
        provenance=Provenance(job_id=JOBS[0], submitted_by="ada"),
        sha256="ab",
        size=7,
    )
    assert [complete(desk, n, name).label for n, name in ((1, "churn"), (2, "x@y"), (3, "churn"))] == [
        "churn v2",
        "x@y v1",
        "churn v3",
    ]
    (first, *_) = desk.events("model_status")
    told = {name: first[name] for name in ("model_id", "name", "version", "previous", "status", "by")}
    assert told == {
        "model_id": MODELS[0],
        "name": "churn",
        "version": 1,
        "previous": None,
        "status": "registered",
        "by": "ada",
    }


def test_an_alias_moves_to_one_version_of_its_name_in_one_transaction(desk: Desk) -> None:
    one, two = complete(desk, 0), complete(desk, 1)
    other = complete(desk, 2, "digits")
    change(desk, one, give=["champion", "prod"])
    change(desk, other, give=["champion"])
    assert change(desk, two, give=["champion"]).aliases == ("champion",)
    assert labels(desk) == [
        ("churn v1", ("prod",), "registered"),
        ("churn v2", ("champion",), "registered"),
        ("digits v1", ("champion",), "registered"),
    ]
    change(desk, two, take=["champion"], give=["challenger"])
    moves = [
        (e["name"], e["alias"], e["model_id"], e["previous"], e["by"]) for e in desk.events("model_aliased")
    ]
    assert moves == [
        ("churn", "champion", one.model_id, None, "ada"),
        ("churn", "prod", one.model_id, None, "ada"),
        ("digits", "champion", other.model_id, None, "ada"),
        ("churn", "champion", two.model_id, one.model_id, "ada"),
        ("churn", "champion", None, two.model_id, "ada"),
        ("churn", "challenger", two.model_id, None, "ada"),
    ]
    rows = [row["activity"] for row in desk.events("activity_update")]
    assert [row["description"] for row in rows if row["kind"] == "model"][3:5] == [
        'churn v2 is now "champion", by ada',
        'churn: nothing is "champion" any more, by ada',
    ]


def test_a_change_that_cannot_be_made_whole_is_not_made_at_all(desk: Desk) -> None:
    model = complete(desk, 0)
    with pytest.raises(InputError):
        change(desk, model, give=["champion", "v3"])
    assert labels(desk) == [("churn v1", (), "registered")]
    assert desk.events("model_aliased") == []
    with pytest.raises(ModelNotFoundError):
        change(desk, replace(model, model_id="m-" + "9" * 12), retired=True)


def test_a_retired_model_gets_no_alias_until_it_is_brought_back(desk: Desk) -> None:
    model = complete(desk, 0)
    assert change(desk, model, retired=True).status == "retired"
    assert change(desk, model, retired=True).status == "retired"
    with pytest.raises(ModelStateError, match="is retired"):
        change(desk, model, give=["champion"])
    assert change(desk, model, retired=False).status == "registered"
    told = [(e["previous"], e["status"]) for e in desk.events("model_status")]
    assert told == [(None, "registered"), ("registered", "retired"), ("retired", "registered")]
    titles = [row["activity"]["title"] for row in desk.events("activity_update")]
    assert titles[-2:] == ["Model retired", "Model no longer retired"]


@pytest.mark.parametrize("status", ["deploying", "deployed"])
def test_a_model_that_answers_is_neither_retired_nor_deleted(desk: Desk, status: str) -> None:
    model = complete(desk, 0)
    desk.store.write(lambda tx: tx.put_model(replace(model, status=status))).result(10)  # type: ignore[arg-type]
    with pytest.raises(ModelStateError, match=f"churn v1 is {status}: it cannot be retired"):
        change(desk, model, retired=True)
    with pytest.raises(ModelStateError, match=f"churn v1 is {status}: it cannot be deleted"):
        delete(desk, model)
    assert labels(desk) == [("churn v1", (), status)]


def test_what_is_deleted_is_gone_with_its_file_and_its_job_says_so(desk: Desk) -> None:
    complete(desk, 0)
    two = complete(desk, 1)
    delete(desk, two)
    job = desk.store.read(lambda reading: reading.job(JOBS[1]))
    assert job.status == "completed"
    assert (job.model_id, job.model_file) == (None, None)
    assert (job.model_missing_reason or "").startswith("churn v2 was deleted by ada on 20")
    assert not (desk.jobs / JOBS[1] / "model").exists()
    (event,) = desk.events("model_deleted")
    assert (event["name"], event["version"], event["job"]["model_id"]) == ("churn", 2, None)
    with pytest.raises(ModelNotFoundError, match="v2 of it was deleted"):
        desk.store.read(lambda reading: reading.find_model("churn@2"))
    # The newest is gone, its number is not free.
    assert complete(desk, 2).version == 3


def test_a_lost_database_gets_versions_aliases_and_states_back_and_gives_no_version_twice(desk: Desk) -> None:
    """P5."""
    models = [complete(desk, n) for n in range(4)]
    change(desk, models[1], give=["champion"])
    change(desk, models[2], give=["champion"], retired=None)
    change(desk, models[0], retired=True)
    delete(desk, models[3])
    before = desk.store.read(lambda reading: reading.models(-1))
    lose(desk)
    assert sorted(desk.store.read(lambda reading: reading.models(-1)), key=lambda m: m.version) == sorted(
        before, key=lambda m: m.version
    )
    assert desk.store.read(lambda reading: reading.job(JOBS[3])).model_id is None
    assert complete(desk, 4).version == 5


def test_models_whose_folders_are_lost_with_the_database_are_numbered_by_age(desk: Desk) -> None:
    for number in (2, 0, 1):
        complete(desk, number)
    desk.let_go()
    for path in (desk.path.parent / "models").glob("*/meta.json"):
        path.unlink()
    desk.open()
    lose(desk)
    found = desk.store.read(lambda reading: [reading.model(model_id) for model_id in MODELS[:3]])
    ages = sorted(range(3), key=lambda n: (found[n].created, found[n].job_id))
    assert [found[n].version for n in ages] == [1, 2, 3]


def test_a_database_that_lost_its_end_knows_deletions_and_aliases_again(desk: Desk) -> None:
    """P5."""
    one, two = complete(desk, 0), complete(desk, 1)
    desk.let_go()
    aside = {path: path.read_bytes() for path in desk.path.parent.glob("store.sqlite*")}
    desk.open()
    change(desk, one, give=["champion"])
    delete(desk, two)
    epoch = desk.store.epoch
    desk.let_go()
    for path in desk.path.parent.glob("store.sqlite*"):
        path.unlink()
    for path, body in aside.items():
        path.write_bytes(body)
    desk.open()
    assert labels(desk) == [("churn v1", ("champion",), "registered")]
    assert desk.store.read(lambda reading: reading.job(JOBS[1])).model_id is None
    assert desk.store.epoch != epoch
    assert complete(desk, 2).version == 3


def test_a_deletion_that_was_cut_off_is_finished_by_the_next_server(desk: Desk) -> None:
    model = complete(desk, 0)
    kept = complete(desk, 1)
    desk.store.write(lambda tx: tx.delete_model(model, "churn v1 was deleted by ada.")).result(10)
    (desk.path.parent / "models" / kept.model_id / "meta.json").unlink()
    asyncio.run(registry(desk).tidy())
    assert not (desk.jobs / JOBS[0] / "model").exists()
    assert (desk.jobs / JOBS[1] / "model").exists()
    # What the folders say is enough by now.
    lose(desk)
    assert labels(desk) == [("churn v2", (), "registered")]


def test_a_copied_folder_makes_no_second_model_of_one_version(desk: Desk) -> None:
    complete(desk, 0)
    complete(desk, 1)
    path = desk.path.parent / "models" / MODELS[1] / "meta.json"
    shelved = msgspec.json.decode(path.read_bytes())
    shelved["model"]["version"] = 1
    path.write_bytes(msgspec.json.encode(shelved))
    lose(desk)
    assert [label for label, *_ in labels(desk)] == ["churn v1", "churn v2"]


def test_what_answered_counts_as_that_only_where_its_endpoint_is_known(desk: Desk) -> None:
    model = complete(desk, 0)
    desk.store.write(lambda tx: tx.put_model(replace(model, status="deployed"))).result(10)
    desk.shelves.keep(model.model_id)
    lose(desk)
    assert labels(desk) == [("churn v1", (), "registered")]


def test_a_folder_nobody_can_read_costs_its_own_model_its_version_only(desk: Desk) -> None:
    complete(desk, 0)
    complete(desk, 1)
    (desk.path.parent / "models" / MODELS[0] / "meta.json").write_bytes(b"{torn")
    (desk.path.parent / "models" / "no model").mkdir()
    lose(desk)
    assert [label for label, *_ in labels(desk)] == ["churn v2", "churn v3"]


@pytest.mark.parametrize(
    ("ref", "model"),
    [
        ("churn", 2),
        ("churn@1", 0),
        ("churn@v1", 0),
        ("churn@champion", 0),
        (MODELS[0], 0),
        ("m-3", 2),
        ("a@1", 4),
        ("a@1@1", 4),
        ("m-1", 3),
        (MODELS[0][:-1], 0),
    ],
)
def test_a_reference_stands_for_one_model(desk: Desk, ref: str, model: int) -> None:
    one, two = complete(desk, 0), complete(desk, 1)
    complete(desk, 2)
    complete(desk, 3, "m-1")
    complete(desk, 4, "a@1")
    change(desk, one, give=["champion"])
    change(desk, two, retired=True)
    assert desk.store.read(lambda reading: reading.find_model(ref)).model_id == MODELS[model]


def test_models_of_a_store_from_before_versions_get_them_by_age(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    db = sqlite3.connect(path, isolation_level=None)
    with pytest.MonkeyPatch.context() as before:
        before.setattr(migrations, "STEPS", migrations.STEPS[: migrations.STEPS.index(migrations.REGISTRY)])
        migrations.migrate(db, epoch="e")
    for number, (job_id, created) in enumerate(zip(JOBS, ("03", "01", "02"), strict=False)):
        job = a_job(job_id=job_id, name="churn", final_score=0.5, submitted_by="ada")
        spec = replace(SPEC, split="time:when", test_size=0.25)
        old = {
            "model_id": MODELS[number],
            "name": "churn",
            "job_id": job_id,
            "status": "registered",
            "created": f"2026-11-{created}T00:00:00.000Z",
            "estimator": "rf",
            "task": "classification",
            "target": "species",
            "metrics": {"test_accuracy": 0.5},
            "dataset": {"name": "penguins.csv", "id": None, "hash": "cd", "rows": 3, "columns": 2},
            "versions": {"python": "3.11"},
            "file": {"sha256": "ab", "bytes": 7, "signature": {"inputs": []}},
        }
        db.execute(
            "INSERT INTO jobs (job_id, status, kind, record, spec) VALUES (?,?,?,?,?)",
            (job_id, "completed", "rf", wire.encode(job), wire.encode(spec)),
        )
        db.execute("INSERT INTO models VALUES (?,?,?)", (MODELS[number], job_id, wire.encode(old)))
    db.execute("INSERT INTO models VALUES (?,?,?)", (MODELS[7], JOBS[7], b"no record"))
    db.close()
    store = Store(path, lambda stored: None)
    found = store.read(lambda reading: reading.versions("churn"))
    assert [(model.version, model.model_id) for model in found] == [
        (3, MODELS[0]),
        (2, MODELS[2]),
        (1, MODELS[1]),
    ]
    assert found[0] == Model(
        model_id=MODELS[0],
        name="churn",
        version=3,
        created=found[0].created,
        estimator="rf",
        task="classification",
        target="species",
        metric="accuracy",
        score=0.5,
        metrics={"test_accuracy": 0.5},
        split=Split(rule="time:when", test_size=0.25, test=None, cv=5, refit=False, seed=0),
        signature={"inputs": []},
        environment={"python": "3.11"},
        provenance=Provenance(
            job_id=JOBS[0],
            submitted_by="ada",
            dataset=Dataset(name="penguins.csv", hash="cd", rows=3, columns=2),
        ),
        sha256="ab",
        size=7,
    )
    assert store.read(lambda reading: reading.highest_version("churn")) == 3
    store.close()
