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
    Begun,
    DatasetAnswer,
    DatasetsAnswer,
    Events,
    Finished,
    Input,
    JobAnswer,
    JobsAnswer,
    Lineage,
    Logs,
    Metrics,
    ModelsAnswer,
    Notified,
    Offset,
    PipelinesAnswer,
    Refusal,
    Status,
    not_understood,
)
from mlops_jupyter.client.finder import PAUSES, Finder, connect
from mlops_jupyter.client.servers import Server, alive
from mlops_jupyter.client.serving import EndpointsAnswer, Predicted
from mlops_jupyter.client.system import System
from mlops_jupyter.core import wire
from mlops_jupyter.core.datasets import Preview, RegisteredDataset, Upload
from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.errors import (
    JobNotFoundError,
    MlopsError,
    ServerUnreachable,
    error_for,
)
from mlops_jupyter.core.events import ActivityUpdate
from mlops_jupyter.core.jobs import Change, Job, JobSpec
from mlops_jupyter.core.models import Model
from mlops_jupyter.core.pipelines import Pipeline, Recipe

T = TypeVar("T")

PATIENCE = 30.0
#: Longer than the server takes for it at most.
ONNX_PATIENCE = 150.0
#: A file may wait for others, be fetched, and then be read: each for as long as reading may take.
READINGS = 3.0
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

    def delete_job(self, job_id: str) -> None:
        self._ask("DELETE", f"jobs/{_job(job_id)}", content=b"{}")

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

    def pipelines(self) -> tuple[Pipeline, ...]:
        """By name."""
        return self._get("pipelines", PipelinesAnswer).pipelines

    def pipeline(self, pipeline_id: str, version: int | None) -> Pipeline:
        query = {} if version is None else {"version": version}
        return self._get(f"pipelines/{pipeline_id}", Pipeline, **query)

    def create_pipeline(self, name: str, of: Recipe | str) -> Pipeline:
        """Of a recipe, or a job."""
        body = wire.encode({"name": name, **_recipe(of)})
        return _understood(self._ask("POST", "pipelines", content=body), Pipeline)

    def change_pipeline(self, pipeline_id: str, seen: int, name: str | None, of: Recipe | str) -> Pipeline:
        """The next version after the one that was ``seen``, if that is the newest."""
        body = wire.encode({"name": name, **_recipe(of)})
        told = {"If-Match": f'"{seen}"'}
        return _understood(self._ask("PUT", f"pipelines/{pipeline_id}", content=body, headers=told), Pipeline)

    def delete_pipeline(self, pipeline_id: str) -> Pipeline:
        return _understood(self._ask("DELETE", f"pipelines/{pipeline_id}", content=b"{}"), Pipeline)

    def restore_pipeline(self, pipeline_id: str) -> Pipeline:
        return _understood(self._ask("POST", f"pipelines/{pipeline_id}/restore", content=b"{}"), Pipeline)

    def duplicate_pipeline(self, pipeline_id: str, name: str, version: int) -> Pipeline:
        body = wire.encode({"name": name, "version": version})
        return _understood(self._ask("POST", f"pipelines/{pipeline_id}/duplicate", content=body), Pipeline)

    def compare_pipeline(self, pipeline_id: str, before: int, after: int) -> tuple[Change, ...]:
        versions: dict[str, float | str] = {"from": before, "to": after}
        return _understood(
            self._ask("GET", f"pipelines/{pipeline_id}/compare", query=versions), tuple[Change, ...]
        )

    def script_of_pipeline(self, pipeline_id: str, version: int) -> str:
        return self._ask("GET", f"pipelines/{pipeline_id}/script", query={"version": version}).decode()

    def run_pipeline(self, pipeline_id: str, version: int, changes: dict[str, Any]) -> Job:
        """Queue a job of it."""
        named = {"Idempotency-Key": secrets.token_hex(16)}
        body = wire.encode({"version": version, "changes": changes})
        return _understood(
            self._ask("POST", f"pipelines/{pipeline_id}/run", content=body, headers=named), Job
        )

    def model(self, model_id: str) -> Model:
        return self._get(f"models/{model_id}", Model)

    def models(self, limit: int, name: str | None) -> tuple[Model, ...]:
        """The newest first; with ``name`` its versions."""
        query: dict[str, float | str] = {"limit": limit} if name is None else {"limit": limit, "name": name}
        return self._get("models", ModelsAnswer, **query).models

    def find_model(self, ref: str) -> Model:
        """The one that ``name``, ``name@3``, ``name@champion``, an id or its beginning stands for."""
        (model,) = self._get("models", ModelsAnswer, ref=ref).models
        return model

    def change_model(self, model_id: str, order: dict[str, Any]) -> Model:
        return _understood(self._ask("PATCH", f"models/{model_id}", content=wire.encode(order)), Model)

    def delete_model(self, model_id: str) -> None:
        self._ask("DELETE", f"models/{model_id}", content=b"{}")

    def deploy(self, model_id: str) -> Endpoint:
        return _understood(self._ask("POST", f"models/{model_id}/deploy", content=b"{}"), Endpoint)

    def undeploy(self, model_id: str) -> Endpoint:
        return _understood(self._ask("POST", f"models/{model_id}/undeploy", content=b"{}"), Endpoint)

    def rollback(self, endpoint_id: str) -> Endpoint:
        return _understood(self._ask("POST", f"endpoints/{endpoint_id}/rollback", content=b"{}"), Endpoint)

    def endpoints(self) -> EndpointsAnswer:
        return self._get("endpoints", EndpointsAnswer)

    def predict(self, model_id: str, body: bytes) -> Predicted:
        """Asked again where no answer came: it may have been counted then, too."""
        return _understood(self._ask("POST", f"models/{model_id}/predict", content=body), Predicted)

    def monitoring(self, endpoint_id: str, hours: int) -> dict[str, Any]:
        return self._get(f"endpoints/{endpoint_id}/monitoring", dict[str, Any], hours=hours)

    def model_file(self, model_id: str) -> bytes:
        """The skops file."""
        return self._ask("GET", f"models/{model_id}/file")

    def datasets(self) -> tuple[RegisteredDataset, ...]:
        """The newest first."""
        return self._get("datasets", DatasetsAnswer).datasets

    def register(self, path: str, name: str | None) -> DatasetAnswer:
        """A file of the server where it is, or one it fetches; it reads it first, for as long as it may."""
        body = wire.encode({"path": path} | ({} if name is None else {"name": name}))
        told = {"Content-Type": "application/json"}
        patience = READINGS * self.status().reading_seconds
        answer = self._send("POST", "datasets", content=body, headers=told, timeout=patience)
        if answer.is_success:
            return _understood(answer.content, DatasetAnswer)
        raise _refused(answer)

    def preview(self, dataset_id: str, version: int) -> Preview:
        return self._get(f"datasets/{dataset_id}/preview", Preview, version=version)

    def lineage(self, dataset_id: str) -> Lineage:
        return self._get(f"datasets/{dataset_id}/lineage", Lineage)

    def delete_dataset(self, dataset_id: str) -> None:
        self._ask("DELETE", f"datasets/{dataset_id}", content=b"{}")

    def begin_upload(self, wanted: dict[str, Any]) -> Begun:
        return _understood(self._ask("POST", "uploads", content=wire.encode(wanted)), Begun)

    def add_part(self, upload_id: str, offset: int, part: bytes) -> int | None:
        """Where the upload goes on; ``None`` when something on the way takes no part so long."""
        headers = {"Content-Type": "application/octet-stream", "Upload-Offset": str(offset)}
        answer = self._send("PATCH", f"uploads/{upload_id}", content=part, headers=headers)
        if answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            return None
        if answer.status_code == httpx.codes.CONFLICT and "Upload-Offset" in answer.headers:
            # It was sent twice, or the answer was lost.
            return int(answer.headers["Upload-Offset"])
        if not answer.is_success:
            raise _refused(answer)
        return _understood(answer.content, Offset).offset

    def finish_upload(self, upload_id: str) -> Finished:
        return _understood(self._ask("POST", f"uploads/{upload_id}/finish", content=b"{}"), Finished)

    def upload_of(self, upload_id: str) -> Upload:
        """How far it is."""
        return self._get(f"uploads/{upload_id}", Upload)

    def cancel_upload(self, upload_id: str) -> None:
        self._ask("DELETE", f"uploads/{upload_id}", content=b"{}")

    def model_onnx(self, model_id: str) -> bytes:
        """Converted now, which may take a while."""
        answer = self._send("GET", f"models/{model_id}/onnx", timeout=ONNX_PATIENCE)
        if answer.is_success:
            return answer.content
        raise _refused(answer)

    def events(self, since: int, epoch: str, wait: float, rev: int | None = None) -> Events:
        """Events after ``since``; the answer is held for up to ``wait`` seconds until there are some. With
        ``rev``, also those of which only the newest of a kind matters that came after it."""
        newest = {} if rev is None else {"rev": rev}
        return self._get("events", Events, since=since, epoch=epoch, wait=wait, **newest)

    def told(self, path: str) -> bytes:
        """The answer to a GET as it is."""
        return self._ask("GET", path)

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of whatever is answered."""
        told = {"Content-Type": "application/json", **headers}
        content = body if method in ("POST", "PUT") else None
        answer = self._send(method, path, content=content, headers=told)
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
        be repeated: an input sent twice is never used, a submission is named, orders to a job or a model are
        the same twice; of what is deleted twice it is said that it is not there."""
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
                "Details: mlops doctor",
            ) from error

    def _connected(self) -> httpx.Client:
        if self._http is None:
            self._server = self._finder.find()
            self._http = connect(self._server, PATIENCE)
        return self._http

    def _forget(self) -> None:
        self.close()
        self._server = None


def _recipe(of: Recipe | str) -> dict[str, Any]:
    return {"job_id": of} if isinstance(of, str) else {"recipe": of}


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
