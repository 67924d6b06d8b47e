"""The event loop belongs to the user's notebooks: nothing of ours holds it up."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import msgspec
import pytest
from tornado.httpclient import HTTPClientError
from tornado.iostream import StreamClosedError

from mlops_jupyter import supervisor
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.events import MetricPoints
from mlops_jupyter.core.jobs import Candidate, JobSpec, Source
from mlops_jupyter.core.series import Point
from mlops_jupyter.server import metrics
from tests.core.builders import a_job
from tests.executors.builders import until
from tests.lines import NOW

JOB = "j-7f3a00000000"
POINTS = 100_000


class Probe:
    """What the loop's thread did: the longest callback in seconds of its own processor time, which other
    programs on the machine do not lengthen, and files it opened itself."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.thread = threading.get_ident()
        self.longest, self.what = 0.0, ""
        self.opened: list[str] = []
        self.on = False

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event == "open" and threading.get_ident() == self.thread:
            path = arguments[0]
            if isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(self.folder):
                self.opened.append(os.fsdecode(path))


@pytest.fixture
def probe(rooms, monkeypatch: pytest.MonkeyPatch) -> Iterator[Probe]:
    probe = Probe(str(rooms.supervisor.folder("x").parent.parent))
    sys.addaudithook(probe.audit)
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        spent = time.thread_time() - began
        if probe.on and spent > probe.longest:
            probe.longest, probe.what = spent, repr(handle)

    monkeypatch.setattr(asyncio.Handle, "_run", timed)
    monkeypatch.setattr(asyncio.events.Handle, "_run", timed)
    yield probe
    probe.on = False


async def test_nothing_of_ours_blocks_the_loop_for_longer_than_50_ms(
    rooms, jp_fetch, ask, probe: Probe
) -> None:
    """P21: a long series is read, an input sent and a job refused, all at once."""
    spec = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
    points = tuple(Point(name="loss", step=n, value=0.5 + n) for n in range(1, POINTS + 1))

    def fill(tx) -> None:
        tx.add_job(a_job(status="completed"), spec, "rf")
        tx.append(MetricPoints(time=NOW, job_id=JOB, points=points))

    await rooms.store.awrite(fill)
    data = {"Content-Type": "application/octet-stream"}
    sent = bytes(32 << 20)
    probe.on = True
    measured, uploaded, refused = await asyncio.gather(
        jp_fetch("mlops", "api", "jobs", JOB, "metrics"),
        ask("POST", "inputs", sent, headers=data),
        ask("POST", "jobs", {"data": {"path": "/nowhere"}, "target": "y"}),
    )
    probe.on = False
    assert (uploaded[0], refused[0]) == (201, 400)
    series = await asyncio.to_thread(msgspec.json.decode, measured.body)
    assert series["series"]["loss"]["count"] == len(series["series"]["loss"]["points"]) == POINTS
    assert probe.opened == []
    assert probe.longest < 0.05, probe.what


async def test_files_that_come_in_and_are_looked_at_do_not_block_the_loop(
    ask, jp_root_dir, probe: Probe
) -> None:
    """P21: an upload, a file where it is, and the preview of a million rows."""
    rows = b"a,b\n" + b"1,2\n" * 1_000_000
    (jp_root_dir / "rows.csv").write_bytes(rows)

    async def upload() -> Any:
        wanted = {"filename": "sent.csv", "bytes": len(rows)}
        path = f"uploads/{(await ask('POST', 'uploads', wanted))[1]['upload_id']}"
        for at in range(0, len(rows), 1 << 20):
            told = {"Content-Type": "application/octet-stream", "Upload-Offset": str(at)}
            await ask("PATCH", path, rows[at : at + (1 << 20)], headers=told)
        await ask("POST", f"{path}/finish", {}, request_timeout=60)
        while (state := (await ask("GET", path))[1])["state"] == "reading":
            head = (await ask("GET", "datasets"))[1]["head"]
            await ask("GET", f"events?since={head}&wait=5", request_timeout=60)
        return state

    async def register() -> Any:
        _, found = await ask("POST", "datasets", {"path": "rows.csv"}, request_timeout=60)
        return (await ask("GET", f"datasets/{found['id']}/preview", request_timeout=60))[1]

    probe.on = True
    sent, preview = await asyncio.gather(upload(), register())
    probe.on = False
    assert (sent["state"], preview["profiled_rows"]) == ("completed", 1_000_000)
    assert probe.opened == []
    assert probe.longest < 0.05, probe.what


