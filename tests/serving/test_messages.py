"""What a host says is taken only if it can be what a host says."""

from __future__ import annotations

import asyncio
import struct

import pytest

from mlops_jupyter.serving.child import _check
from mlops_jupyter.serving.messages import Answers, NonsenseError, Ready, Reply, hear, pack, split


async def heard(data: bytes) -> object:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await hear(reader)


def test_a_frame_comes_out_as_it_went_in() -> None:
    head = Answers((Reply(200, 3, 1), Reply(400, 2, 0)), 0.5)
    assert asyncio.run(heard(pack(head, b"abcdeXYZ"))) == (head, b"abcdeXYZ")
    assert split(b"abcdeXYZ", [3, 2]) == [b"abc", b"de", b"XYZ"]


def test_a_frame_longer_than_any_is_not_waited_for() -> None:
    with pytest.raises(NonsenseError):
        asyncio.run(heard(struct.pack("<II", 10, (1 << 32) - 1)))


@pytest.mark.parametrize(
    "head",
    [
        Ready(),
        Answers((), 0.0),
        Answers((Reply(302, 0, 0),), 0.0),
        Answers((Reply(200, -1, 0),), 0.0),
        Answers((Reply(200, 1, -5),), 0.0),
    ],
)
def test_what_is_no_answer_to_a_request_is_nonsense(head: Answers | Ready) -> None:
    with pytest.raises(NonsenseError):
        _check(head, 1)
