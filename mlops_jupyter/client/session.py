"""``Session``: this process's way to its server, and the jobs it holds."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakMethod, WeakValueDictionary

from mlops_jupyter.client import doctor
from mlops_jupyter.client.answers import Logs, Metrics, Notified, Status
from mlops_jupyter.client.feed import Feed
from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.job import Job
from mlops_jupyter.client.known import Known
from mlops_jupyter.client.links import Link, link
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.rest import Rest
from mlops_jupyter.client.servers import Server
from mlops_jupyter.client.system import System
from mlops_jupyter.client.view import View
from mlops_jupyter.core.events import ActivityUpdate
from mlops_jupyter.core.jobs import Job as Record


class Session:
    """Calls may come from any thread; they take turns."""

    def __init__(self, finder: Finder, view: View) -> None:
        self.view = view
        self.finder = finder
        self._rest = Rest(finder)
        self._feed = Feed(Rest(finder), lambda: view.pace)
        self._turn = threading.RLock()
        # One object a job, so that its widget and its waiters are one, too.
        self._jobs: WeakValueDictionary[str, Job] = WeakValueDictionary()
        forked = WeakMethod(self._forked)
        os.register_at_fork(after_in_child=lambda: (mend := forked()) and mend())

    def _forked(self) -> None:
        """We are a copy: the feed's thread did not come along, whoever held a lock may not have, and the
        connections are those of the process we are a copy of."""
        self.finder.forked()
        self._rest = Rest(self.finder)
        self._feed = Feed(Rest(self.finder), lambda: self.view.pace)
        self._turn = threading.RLock()
        for job in self._jobs.values():
            job.forked()

    def follow(self, job: Job) -> None:
        """Keep a job up to date until it ends, if it is not yet."""
        self._feed.follow(job)

    def train(self, data: Any, target: str | None, options: Options) -> Job:
        """Check, send, queue and follow a job."""
        from mlops_jupyter.client.submission import submission  # noqa: PLC0415 - it imports pandas

        wanted = submission(data, target, Path.cwd(), options)
        with self._turn:
            record = self._rest.submit(wanted.sent(self._rest.upload))
        return self._job(Known(record))

    def rerun(self, job_id: str, options: Mapping[str, Any]) -> Job:
        """Queue and follow another attempt at a job."""
        from mlops_jupyter.client.submission import changes  # noqa: PLC0415 - it imports pandas

        with self._turn:
            before = self._rest.job(job_id).job
            record = self._rest.rerun(before.job_id, changes(before, options, self._rest.upload))
        return self._job(Known(record))

    def get(self, job_id: str) -> Job:
        """By its id or any unique beginning of it."""
        with self._turn:
            answer = self._rest.job(job_id)
        return self._job(Known(answer.job, answer.head, answer.epoch))

    @property
    def in_page(self) -> bool:
        """Whether the server in use is the one this kernel was started by."""
        with self._turn:
            return self.finder.is_parent(self._rest.server)

    def jobs(self, limit: int) -> tuple[Record, ...]:
        """The newest first."""
        with self._turn:
            return self._rest.jobs(limit)

    def stop(self, job_id: str) -> Record:
        with self._turn:
            return self._rest.stop(job_id)

    def pause(self, job_id: str) -> Record:
        with self._turn:
            return self._rest.pause(job_id)

    def resume(self, job_id: str) -> Record:
        with self._turn:
            return self._rest.resume(job_id)

    def mute(self, job_id: str, rule: str, *, muted: bool) -> Record:
        with self._turn:
            return self._rest.mute(job_id, rule, muted=muted)

    def logs(self, job_id: str, tail: int | None) -> Logs:
        with self._turn:
            return self._rest.logs(job_id, tail)

    def metrics(self, job_id: str) -> Metrics:
        with self._turn:
            return self._rest.metrics(job_id)

    def status(self) -> tuple[Server, Status]:
        """The server in use, and what it says of itself."""
        with self._turn:
            status = self._rest.status()
            return self._rest.server, status

    def activity(self, limit: int) -> tuple[ActivityUpdate, ...]:
        """What happened, the newest first."""
        with self._turn:
            return self._rest.activity(limit)

    def link(self, job_id: str | None) -> Link:
        """Where a browser finds a job (any unique beginning of its id), or all of them."""
        server = self.finder.running()
        parent = server is not None and self.finder.is_parent(server)
        # Asked for the page first: where nothing runs no server is started for it.
        whole = link(server, None, parent=parent)
        if job_id is None:
            return whole
        with self._turn:
            found = self._rest.job(job_id).job.job_id
        return link(server, found, parent=parent)

    def doctor(self) -> tuple[doctor.Check, ...]:
        """What must be as it should, looked at one by one."""
        return doctor.examine(self.finder)

    def notify(self) -> Notified:
        """Try every channel that tells people who have no page open."""
        with self._turn:
            return self._rest.notify()

    def health(self) -> System:
        """The machine the server lives in."""
        with self._turn:
            return self._rest.system()

    def told(self, path: str) -> bytes:
        """The server's answer to a question, as it is."""
        with self._turn:
            return self._rest.told(path)

    def forward(self, method: str, path: str, key: str | None) -> tuple[int, bytes]:
        """Ask the server for somebody else; status and body of its answer, whatever they are."""
        with self._turn:
            return self._rest.forward(method, path, key)

    def another_way(self) -> Rest:
        """A connection for a thread of its own."""
        return Rest(self.finder)

    def model(self, model_id: str, sha256: str) -> Any:
        """The model registered as ``sha256``, read with the reviewed types only."""
        from mlops_jupyter.training.tabular import model  # noqa: PLC0415 - it imports scikit-learn

        with self._turn:
            body = self._rest.model_file(model_id)
        return model.loads(body, sha256)

    def close(self) -> None:
        with self._turn:
            self._rest.close()

    def _job(self, known: Known) -> Job:
        job = self._jobs.get(known.record.job_id)
        if job is None:
            job = self._jobs[known.record.job_id] = Job(known, self)
            if not job.settled:
                self._feed.follow(job)
        return job
