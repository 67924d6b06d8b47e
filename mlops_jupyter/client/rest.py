"""The server's REST interface (docs/API.md) as typed calls: retried, and the server found again when
it went away; what stands against a request is raised as what it is in ``core.errors``.

Not here: what a job is to its user (``job``) and following it (``feed``).
"""

from __future__ import annotations

import re
import secrets
import time
from typing import Any, TypeVar

import httpx
import msgspec

from mlops_jupyter.client.answers import (
    ActivityAnswer,
    Events,
    Input,
    JobAnswer,
    JobsAnswer,
    Logs,
    Metrics,
    Notified,
    Refusal,
    Status,
    not_understood,
)
from mlops_jupyter.client.finder import PAUSES, Finder, connect
from mlops_jupyter.client.servers import Server, alive
from mlops_jupyter.client.system import System
from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import (
    JobNotFoundError,
    MlopsError,
    ServerUnreachable,
    error_for,
)
from mlops_jupyter.core.events import ActivityUpdate
from mlops_jupyter.core.jobs import Job, JobSpec, Model

T = TypeVar("T")

PATIENCE = 30.0
_ID = re.compile(r"j-[0-9a-z]{1,12}")


class Rest:
    """Requests to whatever server ``finder`` finds. Use one in one thread at a time."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._server: Server | None = None
        self._http: httpx.Client | None = None

    @property
    def server(self) -> Server:
        """The server in use; found now if need be."""
        self._connected()
        assert self._server is not None
        return self._server

    def status(self) -> Status:
        return self._get("status", Status)

    def activity(self, limit: int) -> tuple[ActivityUpdate, ...]:
        """The newest first."""
        return self._get("activity", ActivityAnswer, limit=limit).activity

    def notify(self) -> Notified:
        """Send a message by every channel, which may take a while."""
        return _understood(self._ask("POST", "notify", content=b"{}"), Notified)

    def system(self) -> System:
        return self._get("system", System)

    def upload(self, body: bytes) -> str:
        """Send a table (Parquet) or an estimator (cloudpickle) ahead; returns its id."""
        answer = self._ask("POST", "inputs", content=body, kind="application/octet-stream")
        return _understood(answer, Input).input_id

    def submit(self, spec: JobSpec) -> Job:
        """Queue a job. Raises what stands against it; several problems as a ``SubmissionError``."""
        # A name for this submission: sent again after a cut connection, it is no second job.
        named = {"Idempotency-Key": secrets.token_hex(16)}
        return _understood(self._ask("POST", "jobs", content=wire.encode(spec), headers=named), Job)

    def rerun(self, job_id: str, changes: dict[str, Any]) -> Job:
        """Queue another attempt at a job."""
        named = {"Idempotency-Key": secrets.token_hex(16)}
        body = wire.encode({"changes": changes})
        return _understood(self._ask("POST", f"jobs/{_job(job_id)}/rerun", content=body, headers=named), Job)

    def job(self, job_id: str) -> JobAnswer:
        """By its id or any unique beginning of it."""
        return self._get(f"jobs/{_job(job_id)}", JobAnswer)

    def jobs(self, limit: int) -> tuple[Job, ...]:
        """The newest first."""
        return self._get("jobs", JobsAnswer, limit=limit).jobs

    def stop(self, job_id: str) -> Job:
        return _understood(self._ask("POST", f"jobs/{_job(job_id)}/stop", content=b"{}"), Job)

    def pause(self, job_id: str) -> Job:
        return _understood(self._ask("POST", f"jobs/{_job(job_id)}/pause", content=b"{}"), Job)

    def resume(self, job_id: str) -> Job:
        return _understood(self._ask("POST", f"jobs/{_job(job_id)}/resume", content=b"{}"), Job)

    def mute(self, job_id: str, rule: str, *, muted: bool) -> Job:
        body = wire.encode({"rule": rule, "muted": muted})
        return _understood(self._ask("POST", f"jobs/{_job(job_id)}/mute", content=body), Job)

    def logs(self, job_id: str, tail: int | None) -> Logs:
        query = {} if tail is None else {"tail": tail}
        return self._get(f"jobs/{_job(job_id)}/logs", Logs, **query)

    def metrics(self, job_id: str) -> Metrics:
        return self._get(f"jobs/{_job(job_id)}/metrics", Metrics)

    def model(self, model_id: str) -> Model:
        return self._get(f"models/{model_id}", Model)

    def model_file(self, model_id: str) -> bytes:
        """The skops file."""
        return self._ask("GET", f"models/{model_id}/file")

    def events(self, since: int, epoch: str, wait: float, rev: int | None = None) -> Events:
        """Events after ``since``; the answer is held for up to ``wait`` seconds until there are some. With
        ``rev``, also those of which only the newest of a kind matters that came after it."""
        newest = {} if rev is None else {"rev": rev}
        return self._get("events", Events, since=since, epoch=epoch, wait=wait, **newest)

    def told(self, path: str) -> bytes:
        """The answer to a GET as it is."""
        return self._ask("GET", path)

    def forward(self, method: str, path: str, key: str | None) -> tuple[int, bytes]:
        """Status and body of whatever is answered. ``key`` names what is asked for: twice, it is one."""
        headers = {"Content-Type": "application/json"} | ({} if key is None else {"Idempotency-Key": key})
        content = b"{}" if method == "POST" else None
        answer = self._send(method, path, content=content, headers=headers)
        return answer.status_code, answer.content

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
        self._http = None

    def _get(self, path: str, kind: type[T], **query: float | str) -> T:
        return _understood(self._ask("GET", path, query=query), kind)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, float | str] | None = None,
        content: bytes | None = None,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> bytes:
        told = {**(headers or {}), **({} if content is None else {"Content-Type": kind})}
        answer = self._send(method, path, params=query, content=content, headers=told)
        if answer.is_success:
            return answer.content
        raise _refused(answer)

    def _send(self, method: str, path: str, **request: object) -> httpx.Response:
        """Three tries in two seconds; then, or when the secret is not taken any more, the server is
        looked for again, which may have been restarted on the same port, and asked once. Every request may
        be repeated: an input sent twice is never used, a submission is named, orders to a job are the same
        twice."""
        for pause in (*PAUSES, 0.0):
            try:
                answer = self._connected().request(method, path, **request)  # type: ignore[arg-type]
                if answer.status_code not in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                    return answer
                break
            except httpx.TransportError:
                if not alive(self.server.pid):
                    # A private server ends when it was idle for a while: no use in knocking again.
                    break
                time.sleep(pause)
        self._forget()
        try:
            return self._connected().request(method, path, **request)  # type: ignore[arg-type]
        except httpx.TransportError as error:
            raise ServerUnreachable(
                f"the mlops server does not answer ({type(error).__name__}).",
                f"Private server's log: {self._finder.private.log}",
                "Details: mlops status",
            ) from error

    def _connected(self) -> httpx.Client:
        if self._http is None:
            self._server = self._finder.find()
            self._http = connect(self._server, PATIENCE)
        return self._http

    def _forget(self) -> None:
        self.close()
        self._server = None


def _job(typed: str) -> str:
    """An id, or its beginning, as somebody typed it."""
    if not _ID.fullmatch(str(typed)):
        raise JobNotFoundError(
            f'no job "{typed}".', "Ids look like j-7f3a; any unique beginning will do.", "List: mlops.jobs()"
        )
    return typed


def _understood(answer: bytes, kind: type[T]) -> T:
    try:
        return wire.decode(answer, kind)
    except msgspec.DecodeError as error:
        raise not_understood(error) from error


def _refused(answer: httpx.Response) -> MlopsError:
    try:
        refusal = msgspec.json.decode(answer.content, type=Refusal)
    except msgspec.DecodeError:
        refusal = Refusal(message=answer.reason_phrase)
    if refusal.problems:
        return error_for(refusal.problems)
    why = f"{refusal.message}{f': {refusal.reason}' if refusal.reason else ''}"
    kind = ServerUnreachable if answer.is_server_error else MlopsError
    return kind(f"the server answered {answer.status_code}: {why}")
