"""REST for jobs: submit, run again, list, get, delete, stop, pause, resume, mute, logs."""

from __future__ import annotations

import os
import re
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
from jupyter_core.paths import is_hidden
from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import ensure_async
from tornado import web

from mlops_jupyter import __version__
from mlops_jupyter.core import wire
from mlops_jupyter.core.alerts import TITLES
from mlops_jupyter.core.errors import InputError, StoreUnavailable, VersionMismatch, did_you_mean
from mlops_jupyter.core.jobs import Job, JobSpec
from mlops_jupyter.deletions import not_found
from mlops_jupyter.news import LINE_LENGTH, as_line
from mlops_jupyter.server.handler import Handler, person
from mlops_jupyter.store import Reading
from mlops_jupyter.submissions import Run

#: Answers of ``logs`` without ``tail`` have at most this many lines.
LINES = 10_000
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a rerun: options of the spec, as ``core.reruns`` takes them."""

    changes: dict[str, Any] = msgspec.field(default_factory=dict)


class Mute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a mute: the rule, and whether it is to be heard of again."""

    rule: str
    muted: bool = True


class Submitting(Handler):
    """What submitting and running again share."""

    async def submit(self, spec: JobSpec, rerun_of: str | None = None, run: Run | None = None) -> None:
        shell = await self.rooms.in_thread(_is_a_shell, spec, self.rooms.root_dir, self._hidden)
        if shell and not await ensure_async(
            self.authorizer.is_authorized(self, self.current_user, "execute", "kernels")
        ):
            raise web.HTTPError(403, reason="This job could run any code: it needs execute on kernels")
        by, key = person(self.current_user), self._key()
        job = await self.rooms.supervisor.submit(spec, by=by, key=key, rerun_of=rerun_of, run=run)
        self.reply(job, status=201)

    def _key(self) -> str | None:
        """Names this submission: the same again is no second job."""
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and not _KEY.fullmatch(key):
            raise InputError("An Idempotency-Key has 1 to 200 visible ASCII characters.")
        return key

    @property
    def _hidden(self) -> bool:
        """Whether Jupyter's own file browser would open hidden files."""
        return bool(self.contents_manager.allow_hidden)


class JobsHandler(Submitting):
    """All jobs, and the door for a new one."""

    @web.authenticated
    @authorized("read", "mlops.jobs")
    async def get(self) -> None:
        limit = int(self.number("limit", 50, 1, 1000) or 50)
        # Not stripped: what is left of a control character would be the beginning of every id.
        prefix = self.get_query_argument("id", None, strip=False)
        epoch = self.rooms.store.epoch

        def listed(reading: Reading) -> bytes:
            jobs = reading.jobs(limit) if prefix is None else reading.matching(prefix, limit)
            said: dict[str, Any] = {"epoch": epoch, "head": reading.head()}
            if prefix is not None and not jobs:
                said["deleted"] = reading.deleted(prefix)
            return wire.with_list(said, "jobs", jobs)

        self.send(await self.rooms.store.aread(listed))

    @web.authenticated
    @authorized("execute", "mlops.jobs")
    async def post(self) -> None:
        spec = self.body(JobSpec)
        if spec.version not in (None, __version__):
            raise VersionMismatch(
                f"this kernel has mlops_jupyter {spec.version}, the Jupyter server {__version__}.",
                "Install the same version in both, then restart both.",
            )
        await self.submit(spec)


class JobRerunHandler(Submitting):
    """Another attempt at a job, with other options perhaps."""

    @web.authenticated
    @authorized("execute", "mlops.jobs")
    async def post(self, prefix: str) -> None:
        async with self.ordered(prefix) as job:
            changes = self.body(Changes).changes
            spec = await self.rooms.supervisor.submissions.spec_again(job.job_id, changes)
            await self.submit(spec, rerun_of=job.job_id)


class JobHandler(Handler):
    """One job's record."""

    @web.authenticated
    @authorized("read", "mlops.jobs")
    async def get(self, prefix: str) -> None:
        job = await self.job(prefix)
        job_id = job.job_id

        def shown(reading: Reading) -> tuple[int, Job]:
            if not (jobs := reading.matching(job_id, 1)):
                raise not_found(reading, job_id)
            return reading.head(), jobs[0]

        head, job = await self.rooms.store.aread(shown)
        self.reply({"epoch": self.rooms.store.epoch, "head": head, "job": job})

    @web.authenticated
    @authorized("write", "mlops.jobs")
    async def delete(self, prefix: str) -> None:
        job = await self.job(prefix)
        self.reply(await self.rooms.supervisor.deletions.delete(job.job_id, person(self.current_user)))


