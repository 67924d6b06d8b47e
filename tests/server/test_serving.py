"""Models are deployed, answer and are withdrawn by REST; what a model does badly stays in its own process."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.serving.live import Live
from tests import processes
from tests.fitted import fitted, numbers, penguins, registered, rows


@pytest.fixture
def deployed(rooms, ask):
    """``await deployed(model) -> endpoint`` once it answers, or cannot."""

    async def deployed(model: Any) -> dict[str, Any]:
        status, endpoint = await ask("POST", f"models/{model.model_id}/deploy", {})
        assert status == 202, endpoint
        return await past(ask, endpoint["endpoint_id"], "deploying")

    return deployed


async def past(ask: Any, endpoint_id: str, status: str) -> dict[str, Any]:
    """The endpoint once it is recorded as something else than ``status``."""
    while True:
        head = (await ask("GET", "endpoints"))[1]["head"]
        _, endpoint = await ask("GET", f"endpoints/{endpoint_id}")
        if endpoint["status"] != status:
            return endpoint
        await ask("GET", f"events?since={head}&wait=20", request_timeout=30)


def live(rooms: Any, endpoint: dict[str, Any]) -> Live:
    """What answers there; the record of that may be read before the server has its own answer to it."""
    at = endpoint["endpoint_id"]
    return rooms.deployments._coming.get(at) or rooms.deployments._lives[at]


def hosts() -> list[psutil.Process]:
    """Processes of models, of all deployments here."""
    children = psutil.Process().children()
    return [child for child in children if "mlops_jupyter.serving.host" in processes.command(child)]


async def told(ask: Any, *types: str) -> list[dict[str, Any]]:
    _, answer = await ask("GET", "events?since=0")
    return [event for event in answer["events"] if event["type"] in types]


async def test_a_deployed_model_answers_as_it_does_in_python_and_is_told_of(rooms, ask, deployed) -> None:
    pipeline = fitted()
    model = await registered(rooms, pipeline)
    endpoint = await deployed(model)
    X = penguins()[0].head(5)
    status, answer = await ask("POST", f"models/{model.model_id}/predict", {"rows": rows(5)})
    assert status == 200
    assert answer.pop("ms") > 0
    assert answer == {
        "model_id": model.model_id,
        "name": "penguins",
        "version": 1,
        "predictions": pipeline.predict(X).tolist(),
        "probabilities": pipeline.predict_proba(X).tolist(),
        "classes": pipeline.classes_.tolist(),
    }
    one = await ask("POST", f"endpoints/{endpoint['endpoint_id']}/predict", {"row": rows(1)[0]})
    assert one[1]["predictions"] == answer["predictions"][:1]
    _, endpoint = await ask("GET", f"endpoints/{endpoint['endpoint_id']}")
    assert (endpoint["total_predictions"], endpoint["requests"], endpoint["errors"]) == (6, 2, 0)
    await ask("POST", f"models/{model.model_id}/undeploy", {})
    changes = await told(ask, "model_status", "model_deployed")
    assert [event.get("status", "model_deployed") for event in changes] == [
        *("deploying", "deployed", "model_deployed", "registered"),
    ]
    feed = (await ask("GET", "activity?kind=model"))[1]["activity"]
    assert [row["activity"]["title"] for row in feed] == ["Model no longer deployed", "Model deployed"]
    status, refused = await ask("POST", f"models/{model.model_id}/predict", {"rows": rows(1)})
    assert (status, refused["message"].splitlines()[0]) == (409, "penguins v1 is not deployed.")


async def failures(ask: Any) -> list[tuple[str, str, str]]:
    """Of models that failed: what notifications say, by what they were before."""
    changes = await told(ask, "model_status")
    return [(each["name"], each["previous"], each["why"]) for each in changes if each["status"] == "failed"]


OTHER = (
    'penguins v1 needs 6 columns; missing "culmen_length_mm", "culmen_depth_mm", "flipper_length_mm", '
    '"body_mass_g", "sex", unexpected "cumen_length_mm".'
)
CASES = {
    "other columns": ([{"island": "Biscoe", "cumen_length_mm": 3.0}], OTHER),
    "a text for a number": (
        [{"body_mass_g": "heavy"}],
        '"body_mass_g" is "heavy"; it needs a number, in row 0.',
    ),
    "a number for a text, in the second row": (
        [{}, {"island": 7}],
        '"island" is 7; it needs a text, in row 1.',
    ),
    "true for a number, and more": (
        [{"body_mass_g": True, "island": []}],
        '"island" is a list; it needs a text, in row 0 (1 more).',
    ),
    "missing where none was": (
        [{"island": None}],
        '"island" is null, and no training row had it missing, in row 0.',
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_rows_that_do_not_fit_are_refused_at_the_field(rooms, ask, deployed, case) -> None:
    model = await registered(rooms, fitted())
    await deployed(model)
    changes, message = CASES[case]
    asked = changes if case == "other columns" else [{**rows(1)[0], **change} for change in changes]
    status, answer = await ask("POST", f"models/{model.model_id}/predict", {"rows": asked})
    assert (status, answer["reason"], answer["message"].splitlines()[0]) == (400, "InputError", message)
    assert answer["problems"][0]["error"] == "InputError"
    assert {field["column"] for field in answer["fields"]} >= {"island"} if "island" in message else True


async def test_what_training_saw_is_taken_and_categories_nobody_saw_are_no_error(
    rooms, ask, deployed
) -> None:
    """F52."""
    model = await registered(rooms, fitted())
    await deployed(model)
    base = rows(1)[0]
    fine = [
        {"sex": None, "culmen_length_mm": None},
        {"island": "Atlantis"},
        {"body_mass_g": 2**53 + 1},
        {"body_mass_g": str(2**60)},
        {"body_mass_g": -(10**30)},
    ]
    for change in fine:
        status, answer = await ask("POST", f"models/{model.model_id}/predict", {"row": {**base, **change}})
        assert (change, status, len(answer.get("predictions", answer))) == (change, 200, 1)
    # The model's own steps count in halves of that.
    status, answer = await ask(
        "POST", f"models/{model.model_id}/predict", {"row": {**base, "body_mass_g": 1e308}}
    )
    assert (status, answer["reason"]) == (400, "InputError")
    assert answer["message"].startswith("penguins v1 could not predict these rows: ValueError")
    bodies = {
        b"": "The body is not understood",
        b"[]": "The body is not understood",
        b'{"rows": []}': '"rows" is empty',
        b'{"rows": [], "row": {}}': 'The body needs either "rows" or "row".',
        b'{"rows": [1]}': "The body is not understood",
        b'{"row": {"a": 1e400}}': "The body is not understood",
        b'{"row": {"a": NaN}}': "The body is not understood",
        b'{"row": {"a": "\\ud800"}}': "The body is not understood",
        b'{"row": ' + b"[" * 100_000: "The body is not understood",
        b'{"rows": [' + b",".join([b"{}"] * 100_001) + b"]}": "100,001 rows are too many",
    }
    for body, message in bodies.items():
        status, answer = await ask("POST", f"models/{model.model_id}/predict", body)
        assert (body[:40], status, answer["message"][: len(message)]) == (body[:40], 400, message)


async def test_ten_megabytes_of_rows_are_predicted_and_more_than_the_limit_is_refused(
    rooms, ask, deployed
) -> None:
    pipeline, table = numbers(DecisionTreeClassifier(max_depth=2))
    model = await registered(rooms, pipeline, table)
    await deployed(model)
    row = dict.fromkeys(table.columns, 1.2345678901234567)
    status, answer = await ask(
        "POST", f"models/{model.model_id}/predict", {"rows": [row] * 90_000}, request_timeout=60
    )
    assert (status, len(answer["predictions"])) == (200, 90_000)
    too_long = await ask("POST", f"models/{model.model_id}/predict", b" " * ((16 << 20) + 1))
    assert too_long[0] == 400


def hostile(kind: str, marker: Path) -> bytes:
    class Gadget:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {marker}",)

    if kind == "pickle":
        return pickle.dumps(Gadget())
    return b"PK\x03\x04 no archive"


@pytest.mark.parametrize("kind", ["pickle", "broken"])
async def test_a_hostile_file_costs_nothing_but_a_refusal(rooms, ask, deployed, tmp_path, kind) -> None:
    """P27, F49."""
    good = await registered(rooms, fitted(), name="good")
    await deployed(good)
    marker = tmp_path / "marker"
    model = await registered(rooms, hostile(kind, marker), job_id="j-badbadbadbad", name="bad")
    endpoint = await deployed(model)
    assert (endpoint["status"], endpoint["error"]) == (
        "failed",
        "bad v1 could not be deployed: This is no model file.",
    )
    status, answer = await ask("POST", f"models/{model.model_id}/predict", {"rows": [{}]})
    assert (status, answer["reason"]) == (409, "ModelStateError")
    assert (await ask("POST", f"models/{good.model_id}/predict", {"rows": rows(1)}))[0] == 200
    assert [live.charge.name for live in rooms.deployments.lives()] == ["good"]
    assert not marker.exists()
    assert (await ask("GET", f"models/{model.model_id}"))[1]["status"] == "failed"
    assert await failures(ask) == [("bad", "deploying", "This is no model file.")]


def forged() -> Any:
    """A tree of trusted types alone, whose first step leads out of its memory (fact 14)."""
    pipeline, table = numbers(DecisionTreeClassifier(max_depth=2))
    tree = pipeline.steps[-1][1].tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][0] = state["nodes"]["right_child"][0] = 1 << 40
    tree.__setstate__(state)
    return pipeline, table


async def test_a_model_of_trusted_types_that_would_crash_its_process_is_refused_in_words(
    rooms, ask, deployed
) -> None:
    """P27. What crashes a process all the same is below."""
    good = await registered(rooms, fitted(), name="good")
    bad = await registered(rooms, *forged(), job_id="j-badbadbadbad", name="bad")
    await deployed(good)
    endpoint = await deployed(bad)
    why = "The model file holds a Tree that no training has made: it is damaged or forged."
    assert (endpoint["status"], endpoint["error"]) == ("failed", f"bad v1 could not be deployed: {why}")
    row = {f"x{i}": 1.0 for i in range(4)}
    status, answer = await ask("POST", f"models/{bad.model_id}/predict", {"row": row})
    assert (status, answer["reason"]) == (409, "ModelStateError")
    assert (await ask("POST", f"models/{good.model_id}/predict", {"rows": rows(1)}))[0] == 200


async def test_a_model_is_served_without_what_only_draws(rooms, deployed) -> None:
    endpoint = await deployed(await registered(rooms, fitted()))
    mapped = [each.path for each in psutil.Process(live(rooms, endpoint).pid).memory_maps()]
    assert any("sklearn" in path for path in mapped)
    assert not any("matplotlib/_image" in path for path in mapped)


async def test_a_file_that_was_swapped_is_found_by_its_sum(rooms, deployed) -> None:
    """F49."""
    model = await registered(rooms, fitted(), sha256="0" * 64)
    endpoint = await deployed(model)
    assert endpoint["error"].startswith(
        "penguins v1 could not be deployed: this is not the model file that was"
    )


async def test_a_process_that_is_killed_is_started_again_and_costs_no_answer(rooms, ask, deployed) -> None:
    model = await registered(rooms, fitted())
    endpoint = await deployed(model)
    pid = live(rooms, endpoint).pid
    os.kill(pid, signal.SIGKILL)
    status, answer = await ask(
        "POST", f"models/{model.model_id}/predict", {"rows": rows(2)}, request_timeout=40
    )
    assert (status, len(answer["predictions"])) == (200, 2)
    assert live(rooms, endpoint).pid != pid
    assert (await ask("GET", f"endpoints/{endpoint['endpoint_id']}"))[1]["total_predictions"] == 2


async def test_an_idle_process_that_says_nothing_is_replaced_before_anybody_asks(
    rooms, ask, deployed, monkeypatch
) -> None:
    model = await registered(rooms, fitted())
    with monkeypatch.context() as soon:
        soon.setattr("mlops_jupyter.serving.live.ASK_AFTER", 0.1)
        soon.setattr("mlops_jupyter.serving.live.PREDICT", 1.0)
        endpoint = await deployed(model)
        ours = live(rooms, endpoint)
        child = ours._child
        os.kill(child.pid, signal.SIGSTOP)
        assert await asyncio.shield(child.ended) == ("no word from it within 1 s", True)
    status, answer = await ask(
        "POST", f"models/{model.model_id}/predict", {"rows": rows(2)}, request_timeout=40
    )
    assert (status, len(answer["predictions"]), ours.restarts) == (200, 2, 1)
    assert ours.pid != child.pid
    _, endpoint = await ask("GET", f"endpoints/{endpoint['endpoint_id']}")
    assert (endpoint["status"], endpoint["total_predictions"], endpoint["errors"]) == ("deployed", 2, 0)


async def test_a_process_that_hangs_costs_no_more_than_the_request_it_hangs_over(
    rooms, ask, deployed, monkeypatch
) -> None:
    monkeypatch.setattr("mlops_jupyter.serving.live.BACK_OFF", (0.0,))
    model = await registered(rooms, fitted())
    endpoint = await deployed(model)
    path, ours = f"models/{model.model_id}/predict", live(rooms, endpoint)
    assert (await ask("POST", path, {"rows": rows(1)}))[0] == 200
    with monkeypatch.context() as soon:
        soon.setattr("mlops_jupyter.serving.live.PREDICT", 1.0)
        os.kill(ours.pid, signal.SIGSTOP)
        status, answer = await ask("POST", path, {"rows": rows(1)}, request_timeout=40)
    assert (status, answer["reason"], answer["message"].splitlines()[0]) == (
        504,
        "TooSlow",
        "penguins v1 did not predict this within 1 s.",
    )
    # Of several that were sent together nobody knows which it was.
    assert (await ask("POST", path, {"rows": rows(1)}, request_timeout=40))[0] == 200
    child, body = ours._child, json.dumps({"rows": rows(1)}).encode()
    with monkeypatch.context() as soon:
        soon.setattr("mlops_jupyter.serving.live.PREDICT", 1.0)
        os.kill(child.pid, signal.SIGSTOP)
        together = [asyncio.ensure_future(ours.predict(body)) for _ in range(3)]
        await asyncio.shield(child.ended)
    assert [answer.status for answer in await asyncio.gather(*together)] == [200] * 3
    _, endpoint = await ask("GET", f"endpoints/{endpoint['endpoint_id']}")
    assert (endpoint["status"], endpoint["total_predictions"], endpoint["errors"]) == ("deployed", 5, 1)


async def test_a_model_that_crashes_its_process_again_and_again_is_started_no_more(
    rooms, ask, deployed, monkeypatch
) -> None:
    monkeypatch.setattr("mlops_jupyter.serving.live.BACK_OFF", (0.0,))
    model = await registered(rooms, fitted())
    other = await registered(rooms, fitted(), job_id="j-000000000000", name="other")
    endpoint, _ = await deployed(model), await deployed(other)
    ours = live(rooms, endpoint)
    for _ in range(3):
        pid = ours.pid
        os.kill(pid, signal.SIGSEGV)
        await ask("POST", f"models/{model.model_id}/predict", {"rows": rows(1)}, request_timeout=40)
    status, answer = await ask("POST", f"models/{model.model_id}/predict", {"rows": rows(1)})
    assert (status, answer["reason"]) == (503, "ServingFailed")
    assert "crashed 3 times within 60 s, the last time: SIGSEGV" in answer["message"]
    endpoint = await past(ask, endpoint["endpoint_id"], "deployed")
    assert (endpoint["status"], endpoint["quarantined"]) == ("failed", True)
    assert await failures(ask) == [("penguins", "deployed", endpoint["error"])]
    assert (await ask("POST", f"models/{other.model_id}/predict", {"rows": rows(1)}))[0] == 200
    again = await deployed(model)
    assert (again["status"], again["quarantined"]) == ("deployed", False)
    assert (await ask("POST", f"models/{model.model_id}/predict", {"rows": rows(1)}))[0] == 200


async def test_who_asks_between_the_record_of_a_deployment_and_the_server_s_own_starts_no_second_process(
    rooms, ask, deployed, monkeypatch
) -> None:
    """Another server, or a page that heard of it, may be that quick."""
    model = await registered(rooms, fitted())
    write, held = rooms.store.awrite, asyncio.Event()

    async def late(work: Any) -> Any:
        written = await write(work)
        if isinstance(written, Endpoint) and written.status == "deployed":
            await held.wait()
        return written

    with monkeypatch.context() as patched:
        patched.setattr(rooms.store, "awrite", late)
        endpoint = await deployed(model)
    assert (await ask("POST", f"models/{model.model_id}/predict", {"rows": rows(1)}))[0] == 200
    await rooms.deployments._look_once()
    at = f"endpoints/{endpoint['endpoint_id']}/predict"
    assert (await ask("POST", at, {"rows": rows(1)}))[0] == 200
    assert len(hosts()) == 1
    held.set()


class Unhurried:
    """``asyncio`` for who waits: it takes no time, and is written down."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


