"""Tells people who have no page open: mail, chat, webhook, phone, through apprise (the extra ``notify``).

What a channel was told last is in the store, so that servers that share it tell nothing twice, nor does the
next one. Not here: what is worth a row of the feed (``core.activities``).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from mlops_jupyter.core import activities, assets, events, glyphs, wire
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.events import Activity, ActivityUpdate, Event
from mlops_jupyter.store import Reading, Store, Stored, Transaction

log = logging.getLogger(__name__)

#: Seconds before a message that was not taken is tried again. Where one has failed the next is tried once.
PAUSES = (5.0, 60.0)
#: Seconds after which it is said that a channel does not answer.
PATIENCE = 30.0
#: Seconds to wait after the store refused, and at the end for what is just being sent.
REFUSED, CLOSING = 1.0, 2.0
#: Older news is none.
KEPT = timedelta(days=1)
_TOLD: dict[str, type[Event]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        *(events.TrainingCompleted, events.TrainingFailed, events.HealthChange, events.AlertRaised),
        *(assets.ModelDeployed, assets.ModelStatus, assets.DriftRaised),
    )
}
_KINDS = {"info": "info", "success": "success", "warning": "warning", "error": "failure"}
_MISSING = 'Notifications need apprise: pip install "mlops_jupyter[notify]"'


#: Loggers that name URLs.
_TALKATIVE = ("apprise", "urllib3.connectionpool")
_THREADS = "mlops-channel"


def _of_others(record: logging.LogRecord) -> bool:
    return not (record.threadName or "").startswith(_THREADS)


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message to try a channel with."""

    channel: str
    well: bool


class Wanted(NamedTuple):
    """``urls`` as apprise takes them, and those in ``file``, one a line; the end of jobs that took more than
    ``seconds``."""

    urls: Sequence[str]
    file: Path
    seconds: float


class Channels:
    """``committed`` may be called from any thread, and nothing here waits for a channel."""

    def __init__(self, store: Store, wanted: Wanted) -> None:
        self._store = store
        self._wanted = wanted
        self._ending = threading.Event()
        self._ready = threading.Event()
        #: What keeps channels from being used; never their URLs, which are secrets.
        self.problem: str | None = None
        self.all: tuple[Channel, ...] = ()
        # It reads a file and imports apprise, neither of which is for the event loop.
        threading.Thread(target=self._open, name=f"{_THREADS}s", daemon=True).start()

    def committed(self, stored: Sequence[Stored]) -> None:
        """Something was written into the store, by whatever server."""
        for channel in self.all:
            channel.look(stored)

    def try_all(self) -> tuple[Tried, ...]:
        """Send a message by each of them, at once. Blocks."""
        self._ready.wait(PATIENCE)
        found: dict[str, bool] = {}
        text = Message("mlops", "Notifications arrive here.", "info")

        def send(channel: Channel) -> None:
            found[channel.name] = channel.send(text)

        threads = [
            threading.Thread(target=send, args=(each,), name=_THREADS, daemon=True) for each in self.all
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0.0))
        return tuple(Tried(channel=each.name, well=found.get(each.name, False)) for each in self.all)

    def close(self) -> None:
        """Blocks for a moment; a channel that hangs ends with the process."""
        self._ending.set()
        self._ready.wait(CLOSING)
        end = time.monotonic() + CLOSING
        for channel in self.all:
            channel.end()
        for channel in self.all:
            channel.join(max(end - time.monotonic(), 0.0))

    def _open(self) -> None:
        urls = [*self._wanted.urls, *self._in_file()]
        if urls and not self._ending.is_set():
            try:
                import apprise  # noqa: PLC0415 - an extra, and half a second
            except ImportError:
                self._wrong(_MISSING)
            else:
                self.all = tuple(self._channels(apprise, urls))
        self._ready.set()

    def _channels(self, apprise: Any, urls: Sequence[str]) -> list[Channel]:
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(_of_others)
        # In our own threads: those of its pool would keep a server that ends until a channel has answered.
        asset = apprise.AppriseAsset(app_id="mlops_jupyter", async_mode=False, service_timeout=0)
        found: list[Channel] = []
        for place, url in enumerate(urls, 1):
            sender = apprise.Apprise(asset=asset)
            if not sender.add(url):
                self._wrong(f"Channel {place} of {len(urls)} has no URL that apprise knows.")
                continue
            (service,) = sender
            name = f"{service.service_name} ({place} of {len(urls)})"
            found.append(Channel(name, service.url_id(), sender, self._store, self._wanted.seconds))
        return found

    def _in_file(self) -> list[str]:
        path = self._wanted.file
        try:
            with path.open(encoding="utf-8") as file:
                facts = os.fstat(file.fileno())
                if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
                    self._wrong(f"{path} is not used: others may read it. chmod 600, and it must be yours.")
                    return []
                lines = [line.strip() for line in file]
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            self._wrong(f"{path} cannot be read: {type(error).__name__}")
            return []
        return [line for line in lines if line and not line.startswith("#")]

    def _wrong(self, what: str) -> None:
        self.problem = what
        log.error("%s", what)


