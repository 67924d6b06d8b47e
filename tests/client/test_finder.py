"""Which server is found: with real ones, each test in a Jupyter home of its own."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from mlops_jupyter.client import private
from mlops_jupyter.client.finder import Finder, answers
from mlops_jupyter.client.private import PrivateServer
from mlops_jupyter.client.rest import Rest
from mlops_jupyter.client.servers import Server
from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import ExtensionDisabled, MlopsError, ServerUnreachable, StoreUnavailable
from tests import processes


def finder(home: Path, parent: int | None = None, folder: Path | None = None) -> Finder:
    return Finder(home / "runtime", home / "data", parent, lambda: folder or home)


def refusing(**changes: object) -> Server:
    """A server that lives (it is this process) and listens nowhere."""
    facts = {"url": "http://127.0.0.1:9/", "base_url": "/", "root_dir": "/", "secret": "s", "version": "0"}
    return Server(**{"pid": os.getpid(), **facts, **changes})  # type: ignore[arg-type]


def write(runtime: Path, server: Server) -> Path:
    path = runtime / f"mlops-{server.pid}.json"
    path.write_text(json.dumps({field: getattr(server, field) for field in server.__struct_fields__}))
    return path


def test_without_a_server_the_private_one_is_started_and_shared(home: Path) -> None:
    found = finder(home).find()
    assert (found.private, Path(found.socket or "").stat().st_mode & 0o777) == (True, 0o600)
    assert finder(home).find() == found


def test_starters_at_the_same_time_start_one_server(home: Path) -> None:
    found: list[Server] = []
    threads = [threading.Thread(target=lambda: found.append(finder(home).find())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 3
    assert len(list((home / "runtime").glob("mlops-[0-9]*.json"))) == 1


def test_a_killed_private_server_is_replaced_and_its_file_removed(home: Path) -> None:
    first = finder(home).find()
    processes.end([process for process in processes.belonging_to(home) if process.pid == first.pid])
    left = write(home / "runtime", first)
    second = finder(home).find()
    assert second.pid != first.pid
    assert not left.exists()


def test_a_client_goes_on_with_the_server_that_took_over(home: Path) -> None:
    rest = Rest(finder(home))
    first = rest.status().pid
    processes.end([process for process in processes.belonging_to(home) if process.pid == first])
    assert rest.status().pid != first
    rest.close()


def test_a_server_that_refuses_is_passed_over(home: Path) -> None:
    write(home / "runtime", refusing())
    assert finder(home, parent=os.getpid()).find().private


def test_a_wrong_secret_is_no_answer(home: Path) -> None:
    found = finder(home).find()
    wrong = {**{field: getattr(found, field) for field in found.__struct_fields__}, "secret": "wrong"}
    assert (answers(found), answers(Server(**wrong))) == (True, False)


def test_a_jupyter_server_without_the_extension_is_told_once(home: Path) -> None:
    (home / "runtime" / f"jpserver-{os.getpid()}.json").write_text("{}")
    here = finder(home, parent=os.getpid())
    with pytest.warns(ExtensionDisabled) as told:
        found = [here.find(), here.find()]
    assert [server.private for server in found] == [True, True]
    assert [str(warning.message) for warning in told] == [
        (
            "mlops server extension is installed but not enabled in this Jupyter server "
            f"(pid {os.getpid()}).\n"
            "Run: jupyter server extension enable mlops_jupyter — then restart JupyterLab.\n"
            "Until then jobs run under a private server; the side panel stays empty."
        )
    ]


def test_a_private_server_that_cannot_start_names_its_log(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = home / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text("import sys; sys.exit('no server today')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    here = finder(home)
    with pytest.raises(ServerUnreachable) as error:
        here.find()
    assert str(error.value) == (
        "no mlops server answers (refused, 3 tries in 2 s).\n"
        f"Private server: could not start, see its log at {here.private.log}.\n"
        "Details: mlops doctor"
    )
    assert "no server today" in here.private.log.read_text()


def test_a_deep_runtime_directory_has_its_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 30)
    socket = PrivateServer(deep, tmp_path).socket
    assert len(os.fsencode(socket)) <= private.SOCKET_PATH
    assert (socket.parent.stat().st_mode & 0o777, socket.parent.stat().st_uid) == (0o700, os.getuid())


def test_every_data_directory_has_a_private_server_of_its_own(tmp_path: Path) -> None:
    assert PrivateServer(tmp_path, tmp_path / "a").socket != PrivateServer(tmp_path, tmp_path / "b").socket


def test_nothing_of_the_kernel_reaches_the_private_server(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_the_kernel = {"JPY_PARENT_PID": "1", "MPLBACKEND": "inline", "JUPYTER_TOKEN": "a-secret"}
    for name, text in of_the_kernel.items():
        monkeypatch.setenv(name, text)
    server = psutil.Process(finder(home).find().pid)
    assert of_the_kernel.keys() & server.environ().keys() == set()


def test_looking_starts_nothing(home: Path) -> None:
    assert (finder(home).up(), processes.belonging_to(home)) == (False, [])


@contextmanager
def a_server_in_trouble(status: int, error: MlopsError | None) -> Iterator[str]:
    """Answers everything in the shape of docs/API.md; yields its address."""
    problems = () if error is None else error.problems
    reason = None if error is None else type(error).__name__
    body = wire.encode({"message": str(error or "Error"), "reason": reason, "problems": problems})

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("X-Mlops-Version", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "error", "kind", "words"),
    [
        (
            503,
            StoreUnavailable("The disk is full: /data takes nothing more."),
            StoreUnavailable,
            "disk is full",
        ),
        (500, None, ServerUnreachable, "the server answered 500: Error"),
    ],
)
def test_a_server_in_trouble_is_found_and_heard_and_no_other_is_started(
    home: Path, status: int, error: MlopsError | None, kind: type[MlopsError], words: str
) -> None:
    with a_server_in_trouble(status, error) as address:
        write(home / "runtime", refusing(url=address))
        rest = Rest(finder(home, parent=os.getpid()))
        with pytest.raises(kind, match=words):
            rest.jobs(1)
        rest.close()
    assert processes.belonging_to(home) == []


def test_a_server_that_just_starts_is_waited_for() -> None:
    with a_server_in_trouble(503, None) as address:
        assert not answers(refusing(url=address))