async def test_after_each_crash_a_model_is_started_later_than_before(
    rooms, ask, deployed, monkeypatch
) -> None:
    model = await registered(rooms, fitted())
    ours = live(rooms, await deployed(model))
    unhurried = Unhurried()
    monkeypatch.setattr("mlops_jupyter.serving.live.asyncio", unhurried)
    for _ in range(2):
        child = ours._child
        os.kill(child.pid, signal.SIGSEGV)
        await asyncio.shield(child.ended)
        status, _ = await ask(
            "POST", f"models/{model.model_id}/predict", {"rows": rows(1)}, request_timeout=40
        )
        assert status == 200
    assert unhurried.waits == [1.0, 4.0]


@pytest.mark.parametrize(
    ("trained", "why"), [("0.24.2", "It was trained with scikit-learn 0.24.2"), (None, None)]
)
async def test_a_model_of_another_major_version_is_not_deployed(rooms, deployed, trained, why) -> None:
    """Its file would be read as something else. Another minor one is told on its card."""
    model = await registered(rooms, fitted())
    meta = rooms.supervisor.folder(model.job_id) / "model" / "meta.json"
    told = json.loads(meta.read_bytes())
    here = told["versions"]["scikit-learn"]
    told["versions"]["scikit-learn"] = trained or f"{here.partition('.')[0]}.99.0"
    meta.write_text(json.dumps(told))
    endpoint = await deployed(model)
    if why is None:
        assert endpoint["status"] == "deployed"
    else:
        assert (endpoint["status"], endpoint["error"]) == (
            "failed",
            f"penguins v1 could not be deployed: {why}, and this server has {here}.",
        )