class JobStopHandler(Handler):
    """Also while the store is in trouble: that a job ends may be what gives the disk room."""

    needs_store = False

    @web.authenticated
    @authorized("execute", "mlops.jobs")
    async def post(self, prefix: str) -> None:
        supervisor, by = self.rooms.supervisor, person(self.current_user)
        try:
            async with self.ordered(prefix) as job:
                self.reply(await supervisor.stop(job.job_id, by=by), status=202)
        except StoreUnavailable:
            stopping = await supervisor.stop_unrecorded(prefix, by)
            if stopping is None:
                raise
            self.reply(stopping, status=202)


class JobPauseHandler(Handler):
    @web.authenticated
    @authorized("execute", "mlops.jobs")
    async def post(self, prefix: str) -> None:
        by = person(self.current_user)
        async with self.ordered(prefix) as job:
            self.reply(await self.rooms.supervisor.pause(job.job_id, by=by), status=202)


class JobResumeHandler(Handler):
    @web.authenticated
    @authorized("execute", "mlops.jobs")
    async def post(self, prefix: str) -> None:
        by = person(self.current_user)
        async with self.ordered(prefix) as job:
            self.reply(await self.rooms.supervisor.resume(job.job_id, by=by), status=202)


class JobMuteHandler(Handler):
    """To hear no more of a rule about this job."""

    @web.authenticated
    @authorized("execute", "mlops.jobs")
    async def post(self, prefix: str) -> None:
        by, alerts = person(self.current_user), self.rooms.supervisor.alerts
        async with self.ordered(prefix) as job:
            mute = self.body(Mute)
            if mute.rule not in TITLES:
                raise InputError(
                    f'no rule of alerts is called "{mute.rule}".', did_you_mean(mute.rule, TITLES)
                )
            self.reply(await alerts.mute(job.job_id, mute.rule, by, muted=mute.muted), status=202)


class JobLogsHandler(Handler):
    """What the job wrote to stdout and stderr."""

    @web.authenticated
    @authorized("read", "mlops.jobs")
    async def get(self, prefix: str) -> None:
        job = await self.job(prefix)
        tail = int(self.number("tail", LINES, 0, LINES) or 0)
        path = self.rooms.supervisor.folder(job.job_id) / "output.log"
        self.send(await self.rooms.in_thread(_with_lines, job.job_id, path, tail))


def _is_a_shell(spec: JobSpec, root: str, hidden: bool) -> bool:
    """Whether the job could do more than train on a table that the server shows to its users."""
    chosen = (spec.estimator_input, spec.interpreter, spec.cwd)
    # The path of a dataset is the server's to say.
    sources = [source for source in (spec.data, spec.test) if source is not None and source.dataset is None]
    paths = [source.path for source in sources if source.path is not None]
    return any(choice is not None for choice in chosen) or not all(shown(p, root, hidden) for p in paths)


def shown(path: str, root: str, hidden: bool) -> bool:
    """A file below the root, wherever its links lead; hidden ones as the contents manager has it."""
    try:
        real, below = os.path.realpath(path), os.path.realpath(root)
    except ValueError:
        # No name of a file at all.
        return False
    inside = Path(real).is_relative_to(below)
    return inside and (hidden or not (Path(real).exists() and is_hidden(real, below)))


def _with_lines(job_id: str, path: Path, tail: int) -> bytes:
    total, lines = _last_lines(path, tail)
    return wire.with_list({"job_id": job_id, "total": total, "first": total - len(lines)}, "lines", lines)


def _last_lines(path: Path, count: int) -> tuple[int, list[str]]:
    """How many lines there are, and the last ``count`` of them, cut as events have them."""
    last: deque[bytes] = deque(maxlen=count)
    total = 0
    try:
        with path.open("rb") as file:
            for line in file:
                total += 1
                last.append(line[: 4 * LINE_LENGTH])
    except FileNotFoundError:
        return 0, []
    return total, [as_line(line) for line in last]


ID = r"(j-[0-9a-z]{1,12})"
handlers = [
    ("jobs", JobsHandler),
    (f"jobs/{ID}", JobHandler),
    (f"jobs/{ID}/rerun", JobRerunHandler),
    (f"jobs/{ID}/stop", JobStopHandler),
    (f"jobs/{ID}/pause", JobPauseHandler),
    (f"jobs/{ID}/resume", JobResumeHandler),
    (f"jobs/{ID}/mute", JobMuteHandler),
    (f"jobs/{ID}/logs", JobLogsHandler),
]
