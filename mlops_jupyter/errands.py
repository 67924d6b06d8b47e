"""Work of the event loop that nobody waits for: what the store refuses is tried again until it works."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from mlops_jupyter.core.errors import StoreUnavailable

log = logging.getLogger(__name__)

#: Seconds between tries of what a store in trouble has refused.
STORE_PAUSE = 1.0

Work = Callable[[], Coroutine[Any, Any, None]]


class Errands:
    """Belongs to the event loop it is made on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, work: Work) -> asyncio.Task[None]:
        """Begin ``work``; begin it again for as long as the store refuses: a job's end waits for the disk."""
        task = self._loop.create_task(_persist(work))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def close(self) -> None:
        """Leave undone what is not done."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("A job could not be moved on", exc_info=task.exception())


async def look_on(look: Callable[[], Coroutine[Any, Any, float]], failed: str) -> None:
    """Look again and again until cancelled: nothing else ends it. ``look`` gives the seconds until the next
    time; ``failed`` is said once of each thing that nobody thought of."""
    said: set[str] = set()
    while True:
        try:
            pause = await look()
        except StoreUnavailable:
            # It says what is wrong with it to whoever asks it for something.
            pause = STORE_PAUSE
        except Exception as error:
            # Who looks after others for as long as the server lives must outlive anything.
            pause = STORE_PAUSE
            if repr(error) not in said:
                said.add(repr(error))
                log.exception(failed)
        await asyncio.sleep(pause)


async def _persist(work: Work) -> None:
    while True:
        try:
            return await work()
        except StoreUnavailable:
            await asyncio.sleep(STORE_PAUSE)