class Message(NamedTuple):
    title: str
    body: str
    kind: str


class Channel:
    """One way to tell somebody, with a thread of its own: one that hangs keeps no other waiting."""

    def __init__(self, name: str, key: str, sender: Any, store: Store, seconds: float) -> None:
        self.name = name
        self._key = f"told to {key}"
        self._sender = sender
        self._store = store
        self._seconds = seconds
        self._failing = False
        self._began: float | None = None
        self._wake = threading.Event()
        self._wake.set()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=_THREADS, daemon=True)
        self._thread.start()

    def look(self, stored: Sequence[Stored]) -> None:
        """Whether there is something to tell, and whether what is being told takes too long."""
        # What all clients get; the others are never told.
        if any(event.key is None for event in stored):
            self._wake.set()
        began = self._began
        if began is not None and time.monotonic() - began > PATIENCE:
            self._fails()

    def send(self, message: Message) -> bool:
        """Blocks for as long as apprise does."""
        return bool(
            self._sender.notify(
                title=message.title, body=message.body, notify_type=message.kind, body_format="text"
            )
        )

    def end(self) -> None:
        """Tell nothing more."""
        self._ending.set()
        self._wake.set()

    def join(self, patience: float) -> None:
        """Until what is just being sent is sent."""
        self._thread.join(patience)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                while not self._ending.is_set() and (event := self._claimed()) is not None:
                    self._tell(event)
            except StoreUnavailable:
                self._ending.wait(REFUSED)
                self._wake.set()
            except Exception as error:  # noqa: BLE001 - a sender may raise whatever it likes
                # What it says may hold the URL.
                log.error("The channel %s failed: %s", self.name, type(error).__name__)  # noqa: TRY400
                self._fails()

    def _claimed(self) -> Event | None:
        """The next event to tell, which nobody else tells any more: it counts as told before it is."""
        while True:
            before = self._store.read(lambda reading: reading.meta(self._key))
            if before is None:
                # What was before anybody asked for it is no news.
                self._move(None, self._store.read(lambda reading: reading.head()))
                continue
            found = self._store.read(partial(Reading.next_told, kinds=tuple(_TOLD), after=int(before)))
            if found is None:
                return None
            seq, kind, body = found
            if self._move(before, seq) and (event := self._worth(kind, body, datetime.now(UTC))) is not None:
                return event

    def _move(self, before: str | None, seq: int) -> bool:
        def work(tx: Transaction) -> bool:
            if tx.meta(self._key) != before:
                return False
            tx.put_meta(self._key, str(seq))
            return True

        return self._store.write(work).result()

    def _worth(self, kind: str, body: bytes, now: datetime) -> Event | None:
        try:
            event = wire.decode(body, _TOLD[kind])
        except msgspec.DecodeError:
            return None
        # By the clock of the day, as all that is kept over restarts.
        if event.time < now - KEPT:
            return None
        match event:
            case events.TrainingCompleted(elapsed_time=took) if (took or 0.0) <= self._seconds:
                return None
            case events.HealthChange(priority=priority) if priority != "high":
                return None
            case assets.ModelStatus(status=status) if status != "failed":
                return None
        return event

    def _tell(self, event: Event) -> None:
        row = activities.row(event)
        assert row is not None
        told = row.activity
        body = told.description if told.subject is None else f"{told.description} ({told.subject[:6]})"
        message = Message(told.title, glyphs.on_a_line(body), _KINDS[told.status])
        for pause in (*(() if self._failing else PAUSES), None):
            self._began = time.monotonic()
            well = self.send(message)
            self._began = None
            if well:
                self._works()
                return
            self._fails()
            if pause is None or self._ending.wait(pause):
                return

    def _fails(self) -> None:
        """Say so, once until it works again."""
        if not self._failing:
            self._failing = True
            log.warning("The channel %s takes no messages. To see why: mlops notify", self.name)
            self._store.write(self._say)

    def _works(self) -> None:
        if self._failing:
            self._failing = False
            log.warning("The channel %s works again", self.name)
            self._store.write(lambda tx: tx.put_meta(f"{self._key} fails", ""))

    def _say(self, tx: Transaction) -> None:
        if tx.meta(f"{self._key} fails"):
            return
        tx.put_meta(f"{self._key} fails", "yes")
        now = datetime.now(UTC)
        activity = Activity(
            id=f"a-{tx.head() + 1}",
            kind="machine",
            subject=None,
            title="Notifications fail",
            description=f"The channel {self.name} takes no messages",
            status="warning",
            timestamp=now,
        )
        tx.append(ActivityUpdate(time=now, activity=activity))
