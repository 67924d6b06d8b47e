"""A page of somebody else's, in the browser of a user who is logged in, changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError

from tests.server.test_routes import ASKS, METHODS, UPGRADE, doors

JSON = {"Content-Type": "application/json"}
#: What a browser adds to requests of a foreign page, and what such a page can choose.
FOREIGN = {
    "no-xsrf-token": JSON,
    "evil-origin": {**JSON, "Origin": "https://evil.example"},
    "origin-that-begins-alike": {**JSON, "Origin": "http://127.0.0.1.evil.example"},
    "null-origin": {**JSON, "Origin": "null"},
    "evil-referer": {**JSON, "Referer": "https://evil.example/page"},
    "form": {"Content-Type": "application/x-www-form-urlencoded"},
    "multipart": {"Content-Type": "multipart/form-data; boundary=x"},
    "text-plain-json": {"Content-Type": "text/plain"},
    "no-content-type": {},
    "bytes": {"Content-Type": "application/octet-stream"},
    "fetch-no-cors": {
        "Content-Type": "text/plain",
        "Sec-Fetch-Mode": "no-cors",
        "Sec-Fetch-Site": "cross-site",
    },
    "fetch-navigate": {
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
        "Sec-Fetch-Site": "cross-site",
    },
    "evil-host": {**JSON, "Host": "evil.example"},
    "evil-host-with-our-port": {**JSON, "Host": "evil.example:8888"},
    "method-override": {**JSON, "X-HTTP-Method-Override": "POST"},
}


@pytest.fixture
def cookie(jp_fetch, jp_asyncio_loop) -> str:
    """What the browser of a logged-in user sends by itself, wherever the request comes from."""
    response = jp_asyncio_loop.run_until_complete(jp_fetch("api", "status"))
    return "; ".join(c.partition(";")[0] for c in response.headers.get_list("Set-Cookie"))


@pytest.fixture
def own_page(cookie) -> dict[str, str]:
    """Cookies and header of our own page: that both are the same is all the check looks for."""
    token = "2|" + "0" * 8 + "|" + "0" * 32 + "|1795248239"
    return {"Cookie": f"{cookie}; _xsrf={token}", "X-XSRFToken": token}


@pytest.fixture
def a_table(jp_root_dir) -> bytes:
    """A body that would be accepted."""
    path = jp_root_dir / "t.csv"
    path.write_text("a,y\n" + "1,0\n2,1\n" * 20)
    return b'{"data": {"path": "%b"}, "target": "y", "model": "logistic"}' % str(path).encode()


async def test_a_foreign_page_with_the_users_cookie_changes_nothing(
    rooms, jp_serverapp, knock, cookie, a_table, contents
) -> None:
    """P24. Every route with every method, and sockets."""
    before = contents()
    answers = {}
    for kind, headers in FOREIGN.items():
        for verb in METHODS:
            for path in {*doors(jp_serverapp).values()}:
                body = b"" if verb in ("GET", "HEAD") else a_table
                sent = {"Cookie": cookie, **headers}
                answers[kind, verb, path] = await knock(verb, path, sent, body)
    assert {status for (_, verb, _), status in answers.items() if verb != "GET"} <= {400, 403, 404, 405, 415}
    assert {status for (_, verb, _), status in answers.items() if verb == "GET"} <= {200, 400, 403, 404, 405}
    assert contents() == before


@pytest.mark.parametrize("kind", ["evil-origin", "origin-that-begins-alike", "null-origin", "evil-host"])
async def test_a_foreign_page_reads_nothing_either(rooms, jp_serverapp, knock, cookie, kind) -> None:
    for (verb, route), path in doors(jp_serverapp).items():
        if verb == "GET":
            more = UPGRADE if route == "events/subscribe" else {}
            status = await knock("GET", path, {"Cookie": cookie, **more, **FOREIGN[kind]})
            assert status in (403, 404), route


async def test_an_own_page_may_even_where_a_foreign_one_may_not(
    rooms, knock, own_page, jp_base_url, a_table, contents
) -> None:
    """The other side of the matrix: the same requests with the page's own token are understood. With it,
    a foreign origin or host is refused all the same."""
    path = f"{jp_base_url}mlops/api/inputs"
    sent = {**own_page, "Content-Type": "application/octet-stream"}
    before = contents()
    for foreign in ("evil-origin", "origin-that-begins-alike", "null-origin", "evil-host"):
        assert await knock("POST", path, {**sent, **FOREIGN[foreign], **sent}, b"x") in (403, 404), foreign
    assert contents() == before
    assert await knock("POST", path, sent, b"x") == 201
    assert len(contents()) == len(before) + 1


@pytest.mark.parametrize(
    "place",
    ["cookie", "query", "body", "token-header", "x-header"],
)
async def test_the_secret_of_the_runtime_file_opens_only_as_a_header(
    rooms, knock, jp_base_url, place
) -> None:
    """What a link, a form or a cookie could carry is no proof."""
    secret, path, body = rooms.secret, f"{jp_base_url}mlops/api/status", b""
    headers = {
        "cookie": {"Cookie": f"mlops={secret}; Authorization=mlops {secret}"},
        "token-header": {"Authorization": f"token {secret}"},
        "x-header": {"X-Mlops-Secret": secret},
    }.get(place, {})
    if place == "query":
        path += f"?token={secret}&secret={secret}&Authorization=mlops%20{secret}"
    if place == "body":
        body = b'{"secret": "%b"}' % secret.encode()
    assert await knock("GET", path, headers, body) in (302, 403)
    assert await knock("GET", path, {"Authorization": f"mlops {secret}"}) == 200


async def test_the_secret_opens_where_a_hub_has_put_its_own_check_in_place_of_jupyters(
    rooms, knock, jp_base_url, monkeypatch
) -> None:
    """JupyterHub's knows tokens and cookies of its own alone: every kernel's submission was refused by it."""

    def check(handler: JupyterHandler) -> None:
        raise HTTPError(403)

    monkeypatch.setattr(JupyterHandler, "check_xsrf_cookie", check)
    path, kind = f"{jp_base_url}mlops/api/inputs", {"Content-Type": "application/octet-stream"}
    assert await knock("POST", path, {"Authorization": f"mlops {rooms.secret}", **kind}, b"x") == 201
    assert await knock("POST", path, {"Authorization": "mlops wrong", **kind}, b"x") == 403


async def test_a_secret_is_compared_in_constant_time(rooms, knock, jp_base_url, monkeypatch) -> None:
    compared: list[tuple[Any, Any]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("mlops_jupyter.server.handler.hmac.compare_digest", compare)
    path = f"{jp_base_url}mlops/api/status"
    for wrong in ("", "x", rooms.secret[:-1], rooms.secret + "x", "é" * 64):
        assert await knock("GET", path, {"Authorization": f"mlops {wrong}"}) in (302, 403)
    assert len(compared) >= 5
    assert {other for _, other in compared} == {rooms.secret.encode()}


def test_the_table_of_routes_has_no_get_that_changes_anything() -> None:
    """GET never gets Jupyter's XSRF check."""
    assert {action for (verb, _), (action, _) in ASKS.items() if verb == "GET"} == {"read"}
