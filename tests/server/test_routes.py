"""Each door by itself: who may open it, found by walking the router that is really there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from mlops_jupyter.server import subscription

#: What stands in a path, and what it is called in the table below.
ARGUMENTS = {
    "j-7f3a00000000": "{job}",
    "m-7f3a00000000": "{model}",
    "e-7f3a00000000": "{endpoint}",
    "d-7f3a00000000": "{dataset}",
    "u-7f3a00000000": "{upload}",
    "p-7f3a00000000": "{pipeline}",
    "page.js": "{file}",
}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")

#: What a route asks the authorizer, and what else it may be asked (a query, another kind of body).
#: A new route has no entry and fails the tests below until somebody has thought about it.
ASKS = {
    ("GET", "status"): ("read", "mlops.system"),
    ("GET", "system"): ("read", "mlops.system"),
    ("POST", "notify"): ("execute", "mlops.system"),
    ("GET", "jobs"): ("read", "mlops.jobs"),
    ("POST", "jobs"): ("execute", "mlops.jobs"),
    ("GET", "jobs/{job}"): ("read", "mlops.jobs"),
    ("DELETE", "jobs/{job}"): ("write", "mlops.jobs"),
    ("POST", "jobs/{job}/stop"): ("execute", "mlops.jobs"),
    ("POST", "jobs/{job}/pause"): ("execute", "mlops.jobs"),
    ("POST", "jobs/{job}/mute"): ("execute", "mlops.jobs"),
    ("POST", "jobs/{job}/rerun"): ("execute", "mlops.jobs"),
    ("POST", "jobs/{job}/resume"): ("execute", "mlops.jobs"),
    ("GET", "jobs/{job}/logs"): ("read", "mlops.jobs"),
    ("GET", "jobs/{job}/metrics"): ("read", "mlops.jobs"),
    ("GET", "models"): ("read", "mlops.models"),
    ("GET", "models/{model}"): ("read", "mlops.models"),
    ("PATCH", "models/{model}"): ("write", "mlops.models"),
    ("DELETE", "models/{model}"): ("write", "mlops.models"),
    ("GET", "models/{model}/card"): ("read", "mlops.models"),
    ("GET", "models/{model}/file"): ("read", "mlops.models"),
    ("GET", "models/{model}/onnx"): ("read", "mlops.models"),
    ("POST", "models/{model}/deploy"): ("execute", "mlops.models"),
    ("POST", "models/{model}/undeploy"): ("execute", "mlops.models"),
    ("POST", "models/{model}/predict"): ("execute", "mlops.predict"),
    ("GET", "endpoints"): ("read", "mlops.models"),
    ("GET", "endpoints/{endpoint}"): ("read", "mlops.models"),
    ("GET", "endpoints/{endpoint}/monitoring"): ("read", "mlops.models"),
    ("POST", "endpoints/{endpoint}/rollback"): ("execute", "mlops.models"),
    ("POST", "endpoints/{endpoint}/predict"): ("execute", "mlops.predict"),
    ("GET", "pipelines"): ("read", "mlops.pipelines"),
    ("POST", "pipelines"): ("write", "mlops.pipelines"),
    ("GET", "pipelines/{pipeline}"): ("read", "mlops.pipelines"),
    ("PUT", "pipelines/{pipeline}"): ("write", "mlops.pipelines"),
    ("DELETE", "pipelines/{pipeline}"): ("write", "mlops.pipelines"),
    ("POST", "pipelines/{pipeline}/restore"): ("write", "mlops.pipelines"),
    ("POST", "pipelines/{pipeline}/duplicate"): ("write", "mlops.pipelines"),
    ("GET", "pipelines/{pipeline}/compare"): ("read", "mlops.pipelines"),
    ("GET", "pipelines/{pipeline}/script"): ("read", "mlops.pipelines"),
    ("POST", "pipelines/{pipeline}/run"): ("execute", "mlops.pipelines"),
    ("POST", "inputs"): ("execute", "mlops.jobs"),
    ("POST", "uploads"): ("write", "mlops.datasets"),
    ("GET", "uploads/{upload}"): ("read", "mlops.datasets"),
    ("PATCH", "uploads/{upload}"): ("write", "mlops.datasets"),
    ("DELETE", "uploads/{upload}"): ("write", "mlops.datasets"),
    ("POST", "uploads/{upload}/finish"): ("write", "mlops.datasets"),
    ("GET", "datasets"): ("read", "mlops.datasets"),
    ("GET", "datasets/{dataset}"): ("read", "mlops.datasets"),
    ("DELETE", "datasets/{dataset}"): ("write", "mlops.datasets"),
    ("POST", "datasets"): ("write", "mlops.datasets"),
    ("GET", "datasets/{dataset}/preview"): ("read", "mlops.datasets"),
    ("GET", "datasets/{dataset}/lineage"): ("read", "mlops.datasets"),
    ("GET", "activity"): ("read", "mlops.events"),
    ("GET", "events"): ("read", "mlops.events"),
    ("GET", "events/subscribe"): ("read", "mlops.events"),
    ("GET", "mlops"): ("read", "mlops.jobs"),
    ("GET", "mlops/debug"): ("read", "mlops.events"),
    ("GET", "mlops/static/{file}"): ("read", "mlops.jobs"),
}
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def routes(router: Any) -> Iterator[tuple[str, type[RequestHandler]]]:
    """Every path of ours in the live router, as a pattern, and its handler."""
    for rule in getattr(router, "rules", []):
        if isinstance(rule.target, type) and "mlops" in str(getattr(rule.matcher, "regex", "")):
            yield rule.matcher.regex.pattern.removesuffix("$"), rule.target
        elif hasattr(rule.target, "rules"):
            yield from routes(rule.target)


def argument(group: re.Match[str]) -> str:
    """One that stands for ``(j-…)``."""
    return next(known for known in ARGUMENTS if re.fullmatch(group[1], known))


def filled(pattern: str) -> str:
    """A path that the pattern matches."""
    path = re.sub(r"\(([^)]*)\)", argument, pattern)
    assert re.fullmatch(pattern, path), f"no argument is known for {pattern}"
    return path


def short(pattern: str) -> str:
    """``/a%40b/mlops/api/jobs/(j-…)/stop`` → ``jobs/{job}/stop``, ``/a%40b/mlops`` → ``mlops``."""
    named = re.sub(r"\(([^)]*)\)", lambda group: ARGUMENTS[argument(group)], pattern)
    return f"mlops{named.partition('/mlops')[2]}".removeprefix("mlops/api/")


def address(route: str) -> str:
    """The other way, below the base URL: ``jobs/{job}/stop`` → ``mlops/api/jobs/j-7f3a00000000/stop``."""
    for known, name in ARGUMENTS.items():
        route = route.replace(name, known)
    return route if route.startswith("mlops") else f"mlops/api/{route}"


def media(verb: str, route: str) -> str:
    """The kind of body that this door takes."""
    raw = route == "inputs" or (verb == "PATCH" and route.startswith("uploads"))
    return "application/octet-stream" if raw else "application/json"


def verbs(handler: type[RequestHandler]) -> list[str]:
    unimplemented = RequestHandler._unimplemented_method
    return [v for v in handler.SUPPORTED_METHODS if getattr(handler, v.lower()) is not unimplemented]


@pytest.mark.parametrize("jp_base_url", ["/", "/user/a%40b/"])
async def test_no_route_and_no_method_answers_without_credentials(jp_serverapp, rooms, knock) -> None:
    """P22."""
    walked = list(routes(jp_serverapp.web_app.default_router))
    assert len(walked) >= 11
    answers = {}
    for pattern, handler in walked:
        for verb in (*METHODS, *verbs(handler)):
            for more in ({}, UPGRADE) if issubclass(handler, WebSocketHandler) else ({},):
                for path in (filled(pattern), filled(pattern) + "?token=", filled(pattern) + "?token=x"):
                    status = await knock(verb, path, {"Content-Type": "application/json", **more})
                    answers[verb, path, bool(more)] = status
    assert {key: status for key, status in answers.items() if status not in (302, 403, 404, 405)} == {}


class Recording(Authorizer):
    """Allows these actions and keeps what it was asked."""

    def __init__(self, *actions: str) -> None:
        super().__init__()
        self.actions = actions
        self.asked: list[tuple[str, str]] = []

    def is_authorized(self, handler, user, action, resource) -> bool:
        self.asked.append((action, resource))
        return action in self.actions


def doors(app: Any) -> dict[tuple[str, str], str]:
    """``(verb, short route) → path`` of everything that is served."""
    return {
        (verb, short(pattern)): filled(pattern)
        for pattern, handler in routes(app.web_app.default_router)
        for verb in verbs(handler)
    }


async def test_every_route_that_is_served_is_in_the_table_of_what_it_asks(jp_serverapp, rooms) -> None:
    assert set(doors(jp_serverapp)) == set(ASKS)


@pytest.mark.parametrize("order", [1, -1], ids=["first-to-last", "last-to-first"])
async def test_each_route_asks_for_its_own_action_and_resource_and_nothing_else(
    rooms, jp_serverapp, knock, monkeypatch, order
) -> None:
    """P23. In any order: Jupyter's decorator, used bare, keeps the first resource it saw."""
    recording = Recording()
    monkeypatch.setitem(jp_serverapp.web_app.settings, "authorizer", recording)
    asked = {}
    for (verb, route), path in sorted(doors(jp_serverapp).items())[::order]:
        more = UPGRADE if route == "events/subscribe" else {}
        headers = {"Authorization": f"mlops {rooms.secret}", "Content-Type": media(verb, route), **more}
        assert await knock(verb, path, headers, b"" if verb == "GET" else b"{}") == 403
        asked[verb, route] = tuple(recording.asked)
        recording.asked.clear()
    assert asked == {door: (question,) for door, question in ASKS.items()}


