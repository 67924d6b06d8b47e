"""Alerts and messages are told once, though the servers that share a store are killed again and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.servers import WorksServer, await_true
from tests.receiver import Receiver

KILLS = 6


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def servers(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[WorksServer]]:
    """Two on one store, with the same channels: one that works and one that refuses all."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    first = WorksServer(tmp_path / "first")
    second = WorksServer(tmp_path / "second", first.data)
    first.data.mkdir(parents=True, mode=0o700)
    (first.data / "notify.urls").touch(0o600)
    (first.data / "notify.urls").write_text(f"{receiver.url('ok')}\n{receiver.url('refuse')}\n")
    servers = [first, second]
    for server in servers:
        server.options.append("--MlopsExtension.notify_seconds=0")
        server.start()
    yield servers
    for server in servers:
        server.close()


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_what_was_told_is_told_once_however_often_a_server_is_killed(
    servers: list[WorksServer], receiver: Receiver
) -> None:
    first, second = servers
    job_id = first.begun("goes_wrong")
    ends: list[str] = []
    for number in range(KILLS):
        dying, other = (first, second) if number % 2 else (second, first)
        ends.append(dying.submit("emits", points=50))
        dying.kill()
        ends.append(other.submit("emits", points=1))
        other.over(ends[-2])
        other.over(ends[-1])
        # One that is killed while it sends tells it no more: that is the price of telling nothing twice.
        receiver.wait("ok", len(ends) + 1)
        dying.start()
    (first.folder(job_id) / "enough").touch()
    first.over(job_id)
    ends.append(job_id)
    receiver.wait("ok", len(ends) + 1)
    # What would be told once more is told after the next start at the latest.
    for server in servers:
        server.stop()
        server.start()
    last = second.submit("emits", points=1)
    second.over(last)
    await_true(lambda: any(last[:6] in text for text in receiver.told("ok")))
    told = receiver.told("ok")
    finished = [text[-7:-1] for text in told if text.startswith("Training finished")]
    assert sorted(finished) == sorted(job_id[:6] for job_id in (*ends, last))
    assert [text.split(":")[0] for text in told if text not in finished and "finished" not in text] == [
        "Not finite"
    ]
    alerts = first.events("alert_raised")
    assert [(event["job_id"], event["rule"]) for event in alerts] == [(job_id, "not_finite")]
    rows = [event["activity"]["title"] for event in first.events("activity_update")]
    assert rows.count("Notifications fail") == 1
    for text in (*(server.log.read_text() for server in servers), repr(first.events("alert_raised"))):
        assert "hunter2" not in text
