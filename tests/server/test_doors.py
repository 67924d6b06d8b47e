"""Nobody comes in who may not, and whoever may only read changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_server.auth import Authorizer

from mlops_jupyter.core import limits


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


async def test_a_body_that_must_be_json_is_refused_as_anything_else(rooms, ask) -> None:
    status, answer = await ask("POST", "jobs", b"{}", headers={"Content-Type": "text/plain"})
    assert (status, answer["reason"]) == (415, "The body must be application/json")


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read(rooms, knock) -> None:
    status = await knock(
        "POST", "/a%40b/mlops/api/jobs", {"Content-Type": "application/json"}, b" " * (2 << 20)
    )
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


REFUSED_AS_CODE = "This job could run any code: it needs execute on kernels"


async def test_what_a_path_leads_to_decides_and_not_how_it_is_written(
    rooms, jp_serverapp, ask, monkeypatch, jp_root_dir, tmp_path, contents
) -> None:
    """P23, P28: who may not run code trains on what the server shows, as its file browser does."""
    monkeypatch.setitem(jp_serverapp.web_app.settings, "authorizer", NoKernels())
    outside = tmp_path / "outside.csv"
    outside.write_text("a,y\n1,2\n")
    (jp_root_dir / ".ssh").mkdir()
    (jp_root_dir / "far").symlink_to(tmp_path, target_is_directory=True)
    (jp_root_dir / "link.csv").symlink_to(outside)
    (jp_root_dir / "loop.csv").symlink_to(jp_root_dir / "loop.csv")
    for hidden in (".t.csv", ".ssh/t.csv"):
        (jp_root_dir / hidden).write_text("a,y\n1,2\n")
    before = contents()
    for path in (
        outside,
        jp_root_dir / "link.csv",
        jp_root_dir / "far" / "outside.csv",
        f"{jp_root_dir}/../outside.csv",
        f"{jp_root_dir}-evil/t.csv",
        jp_root_dir / ".t.csv",
        jp_root_dir / ".ssh" / "t.csv",
        "/proc/self/environ",
        "a\0b",
    ):
        for source in ({"data": {"path": str(path)}}, {"data": {"path": "x"}, "test": {"path": str(path)}}):
            status, answer = await ask("POST", "jobs", {"target": "y", **source})
            assert (status, answer["reason"]) == (403, REFUSED_AS_CODE), path
    status, answer = await ask(
        "POST", "jobs", {"data": {"path": str(jp_root_dir / "loop.csv")}, "target": "y"}
    )
    assert (status, answer["problems"][0]["error"]) == (400, "DatasetNotFoundError")
    assert contents() == before
    monkeypatch.setattr(jp_serverapp.contents_manager, "allow_hidden", True)
    spec = {"data": {"path": str(jp_root_dir / ".t.csv")}, "target": "y", "name": "x" * 300}
    status, answer = await ask("POST", "jobs", spec)
    assert (status, answer["reason"], answer["message"]) == (
        400,
        "OptionError",
        "name is longer than 256 characters.",
    )
    for timeout in (-1, 0, 1e-9):
        status, answer = await ask("POST", "jobs", {**spec, "name": "t", "timeout": timeout})
        assert (status, answer["message"].partition("\n")[0]) == (
            400,
            f"timeout={timeout:g} leaves no time to train.",
        )


async def test_no_address_is_fetched_for_anybody(rooms, ask, contents) -> None:
    """P30, F47."""
    hits: list[object] = []
    server = await asyncio.start_server(lambda reader, writer: hits.append(writer.close()), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    before = contents()
    for address in (
        f"http://127.0.0.1:{port}/t.csv",
        f"HTTPS://127.0.0.1:{port}/t.csv",
        f"ftp://127.0.0.1:{port}/t.csv",
        f"/http://127.0.0.1:{port}/t.csv",
        "file:///etc/passwd",
        f"s3://127.0.0.1:{port}/bucket/t.csv",
        f"\\\\127.0.0.1@{port}\\share\\t.csv",
        f"//127.0.0.1:{port}/share/t.csv",
        "t.csv",
        "/dev/zero",
        "/dev/stdin",
        "/",
        "x" * 5000,
        "/" + "x" * 300,
        "/a\0b",
        "",
    ):
        for source in (
            {"data": {"path": address}},
            {"data": {"path": "/etc/passwd"}, "test": {"path": address}},
        ):
            status, answer = await ask("POST", "jobs", {"target": "y", **source})
            # Too long it is, too, and both are said.
            reason = "DatasetNotFoundError" if len(address) < 5000 else "SubmissionError"
            assert (status, answer["reason"]) == (400, reason), address
    server.close()
    await server.wait_closed()
    assert hits == []
    assert contents() == before


def a_body(more: bytes) -> bytes:
    return b'{"data": {"path": "/x"}, "target": "y"' + more + b"}"


BOMBS = {
    "deep": a_body(b', "params": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "never closed": b"[" * 1_000_000,
    "5000 digits": a_body(b', "params": {"a": ' + b"9" * 5000 + b"}"),
    "1e999": a_body(b', "params": {"a": 1e999}'),
    "no number": a_body(b', "params": {"a": NaN}'),
    "no whole number": a_body(b', "cv": 1e30'),
    "no UTF-8": a_body(b', "name": "\xff\xfe"'),
    "half a pair": a_body(b', "name": "\\ud800"'),
    "a surrogate": a_body(b', "name": "\xed\xa0\x80"'),
    "long": a_body(b" " * (2 << 20)),
    "many keys": a_body(b"".join(b', "k%d": 1' % i for i in range(9999))),
    "nul": b"\0",
    "null": b"null",
    "nothing": b"",
}


async def test_a_body_that_is_a_bomb_is_refused_and_leaves_nothing(
    rooms, jp_base_url, knock, contents
) -> None:
    before = contents()
    headers = {"Authorization": f"mlops {rooms.secret}", "Content-Type": "application/json"}
    answers = {
        name: await knock("POST", f"{jp_base_url}mlops/api/jobs", headers, body)
        for name, body in BOMBS.items()
    }
    assert answers == dict.fromkeys(BOMBS, 400)
    assert contents() == before


async def test_a_submission_is_no_larger_than_anybody_needs(rooms, ask, contents, jp_root_dir) -> None:
    table = jp_root_dir / "t.csv"
    table.write_text("a,y\n1,2\n")
    deep: list = []
    for _ in range(40):
        deep = [deep]
    spec = {
        "data": {"path": str(table), "name": "n" * 300},
        "target": "t" * 300,
        "name": "j" * 300,
        "metric": "m" * 300,
        "drop": ["d" * 300],
        "cwd": "/" * 5000,
        "params": {"p" * 300: deep},
        "grid": {f"g{i}": [1, 2] for i in range(10)},
    }
    before = contents()
    status, answer = await ask("POST", "jobs", spec)
    assert status == 400
    assert [problem["message"].partition(" is longer than ")[2] for problem in answer["problems"]] == [
        *["256 characters."] * 6,
        "4096 bytes.",
        "1000 combinations.",
        "32 levels.",
    ]
    assert contents() == before


async def test_a_query_is_as_long_as_a_line_may_be(rooms, jp_base_url, knock) -> None:
    headers = {"Authorization": f"mlops {rooms.secret}"}
    for query in ("id=" + "x" * 50_000, "since=" + "9" * 50_000, "limit=" + "9" * 50_000):
        for route in ("jobs", "events"):
            path = f"{jp_base_url}mlops/api/{route}?{query}"
            assert await knock("GET", path, headers) in (200, 400), query[:9]
    assert await knock("GET", f"{jp_base_url}mlops/api/jobs?id={'x' * 100_000}", headers) == 0


BYTES = {"Content-Type": "application/octet-stream"}


async def test_what_waits_for_its_job_is_bounded_in_number_and_bytes(rooms, ask, monkeypatch) -> None:
    monkeypatch.setattr(limits, "INPUTS", 2)
    assert [(await ask("POST", "inputs", b"x" * 10, headers=BYTES))[0] for _ in range(3)] == [201, 201, 507]
    monkeypatch.setattr(limits, "INPUTS", 100)
    monkeypatch.setattr(limits, "INPUTS_BYTES", 1 << 30)
    monkeypatch.setattr(limits, "FREE_BYTES", 0)
    status, answer = await ask("POST", "inputs", b"x", headers=BYTES)
    assert status == 201
    monkeypatch.setattr(limits, "INPUTS_BYTES", 25)
    status, answer = await ask("POST", "inputs", b"x" * 10, headers=BYTES)
    assert (status, answer["problems"][0]["error"]) == (507, "NoRoom")


@pytest.mark.parametrize("size", [10, 1 << 20], ids=["at the end", "on the way"])
async def test_a_disk_that_refuses_an_input_is_told_and_keeps_nothing_of_it(
    rooms, ask, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """F46. A quota shows in no figure of free room: the write itself fails."""

    def on_a_full_disk(path: Path) -> int:
        path.touch()
        return os.open("/dev/full", os.O_WRONLY | os.O_CLOEXEC)

    monkeypatch.setattr("mlops_jupyter.inputs.create", on_a_full_disk)
    status, answer = await ask("POST", "inputs", b"x" * size, headers=BYTES)
    assert (status, answer["message"]) == (507, "The disk does not take it: No space left on device.")
    assert list((rooms.supervisor.folder("j-").parents[1] / "inputs").iterdir()) == []


@pytest.mark.parametrize("kind", ["Content-Length: %d", "Transfer-Encoding: chunked"])
async def test_an_input_stops_where_the_disk_gets_full_and_its_sender_is_told(
    rooms, http_server_client, jp_base_url, jp_http_port, monkeypatch, kind
) -> None:
    """Before its first byte where its size is known, and else while it is sent; nothing of it stays."""
    folder = rooms.supervisor.folder("j-").parents[1] / "inputs"
    most = []

    def disk_usage(path: object) -> Any:
        most.append(sum(file.stat().st_size for file in folder.iterdir()))
        return SimpleNamespace(free=limits.FREE_BYTES + (20 << 20) - most[-1])

    monkeypatch.setattr("mlops_jupyter.inputs.shutil", SimpleNamespace(disk_usage=disk_usage))
    size, part = 64 << 20, b"x" * (1 << 20)
    head = (
        f"POST {jp_base_url}mlops/api/inputs HTTP/1.1\r\nHost: 127.0.0.1:{jp_http_port}\r\n"
        f"Authorization: mlops {rooms.secret}\r\nContent-Type: application/octet-stream\r\n"
    )
    announced = "%d" in kind
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    try:
        writer.write(f"{head}{kind % size if announced else kind}\r\n\r\n".encode())
        for _ in range(size // len(part)):
            writer.write(part if announced else b"%x\r\n%b\r\n" % (len(part), part))
            await writer.drain()
        if not announced:
            writer.write(b"0\r\n\r\n")
        async with asyncio.timeout(30):
            assert b"507" in await reader.readline()
    finally:
        writer.close()
    assert max(most) <= (0 if announced else 36 << 20)
    assert list(folder.iterdir()) == []


async def test_the_queue_has_an_end_and_what_it_refuses_leaves_nothing(
    rooms, ask, contents, monkeypatch, jp_root_dir
) -> None:
    monkeypatch.setattr(limits, "QUEUED", 0)
    (jp_root_dir / "t.csv").write_text("a,y\n1,2\n")
    _, answer = await ask("POST", "inputs", b"x", headers=BYTES)
    before = contents()
    spec = {"data": {"input_id": answer["input_id"]}, "target": "y"}
    status, answer = await ask("POST", "jobs", spec)
    assert (status, answer["problems"][0]["error"]) == (507, "NoRoom")
    unknown = {
        "data": {"path": str(jp_root_dir / "t.csv")},
        "estimator_input": "i-" + "0" * 24,
        "target": "y",
    }
    assert (await ask("POST", "jobs", unknown))[0] == 400
    assert contents() == before


@pytest.fixture(params=["another user", "everybody could write"])
def planted(request, jp_data_dir, monkeypatch) -> tuple[Path, str]:
    """A data directory that was there before us, and what is wrong with it."""
    folder = jp_data_dir / "mlops"
    folder.mkdir(parents=True)
    if request.param == "another user":
        monkeypatch.setattr("mlops_jupyter.store.files.os.geteuid", lambda: os.getuid() + 1)
    else:
        folder.chmod(0o777)
    return folder, request.param


async def test_a_data_directory_that_others_could_fill_is_refused_and_jupyter_goes_on(
    planted, ask, jp_fetch
) -> None:
    """P32: a job that waits in a planted store would be started."""
    folder, why = planted
    status, answer = await ask("GET", "status")
    assert (status, answer["reason"]) == (503, "StoreUnavailable")
    assert str(folder) in answer["message"]
    assert why in answer["message"]
    assert list(folder.iterdir()) == []
    assert (await jp_fetch("api", "status")).code == 200
