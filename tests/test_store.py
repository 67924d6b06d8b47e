"""What the store has acknowledged is there, once, in order, for every reader."""

from __future__ import annotations

import errno
import json
import math
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

import msgspec
import pytest

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.events import LogLines, MetricPoints
from mlops_jupyter.core.jobs import Job, JobSpec, Source
from mlops_jupyter.core.series import Point, Series
from mlops_jupyter.store import Cursor, Store, Stored, Transaction, database
from mlops_jupyter.training.run import point
from tests.core.builders import a_job

NOW = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)
SPEC = JobSpec(data=Source(path="/data/penguins.csv"), target="species")


@pytest.fixture
def committed() -> list[Stored]:
    return []


@pytest.fixture
def store(tmp_path: Path, committed: list[Stored]) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite", committed.extend)
    yield store
    store.close()


def lines(text: str) -> LogLines:
    return LogLines(time=NOW, job_id="j-7f3a00000000", first=0, lines=(text,))


def test_events_are_numbered_without_gaps_and_sent_on_as_they_were_kept(
    store: Store, committed: list[Stored]
) -> None:
    writing = [store.write(lambda tx, n=n: tx.append(lines(str(n)))) for n in range(500)]
    assert [future.result() for future in writing] == list(range(1, 501))
    assert [event.seq for event in committed] == list(range(1, 501))
    kept = store.read(lambda reading: reading.events(0, 1000))
    assert [event.body for event in kept] == [event.body for event in committed]
    assert msgspec.json.decode(kept[4].body)["lines"] == ["4"]


def test_a_write_that_fails_is_undone_and_the_others_of_its_group_are_kept(
    store: Store, committed: list[Stored]
) -> None:
    gate = threading.Event()
    first = store.write(lambda tx: gate.wait())

    def fails(tx):
        tx.append(lines("undone"))
        raise KeyError("no")

    failing = store.write(fails)
    kept = store.write(lambda tx: tx.append(lines("kept")))
    gate.set()
    first.result()
    with pytest.raises(KeyError):
        failing.result()
    assert kept.result() == 1
    assert [msgspec.json.decode(event.body)["lines"] for event in committed] == [["kept"]]


def test_a_write_nobody_waits_for_any_more_ends_nothing_else(store: Store) -> None:
    gate, begun = threading.Event(), threading.Event()
    running = store.write(lambda tx: (begun.set(), gate.wait()))
    assert begun.wait(10)
    unwanted = store.write(lambda tx: tx.append(lines("unwanted")))
    assert unwanted.cancel()
    assert not running.cancel()
    gate.set()
    assert store.write(lambda tx: tx.append(lines("wanted"))).result(10) == 1


def test_a_second_store_goes_on_with_the_numbers_and_the_name_of_the_first(tmp_path: Path) -> None:
    first = Store(tmp_path / "store.sqlite", lambda stored: None)
    first.write(lambda tx: tx.append(lines("a"))).result()
    epoch = first.epoch
    first.close()
    second = Store(tmp_path / "store.sqlite", lambda stored: None)
    assert second.write(lambda tx: tx.append(lines("b"))).result() == 2
    assert epoch
    assert second.epoch == epoch
    second.close()


def test_two_stores_on_one_file_share_one_order(tmp_path: Path) -> None:
    stores = [Store(tmp_path / "store.sqlite", lambda stored: None) for _ in range(2)]
    writing = [stores[n % 2].write(lambda tx: tx.append(lines("x"))) for n in range(200)]
    assert sorted(future.result() for future in writing) == list(range(1, 201))
    for store in stores:
        store.close()


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """P5."""
    with sqlite3.connect(tmp_path / "store.sqlite") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    before = (tmp_path / "store.sqlite").read_bytes()
    store = Store(tmp_path / "store.sqlite", lambda stored: None)
    for refused in (lambda: store.read(lambda r: r.head()), store.write(lambda tx: None).result):
        with pytest.raises(StoreUnavailable, match="schema 99"):
            refused()
    store.close()
    assert (tmp_path / "store.sqlite").read_bytes() == before


def test_a_jobs_files_are_taken_in_once_even_when_two_try(store: Store) -> None:
    job = a_job()
    store.write(lambda tx: tx.add_job(job, SPEC, "rf")).result()
    start, end = Cursor(0, 0, 0), Cursor(10, 5, 1)
    moves = [store.write(lambda tx: tx.move_cursor(job.job_id, start, end)) for _ in range(2)]
    assert [future.result() for future in moves] == [True, False]
    assert store.read(lambda reading: reading.cursor(job.job_id)) == end


def test_nan_and_both_infinities_are_kept_apart(store: Store) -> None:
    points = tuple(
        point("loss", step, value, 0.0)
        for step, value in enumerate([1.0, math.nan, math.inf, -math.inf], start=1)
    )
    store.write(lambda tx: tx.append(MetricPoints(time=NOW, job_id="j", points=points))).result()
    assert store.read(lambda reading: reading.series("j", None)) == {"loss": Series(count=4, points=points)}
    assert [p.nf for p in points] == [None, "nan", "+inf", "-inf"]


def test_a_reduced_series_keeps_every_spike_both_ends_and_what_is_not_finite(store: Store) -> None:
    spikes = {5_000: 9.0, 50_001: -9.0, 77_777: math.nan}
    points = tuple(point("loss", n, spikes.get(n, 0.5), 0.0) for n in range(1, 100_001))
    store.write(lambda tx: tx.append(MetricPoints(time=NOW, job_id="j", points=points))).result()
    (series,) = store.read(lambda reading: reading.series("j", 150)).values()
    assert series.count == 100_000
    assert len(series.points) <= 3 * 150 + 2
    kept = {p.step: p for p in series.points}
    assert {n: kept[n] for n in spikes} == {n: points[n - 1] for n in spikes}
    assert (series.points[0].step, series.points[-1].step) == (1, 100_000)


