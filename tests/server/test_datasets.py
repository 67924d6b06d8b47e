"""Datasets by REST: looked at, trained on by their versions, registered in place."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from mlops_jupyter import __version__
from tests.server.conftest import PENGUINS

BYTES = {"Content-Type": "application/octet-stream", "Upload-Offset": "0"}


@pytest.fixture
def dataset(ask) -> Callable[..., Any]:
    """``await dataset(b"…", name)``: the record of what was uploaded."""

    async def head() -> int:
        head: int = (await ask("GET", "datasets"))[1]["head"]
        return head

    async def dataset(
        content: bytes, name: str = "penguins", filename: str = "penguins.csv"
    ) -> dict[str, Any]:
        wanted = {"filename": filename, "bytes": len(content), "name": name}
        upload = (await ask("POST", "uploads", wanted))[1]["upload_id"]
        await ask("PATCH", f"uploads/{upload}", content, headers=BYTES)
        await ask("POST", f"uploads/{upload}/finish", {})
        while (state := (await ask("GET", f"uploads/{upload}"))[1])["state"] == "reading":
            await ask("GET", f"events?since={await head()}&wait=0.2", request_timeout=30)
        assert state["state"] == "completed", state
        return (await ask("GET", f"datasets/{state['dataset_id']}"))[1]

    return dataset


@pytest.fixture
def train(ask, until) -> Callable[..., Any]:
    async def train(source: dict[str, Any], target: str = "species", **options: Any) -> dict[str, Any]:
        spec = {"data": source, "target": target, "model": "rf", "cv": 0, "version": __version__, **options}
        status, job = await ask("POST", "jobs", spec)
        assert status == 201, job
        return await until(job["job_id"], lambda job: job["end_time"] is not None)

    return train


async def test_a_job_uses_a_version_says_which_and_the_dataset_knows_its_jobs_and_models(
    ask, dataset, train
) -> None:
    content = PENGUINS.read_bytes()
    first = await dataset(content)
    second = await dataset(content[: content.rindex(b"\n", 0, -1) + 1])
    assert (first["id"], second["current"]["version"]) == (second["id"], 2)
    old = await train({"dataset": first["id"], "version": 1})
    new = await train({"dataset": first["id"]})
    assert [job["status"] for job in (old, new)] == ["completed", "completed"], (old["error"], new["error"])
    for job, version in ((old, first["current"]), (new, second["current"])):
        assert job["dataset"] == {
            "name": "penguins",
            "id": first["id"],
            "version": version["version"],
            "hash": version["sha256"],
            "rows": version["rows"],
            "columns": version["columns"],
        }
    _, lineage = await ask("GET", f"datasets/{first['id']}/lineage")
    used = [(job["job_id"], job["dataset_version"]) for job in lineage["jobs"]]
    assert used == [(new["job_id"], 2), (old["job_id"], 1)]
    assert {model["model_id"] for model in lineage["models"]} == {old["model_id"], new["model_id"]}
    status, refused = await ask("DELETE", f"datasets/{first['id']}", {})
    assert (status, refused["reason"]) == (409, "DatasetInUse")
    assert old["job_id"] in refused["message"]
    assert (await ask("GET", f"datasets/{first['id']}"))[0] == 200
    status, again = await ask("POST", f"jobs/{old['job_id']}/rerun", {"changes": {"seed": 1}})
    assert (status, again["dataset"]["version"]) == (201, 1)


async def test_lineage_tells_the_version_of_a_test_table_not_that_of_the_training_table(
    ask, dataset, train
) -> None:
    content = PENGUINS.read_bytes()
    learned = await dataset(content)
    held = await dataset(content[: content.rindex(b"\n", 0, -1) + 1], "held out")
    await dataset(content, "held out")
    job = await train({"dataset": learned["id"]}, test={"dataset": held["id"], "version": 2})
    both = await train({"dataset": held["id"], "version": 2}, test={"dataset": held["id"], "version": 1})
    _, lineage = await ask("GET", f"datasets/{held['id']}/lineage")
    for used in (lineage["jobs"], lineage["models"]):
        assert [(each["job_id"], each["dataset_version"], each["used_as"]) for each in used] == [
            (both["job_id"], 2, "training"),
            (job["job_id"], 2, "test"),
        ]


async def test_a_dataset_that_a_pipeline_is_for_stays_until_that_is_changed(ask, dataset) -> None:
    found = await dataset(PENGUINS.read_bytes())
    recipe = {"data": {"dataset": found["id"]}, "target": "species", "model": "rf"}
    _, pipeline = await ask("POST", "pipelines", {"name": "churn", "recipe": recipe})
    status, refused = await ask("DELETE", f"datasets/{found['id']}", {})
    assert (status, refused["reason"]) == (409, "DatasetInUse")
    assert refused["message"].startswith('penguins is what "churn" trains on.')
    other = await dataset(PENGUINS.read_bytes(), "other")
    changed = {"recipe": {**recipe, "data": {"dataset": other["id"]}}}
    path = f"pipelines/{pipeline['id']}"
    assert (await ask("PUT", path, changed, headers={"If-Match": '"1"'}))[0] == 200
    assert (await ask("DELETE", f"datasets/{found['id']}", {}))[0] == 200
    assert (await ask("DELETE", path))[0] == 200
    assert (await ask("DELETE", f"datasets/{other['id']}", {}))[0] == 200


async def test_a_dataset_that_is_not_there_is_named(ask) -> None:
    spec = {"target": "y", "version": __version__, "data": {"dataset": "d-7f3a00000000", "version": 3}}
    status, refused = await ask("POST", "jobs", spec)
    assert (status, refused["reason"]) == (404, "NoSuchDataset")
    assert 'no dataset "d-7f3a00000000@3"' in refused["message"]


async def test_a_stored_file_that_was_changed_is_not_trained_on(ask, dataset, train, rooms) -> None:
    """P4."""
    found = await dataset(PENGUINS.read_bytes())
    place = rooms.datasets.place(*await rooms.datasets.version(found["id"], None))
    place.write_bytes(place.read_bytes().replace(b"Adelie", b"Adolie"))
    job = await train({"dataset": found["id"]})
    assert (job["status"], job["error"]) == (
        "failed",
        "penguins is not what was registered: its file was changed.",
    )


async def test_a_preview_has_problems_first_kinds_distributions_and_a_target(ask, dataset) -> None:
    rows = [
        f"c{n},{n / 7:.3f},{n % 5 == 0},{n if n % 20 else ' '},same,{'yes' if n % 3 else 'no'}"
        for n in range(200)
    ]
    table = "customer,charge,senior,total,country,churn\n" + "\n".join(rows)
    found = await dataset(table.encode(), "customers")
    status, preview = await ask("GET", f"datasets/{found['id']}/preview")
    assert status == 200
    kinds = {column["name"]: column["kind"] for column in preview["columns"]}
    assert kinds == {
        "customer": "text",
        "charge": "number",
        "senior": "boolean",
        "total": "text",
        "country": "category",
        "churn": "category",
    }
    assert [(problem["code"], problem["column"]) for problem in preview["problems"]] == [
        ("numbers_as_text", "total"),
        ("constant_column", "country"),
        ("id_like_column", "customer"),
    ]
    assert (
        preview["problems"][0]["message"] == '"total": 10 blanks read as text; the other values are numbers.'
    )
    by_name = {column["name"]: column for column in preview["columns"]}
    assert sum(by_name["charge"]["histogram"]["counts"]) == 200
    assert by_name["churn"]["top"] == [{"value": "yes", "count": 133}, {"value": "no", "count": 67}]
    assert preview["suggested_target"] == {"name": "churn", "reason": "It is called so; 2 classes."}
    assert preview["rows"][0] == ["c0", 0.0, True, " ", "same", "no"]
    assert (len(preview["rows"]), preview["profiled_rows"]) == (20, 200)


async def test_a_second_look_reads_what_was_kept_and_one_that_was_lost_is_made_again(
    ask, dataset, rooms
) -> None:
    found = await dataset(PENGUINS.read_bytes())
    path = f"datasets/{found['id']}/preview"
    _, first = await ask("GET", path)
    place = rooms.datasets.place(*await rooms.datasets.version(found["id"], None))
    kept = place.with_name(f"{place.stem}.preview.json")
    kept.unlink()
    assert (await ask("GET", path))[1] == first
    place.unlink()
    assert (await ask("GET", path))[1] == first


async def test_a_table_of_one_row_says_why_it_cannot_train(ask, dataset) -> None:
    found = await dataset(b"a,y\n1,0\n", "one")
    _, preview = await ask("GET", f"datasets/{found['id']}/preview")
    problem = preview["problems"][0]
    assert (problem["severity"], problem["message"]) == (
        "fatal",
        "1 row: training, validation and hold-out need 10 or more.",
    )
    assert preview["suggested_target"] is None
    spec = {"data": {"dataset": found["id"]}, "target": "y", "model": "rf", "version": __version__}
    status, refused = await ask("POST", "jobs", spec)
    assert (status, refused["reason"]) == (400, "DataError")
    assert "10 or more" in refused["message"]


async def test_a_file_is_registered_where_it_is(ask, train, jp_root_dir) -> None:
    shutil.copy(PENGUINS, jp_root_dir / "penguins.csv")
    status, found = await ask("POST", "datasets", {"path": "penguins.csv", "name": "birds"})
    assert (status, found["name"], found["current"]["path"]) == (
        201,
        "birds",
        str(jp_root_dir / "penguins.csv"),
    )
    assert (await ask("POST", "datasets", {"path": "penguins.csv", "name": "birds"}))[1] == found
    job = await train({"dataset": found["id"]})
    assert (job["status"], job["dataset"]["id"]) == ("completed", found["id"])
    changed = PENGUINS.read_bytes().replace(b"Adelie", b"Adolie")
    (jp_root_dir / "penguins.csv").write_bytes(changed)
    job = await train({"dataset": found["id"]})
    assert job["error"] == "birds is not what was registered: its file was changed."


async def test_by_default_no_address_is_asked_for_a_dataset(ask, contents) -> None:
    """P30, F47: nobody connects, though somebody would answer."""
    hits: list[object] = []
    server = await asyncio.start_server(lambda reader, writer: hits.append(writer.close()), "127.0.0.1", 0)
    at = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    before = contents()
    for address in (
        *(f"{scheme}://{at}/a.csv" for scheme in ("http", "HTTPS", "ftp", "s3", "file")),
        *(f"//{at}/a.csv", f"\\\\{at}\\share\\a.csv", f"http:/{at}/a.csv", f" http://{at}/a.csv"),
    ):
        status, refused = await ask("POST", "datasets", {"path": address})
        assert (status, refused["reason"]) == (400, "DatasetNotFoundError"), address
    server.close()
    await server.wait_closed()
    assert hits == []
    assert contents() == before


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../etc/passwd",
        "link.csv",
        ".hidden.csv",
        "",
        "a\0b",
        "missing.csv",
        "http://127.0.0.1:1/a.csv",
        "file:///etc/passwd",
        "s3://bucket/key",
        r"\\host\share",
    ],
)
async def test_nothing_outside_the_folder_and_no_address_is_registered(
    ask, contents, jp_root_dir, path
) -> None:
    """P28, P30, F47."""
    (jp_root_dir / "link.csv").symlink_to("/etc/passwd")
    (jp_root_dir / ".hidden.csv").write_text("a\n1\n")
    before = contents()
    status, refused = await ask("POST", "datasets", {"path": path})
    assert (status, refused["reason"]) == (400, "DatasetNotFoundError")
    assert contents() == before
