"""What a frame holds: all of it for who keeps up; for who does not, what must be given and the latest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_jupyter.core.stream import DELIVERY
from mlops_jupyter.server.frames import FRAGMENT, fitting, framed, merged, message
from mlops_jupyter.store import Stored
from tests.server.messages import fragments, text


def stored(seq: int, kind: str, job_id: str | None = "j-a", size: int = 0) -> Stored:
    return Stored.of(seq, kind, job_id, json.dumps({"seq": seq, "pad": "x" * size}).encode())


def read(events: list[Stored], prev: int) -> dict[str, Any]:
    return text(framed(prev, events))


@pytest.mark.parametrize(
    ("size", "header"), [(0, b"\x81\x00"), (125, b"\x81\x7d"), (126, b"\x81\x7e\x00\x7e")]
)
def test_a_short_message_is_one_whole_websocket_frame(size: int, header: bytes) -> None:
    """RFC 6455, 5.2 and 5.7: final, text, unmasked."""
    assert message(b"x" * size) == (header + b"x" * size,)


@pytest.mark.parametrize("size", [FRAGMENT, FRAGMENT + 1, 2 * FRAGMENT, 2 * FRAGMENT + 100])
def test_a_long_message_comes_in_fragments(size: int) -> None:
    """RFC 6455, 5.4: the first says what it is, the last that it is the last."""
    sent = bytes(at % 251 for at in range(size))
    firsts, bodies = zip(*fragments(message(sent)), strict=True)
    assert b"".join(bodies) == sent
    assert max(map(len, bodies)) <= FRAGMENT
    more = len(firsts) - 1
    assert firsts == ((0x81,) if not more else (0x01, *[0x00] * (more - 1), 0x80))


def test_a_merged_frame_keeps_all_of_class_a_and_the_latest_of_each_kind_and_job() -> None:
    """F26: class A is never merged."""
    events = [
        stored(1, "metric_points"),
        stored(2, "training_started"),
        stored(3, "metric_points", "j-b"),
        stored(4, "training_progress"),
        stored(5, "metric_points"),
        stored(6, "training_started"),
        stored(7, "training_progress"),
    ]
    kept = merged(events)
    assert [event.seq for event in kept] == [2, 3, 5, 6, 7]
    assert framed(0, kept).last == 7
    frame = read(kept, 0)
    assert ([event["seq"] for event in frame["events"]], frame["prev"], frame["skipped"]) == (
        [2, 3, 5, 6, 7],
        0,
        2,
    )


def test_a_whole_frame_says_nothing_of_skipping() -> None:
    assert read([stored(4, "log_lines"), stored(5, "log_lines")], 3).keys() == {"events", "prev"}


def test_only_what_is_known_to_be_of_class_b_and_of_a_job_may_be_merged() -> None:
    told = [
        stored(1, "metric_points").key,
        stored(2, "training_started").key,
        stored(3, "prediction_volume", None).key,
        stored(4, "an_event_of_next_year").key,
    ]
    assert told == [("metric_points", "j-a"), None, None, None]
    assert {kind for kind, delivery in DELIVERY.items() if delivery == "B"} == {
        "training_progress",
        "metric_points",
        "candidate_scores",
        "log_lines",
        "prediction_volume",
    }


def test_a_frame_has_as_many_events_as_fit_and_one_at_least() -> None:
    events = [stored(seq, "log_lines", size=400) for seq in range(1, 6)]
    assert [len(fitting(events, limit)) for limit in (10, 1_000, 10_000)] == [1, 2, 5]
