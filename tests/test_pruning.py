"""Old events go, and whoever stands among them is told; nothing else goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from mlops_jupyter.core.events import Event
from mlops_jupyter.store import Store, pruning
from mlops_jupyter.store.files import WAL_BYTES
from tests.lines import a_line, a_point, a_start

#: The store lets go by itself, too, by the machine's clock.
NOW = datetime.now(UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite", lambda stored: None)
    yield store
    store.close()


def aged(event: Event, days: float) -> Event:
    return msgspec.structs.replace(event, time=NOW - timedelta(days=days))


def put(store: Store, *events: Event) -> None:
    store.write(lambda tx: [tx.append(event) for event in events]).result(10)


def prune(store: Store, most: int = pruning.MOST) -> None:
    while store.write(lambda tx: pruning.prune(tx._db, NOW, most)).result(10):
        pass


def numbers(store: Store) -> list[int]:
    return [event.seq for event in store.read(lambda reading: reading.events(0, 100_000))]


def test_class_b_goes_after_thirty_days_and_class_a_stays(store: Store) -> None:
    """P16, F56."""
    put(store, aged(a_start(), 40), aged(a_line(), 40), aged(a_point(1), 31), aged(a_line(), 29), a_line())
    prune(store)
    assert numbers(store) == [1, 4, 5]
    # Whoever has the third event misses nothing; whoever has the second cannot go on.
    assert store.read(lambda reading: reading.oldest()) == 4


def test_the_points_of_a_job_stay_when_its_events_go(store: Store) -> None:
    put(store, aged(a_point(1), 40), aged(a_point(2), 40), a_line())
    prune(store)
    assert numbers(store) == [3]
    series = store.read(lambda reading: reading.series("j-7f3a00000000", None))
    assert [point.step for point in series["loss"].points] == [1, 2]


def test_more_events_than_are_kept_go_in_strides(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "STRIDE", 7)
    put(store, *([aged(a_line(), 0)] * 100))
    prune(store, most=10)
    assert numbers(store) == list(range(91, 101))


def test_a_number_is_never_given_twice_even_when_everything_is_old(store: Store) -> None:
    put(store, *([aged(a_line(), 90)] * 10))
    prune(store)
    put(store, a_line())
    assert numbers(store) == [10, 11]


def test_a_store_lets_go_by_itself_what_is_old_when_it_is_opened(tmp_path: Path) -> None:
    first = Store(tmp_path / "store.sqlite", lambda stored: None)
    put(first, *([aged(a_line(), 400)] * 3), a_line())
    first.close()
    second = Store(tmp_path / "store.sqlite", lambda stored: None)
    while numbers(second) != [4]:
        second.write(lambda tx: None).result(10)
    second.close()


def test_files_stop_growing_while_much_is_written_pruned_and_read(store: Store, tmp_path: Path) -> None:
    """F56 in short: the database uses its pages again, the write-ahead log stays small."""
    sizes = []
    for _ in range(6):
        for _ in range(20):
            put(store, *([aged(a_line(), 0)] * 500))
            store.read(lambda reading: reading.events(reading.head() - 100, 100))
        prune(store, most=1000)
        log = (tmp_path / "store.sqlite-wal").stat().st_size
        assert log < 2 * WAL_BYTES
        sizes.append((tmp_path / "store.sqlite").stat().st_size)
    assert sizes[-1] <= 1.2 * sizes[1]
