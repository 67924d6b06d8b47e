from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.client import servers
from mlops_jupyter.client.servers import Server

ME = os.getpid()


def a_server(**changes: Any) -> Server:
    facts = {"pid": ME, "url": "http://127.0.0.1:8888/", "base_url": "/", "root_dir": "/", "secret": "s"}
    return Server(**{**facts, "version": "0.1.0", **changes})


def write(runtime: Path, server: Server, *, age: float = 0.0) -> Path:
    """The runtime file of ``server``, ``age`` seconds old."""
    path = runtime / f"mlops-{server.pid}.json"
    path.write_text(json.dumps({field: getattr(server, field) for field in server.__struct_fields__}))
    moment = path.stat().st_mtime - age
    os.utime(path, (moment, moment))
    return path


def a_dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        return process.pid


def test_servers_are_known_by_their_runtime_files_newest_first(tmp_path: Path) -> None:
    old, new = a_server(pid=os.getppid()), a_server()
    write(tmp_path, old, age=60)
    write(tmp_path, new)
    assert servers.known(tmp_path) == [new, old]


def test_a_dead_process_is_no_server(tmp_path: Path) -> None:
    write(tmp_path, a_server(pid=a_dead_pid()))
    assert servers.known(tmp_path) == []


def test_a_file_that_is_being_written_is_no_server_yet(tmp_path: Path) -> None:
    (tmp_path / f"mlops-{ME}.json").write_text('{"pid": ')
    assert servers.known(tmp_path) == []


def test_a_newer_server_may_say_more_than_we_know(tmp_path: Path) -> None:
    path = write(tmp_path, a_server())
    path.write_text(json.dumps({**json.loads(path.read_text()), "colour": "blue"}))
    assert servers.known(tmp_path) == [a_server()]


def test_the_server_that_started_the_kernel_comes_first_whatever_its_root(tmp_path: Path) -> None:
    elsewhere = a_server(root_dir=str(tmp_path / "elsewhere"))
    around = a_server(pid=1, root_dir=str(tmp_path))
    assert servers.candidates([around, elsewhere], ME, tmp_path) == [elsewhere, around]


def test_without_a_parent_the_newest_server_around_the_folder_is_taken(tmp_path: Path) -> None:
    new, old = a_server(pid=3, root_dir=str(tmp_path)), a_server(pid=2, root_dir=str(tmp_path))
    other = a_server(pid=4, root_dir=str(tmp_path / "other"))
    folder = tmp_path / "notebooks"
    assert servers.candidates([other, new, old], None, folder) == [new, old]


def test_a_root_is_not_around_a_folder_that_only_begins_like_it(tmp_path: Path) -> None:
    server = a_server(root_dir=str(tmp_path / "data"))
    assert servers.candidates([server], None, tmp_path / "database") == []


def test_somebody_elses_private_server_is_never_taken() -> None:
    assert servers.candidates([a_server(private=True)], ME, Path("/")) == []


def test_a_parent_with_a_jupyter_file_but_none_of_ours_runs_without_the_extension(tmp_path: Path) -> None:
    assert not servers.without_extension([], ME, tmp_path)
    (tmp_path / f"jpserver-{ME}.json").write_text("{}")
    assert servers.without_extension([], ME, tmp_path)
    assert not servers.without_extension([a_server()], ME, tmp_path)
    assert not servers.without_extension([], None, tmp_path)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8888/", "http://127.0.0.1:8888/"),
        ("http://0.0.0.0:8888/", "http://127.0.0.1:8888/"),
        ("http://[::]:8888/user/x%20y/", "http://[::1]:8888/user/x%20y/"),
        ("https://localhost:443/lab/?token=t", "https://localhost:443/lab/"),
        ("http://:8888", "http://127.0.0.1:8888/"),
    ],
)
def test_a_server_is_reached_on_this_machine_wherever_it_listens(url: str, address: str) -> None:
    assert a_server(url=url).address == address


def test_a_server_on_a_socket_is_addressed_by_its_base_url() -> None:
    server = a_server(url="http+unix://%2Frun%2Fs.sock/x/", base_url="/x/", socket="/run/s.sock")
    assert server.address == "http://localhost/x/"
