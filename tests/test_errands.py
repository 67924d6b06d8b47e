"""Work that nobody waits for goes on whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from mlops_jupyter import errands
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.store.files import Files


async def test_nothing_ends_who_looks_on_and_each_thing_nobody_thought_of_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """P14, P16: who looks for events of others, and for jobs that keep the server up."""
    monkeypatch.setattr(errands, "STORE_PAUSE", 0.0)
    met: Iterator[Exception] = iter(
        [
            RuntimeError("this"),
            StoreUnavailable("The disk is full."),
            RuntimeError("this"),
            ValueError("that"),
        ]
    )
    works = asyncio.Event()

    async def look() -> float:
        for error in met:
            raise error
        works.set()
        return 1.0

    looking = asyncio.create_task(errands.look_on(look, "It could not be seen"))
    async with asyncio.timeout(10):
        await works.wait()
    looking.cancel()
    assert [(record.message, str(record.exc_info[1])) for record in caplog.records if record.exc_info] == [
        ("It could not be seen", "this"),
        ("It could not be seen", "that"),
    ]


def test_who_asks_for_others_while_the_files_are_closed_is_told_that_they_may_be_there() -> None:
    class Closing(Files):
        """Closed by the writer's thread after the first look at it."""

        def __init__(self) -> None:
            self.looks = iter([self])

        def any(self) -> bool:
            raise OSError("closed")

        @property
        def _neighbours(self) -> Closing | None:  # type: ignore[override]
            return next(self.looks, None)

    assert Closing().shared()
