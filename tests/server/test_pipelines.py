"""REST for pipelines on a real server."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_server.auth import Authorizer

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def recipe(penguins) -> dict[str, Any]:
    return {"data": penguins["data"], "target": "species", "model": "rf"}


@pytest.fixture
def create(ask, recipe):
    async def create(name: str = "penguins") -> dict[str, Any]:
        status, pipeline = await ask("POST", "pipelines", {"name": name, "recipe": recipe})
        assert status == 201, pipeline
        return pipeline

    return create


async def test_a_pipeline_is_created_read_changed_deleted_and_restored(ask, create, recipe) -> None:
    first = await create()
    path = f"pipelines/{first['id']}"
    assert await ask("GET", path) == (200, first)
    changed = {"recipe": {**recipe, "seed": 7}, "name": "penguins-7"}
    status, second = await ask("PUT", path, changed, headers={"If-Match": '"1"'})
    assert (status, second["version"], second["recipe"]["seed"]) == (200, 2, 7)
    assert [v["changed"] for v in second["versions"]] == [[], ["name", "seed"]]
    status, shown = await ask("GET", f"{path}?version=1")
    assert (status, shown["recipe"], shown["newest"]) == (200, first["recipe"], 2)
    _, listed = await ask("GET", "pipelines")
    assert listed["pipelines"] == [{**second, "versions": None}]
    assert (await ask("DELETE", path))[0] == 200
    assert (await ask("GET", path))[0] == 404
    assert await ask("POST", f"{path}/restore", {}) == (200, second)
    _, feed = await ask("GET", "activity?kind=pipeline")
    assert [(row["activity"]["title"], row["activity"]["subject"]) for row in feed["activity"]] == [
        ("Pipeline restored", first["id"]),
        ("Pipeline deleted", first["id"]),
        ("Pipeline updated", first["id"]),
        ("Pipeline created", first["id"]),
    ]


async def test_the_entity_tag_is_the_version_that_was_sent(jp_fetch, create, recipe, ask) -> None:
    first = await create()
    path = f"pipelines/{first['id']}"
    await ask("PUT", path, {"recipe": {**recipe, "seed": 7}}, headers={"If-Match": '"1"'})
    for query, tag in (({}, '"2"'), ({"version": "1"}, '"1"')):
        response = await jp_fetch("mlops/api/pipelines", first["id"], params=query)
        assert response.headers["ETag"] == tag


async def test_a_change_to_what_was_not_seen_is_refused(ask, create, recipe) -> None:
    first = await create()
    path, body = f"pipelines/{first['id']}", {"recipe": {**recipe, "seed": 7}}
    status, answer = await ask("PUT", path, body)
    assert (status, answer["reason"]) == (428, "Send If-Match with the version that was changed")
    assert (await ask("PUT", path, body, headers={"If-Match": "*"}))[0] == 400
    assert (await ask("PUT", path, body, headers={"If-Match": '"1"'}))[0] == 200
    status, answer = await ask("PUT", path, {"recipe": recipe}, headers={"If-Match": '"1"'})
    assert (status, answer["reason"], answer["current"]) == (412, "PipelineChanged", 2)


async def test_a_name_that_is_taken_an_unknown_id_and_a_wrong_recipe_are_told(ask, create, recipe) -> None:
    first = await create()
    assert (await ask("POST", "pipelines", {"name": "penguins", "recipe": recipe}))[0] == 409
    assert (await ask("GET", "pipelines/p-000000000000"))[0] == 404
    assert (await ask("GET", f"pipelines/{first['id']}?version=9"))[0] == 404
    wrong = {**recipe, "model": "rff", "params": {"x": 1}}
    status, answer = await ask("POST", "pipelines", {"name": "other", "recipe": wrong})
    assert (status, [problem["message"] for problem in answer["problems"]]) == (400, ['no model "rff".'])
    for body in (
        {"name": "other"},
        {"name": "other", "recipe": {**recipe, "estimator_input": "i-1"}},
        {"name": 7, "recipe": recipe},
        [],
    ):
        assert (await ask("POST", "pipelines", body))[0] == 400


async def test_a_run_is_a_job_that_knows_its_pipeline_and_so_does_its_rerun(ask, create, until) -> None:
    first = await create()
    status, job = await ask("POST", f"pipelines/{first['id']}/run", {"changes": {"seed": 7, "cv": 0}})
    assert status == 201, job
    origin = {"id": first["id"], "name": "penguins", "version": 1}
    assert (job["name"], job["pipeline"]) == ("penguins", origin)
    assert job["changes"] == [
        {"name": "cv", "before": 5, "after": 0},
        {"name": "seed", "before": 0, "after": 7},
    ]
    ended = await until(job["job_id"], lambda job: job["status"] in ("completed", "failed"))
    assert (ended["status"], ended["pipeline"]) == ("completed", origin)
    status, again = await ask("POST", f"jobs/{job['job_id']}/rerun", {"changes": {"seed": 8}})
    assert (status, again["pipeline"], again["attempt"]) == (201, origin, 2)
    await ask("POST", f"jobs/{again['job_id']}/stop", {})
    await until(again["job_id"], lambda job: job["status"] in ("completed", "cancelled"))


async def test_all_that_the_table_says_against_a_run_is_told_before_anything_is_queued(
    ask, create, jp_root_dir
) -> None:
    first = await create()
    run = f"pipelines/{first['id']}/run"
    status, answer = await ask("POST", run, {"changes": {"target": "specie", "metric": "r2"}})
    assert (status, [problem["hint"] for problem in answer["problems"]]) == (
        400,
        ['Did you mean "species"?', 'Did you mean "accuracy"?'],
    )
    (jp_root_dir / "penguins.csv").unlink()
    status, answer = await ask("POST", run, {})
    assert (status, answer["reason"]) == (400, "DatasetNotFoundError")
    assert (await ask("POST", run, {"changes": {"sed": 1}}))[0] == 400
    assert (await ask("POST", run, {"version": 9}))[0] == 404
    assert (await ask("GET", "jobs"))[1]["jobs"] == []


async def test_the_same_run_sent_again_is_one_job(ask, create, until) -> None:
    first = await create()
    run, key = f"pipelines/{first['id']}/run", {"Idempotency-Key": "one"}
    jobs = [(await ask("POST", run, {"changes": {"cv": 0}}, headers=key))[1] for _ in range(2)]
    assert jobs[0]["job_id"] == jobs[1]["job_id"]
    await until(jobs[0]["job_id"], lambda job: job["status"] == "completed")


async def test_a_job_that_ran_becomes_a_pipeline_one_on_sent_data_does_not(
    ask, submit, until, penguins
) -> None:
    job = await submit(seed=7, cv=0, priority=1)
    status, pipeline = await ask("POST", "pipelines", {"name": "kept", "job_id": job["job_id"][:6]})
    assert status == 201, pipeline
    assert pipeline["recipe"]["seed"] == 7
    data = {name: value for name, value in pipeline["recipe"]["data"].items() if value is not None}
    assert data == {**penguins["data"], "name": "penguins.csv"}
    both = {"name": "other", "job_id": job["job_id"], "recipe": pipeline["recipe"]}
    assert (await ask("POST", "pipelines", both))[0] == 400
    await until(job["job_id"], lambda job: job["status"] == "completed")


async def test_versions_are_compared_and_a_copy_begins_with_one_of_them(ask, create, recipe) -> None:
    first = await create()
    path = f"pipelines/{first['id']}"
    changed = {"recipe": {**recipe, "model": "knn", "params": {"n_neighbors": 3}}}
    assert (await ask("PUT", path, changed, headers={"If-Match": '"1"'}))[0] == 200
    differ = [
        {"name": "model", "before": "rf", "after": "knn"},
        {"name": "n_neighbors", "before": None, "after": 3},
    ]
    assert await ask("GET", f"{path}/compare") == (200, differ)
    assert await ask("GET", f"{path}/compare?from=1&to=2") == (200, differ)
    assert await ask("GET", f"{path}/compare?from=1&to=1") == (200, [])
    status, copy = await ask("POST", f"{path}/duplicate", {"name": "copy", "version": 1})
    assert (status, copy["version"], copy["recipe"]) == (201, 1, first["recipe"])


async def test_who_may_not_run_jobs_runs_no_pipeline(ask, create, jp_serverapp, monkeypatch) -> None:
    class OnlyPipelines(Authorizer):
        def is_authorized(self, handler, user, action, resource) -> bool:
            return resource == "mlops.pipelines"

    first = await create()
    monkeypatch.setitem(jp_serverapp.web_app.settings, "authorizer", OnlyPipelines())
    assert (await ask("POST", f"pipelines/{first['id']}/run", {}))[0] == 403


async def test_the_script_of_a_version_is_an_attachment_that_no_name_of_a_user_is_code_in(
    jp_fetch, create, rooms
) -> None:
    name = "a'\"; import os"
    first = await create(name)
    response = await jp_fetch("mlops/api/pipelines", first["id"], "script")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{first["id"]}-v1.py"'
    assert response.headers["Content-Type"] == "text/x-python; charset=utf-8"
    body = response.body.decode()
    assert compile(body, "script", "exec")
    assert f"# {f'{name} v1'!r}\n" in body