def test_a_short_series_is_not_reduced(store: Store) -> None:
    points = tuple(Point(name="loss", step=n, value=0.5) for n in range(1, 301))
    store.write(lambda tx: tx.append(MetricPoints(time=NOW, job_id="j", points=points))).result()
    assert store.read(lambda reading: reading.series("j", 150))["loss"].points == points


def test_jobs_are_found_by_a_prefix_and_open_ones_are_always_listed(store: Store) -> None:
    old = a_job(job_id="j-7f3a00000000", status="running")
    others = [a_job(job_id=f"j-9{n:011d}", status="completed") for n in range(5)]
    for job in (old, *others):
        store.write(lambda tx, job=job: tx.add_job(job, SPEC, "rf")).result()
    assert store.read(lambda reading: reading.matching("j-7")) == [old]
    assert store.read(lambda reading: reading.jobs(2)) == [others[4], others[3], old]
    assert store.read(lambda reading: reading.open_jobs()) == [old]


def test_a_record_that_cannot_be_read_is_shown_as_that_and_hides_no_other(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """One that could, stopped the queue of everybody, after a restart too."""
    good, odd = a_job(), a_job(job_id="j-9d0000000000")

    def work(tx: Transaction) -> None:
        tx.add_job(good, SPEC, "rf")
        tx.add_job(odd, SPEC, "rf")
        tx._db.execute("UPDATE jobs SET record=? WHERE job_id=?", (b'{"status":"of 2030"}', odd.job_id))

    why = "The record of this job cannot be read: it is damaged, or of another version."
    unreadable = Job(
        job_id=odd.job_id,
        name=odd.job_id,
        status="queued",
        unreadable=True,
        message=why,
        error=f"{why} What the job left is in jobs/{odd.job_id} of the data directory.",
    )
    store.write(work).result()
    for _ in range(2):
        assert store.read(lambda reading: reading.open_jobs()) == [good]
        assert store.read(lambda reading: reading.jobs(10)) == [unreadable, good]
        assert store.read(lambda reading: reading.matching("j-9d")) == [unreadable]
    assert ["of 2030" in record.message for record in caplog.records] == [True]


def test_a_store_whose_last_commit_fails_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "store.sqlite", lambda _: None)
    begun, gate = threading.Event(), threading.Event()

    def work(_: Transaction) -> None:
        begun.set()
        gate.wait(10)

    def fails(**_: bool) -> None:
        raise OSError(errno.EIO, "the disk fails")

    store.write(work)
    assert begun.wait(10)
    refused = store.write(lambda tx: tx.append(lines("a")))
    ending = threading.Thread(target=store.close, daemon=True)
    ending.start()
    while store._queue.qsize() < 2:
        # Both are one group with what follows.
        ending.join(0.001)
    monkeypatch.setattr(store._files, "check", fails)
    gate.set()
    ending.join(10)
    assert not ending.is_alive()
    assert isinstance(refused.exception(10), StoreUnavailable)


def test_what_nobody_thought_of_ends_no_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked for what was committed hears so; the next is refused or done, and does not wait."""
    monkeypatch.setattr(database, "RETRY", 0.01)
    surprises = iter([RuntimeError("nobody thought of this")])

    def listen(_: list[Stored]) -> None:
        for surprise in surprises:
            raise surprise

    turns: SimpleQueue[str | None] = SimpleQueue()
    store = Store(tmp_path / "store.sqlite", listen, lambda trouble, _: turns.put(trouble))
    try:
        assert store.write(lambda tx: tx.append(lines("a"))).result(10) == 1
        said = [turns.get(timeout=10) for _ in range(3)]
        assert (said[0], said[2]) == (None, None)
        assert "nobody thought of this" in (said[1] or "")
        while True:
            # It is open a moment before it says so of itself.
            with suppress(StoreUnavailable):
                assert store.write(lambda tx: tx.append(lines("b"))).result(10) == 2
                break
    finally:
        store.close()


def test_files_are_the_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(tmp_path / "new" / "store.sqlite", lambda stored: None)
        store.write(lambda tx: tx.append(lines("a"))).result()
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_points_are_stored_as_the_one_encoder_writes_them(store: Store) -> None:
    """P33: though they take a quicker way."""
    odd = ('"points":[]', "ä\u2028", "loss")
    for name in odd:
        points = (
            point(name, 1, 0.1, 0.25),
            point(name, 2, math.nan, 0.0),
            point(name, 2**53 + 1, -1e300, 1.0),
        )
        for some in (points, points[:2], ()):
            event = MetricPoints(time=NOW, job_id="j", points=some)
            seq = store.write(lambda tx, event=event: tx.append(event)).result()
            (stored,) = store.read(lambda reading, seq=seq: reading.events(seq - 1, 1))
            told, strict = (
                json.loads(b) for b in (stored.body, wire.encode(msgspec.structs.replace(event, seq=seq)))
            )
            # A default may be said or left out.
            for body in (told, strict):
                body["points"] = [{"elapsed": 0.0, **each} for each in body["points"]]
            assert told == strict


def test_who_asks_after_the_end_is_turned_away_and_opens_nothing(store: Store) -> None:
    """A look at the store may be on its way when its server stops."""
    store.close()
    with pytest.raises(StoreUnavailable):
        store.read(lambda reading: reading.head())
    with pytest.raises(StoreUnavailable):
        store.write(lambda tx: tx.head()).result(10)