async def test_who_may_only_read_changes_nothing(rooms, jp_serverapp, knock, monkeypatch, contents) -> None:
    """P23."""
    monkeypatch.setitem(jp_serverapp.web_app.settings, "authorizer", Recording("read"))
    before = contents()
    answers = {}
    for (verb, route), path in doors(jp_serverapp).items():
        if ASKS[verb, route][0] == "read":
            continue
        for kind in ("application/json", "application/octet-stream", "text/plain", "multipart/form-data"):
            headers = {"Authorization": f"mlops {rooms.secret}", "Content-Type": kind}
            answers[verb, route, kind] = await knock(verb, path, headers, b"{}")
    assert {key: status for key, status in answers.items() if status not in (403, 415)} == {}
    assert contents() == before


async def test_who_may_no_longer_listen_is_cut_off(rooms, jp_serverapp, subscribe, monkeypatch) -> None:
    """P23, at a socket that is open."""
    monkeypatch.setattr(subscription, "HEARTBEAT", 0.1)
    monkeypatch.setattr(subscription, "RECHECK", 0.1)
    async with subscribe() as socket:
        assert [(await socket.message())["type"] for _ in range(2)] == ["hello", "snapshot"]
        monkeypatch.setitem(jp_serverapp.web_app.settings, "authorizer", Recording())
        with pytest.raises(EOFError, match="1008"):
            async with asyncio.timeout(10):
                await socket.message()
