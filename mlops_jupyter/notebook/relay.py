"""The kernel relay: where a page cannot reach its jobs' server, a thread of the kernel passes answers on.

It asks as a page that polls does, with the same cursor, and sends what it was answered as the bytes it came
in, four times a second at most. Nobody asks for it: a busy kernel hears nobody. So what a widget holds is
always enough by itself: ``opening`` is what a page asks for when it opens, ``batch`` all events since then.
Not here: what widgets show (``widgets``).
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import anywidget
import msgspec
import traitlets

from mlops_jupyter.client import known
from mlops_jupyter.client.answers import Events, Status
from mlops_jupyter.client.rest import Rest
from mlops_jupyter.client.session import Session
from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import MlopsError

log = logging.getLogger(__name__)

#: Seconds between two batches at least.
PACE = 0.25
#: The server holds its answer for so long when nothing happens; a page takes silence for 38 s for the end.
WAIT = 15.0
#: What is about others is held back for so long.
HELD = 5.0
#: After a server could not be found or started, before the next try.
AGAIN = 5.0
#: Bytes of events after which there is a new opening, and beyond which they are not sent at all.
LONG, LONGEST = 64 << 10, 256 << 10
#: What a page may ask the server for through the kernel.
_ASKED = {
    "GET": re.compile(r"(jobs|activity|system|pipelines|datasets)(/[A-Za-z0-9-]+)*(\?[\w=&%.+-]*)?"),
    "POST": re.compile(
        r"jobs/[a-z0-9-]+/(stop|pause|resume|rerun)|pipelines(/[a-z0-9-]+/(run|duplicate|restore))?"
    ),
    "PUT": re.compile(r"pipelines/[a-z0-9-]+"),
    "DELETE": re.compile(r"(jobs|pipelines)/[a-z0-9-]+"),
}

#: Headers of a question, and what a page calls them.
_HEADERS = {"Idempotency-Key": "key", "If-Match": "match"}

_heading = msgspec.json.Decoder(known.Heading)
_Cursor = tuple[str, int]


class Relayed(anywidget.AnyWidget):
    """A widget that shows what a server tells: the kernel passes it on if ``relayed``, else the page asks."""

    relayed = traitlets.Bool(False).tag(sync=True)
    opening = traitlets.Bytes().tag(sync=True)
    batch = traitlets.Bytes().tag(sync=True)

    def __init__(self, session: Session, **traits: Any) -> None:
        super().__init__(**traits)
        self.session = session
        # Both threads that move a widget hold this: ``hold_sync`` is for one.
        self.turn = threading.Lock()
        self.on_msg(self._asked)

    @property
    def questions(self) -> tuple[str, ...]:
        """What a page asks for when it opens, as paths below ``mlops/api/``."""
        return ()

    @property
    def subjects(self) -> frozenset[str] | None:
        """Ids of the jobs it is about; None: it is about everything."""
        return None

    def over(self, head: int) -> bool:
        """Whether nothing more is to come once it has the events up to ``head``."""
        return False

    def ordered(self, path: str, answer: bytes) -> None:
        """The page had something done by the server."""

    @property
    def closed(self) -> bool:
        """Whether no page shows it any more: marimo closes the connection alone."""
        return self.comm is None or bool(getattr(self.comm, "_closed", False))

    def tell(self, batch: bytes, opening: bytes | None = None) -> None:
        with self.turn, self.hold_sync():
            if opening is not None:
                self.opening = opening
            self.batch = batch

    def _asked(self, _widget: object, content: object, _buffers: object) -> None:
        """A button was pressed. Answered by a thread: the server may take its time, the kernel has none."""
        if isinstance(content, dict) and isinstance(content.get("ask"), str):
            threading.Thread(target=self._answer, args=(content,), name="mlops-answer", daemon=True).start()

    def _answer(self, content: dict[str, Any]) -> None:
        method, path, said = str(content.get("method")), str(content.get("path")), content.get("body")
        headers = {name: content.get(key) for name, key in _HEADERS.items()}
        status, body = 400, wire.encode({"message": "Not to be asked for."})
        if method in _ASKED and _ASKED[method].fullmatch(path):
            try:
                status, body = self.session.forward(
                    method,
                    path,
                    {name: value for name, value in headers.items() if isinstance(value, str)},
                    wire.encode(said if isinstance(said, dict) else {}),
                )
            except MlopsError as error:
                status, body = 0, wire.encode({"message": str(error)})
            if method == "POST" and status < 400 and status:
                self.ordered(path, body)
        self.send({"answer": content["ask"], "status": status}, buffers=[body])


class _Event(NamedTuple):
    seq: int
    body: bytes


class _Line:
    """What one widget was sent: its opening, as of event ``head``, and what came since."""

    def __init__(self, widget: Relayed) -> None:
        self.widget = widget
        self.opened = False
        self.epoch = ""
        self.head = 0
        self.events: list[_Event] = []
        self.fresh = False
        self.sent = 0.0
        # Whether the page was told that nothing more is to come.
        self.over = False

    @property
    def last(self) -> int:
        return self.events[-1].seq if self.events else self.head

    @property
    def size(self) -> int:
        return sum(len(event.body) for event in self.events)

    @property
    def done(self) -> bool:
        """Whether nobody looks any more, or nothing more will come."""
        return self.widget.closed or (self.over and not self.fresh and self.ended)

    @property
    def ended(self) -> bool:
        """Whether it has all there will ever be."""
        return self.opened and self.widget.over(self.last)

    def begin(self, epoch: str, head: int) -> None:
        self.epoch, self.head = epoch, head
        self.events = [event for event in self.events if event.seq > head]
        self.opened = True

    def add(self, heading: known.Heading, body: bytes) -> None:
        self.events.append(_Event(heading.seq or 0, body))
        subjects = self.widget.subjects
        self.fresh = self.fresh or subjects is None or heading.job_id in subjects


class Relay:
    """One thread for all widgets of a session; it begins with the first and ends with the last of them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._lines: list[_Line] = []
        self._thread: threading.Thread | None = None
        self._cursor: _Cursor | None = None
        self._rev = 0
        self._latest: dict[str, bytes] = {}

    def serve(self, widget: Relayed) -> None:
        """Keep ``widget`` up to date until it is closed or over. Its opening is there when this returns."""
        line = _Line(widget)
        with self._lock:
            # Before its opening is asked for: what happens meanwhile is kept for it.
            self._lines = [*(each for each in self._lines if each.widget is not widget), line]
        try:
            self._open(line, self._session.told)
        except MlopsError as error:
            # The thread tries on.
            widget.tell(self._batch(line, trouble=str(error)))
        with self._lock:
            if self._thread is None:
                self._cursor = (line.epoch, line.head) if line.opened else None
                self._thread = threading.Thread(target=self._run, name="mlops-relay", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        rest = self._session.another_way()
        logged = False
        while self._live():
            pause = PACE
            try:
                self._look(rest)
            except MlopsError as error:
                pause = AGAIN
                self._tell_trouble(str(error))
            except Exception as error:
                pause = AGAIN
                if not logged:
                    logged = True
                    log.exception("events could not be passed on")
                self._tell_trouble(f"{type(error).__name__}: {error}")
            time.sleep(pause)
        rest.close()

    def _live(self) -> bool:
        """Whether there is anybody to serve; the thread ends otherwise, and leaves no trace."""
        with self._lock:
            self._lines = [line for line in self._lines if not line.done]
            if self._lines:
                return True
            self._thread = None
            self._cursor = None
            self._rev = 0
            self._latest = {}
        return False

    def _look(self, rest: Rest) -> None:
        if self._cursor is None:
            status = rest.status()
            self._cursor = status.epoch, status.head
        for line in self._lines:
            if not line.opened:
                self._open(line, rest.told)
            elif line.ended and not line.over:
                # The kernel learnt of the end after its events were passed on.
                self._send(line)
        epoch, since = self._cursor
        answer = rest.events(since, epoch, WAIT, self._rev)
        if answer.reset is not None or answer.snapshot is not None:
            # Another store, or one that forgot what we were to learn: everybody opens anew.
            self._cursor = None
            with self._lock:
                for line in self._lines:
                    line.opened, line.events = False, []
            return
        self._cursor = epoch, self._taken(answer)
        for line in self._lines:
            self._pass_on(line, rest)

    def _taken(self, answer: Events) -> int:
        last = answer.prev
        headings = [(_heading.decode(raw), bytes(raw)) for raw in answer.events]
        with self._lock:
            if answer.latest:
                self._latest |= {kind: bytes(raw) for kind, raw in answer.latest.items()}
            self._rev = answer.rev
            for heading, body in headings:
                last = heading.seq or last
                for line in self._lines:
                    if not line.opened or last > line.head:
                        line.add(heading, body)
            for line in self._lines:
                line.fresh = line.fresh or (bool(answer.latest) and line.widget.subjects is None)
        return last

    def _pass_on(self, line: _Line, rest: Rest) -> None:
        if not line.opened or not (line.fresh or time.monotonic() - line.sent >= HELD):
            return
        size = line.size
        if size <= LONGEST:
            self._send(line)
        if size > LONG:
            self._open(line, rest.told, line.last)

    def _open(self, line: _Line, ask: Callable[[str], bytes], head: int | None = None) -> None:
        """Send a whole opening: as of ``head``, up to which it was sent all events, or as of now."""
        server = wire.decode(ask("status"), Status)
        if head is None or server.epoch != line.epoch:
            head = server.head
        answers = b",".join(b"%b:%b" % (wire.encode(path), ask(path)) for path in line.widget.questions)
        said = {"epoch": server.epoch, "head": head, "version": server.version, "server": _name(server)}
        with self._lock:
            line.begin(server.epoch, head)
        self._send(line, b'%b,"answers":{%b}}' % (wire.encode(said)[:-1], answers))

    def _send(self, line: _Line, opening: bytes | None = None) -> None:
        line.fresh = False
        line.sent = time.monotonic()
        line.over = line.ended
        line.widget.tell(self._batch(line), opening)

    def _batch(self, line: _Line, trouble: str | None = None) -> bytes:
        with self._lock:
            latest = b",".join(b'"%b":%b' % (kind.encode(), body) for kind, body in self._latest.items())
            said = {
                "epoch": line.epoch,
                "prev": line.head,
                "head": line.last,
                "rev": self._rev,
                "over": line.over,
                "trouble": trouble,
                "time": datetime.now(UTC),
            }
            events = b",".join(event.body for event in line.events)
        return b'%b,"latest":{%b},"events":[%b]}' % (wire.encode(said)[:-1], latest, events)

    def _tell_trouble(self, trouble: str) -> None:
        for line in self._lines:
            line.widget.tell(self._batch(line, trouble))


def _name(server: Status) -> str:
    """Its address would mean nothing to the page."""
    return f"{'Private' if server.private else 'Jupyter'} server, process {server.pid}"


@cache
def relay(session: Session) -> Relay:
    """The one of this session, of which a kernel has one."""
    return Relay(session)
