"""Nobody comes in who may not, and whoever may only read changes nothing."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

ARGUMENTS = {"j-": "j-7f3a00000000", "m-": "m-7f3a00000000"}
CURSOR = {"since": 0}


def routes(router: Any) -> Iterator[tuple[str, type[RequestHandler]]]:
    """Every path of ours in the live router, its arguments filled in, and its handler."""
    for rule in getattr(router, "rules", []):
        if isinstance(rule.target, type) and "mlops" in str(getattr(rule.matcher, "regex", "")):
            path = rule.matcher.regex.pattern.removesuffix("$")
            yield re.sub(r"\((.-)[^)]*\)", lambda m: ARGUMENTS[m[1]], path), rule.target
        elif hasattr(rule.target, "rules"):
            yield from routes(rule.target)


def verbs(handler: type[RequestHandler]) -> list[str]:
    unimplemented = RequestHandler._unimplemented_method
    return [v for v in handler.SUPPORTED_METHODS if getattr(handler, v.lower()) is not unimplemented]


@pytest.fixture
def knock(rooms, jp_http_port, http_server_client) -> Any:
    """``await knock(method, path, **headers) -> status`` with these headers and no others."""

    async def knock(method: str, path: str, body: bytes | None = None, **headers: str) -> int:
        request = HTTPRequest(
            f"http://127.0.0.1:{jp_http_port}{path}",
            method=method,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            body=body,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            request_timeout=10,
        )
        try:
            return (await AsyncHTTPClient().fetch(request)).code
        except HTTPClientError as error:
            return error.code

    return knock


async def test_no_route_answers_without_credentials(jp_serverapp, rooms, knock) -> None:
    walked = list(routes(jp_serverapp.web_app.default_router))
    assert len(walked) >= 11
    for path, handler in walked:
        for verb in (*verbs(handler), "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
            upgrade = (
                {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
                if issubclass(handler, WebSocketHandler)
                else {}
            )
            status = await knock(verb, path, Content_Type="application/json", **upgrade)
            assert status in (302, 403, 404, 405), (verb, path, status)


async def test_the_secret_of_the_runtime_file_opens_and_a_wrong_one_does_not(rooms, knock) -> None:
    assert await knock("GET", "/a%40b/mlops/api/status", Authorization=f"mlops {rooms.secret}") == 200
    for wrong in ("mlops ", "mlops x", f"token {rooms.secret}", "mlops " + "é" * 64):
        assert await knock("GET", "/a%40b/mlops/api/status", Authorization=wrong) in (302, 403)


async def test_a_stranger_cannot_fill_the_disk_with_inputs(rooms, knock, jp_http_port) -> None:
    """Whoever sees the login page has an XSRF token, and no other right."""
    token = "2|" + "0" * 8 + "|" + "0" * 32 + "|1795248239"
    head = (
        f"POST /a%40b/mlops/api/inputs HTTP/1.1\r\nHost: 127.0.0.1:{jp_http_port}\r\n"
        f"Cookie: _xsrf={token}\r\nX-XSRFToken: {token}\r\nContent-Type: application/octet-stream\r\n"
        "Content-Length: 5000000\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    writer.write(head.encode() + b"x" * 100_000)
    async with asyncio.timeout(10):
        status = await reader.readline()
    writer.close()
    assert b"403" in status
    assert list((rooms.supervisor.folder("x").parent.parent / "inputs").glob("*")) == []


class Recording(Authorizer):
    """Allows what it is told to and keeps what it was asked."""

    def __init__(self, *actions: str) -> None:
        super().__init__()
        self.actions = actions
        self.asked: list[tuple[str, str]] = []

    def is_authorized(self, handler, user, action, resource) -> bool:
        self.asked.append((action, resource))
        return action in self.actions


EXPECTED = {
    ("GET", "status"): ("read", "mlops.system"),
    ("GET", "jobs"): ("read", "mlops.jobs"),
    ("POST", "jobs"): ("execute", "mlops.jobs"),
    ("GET", "jobs/j-7f3a00000000"): ("read", "mlops.jobs"),
    ("POST", "jobs/j-7f3a00000000/stop"): ("execute", "mlops.jobs"),
    ("POST", "jobs/j-7f3a00000000/pause"): ("execute", "mlops.jobs"),
    ("POST", "jobs/j-7f3a00000000/resume"): ("execute", "mlops.jobs"),
    ("GET", "jobs/j-7f3a00000000/logs"): ("read", "mlops.jobs"),
    ("GET", "jobs/j-7f3a00000000/metrics"): ("read", "mlops.jobs"),
    ("GET", "models/m-7f3a00000000"): ("read", "mlops.models"),
    ("GET", "models/m-7f3a00000000/file"): ("read", "mlops.models"),
    ("POST", "inputs"): ("execute", "mlops.jobs"),
    ("GET", "events"): ("read", "mlops.events"),
}


@pytest.mark.parametrize("order", [1, -1])
async def test_each_route_asks_for_its_own_action_and_resource_in_any_order(
    rooms, jp_serverapp, ask, monkeypatch, order
) -> None:
    recording = Recording()
    monkeypatch.setitem(jp_serverapp.web_app.settings, "authorizer", recording)
    for (method, path), asked in list(EXPECTED.items())[::order]:
        kind = "application/octet-stream" if path == "inputs" else "application/json"
        status, _ = await ask(
            method, path, b"{}" if method == "POST" else None, headers={"Content-Type": kind}
        )
        assert status == 403, path
        assert recording.asked[0] == asked, path
        recording.asked.clear()


async def test_who_may_only_read_changes_nothing(rooms, jp_serverapp, ask, monkeypatch) -> None:
    monkeypatch.setitem(jp_serverapp.web_app.settings, "authorizer", Recording("read"))
    assert (await ask("GET", "jobs"))[0] == 200
    for path in ("jobs", "jobs/j-7f3a00000000/stop"):
        assert (await ask("POST", path, {}))[0] == 403
    binary = {"Content-Type": "application/octet-stream"}
    assert (await ask("POST", "inputs", b"x", headers=binary))[0] == 403
    assert list((rooms.supervisor.folder("x").parent.parent / "inputs").glob("*")) == []


class NoKernels(Authorizer):
    """Everything is allowed but running code."""

    def is_authorized(self, handler, user, action, resource) -> bool:
        return resource != "kernels"


@pytest.mark.parametrize(
    "choice",
    [
        {"estimator_input": "i-" + "0" * 24},
        {"interpreter": "/usr/bin/python3"},
        {"cwd": "/"},
        {"data": {"path": "/etc/passwd"}},
    ],
    ids=["estimator", "interpreter", "working-directory", "file-outside-the-root"],
)
async def test_a_job_that_could_run_any_code_needs_execute_on_kernels(
    rooms, jp_serverapp, ask, monkeypatch, choice, jp_root_dir
) -> None:
    monkeypatch.setitem(jp_serverapp.web_app.settings, "authorizer", NoKernels())
    (jp_root_dir / "t.csv").write_text("a,y\n1,2\n")
    spec = {"data": {"path": str(jp_root_dir / "t.csv")}, "target": "y", **choice}
    status, answer = await ask("POST", "jobs", spec)
    assert (status, answer["reason"]) == (403, "This job could run any code: it needs execute on kernels")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no-xsrf-token"),
        pytest.param({"Origin": "https://evil.example"}, id="evil-origin"),
        pytest.param({"Origin": "null"}, id="null-origin"),
        pytest.param({"Content_Type": "text/plain"}, id="text-plain"),
        pytest.param({"Content_Type": "application/x-www-form-urlencoded"}, id="form"),
    ],
)
async def test_a_cross_site_request_with_the_users_cookie_changes_nothing(
    rooms, jp_serverapp, jp_fetch, knock, jp_http_port, headers
) -> None:
    response = await jp_fetch("api", "status")
    cookies = "; ".join(c.partition(";")[0] for c in response.headers.get_list("Set-Cookie"))
    assert await knock("GET", "/a%40b/mlops/api/status", Cookie=cookies) == 200
    sent = {"Cookie": cookies, "Content_Type": "application/json", **headers}
    assert await knock("POST", "/a%40b/mlops/api/jobs/j-7f3a00000000/stop", b"{}", **sent) in (403, 404, 415)
    assert await rooms.store.aread(lambda reading: reading.head()) == 0


async def test_a_foreign_host_is_refused(rooms, knock) -> None:
    secret = f"mlops {rooms.secret}"
    path = "/a%40b/mlops/api/status"
    assert await knock("GET", path, Host="evil.example", Authorization=secret) == 403


async def test_a_body_that_must_be_json_is_refused_as_anything_else(rooms, ask) -> None:
    status, answer = await ask("POST", "jobs", b"{}", headers={"Content-Type": "text/plain"})
    assert (status, answer["reason"]) == (415, "The body must be application/json")


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read(rooms, knock) -> None:
    status = await knock("POST", "/a%40b/mlops/api/jobs", b" " * (2 << 20), Content_Type="application/json")
    assert status in (400, 403, 413, 599)


async def test_every_error_has_the_one_shape(rooms, ask) -> None:
    for method, path, body in (
        ("GET", "jobs/j-nope", None),
        ("GET", "models/m-000000000000", None),
        ("POST", "jobs", {"nonsense": 1}),
        ("GET", "jobs?limit=x", None),
        ("POST", "status", {}),
    ):
        status, answer = await ask(method, path, body)
        assert status >= 400
        assert set(answer) == {"message", "reason", "problems"}, path
        assert json.dumps(answer)