async def test_whether_others_share_the_store_is_asked_beside_the_loop(
    rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for a lock, and on a network file system that may take as long as it likes."""
    monkeypatch.setattr(supervisor, "OTHERS_PAUSE", 0.001)
    rooms._following.cancel()
    asked: SimpleQueue[int] = SimpleQueue()
    loop = threading.get_ident()
    monkeypatch.setattr(rooms.store, "shared", lambda: bool(asked.put(threading.get_ident())))
    for work in (rooms.hub.follow_others, rooms.supervisor.look_after_others):
        asking = asyncio.create_task(work())
        assert await asyncio.to_thread(asked.get, timeout=10) != loop
        asking.cancel()


async def test_no_long_answer_is_made_in_the_loop(rooms, jp_fetch, ask, probe: Probe) -> None:
    """P21: many jobs, as a list, a snapshot and a message; a long log; a large submission."""
    spec = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
    candidates = tuple(
        Candidate(index=n, label="C", stage="Model selection", parameters={}, scores=(0.5,) * 5)
        for n in range(40)
    )

    def fill(tx) -> None:
        for n in range(250):
            job = a_job(job_id=f"j-{n:012d}", candidates=candidates, status="queued")
            tx.add_job(job, spec, "rf")

    async with rooms.supervisor.places._giving:
        await rooms.store.awrite(fill)
        log = rooms.supervisor.folder("j-000000000000") / "output.log"
        log.parent.mkdir(parents=True)
        # Quotes are slow to encode.
        line = '"' * 9999
        log.write_text(f"{line}\n" * 1200)
        large = {"data": {"path": "/nowhere"}, "target": "y", "params": {"a": [1] * 450_000}}
        body = msgspec.json.encode(large)
        probe.on = True
        listed, polled, logged, refused = await asyncio.gather(
            jp_fetch("mlops", "api", "jobs", params={"limit": "1000"}),
            jp_fetch("mlops", "api", "events"),
            jp_fetch("mlops", "api", "jobs", "j-000000000000", "logs"),
            ask("POST", "jobs", body),
        )
        probe.on = False
    assert refused[0] == 400
    told = await asyncio.to_thread(
        lambda: [msgspec.json.decode(answer.body) for answer in (listed, polled, logged)]
    )
    assert (len(told[0]["jobs"]), len(told[1]["snapshot"]["jobs"])) == (250, 250)
    assert told[2]["lines"] == [line] * 1200
    assert probe.longest < 0.05, probe.what


async def test_an_input_whose_sender_goes_away_is_let_go_beside_the_loop(
    rooms, jp_base_url, jp_http_port, http_server_client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P21: a file of a slow disk is closed once what is just being written to it is."""
    closed: SimpleQueue[int] = SimpleQueue()
    discard = rooms.supervisor.inputs.discard

    def seen(input_id: str, file: Any) -> None:
        discard(input_id, file)
        closed.put(threading.get_ident())

    monkeypatch.setattr(rooms.supervisor.inputs, "discard", seen)
    head = (
        f"POST {jp_base_url}mlops/api/inputs HTTP/1.1\r\nHost: 127.0.0.1:{jp_http_port}\r\n"
        f"Authorization: mlops {rooms.secret}\r\nContent-Type: application/octet-stream\r\n"
        "Content-Length: 1000000\r\n\r\n"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    writer.write(head.encode() + b"x" * 100_000)
    folder = rooms.supervisor.folder("j-").parents[1] / "inputs"
    await until(lambda: list(folder.glob("*.part")))
    writer.close()
    assert await asyncio.to_thread(closed.get, timeout=10) != threading.get_ident()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("steps", [range(1, 12_001), range(12_000, 0, -1)], ids=["in order", "backwards"])
async def test_every_point_is_sent_a_slice_at_a_time(
    rooms, jp_fetch, ask, monkeypatch: pytest.MonkeyPatch, steps: range
) -> None:
    """P21, P29: a job may have ten million points, and nobody holds the answer as a whole."""
    points = tuple(Point(name="loss", step=n, value=0.5 + n) for n in steps)
    more = tuple(Point(name="</acc", step=n, value=None, nf="nan") for n in (1, 2))

    def fill(tx) -> None:
        tx.add_job(a_job(status="completed"), JobSpec(data=Source(path="/data/t.csv"), target="y"), "rf")
        tx.append(MetricPoints(time=NOW, job_id=JOB, points=points + more))

    await rooms.store.awrite(fill)
    written: list[int] = []
    write = metrics.JobMetricsHandler.write

    def seen(handler: Any, chunk: bytes) -> None:
        written.append(len(chunk))
        write(handler, chunk)

    monkeypatch.setattr(metrics.JobMetricsHandler, "write", seen)
    _, told = await ask("GET", f"jobs/{JOB}/metrics")
    known = rooms.store.read(lambda reading: reading.series(JOB, None))
    expected = msgspec.json.decode(msgspec.json.encode(known))
    assert (told["job_id"], told["head"], told["series"]) == (JOB, 1, expected)
    if steps.step > 0:
        assert max(written) < sum(written) / 2


async def test_an_answer_that_the_store_ends_in_the_middle_is_cut_and_looks_like_no_whole_one(
    rooms, jp_fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5: half of the points in valid JSON would be taken for all of them."""
    points = tuple(Point(name="loss", step=n, value=0.5 + n) for n in range(1, 12_001))

    def fill(tx) -> None:
        tx.add_job(a_job(status="completed"), JobSpec(data=Source(path="/data/t.csv"), target="y"), "rf")
        tx.append(MetricPoints(time=NOW, job_id=JOB, points=points))

    await rooms.store.awrite(fill)
    read = metrics._slice

    def fails(of: Any, start: int, *rest: Any) -> bytes:
        if start:
            raise StoreUnavailable("The disk fails.")
        return read(of, start, *rest)

    monkeypatch.setattr(metrics, "_slice", fails)
    with pytest.raises((HTTPClientError, StreamClosedError)):
        await jp_fetch("mlops", "api", "jobs", JOB, "metrics")
