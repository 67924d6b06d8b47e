"""A file becomes a dataset by REST: in parts, read in a process of its own, told by events."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from mlops_jupyter.core import limits
from mlops_jupyter.core.limits import UploadLimits
from mlops_jupyter.inputs import KEPT_SECONDS, Ages
from mlops_jupyter.server.uploads import UploadHandler
from mlops_jupyter.uploads import Uploads

TABLE = b"name,age\nAda,36\nGrace,85\n"
BYTES = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def send(ask) -> Callable[..., Any]:
    """``await send(b"…", name=…) -> (status, answer)`` of the last request; in parts of ``part`` bytes."""

    async def send(content: bytes, part: int = 8, **options: Any) -> tuple[int, Any]:
        wanted = {"filename": "people.csv", "bytes": len(content), **options}
        status, answer = await ask("POST", "uploads", wanted)
        assert (status, answer["offset"], answer["chunk"]) == (201, 0, limits.CHUNK), answer
        upload = answer["upload_id"]
        for start in range(0, len(content), part):
            chunk = content[start : start + part]
            sent = await ask(
                "PATCH", f"uploads/{upload}", chunk, headers={**BYTES, "Upload-Offset": str(start)}
            )
            assert sent == (200, {"offset": start + len(chunk)})
        status, answer = await ask("POST", f"uploads/{upload}/finish", {})
        return status, {"upload_id": upload, **answer}

    return send


@pytest.fixture
def over(ask) -> Callable[..., Any]:
    """``await over(upload_id)``: its record once it is no more being read. Waits on events."""

    async def over(upload_id: str) -> dict[str, Any]:
        while True:
            head = (await ask("GET", "datasets"))[1]["head"]
            upload = (await ask("GET", f"uploads/{upload_id}"))[1]
            if upload["state"] not in ("open", "reading"):
                return upload
            await ask("GET", f"events?since={head}&wait=0.2", request_timeout=30)

    return over


@pytest.fixture
def events(ask) -> Callable[..., Any]:
    async def events(*types: str) -> list[dict[str, Any]]:
        _, answer = await ask("GET", "events?since=0")
        return [event for event in answer["events"] if event["type"] in types]

    return events


async def test_a_file_in_parts_becomes_a_dataset_and_everybody_is_told(ask, send, over, events) -> None:
    status, answer = await send(TABLE)
    assert status == 202
    upload = await over(answer["upload_id"])
    digest = hashlib.sha256(TABLE).hexdigest()
    assert (upload["state"], upload["version"], upload["sha256"]) == ("completed", 1, digest)
    _, listed = await ask("GET", "datasets")
    (dataset,) = listed["datasets"]
    version = dataset["current"]
    assert dataset == {
        "id": upload["dataset_id"],
        "name": "people",
        "current": version,
        "versions": [version],
    }
    assert {key: version[key] for key in ("version", "sha256", "bytes", "rows", "columns", "format")} == {
        "version": 1,
        "sha256": digest,
        "bytes": len(TABLE),
        "rows": 2,
        "columns": 2,
        "format": "csv",
    }
    assert await ask("GET", f"datasets/{dataset['id']}?version=1") == (200, dataset)
    told = await events("dataset_created", "upload_completed", "activity_update")
    assert [event["type"] for event in told] == ["dataset_created", "activity_update", "upload_completed"]
    assert told[1]["activity"]["description"] == "people: v1, 2 rows × 2 columns"
    assert told[2]["dataset_id"] == dataset["id"]


async def test_bytes_are_told_while_they_arrive_and_no_more_afterwards(ask, rooms, subscribe, over) -> None:
    async with subscribe() as socket:
        _, answer = await ask("POST", "uploads", {"filename": "people.csv", "bytes": len(TABLE)})
        upload = answer["upload_id"]
        await ask("PATCH", f"uploads/{upload}", TABLE, headers={**BYTES, "Upload-Offset": "0"})
        key = f"upload_progress:{upload}"
        while key not in (message := await socket.heard()).get("latest", {}):
            pass
        told = message["latest"][key]
        expected = {
            "upload_id": upload,
            "filename": "people.csv",
            "bytes_total": len(TABLE),
            "priority": "low",
        }
        assert {name: told[name] for name in expected} == expected
    await ask("POST", f"uploads/{upload}/finish", {})
    await over(upload)
    assert key not in rooms.hub.latest(0)


async def test_who_sees_an_upload_come_hears_that_it_was_there_already(ask, send, over, events) -> None:
    first = await over((await send(TABLE))[1]["upload_id"])
    _, again = await send(TABLE)
    told = [(event["upload_id"], event["version"]) for event in await events("upload_completed")]
    assert told == [(first["upload_id"], 1), (again["upload_id"], 1)]


async def test_the_same_content_is_no_second_version_and_another_is(ask, send, over, events) -> None:
    first = await over((await send(TABLE))[1]["upload_id"])
    status, again = await send(TABLE)
    assert status == 200
    same = {"dataset": first["dataset_id"], "name": "people", "version": 1}
    assert again["duplicate_of"] == same
    other = await over((await send(TABLE + b"Alan,41\n"))[1]["upload_id"])
    assert (other["dataset_id"], other["version"]) == (first["dataset_id"], 2)
    (updated,) = await events("dataset_updated")
    assert (updated["version"], updated["rows"]) == (2, 3)


async def test_one_name_twice_at_once_is_two_versions_of_one_dataset(ask, send, over) -> None:
    """F46."""
    sent = await asyncio.gather(send(TABLE), send(TABLE + b"Alan,41\n"), send(TABLE + b"Emmy,53\n"))
    uploads = [await over(answer["upload_id"]) for _, answer in sent]
    _, listed = await ask("GET", "datasets")
    assert len(listed["datasets"]) == 1
    assert sorted(upload["version"] for upload in uploads) == [1, 2, 3]


async def test_one_content_twice_at_once_is_one_version(ask, send, over) -> None:
    sent = await asyncio.gather(send(TABLE), send(TABLE))
    uploads = [await over(answer["upload_id"]) for _, answer in sent]
    assert [upload["version"] for upload in uploads] == [1, 1]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"a,b\n1,2\n3,4,5\n", 3, "Line 3 of people.csv has 3 fields; the first has 2."),
        ("a,b\n1,2\n3,é\n".encode("latin-1"), 3, 'Line 3 of people.csv is not UTF-8 text: byte 0xe9 in "b".'),
        (b"a,b\n", None, "people.csv has column names and no rows."),
        (b"\x1f\x8b\x08\x00", None, "people.csv is a gzip archive, not a table."),
        (b"PAR1 and no more of it", None, "people.csv cannot be read as Parquet"),
        (b"x\n" + b"y" * (limits.CELL + 1), 2, 'Row 1 of people.csv has 1 048 577 bytes in "x"'),
        (b"a," * limits.COLUMNS + b"a\n1\n", None, "people.csv has 10 001 columns; 10 000 are taken."),
        (b"a" * 257 + b"\n1\n", None, "The name of column 1 has 257 characters; 256 are taken."),
    ],
    ids=["ragged", "latin-1", "no-rows", "gzip", "broken-parquet", "cell", "columns", "name"],
)
async def test_what_is_no_table_says_where_and_why(ask, send, over, events, content, line, words) -> None:
    _, answer = await send(content, part=limits.CHUNK)
    upload = await over(answer["upload_id"])
    assert (upload["state"], upload["line"], upload["dataset_id"]) == ("failed", line, None)
    assert words in upload["problem"]["message"]
    (told,) = await events("upload_failed")
    assert (told["line"], told["filename"]) == (line, "people.csv")
    assert words in told["error"]
    assert (await ask("GET", "datasets"))[1]["datasets"] == []


async def test_a_wrong_sha256_fails_and_leaves_no_dataset(ask, send, events) -> None:
    status, answer = await send(TABLE, sha256="0" * 64)
    assert (status, answer["reason"]) == (400, "InputError")
    assert len(await events("upload_failed")) == 1
    assert (await ask("GET", "datasets"))[1]["datasets"] == []


async def test_a_wrong_offset_is_answered_with_the_right_one(ask, jp_fetch) -> None:
    _, answer = await ask("POST", "uploads", {"filename": "people.csv", "bytes": len(TABLE)})
    path = f"uploads/{answer['upload_id']}"
    await ask("PATCH", path, TABLE[:8], headers={**BYTES, "Upload-Offset": "0"})
    status, refused = await ask("PATCH", path, TABLE, headers={**BYTES, "Upload-Offset": "0"})
    assert (status, refused["reason"]) == (409, "UploadStateError")
    assert refused["problems"][0]["hint"] == "Go on at 8."
    assert (await ask("GET", path))[1]["offset"] == 8
    status, refused = await ask("PATCH", path, TABLE, headers=BYTES)
    assert (status, refused["reason"]) == (400, "InputError")


async def test_an_upload_goes_on_where_its_client_vanished_in_the_middle_of_a_part(
    ask, over, rooms, monkeypatch, jp_http_port, jp_base_url, jp_auth_header
) -> None:
    """F46: what had arrived stays."""
    _, answer = await ask("POST", "uploads", {"filename": "people.csv", "bytes": len(TABLE)})
    path = f"uploads/{answer['upload_id']}"
    kept, gone = asyncio.Event(), asyncio.Event()
    progressed, left = rooms.arrivals.progressed, UploadHandler.on_connection_close
    monkeypatch.setattr(
        rooms.arrivals, "progressed", lambda *args, **how: (progressed(*args, **how), kept.set())
    )
    monkeypatch.setattr(UploadHandler, "on_connection_close", lambda handler: (left(handler), gone.set()))
    headers = {**jp_auth_header, **BYTES, "Upload-Offset": "0", "Content-Length": str(len(TABLE))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"PATCH {jp_base_url}mlops/api/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n"
    _, client = await asyncio.open_connection("127.0.0.1", jp_http_port)
    client.write(request.encode() + TABLE[:10])
    await asyncio.wait_for(kept.wait(), 30)
    client.transport.abort()
    await asyncio.wait_for(gone.wait(), 30)
    monkeypatch.undo()
    assert (await ask("GET", path))[1]["offset"] == 10
    rest = {**BYTES, "Upload-Offset": "10"}
    assert await ask("PATCH", path, TABLE[10:], headers=rest) == (200, {"offset": len(TABLE)})
    assert (await ask("POST", f"{path}/finish", {}))[0] == 202
    assert (await over(answer["upload_id"]))["state"] == "completed"


async def test_a_cancelled_upload_is_gone_with_its_bytes(ask, rooms, contents, events) -> None:
    before = contents()
    _, answer = await ask("POST", "uploads", {"filename": "people.csv", "bytes": len(TABLE)})
    path = f"uploads/{answer['upload_id']}"
    await ask("PATCH", path, TABLE[:8], headers={**BYTES, "Upload-Offset": "0"})
    assert (await ask("DELETE", path, {}))[0] == 200
    assert (await ask("GET", path))[0] == 404
    assert [path for path in contents() if path.startswith("/")] == [
        path for path in before if path.startswith("/")
    ]
    (told,) = await events("upload_cancelled")
    assert (told["upload_id"], told["filename"]) == (answer["upload_id"], "people.csv")
    row = (await events("activity_update"))[-1]["activity"]
    assert (row["title"], row["description"]) == ("Upload cancelled", f"people.csv, by {told['by']}")
    assert rooms.hub.latest(0).keys().isdisjoint({f"upload_progress:{answer['upload_id']}"})


async def test_an_upload_nobody_finished_is_told_to_have_failed(ask, rooms, events, tmp_path) -> None:
    passed = 0.0
    clock = Ages("a boot", lambda: passed)
    rooms.arrivals.uploads = Uploads(tmp_path / "uploads", clock, UploadLimits())
    _, first = await ask("POST", "uploads", {"filename": "people.csv", "bytes": len(TABLE)})
    passed = KEPT_SECONDS + 1.0
    _, second = await ask("POST", "uploads", {"filename": "places.csv", "bytes": len(TABLE)})
    assert (await ask("GET", f"uploads/{first['upload_id']}"))[0] == 404
    assert (await ask("GET", f"uploads/{second['upload_id']}"))[0] == 200
    (told,) = await events("upload_failed")
    assert (told["upload_id"], told["filename"]) == (first["upload_id"], "people.csv")
    assert told["error"] == "It was not finished within 24 hours."


async def test_an_upload_that_is_over_is_forgotten_without_a_word(ask, send, over, events) -> None:
    upload = await over((await send(TABLE))[1]["upload_id"])
    assert (await ask("DELETE", f"uploads/{upload['upload_id']}", {}))[0] == 200
    assert await events("upload_cancelled") == []


async def test_hostile_names_are_shown_and_never_become_paths(ask, send, over, rooms, tmp_path) -> None:
    """P28."""
    _, answer = await send(TABLE, filename="../../<img src=x>.csv", name="../../etc/passwd")
    upload = await over(answer["upload_id"])
    assert (upload["filename"], upload["name"]) == ("<img src=x>.csv", "../../etc/passwd")
    folder = rooms.datasets.place(
        *await rooms.datasets.version(upload["dataset_id"], None),
    ).parent
    assert {path.suffix for path in folder.iterdir()} == {".csv", ".json"}
    for name in ("", " ", "a@b", "a\nb", "x" * 257):
        status, refused = await ask("POST", "uploads", {"filename": "t.csv", "bytes": 3, "name": name or " "})
        assert (status, refused["reason"]) == (400, "InputError"), name


async def test_a_dataset_that_nobody_used_is_deleted_with_its_files(
    ask, send, over, contents, events
) -> None:
    upload = await over((await send(TABLE))[1]["upload_id"])
    assert (await ask("DELETE", f"datasets/{upload['dataset_id']}", {}))[0] == 200
    assert (await ask("GET", f"datasets/{upload['dataset_id']}"))[0] == 404
    assert [event["name"] for event in await events("dataset_deleted")] == ["people"]
    assert [path for path in contents() if "/datasets/" in path] == []