async def test_a_process_that_hangs_when_it_is_started_again_is_ended_and_the_model_given_up(
    rooms, ask, deployed, monkeypatch
) -> None:
    model = await registered(rooms, fitted())
    ours = live(rooms, await deployed(model))
    monkeypatch.setattr("mlops_jupyter.serving.live.START", 0.01)
    os.kill(ours.pid, signal.SIGKILL)
    await ours._working
    assert hosts() == []
    status, answer = await ask("POST", f"models/{model.model_id}/predict", {"rows": rows(1)})
    assert (status, answer["reason"]) == (503, "ServingFailed")
    assert "It was not read within 0.01 s." in answer["message"]


async def test_a_model_gets_no_more_memory_than_it_may(rooms, ask, deployed, monkeypatch) -> None:
    """P27."""
    monkeypatch.setattr(rooms.deployments, "_memory", 64 << 20)
    pipeline, table = numbers(RandomForestClassifier(n_estimators=3, max_depth=2), columns=10)
    model = await registered(rooms, pipeline, table)
    endpoint = await deployed(model)
    row = dict.fromkeys(table.columns, 1.25)
    status, answer = await ask(
        "POST", f"models/{model.model_id}/predict", {"rows": [row] * 99_000}, request_timeout=60
    )
    assert (status, answer["reason"]) == (507, "ServingFailed"), answer
    assert psutil.Process(live(rooms, endpoint).pid).memory_info().rss < 600 << 20
    assert (await ask("POST", f"models/{model.model_id}/predict", {"rows": [row]}))[0] == 200


async def test_a_process_ends_with_its_deployment(rooms, ask, deployed) -> None:
    """F52: undeploy frees the process."""
    model = await registered(rooms, fitted())
    process = psutil.Process(live(rooms, await deployed(model)).pid)
    environment = process.environ()
    assert ("OPENAI_API_KEY" in environment, environment["OMP_WAIT_POLICY"]) == (False, "PASSIVE")
    await ask("POST", f"models/{model.model_id}/undeploy", {})
    psutil.wait_procs([process], timeout=15)
    assert not process.is_running()


def test_a_process_whose_server_is_gone_ends_by_itself() -> None:
    """Whoever is not its parent any more wants nothing of it."""
    command = [sys.executable, "-m", "mlops_jupyter.serving.host", "1"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert ended.returncode == 0
