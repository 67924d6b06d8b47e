"""News go out once, whoever shares the store and whoever restarts; a channel that fails delays nobody."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlops_jupyter import channels
from mlops_jupyter.channels import Channels, Wanted
from mlops_jupyter.core import assets, events
from mlops_jupyter.core.events import Event
from mlops_jupyter.store import Store
from tests.core.builders import a_job
from tests.receiver import Receiver

HOSTILE = "pen\u202eguins\n<b>rf</b>"
JOB = a_job(name=HOSTILE, final_score=0.974, elapsed_time=60.0)


def finished(job: Any = JOB, ago: timedelta = timedelta(0), **changes: Any) -> Event:
    told = {
        "time": datetime.now(UTC) - ago,
        "job_id": job.job_id,
        "status": "completed",
        "final_accuracy": 0.974,
        "metric": "accuracy",
        "final_score": 0.974,
        "metrics": {},
        "model_id": None,
        "elapsed_time": 60.0,
        "job": job,
    }
    return events.TrainingCompleted(**{**told, **changes})


def alert(message: str) -> Event:
    now, job = datetime.now(UTC), a_job()
    return events.AlertRaised(
        time=now, job_id=job.job_id, rule="plateau", metric=None, message=message, evidence={}, job=job
    )


def health(level: Any, priority: Any) -> Event:
    return events.HealthChange(
        time=datetime.now(UTC),
        machine="ada",
        previous_health="healthy",
        current_health=level,
        metrics={},
        cause="memory 93 %",
        priority=priority,
    )


class Server:
    """The part of a server that tells, on a store it shares."""

    def __init__(self, folder: Path, urls: list[str], seconds: float = 10.0) -> None:
        self.store = Store(folder / "store.sqlite", self._committed)
        self.channels = Channels(self.store, Wanted(urls, folder / "notify.urls", seconds))
        self.channels._ready.wait(30)

    def _committed(self, stored: Any) -> None:
        self.channels.committed(stored)

    def begun(self) -> Server:
        """Once its channels know from where on they tell."""
        while not all(self.store.read(lambda r, c=c: r.meta(c._key)) for c in self.channels.all):
            time.sleep(0.01)
        return self

    def tell(self, event: Event) -> None:
        self.store.write(lambda tx: tx.tell(event)).result(10)

    def feed(self) -> list[str]:
        stored = self.store.read(lambda reading: reading.events(0, 1000))
        bodies = [msgspec.json.decode(event.body) for event in stored]
        return [body["activity"]["title"] for body in bodies if body["type"] == "activity_update"]

    def close(self) -> None:
        self.channels.close()
        self.store.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def serve(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Server]]:
    """``serve("ok", "refuse")``: a server whose channels lead there."""
    monkeypatch.setattr(channels, "PAUSES", (0.05, 0.05))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers: list[Server] = []

    def serve(*paths: str, **options: Any) -> Server:
        servers.append(Server(tmp_path, [receiver.url(path) for path in paths], **options))
        return servers[-1].begun()

    yield serve
    receiver.let_go()
    for server in servers:
        server.close()


def test_what_is_told_and_what_is_not(serve: Callable[..., Server], receiver: Receiver) -> None:
    server = serve("ok")
    server.tell(health("critical", "medium"))
    server.tell(finished(elapsed_time=10.0))
    server.tell(finished(ago=timedelta(days=2)))
    server.tell(finished())
    server.tell(health("critical", "high"))
    server.tell(alert("It stands still."))
    assert receiver.wait("ok", 3) == [
        "Training finished: pen‹right-to-left override›guins␊<b>rf</b>: accuracy 0.974 (j-7f3a)",
        "Machine critical: memory 93 %, on ada",
        "Plateau: penguins-rf: It stands still. (j-7f3a)",
    ]
    (_, body), *_ = receiver.got
    assert body["type"] == "success"


def test_deployments_are_told_with_the_reason_where_they_fail(
    serve: Callable[..., Server], receiver: Receiver
) -> None:
    server, now = serve("ok"), datetime.now(UTC)
    model: dict[str, Any] = {"time": now, "model_id": "m-7f3a00000000", "name": "churn", "version": 3}
    for before, after in (("registered", "deploying"), ("deploying", "deployed")):
        server.tell(assets.ModelStatus(**model, previous=before, status=after, by="ada"))
    server.tell(
        assets.ModelDeployed(
            time=now,
            model_id=model["model_id"],
            model_name="churn",
            version=3,
            model_accuracy=0.974,
            endpoint="mlops/api/endpoints/e-7f3a00000000/predict",
            endpoint_id="e-7f3a00000000",
        )
    )
    why = "Its process crashed 3 times within 60 s, the last time: SIGSEGV."
    server.tell(assets.ModelStatus(**model, previous="deployed", status="registered", by="ada"))
    server.tell(assets.ModelStatus(**model, previous="deployed", status="failed", why=why))
    assert receiver.wait("ok", 2) == [
        "Model deployed: churn v3 is live, accuracy 97.4% (m-7f3a)",
        f"Model failed: churn v3: {why} (m-7f3a)",
    ]


def test_of_servers_that_share_a_store_one_tells_and_after_a_restart_nobody_again(
    serve: Callable[..., Server], receiver: Receiver
) -> None:
    one, other = serve("ok"), serve("ok")
    for number in range(10):
        (one, other)[number % 2].tell(alert(str(number)))
        other.store.write(lambda _: None).result(10)
        one.store.write(lambda _: None).result(10)
    receiver.wait("ok", 10)
    one.close()
    other.close()
    # What happens while nobody is there is told by the next.
    silent = serve()
    silent.tell(alert("10"))
    silent.close()
    serve("ok").tell(alert("11"))
    told = receiver.wait("ok", 12)
    time.sleep(0.2)
    assert receiver.told("ok") == told
    assert sorted(int(text.split(": ")[2].split()[0]) for text in told) == list(range(12))


def test_a_channel_that_hangs_or_refuses_delays_nobody_and_is_said_once_without_its_secret(
    serve: Callable[..., Server], receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(channels, "PATIENCE", 0.2)
    server = serve("ok", "hang-hunter3", "refuse-hunter3")
    server.tell(alert("1"))
    receiver.wait("hang-hunter3", 1)
    receiver.wait("refuse-hunter3", 3)
    began = time.monotonic()
    for number in "23":
        server.tell(alert(number))
    assert len(receiver.wait("ok", 3)) == 3
    assert time.monotonic() - began < 2
    # One try each, now that it fails.
    receiver.wait("refuse-hunter3", 5)
    while server.feed().count("Notifications fail") < 2:
        time.sleep(0.25)
        server.store.write(lambda _: None).result(10)
        server.tell(health("warning", "medium"))
    assert server.feed().count("Notifications fail") == 2
    receiver.refusing = False
    server.tell(alert("4"))
    receiver.wait("refuse-hunter3", 6)
    deadline = time.monotonic() + 10
    while "JSON (3 of 3) works again" not in caplog.text:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert caplog.text.count("JSON (3 of 3) takes no messages") == 1
    events_of = server.store.read(lambda reading: reading.events(0, 1000))
    for text in (caplog.text, repr([event.body for event in events_of])):
        assert "hunter" not in text


def test_a_channel_that_is_tried_says_whether_it_took_it(
    serve: Callable[..., Server], receiver: Receiver
) -> None:
    tried = serve("ok", "refuse").channels.try_all()
    assert [(each.channel, each.well) for each in tried] == [
        ("JSON (1 of 2)", True),
        ("JSON (2 of 2)", False),
    ]
    assert receiver.told("ok") == ["mlops: Notifications arrive here."]


def test_urls_in_a_file_of_ones_own_are_used_and_others_may_not_read_it(
    tmp_path: Path, receiver: Receiver, serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "notify.urls"
    file.write_text(f"# mine\n\n{receiver.url('ok')}\n")
    file.chmod(0o644)
    careless = serve()
    assert careless.channels.all == ()
    assert (
        careless.channels.problem
        == f"{file} is not used: others may read it. chmod 600, and it must be yours."
    )
    assert careless.channels.problem in caplog.text
    file.chmod(0o600)
    assert [channel.name for channel in serve().channels.all] == ["JSON (1 of 1)"]


def test_what_keeps_channels_from_being_used_is_said_without_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = Server(tmp_path, ["nonsense://hunter2@x", "hunter2"])
    wrong.close()
    assert wrong.channels.problem == "Channel 2 of 2 has no URL that apprise knows."
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    missing = Server(tmp_path, ["json://hunter2@x"])
    missing.close()
    assert missing.channels.problem == 'Notifications need apprise: pip install "mlops_jupyter[notify]"'
    assert "hunter2" not in caplog.text


def test_without_channels_there_is_no_thread_of_ours(tmp_path: Path) -> None:
    server = Server(tmp_path, [])
    try:
        assert not [t for t in threading.enumerate() if t.name.startswith("mlops-channel")]
    finally:
        server.close()
