"""What a server's process, its jobs and its files give away: nothing, whatever the umask.

One server, started under umask 000 with keys in its environment, that has run a job to its end, one that
failed and one that is running.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests import processes
from tests.browser.servers import LabServer
from tests.server.test_routes import ASKS, address, media

HUB_TOKEN = "a-key-of-the-hub-3f9c"
DATABASE_TOKEN = "a-key-of-a-database-77ab"
FORM = {"model": "logistic", "cv": 0}
pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def nothing_leaks() -> None:
    """The server is shared, and has a pair standing by whenever it likes; its ``close`` ends what is left."""


class Server(LabServer):
    module = "jupyter_server"

    @property
    def environment(self) -> dict[str, str]:
        keys = {"JUPYTERHUB_API_TOKEN": HUB_TOKEN, "WAREHOUSE_TOKEN": DATABASE_TOKEN}
        return {**super().environment, **keys, "WAREHOUSE_USER": "ada"}

    @property
    def secret(self) -> str:
        (file,) = (self.home / "runtime").glob("mlops-*.json")
        return json.loads(file.read_text())["secret"]

    def submit(self, table: str, **query: str) -> dict[str, Any]:
        spec = {"data": {"path": str(self.root / table)}, "target": "y", **FORM}
        return self.post("jobs", spec, **query)

    def post(self, path: str, body: Any, **query: str) -> dict[str, Any]:
        headers = {} if query else {"Authorization": f"token {self.token}"}
        address = f"{self.url}mlops/api/{path}"
        answer = httpx.post(address, json=body, params=query, headers=headers, timeout=30)
        return answer.raise_for_status().json()

    def until(self, job_id: str, *statuses: str) -> dict[str, Any]:
        while True:
            answer = self.get(f"mlops/api/jobs/{job_id}").json()
            if answer["job"]["status"] in statuses:
                return answer["job"]
            self.get("mlops/api/events", since=answer["head"], wait=5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("secrets") / "home", options=["--MlopsExtension.standby=True"])
    # Jupyter makes the folders that are there before us; ours is below them.
    (server.root / "t.csv").write_text("a,y\n" + "".join(f"{i % 17},{i % 2}\n" for i in range(60)))
    (server.root / "one-class.csv").write_text("a,y\n" + "1,0\n" * 60)
    before = os.umask(0)
    try:
        server.start()
        done = server.submit("t.csv")
        failed = server.submit("one-class.csv", token=server.token)
        assert server.until(done["job_id"], "completed", "failed")["model_id"]
        assert server.until(failed["job_id"], "failed", "completed")["status"] == "failed"
    finally:
        os.umask(before)
    try:
        yield server
    finally:
        server.close()


def asked(server: Server) -> list[httpx.Response]:
    """Questions with the token in them, in every place it may stand, right and wrong ones."""
    token = server.token
    places = [
        {"params": {"token": token}},
        {"headers": {"Authorization": f"token {token}"}},
        {"headers": {"Authorization": f"mlops {server.secret}"}},
        {"headers": {"Authorization": f"token {token}", "Referer": f"{server.url}lab?token={token}"}},
        {"params": {"token": token, "limit": "x"}},
    ]
    routes = [
        ("GET", "status", b""),
        ("GET", "jobs", b""),
        ("GET", "jobs/j-nope", b""),
        ("GET", "models/m-000000000000", b""),
        ("GET", "events", b""),
        ("GET", "events/subscribe", b""),
        ("POST", "jobs", b"{}"),
        ("POST", "jobs", b'{"data": {"path": "/x"}, "target": "y"}'),
        ("POST", "status", b""),
    ]
    return [
        httpx.request(verb, f"{server.url}mlops/api/{path}", content=body, timeout=30, **place)
        for place in places
        for verb, path, body in routes
    ]


def test_no_key_is_in_a_log_an_answer_an_event_or_a_file(server: Server) -> None:
    """P31, F36."""
    answers = asked(server)
    cookies = {value for answer in answers for value in answer.cookies.values()}
    keys = {server.token, HUB_TOKEN, DATABASE_TOKEN, server.secret, *cookies}
    assert len(cookies) >= 1
    texts = {f"{a.request.method} {a.request.url.path} {a.status_code}": a.text for a in answers}
    texts["events"] = server.get("mlops/api/events", since=0).text
    texts["jobs"] = server.get("mlops/api/jobs").text
    texts["log"] = server.log.read_text("utf-8", "replace")
    for path in (server.home / "data").rglob("*"):
        if path.is_file():
            texts[str(path)] = path.read_bytes().decode("utf-8", "replace")
    assert len(texts) > 25
    assert [(place, key) for place, text in texts.items() for key in keys if key in text] == []


def test_no_process_of_a_job_has_a_key_of_the_server(server: Server) -> None:
    """P31. What the user set for their own code stays, unless it is called a token."""
    ours = [
        found
        for found in processes.belonging_to(server.home)
        if server.process and found.pid != server.process.pid
    ]
    # The pair that stands by for the next job is the one that would run it.
    deadline = time.monotonic() + 30
    while len(ours) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
        ours = [p for p in processes.belonging_to(server.home) if p.pid != server.process.pid]
    assert len(ours) >= 2
    told = {}
    for found in ours:
        with suppress(psutil.NoSuchProcess):
            told[found.pid] = "\n".join([*found.cmdline(), *(f"{k}={v}" for k, v in found.environ().items())])
    keys = (server.token, HUB_TOKEN, DATABASE_TOKEN, server.secret)
    assert [(pid, key) for pid, text in told.items() for key in keys if key in text] == []
    assert all("WAREHOUSE_USER=ada" in text for text in told.values())


def test_files_are_the_users_alone_whatever_the_umask(server: Server) -> None:
    """P32, F55."""
    ours = [server.home / "data" / "mlops", *(server.home / "data" / "mlops").rglob("*")]
    ours += (server.home / "runtime").glob("mlops-*")
    assert len(ours) > 12
    modes = {str(path.relative_to(server.home)): stat.S_IMODE(path.lstat().st_mode) for path in ours}
    wanted = {str(path.relative_to(server.home)): 0o700 if path.is_dir() else 0o600 for path in ours}
    assert modes == wanted


BODY = 300 << 20
ROOM = 8 << 20
#: Anybody can make a cookie and a header that are the same, which is all that Jupyter's check looks for.
TOKEN = "2|" + "0" * 8 + "|" + "0" * 32 + "|1795248239"
OWN_PAGE = f"Cookie: _xsrf={TOKEN}\r\nX-XSRFToken: {TOKEN}"


def high_water(pid: int) -> int:
    (line,) = (x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) << 10


def pour(server: Server, verb: str, route: str, kind: str) -> bytes:
    """Send 300 MiB without credentials, for as long as anybody listens; the first line of the answer."""
    sent = f"{OWN_PAGE}\r\nContent-Type: {media(verb, route)}\r\n{kind}"
    part = b"x" * (1 << 20)
    chunk = part if kind.startswith("Content-Length") else b"%x\r\n%b\r\n" % (len(part), part)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        head = f"{verb} {server.base_url}{address(route)} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}"
        connection.sendall(f"{head}\r\n{sent}\r\n\r\n".encode())
        answer = b""
        with suppress(ConnectionError):
            for _ in range(BODY // len(part)):
                connection.sendall(chunk)
            connection.sendall(b"" if chunk is part else b"0\r\n\r\n")
        with suppress(ConnectionError):
            answer = connection.recv(1 << 16)
    return answer.partition(b"\r\n")[0]


def test_unauthenticated_bytes_cost_no_memory(server: Server) -> None:
    """P25, at every door, pages and the socket too, and by a verb it may not know."""
    assert server.process is not None
    pid = server.process.pid
    grown = {}
    for verb, route in {*ASKS, *(("POST", route) for _, route in ASKS)}:
        for kind in (f"Content-Length: {BODY}", "Transfer-Encoding: chunked"):
            Path(f"/proc/{pid}/clear_refs").write_text("5")
            before = high_water(pid)
            answer = pour(server, verb, route, kind)
            assert not answer or answer.split()[1] in (b"302", b"400", b"403", b"405", b"413"), (verb, route)
            grown[verb, route, kind] = high_water(pid) - before
    assert {case: more for case, more in grown.items() if more > ROOM} == {}
    assert server.get("mlops/api/status").status_code == 200
