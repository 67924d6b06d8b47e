"""A model that answers: its host, the requests that wait for it, and what follows when it ends.

Requests that come while the host is busy go together in its next batch; nobody waits when it is
idle. Not here: which model that is and who wants it (``deployments``).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from mlops_jupyter.core.errors import MlopsError, ServingFailed, TooSlow
from mlops_jupyter.serving.child import Answered, Child, End, GoneError
from mlops_jupyter.serving.messages import Charge, Refused

log = logging.getLogger(__name__)

#: Seconds a model may take to be read, one batch to be predicted, and a request to wait for its turn.
START, PREDICT, WAIT = 90.0, 10.0, 30.0
#: So many crashes within so many seconds, and the model is started no more.
CRASHES, WITHIN = 3, 60.0
#: Seconds before the next start, by the crashes of that time: none if it ended otherwise.
BACK_OFF = (0.0, 1.0, 4.0)
#: Requests of a batch, and bytes of their bodies; one alone may be longer. Bytes that may wait.
BATCH, BATCH_BYTES = 64, 1 << 20
WAITING_BYTES = 64 << 20
#: Seconds after which an idle host is asked whether it is there.
ASK_AFTER = 10.0


class Outcome(NamedTuple):
    """Of a batch that the host has answered, told before anybody hears of it."""

    answered: Answered
    #: Seconds from when a request came to when it was answered, one each.
    latencies: tuple[float, ...]


class Answer(NamedTuple):
    """What goes out to who asked."""

    status: int
    body: bytes


class _Waiting:
    """A request; ``alone`` after it was in a batch that ended the host."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.came = time.monotonic()
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.alone = False

    def fail(self, error: MlopsError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


#: Writes down what was answered; whoever asked hears of it only after that.
Settle = Callable[[Outcome], Awaitable[None]]


class Live:
    """Serves ``charge`` at the endpoint ``at`` until it is closed; ``given_up`` is called once when it
    crashes too often."""

    def __init__(
        self,
        at: str,
        charge: Charge,
        environment: Mapping[str, str],
        settle: Settle,
        given_up: Callable[[str], None],
    ) -> None:
        self.at = at
        self.charge = charge
        self._environment = environment
        self._settle = settle
        self._given_up = given_up
        self._queue: deque[_Waiting] = deque()
        self._bytes = 0
        self._came = asyncio.Event()
        self._crashes: deque[float] = deque()
        self._child: Child | None = None
        self._closing = False
        self._settling: set[asyncio.Task[None]] = set()
        #: Why it answers no more; None while it does.
        self.refusal: str | None = None
        #: How often its process was started again.
        self.restarts = -1
        self.used = time.monotonic()
        #: Done once the model answers (None), or with the reason why it cannot.
        self.started: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._working = asyncio.create_task(self._work())

    @property
    def pid(self) -> int | None:
        """Of the process that serves now."""
        return None if self._child is None else self._child.pid

    async def predict(self, body: bytes) -> Answer:
        """The answer to one request. Raises ``ServingFailed`` or ``TooSlow``."""
        self.used = time.monotonic()
        if self.refusal is not None or self._closing:
            raise self._refused()
        if self._bytes and self._bytes + len(body) > WAITING_BYTES:
            raise ServingFailed(f"Too much waits for {self.charge.called} already.", "Ask again later.")
        waiting = _Waiting(body)
        self._queue.append(waiting)
        self._bytes += len(body)
        self._came.set()
        return await waiting.answer

    async def close(self, patience: float = PREDICT) -> None:
        """Answer what came, then let the process go."""
        self._closing = True
        self._came.set()
        if self._working.done() or not self.started.done():
            patience = 0.0
        await asyncio.wait([self._working], timeout=patience)
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)
        await asyncio.gather(*self._settling, return_exceptions=True)
        self._fail_all(self._refused())
        if not self.started.done():
            self.started.set_result("It was wanted no more.")
        if self._child is not None:
            await self._child.end()

    async def _work(self) -> None:
        try:
            while (child := await self._up()) is not None:
                batch = await self._next(child)
                if batch is None:
                    return
                if batch:
                    await self._serve(child, batch)
        except Exception as error:
            # Whatever it is: without this task who asks would wait for ever.
            log.exception("%s cannot be served any more", self.charge.called)
            self._give_up(f"{type(error).__name__}: {error}")

    async def _up(self) -> Child | None:
        """The host, started again if need be; None when the model is given up."""
        while True:
            if self._child is not None:
                if not self._child.ended.done():
                    return self._child
                end = self._child.ended.result()
                await self._child.end()
                self._child = None
                if not self._may_go_on(end):
                    return None
                await asyncio.sleep(BACK_OFF[min(len(self._crashes), len(BACK_OFF) - 1)])
            self._child = Child(self.charge, self._environment)
            self.restarts += 1
            if (why := await self._why_not(self._child)) is not None:
                # One that is not read in time would go on reading for nobody.
                await self._child.end()
                self._child = None
                self._give_up(why)
                return None
            if not self._child.ended.done() and not self.started.done():
                self.started.set_result(None)

    async def _why_not(self, child: Child) -> str | None:
        """Why it is no use to start this model; None for one that is ready, or whose host just ended."""
        try:
            async with asyncio.timeout(START):
                said = await asyncio.shield(child.ready)
        except TimeoutError:
            return f"It was not read within {START:g} s."
        if isinstance(said, Refused):
            return said.why
        if said is None and not self.started.done() and (end := child.ended.result()).crashed:
            return f"Its process crashed while the model was read: {end.told}."
        return None

    def _may_go_on(self, end: End) -> bool:
        """Whether a host that ended like this is started again."""
        now = time.monotonic()
        if end.crashed:
            self._crashes.append(now)
        while self._crashes and now - self._crashes[0] > WITHIN:
            self._crashes.popleft()
        log.warning("The process of %s ended (%s)", self.charge.called, end.told)
        if len(self._crashes) < CRASHES:
            return True
        self._give_up(f"Its process crashed {CRASHES} times within {WITHIN:g} s, the last time: {end.told}.")
        return False

    async def _next(self, child: Child) -> list[_Waiting] | None:
        """Requests that go together; none where the host has to be looked at, None when that was all."""
        while not self._queue:
            if self._closing:
                return None
            self._came.clear()
            came = asyncio.ensure_future(self._came.wait())
            await asyncio.wait([came, child.ended], timeout=ASK_AFTER, return_when=asyncio.FIRST_COMPLETED)
            came.cancel()
            if child.ended.done():
                return []
            if not self._came.is_set() and not await self._asked(child):
                return []
        batch: list[_Waiting] = []
        size = 0
        while self._queue and len(batch) < BATCH:
            if batch and (
                self._queue[0].alone or batch[0].alone or size + len(self._queue[0].body) > BATCH_BYTES
            ):
                break
            waiting = self._queue.popleft()
            size += len(waiting.body)
            self._bytes -= len(waiting.body)
            if waiting.answer.cancelled():
                continue
            if time.monotonic() - waiting.came > WAIT:
                waiting.fail(TooSlow(f"{self.charge.called} did not come to this within {WAIT:g} s."))
                continue
            batch.append(waiting)
        return batch

    async def _asked(self, child: Child) -> bool:
        """Whether an idle host is there; one that says nothing is ended."""
        try:
            async with asyncio.timeout(PREDICT):
                await child.ask([])
        except (GoneError, TimeoutError) as error:
            await self._over(child, error)
            return False
        return True

    async def _over(self, child: Child, error: Exception) -> End:
        """How a host ended that did not answer; one that is there all the same is ended."""
        if isinstance(error, TimeoutError):
            child.kill(End(f"no word from it within {PREDICT:g} s", crashed=True))
        await asyncio.wait([child.ended])
        return child.ended.result()

    async def _serve(self, child: Child, batch: list[_Waiting]) -> None:
        try:
            async with asyncio.timeout(PREDICT):
                answered = await child.ask([waiting.body for waiting in batch])
        except (GoneError, TimeoutError) as error:
            self._again(batch, error, await self._over(child, error))
            return
        settling = asyncio.create_task(self._settled(batch, answered))
        self._settling.add(settling)
        settling.add_done_callback(self._settling.discard)

    def _again(self, batch: list[_Waiting], error: Exception, end: End) -> None:
        """Nothing of this batch was told or counted: what may be innocent is asked once more, alone."""
        to_blame = len(batch) == 1 and end.crashed
        for waiting in reversed(batch):
            if not to_blame:
                waiting.alone = waiting.alone or end.crashed
                self._queue.appendleft(waiting)
                self._bytes += len(waiting.body)
            elif isinstance(error, TimeoutError):
                waiting.fail(TooSlow(f"{self.charge.called} did not predict this within {PREDICT:g} s."))
            else:
                waiting.fail(ServingFailed(f"{self.charge.called} crashed over this: {end.told}."))

    async def _settled(self, batch: list[_Waiting], answered: Answered) -> None:
        now = time.monotonic()
        latencies = tuple(now - waiting.came for waiting in batch)
        try:
            await self._settle(Outcome(answered, latencies))
        except MlopsError as error:
            for waiting in batch:
                waiting.fail(error)
            return
        except Exception as error:
            for waiting in batch:
                waiting.fail(ServingFailed(f"What was predicted could not be counted: {error}"))
            raise
        for waiting, reply, body in zip(batch, answered.replies, answered.bodies, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(Answer(reply.status, body))

    def _give_up(self, why: str) -> None:
        self.refusal = why
        if not self.started.done():
            self.started.set_result(why)
        else:
            self._given_up(why)
        self._fail_all(self._refused())

    def _fail_all(self, error: MlopsError) -> None:
        while self._queue:
            self._queue.popleft().fail(error)
        self._bytes = 0

    def _refused(self) -> MlopsError:
        why = self.refusal or "It is being ended."
        return ServingFailed(
            f"{self.charge.called} does not answer: {why}", "Deploy it again, or another version."
        )
