"""Files from addresses the administrator allows become datasets: copied, and told without secrets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from mlops_jupyter import __version__
from mlops_jupyter.core.limits import UploadLimits
from tests.server.conftest import PENGUINS

SIGNATURE = "sig=hunter2"


class Shelf(ThreadingHTTPServer):
    """A server of the web: files by path, and where the others lead on to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Shelf)
        self.files: dict[str, bytes] = {}
        self.leads: dict[str, str] = {}
        self.asked: list[str] = []
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class _Shelf(BaseHTTPRequestHandler):
    server: Shelf
    protocol_version: ClassVar[str] = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        path = self.path.partition("?")[0].removeprefix("/")
        body = self.server.files.get(path, b"")
        lead = self.server.leads.get(path)
        self.send_response(302 if lead else 200 if body else 404)
        if lead:
            self.send_header("Location", lead)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[Shelf]:
    with Shelf() as shelf:
        yield shelf
        shelf.shutdown()
        shelf.thread.join()


@pytest.fixture
def shelf(web: Shelf) -> Shelf:
    web.files = {"public/penguins.csv": PENGUINS.read_bytes(), "private.csv": b"a,b\n1,2\n"}
    web.leads = {}
    web.asked = []
    return web


@pytest.fixture
def jp_server_config(jp_server_config: dict[str, Any], web: Shelf) -> dict[str, Any]:
    jp_server_config["MlopsExtension"]["remote_data"] = [web.url("public/")]
    return jp_server_config


async def test_a_file_from_the_web_is_copied_trained_on_and_says_from_where(
    ask, until, rooms, shelf, contents
) -> None:
    url = shelf.url("public/penguins.csv")
    status, found = await ask("POST", "datasets", {"path": f"{url}?{SIGNATURE}"}, request_timeout=60)
    assert status == 201, found
    assert shelf.asked[-1] == f"/public/penguins.csv?{SIGNATURE}"
    version = found["current"]
    told = {key: version[key] for key in ("version", "filename", "path", "url", "bytes", "rows")}
    assert (found["name"], told) == (
        "penguins",
        {
            "version": 1,
            "filename": "penguins.csv",
            "path": None,
            "url": url,
            "bytes": len(PENGUINS.read_bytes()),
            "rows": 344,
        },
    )
    place = rooms.datasets.place(*await rooms.datasets.version(found["id"], None))
    assert place.read_bytes() == PENGUINS.read_bytes()
    assert place.stat().st_mode & 0o077 == 0
    spec = {"data": {"dataset": found["id"]}, "target": "species", "model": "rf", "cv": 0}
    status, job = await ask("POST", "jobs", {**spec, "version": __version__})
    assert status == 201, job
    job = await until(job["job_id"], lambda job: job["end_time"] is not None)
    assert (job["status"], job["dataset"]["hash"]) == ("completed", version["sha256"])
    everything = "\n".join(contents())
    assert "hunter2" not in everything
    assert "fetching-" not in everything


async def test_an_address_again_is_the_next_version_if_it_has_changed(ask, shelf) -> None:
    shelf.files["public/a.csv"] = b"a,b\n1,2\n"
    body = {"path": shelf.url("public/a.csv"), "name": "numbers"}
    _, found = await ask("POST", "datasets", body, request_timeout=60)
    assert (await ask("POST", "datasets", body, request_timeout=60))[1] == found
    shelf.files["public/a.csv"] += b"3,4\n"
    _, changed = await ask("POST", "datasets", body, request_timeout=60)
    assert (changed["id"], changed["name"], changed["current"]["version"]) == (found["id"], "numbers", 2)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("private.csv", "is not fetched: this server fetches what is below http://127.0.0.1:"),
        ("public/../private.csv", "is not fetched: this server fetches what is below http://127.0.0.1:"),
        ("public/missing.csv", "There is no http://127.0.0.1:"),
        ("public/elsewhere.csv", "leads on to another address"),
        ("public/broken.csv", "Line 3 of broken.csv has 3 fields; the first has 2."),
    ],
)
async def test_what_is_not_fetched_says_why_and_leaves_nothing(ask, contents, shelf, path, words) -> None:
    shelf.leads["public/elsewhere.csv"] = shelf.url("private.csv")
    shelf.files["public/broken.csv"] = b"a,b\n1,2\n1,2,3\n"
    before = contents()
    status, refused = await ask(
        "POST", "datasets", {"path": shelf.url(f"{path}?{SIGNATURE}")}, request_timeout=60
    )
    assert (status, words in refused["message"]) == (400, True), refused
    assert "hunter2" not in str(refused)
    assert not [asked for asked in shelf.asked if "private" in asked]
    assert contents() == before


async def test_a_file_larger_than_may_be_is_not_kept(ask, contents, shelf, rooms) -> None:
    rooms.arrivals.uploads.most = UploadLimits(file=1000)
    before = contents()
    path = shelf.url("public/penguins.csv")
    status, refused = await ask("POST", "datasets", {"path": path}, request_timeout=60)
    assert (status, refused["reason"]) == (507, "NoRoom")
    assert "has more than 1000 bytes" in refused["message"]
    assert contents() == before


async def test_what_reads_an_address_may_be_missing(ask, shelf, rooms) -> None:
    rooms.arrivals._allowed = ("s3",)
    status, refused = await ask("POST", "datasets", {"path": "s3://bucket/a.csv"}, request_timeout=60)
    assert (status, refused["reason"]) == (400, "DataError")
    assert "s3fs" in refused["message"]
