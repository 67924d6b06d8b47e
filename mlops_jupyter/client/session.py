"""``Session``: this process's way to its server, and the jobs it holds."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakMethod, WeakValueDictionary

from mlops_jupyter.client import doctor, serving
from mlops_jupyter.client.answers import Lineage, Logs, Metrics, Notified, Status
from mlops_jupyter.client.dataset import Dataset
from mlops_jupyter.client.feed import Feed
from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.job import Job
from mlops_jupyter.client.known import Known
from mlops_jupyter.client.links import Link, link
from mlops_jupyter.client.model import Model
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.rest import Rest
from mlops_jupyter.client.servers import Server
from mlops_jupyter.client.serving import Predicted
from mlops_jupyter.client.system import System
from mlops_jupyter.client.uploading import Told, upload
from mlops_jupyter.client.view import View
from mlops_jupyter.core.datasets import Preview, RegisteredDataset, chosen
from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.errors import ModelStateError
from mlops_jupyter.core.events import ActivityUpdate
from mlops_jupyter.core.jobs import Change
from mlops_jupyter.core.jobs import Job as Record
from mlops_jupyter.core.models import Model as ModelRecord
from mlops_jupyter.core.pipelines import Pipeline, Recipe


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

        wanted = submission(data, target, Path.cwd(), options, self.datasets)
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
        job = self._job(Known(answer.job, answer.head, answer.epoch))
        job.seen(answer)
        return job

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

    def delete_job(self, job_id: str) -> None:
        with self._turn:
            self._rest.delete_job(job_id)

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

    def pipelines(self) -> tuple[Pipeline, ...]:
        """By name."""
        with self._turn:
            return self._rest.pipelines()

    def shown_pipeline(self, pipeline_id: str, version: int | None) -> Pipeline:
        with self._turn:
            return self._rest.pipeline(pipeline_id, version)

    def create_pipeline(self, name: str, of: Recipe | str) -> Pipeline:
        """Of a recipe, or a job."""
        with self._turn:
            return self._rest.create_pipeline(name, of)

    def change_pipeline(self, seen: Pipeline, name: str | None, of: Recipe | str) -> Pipeline:
        """The next version, if the one that was ``seen`` still is the newest."""
        with self._turn:
            return self._rest.change_pipeline(seen.id, seen.version, name, of)

    def delete_pipeline(self, pipeline_id: str) -> Pipeline:
        with self._turn:
            return self._rest.delete_pipeline(pipeline_id)

    def restore_pipeline(self, pipeline_id: str) -> Pipeline:
        with self._turn:
            return self._rest.restore_pipeline(pipeline_id)

    def duplicate_pipeline(self, pipeline_id: str, name: str, version: int) -> Pipeline:
        with self._turn:
            return self._rest.duplicate_pipeline(pipeline_id, name, version)

    def compare_pipeline(self, pipeline_id: str, before: int, after: int) -> tuple[Change, ...]:
        with self._turn:
            return self._rest.compare_pipeline(pipeline_id, before, after)

    def script_of_pipeline(self, pipeline_id: str, version: int) -> str:
        with self._turn:
            return self._rest.script_of_pipeline(pipeline_id, version)

    def run_pipeline(self, pipeline_id: str, version: int, changes: dict[str, Any]) -> Job:
        """Queue and follow a job of it."""
        with self._turn:
            record = self._rest.run_pipeline(pipeline_id, version, changes)
        return self._job(Known(record))

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

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Ask the server for somebody else; status and body of its answer, whatever they are."""
        with self._turn:
            return self._rest.forward(method, path, headers, body)

    def another_way(self) -> Rest:
        """A connection for a thread of its own."""
        return Rest(self.finder)

    def models(self, limit: int, name: str | None = None) -> tuple[ModelRecord, ...]:
        """The newest first; with ``name`` its versions."""
        with self._turn:
            return self._rest.models(limit, name)

    def model(self, ref: str) -> Model:
        """By what people call it."""
        with self._turn:
            return Model(self._rest.find_model(ref), self)

    def change_model(self, model_id: str, order: dict[str, Any]) -> ModelRecord:
        with self._turn:
            return self._rest.change_model(model_id, order)

    def delete_model(self, model_id: str) -> None:
        with self._turn:
            self._rest.delete_model(model_id)

    def deploy(self, model_id: str, *, wait: bool, timeout: float | None) -> Endpoint:
        with self._turn:
            endpoint = self._rest.deploy(model_id)
        return self._awaited(endpoint, model_id, timeout) if wait else endpoint

    def rollback(self, name: str) -> Endpoint:
        """The version of a name that answered before, once it does again."""
        with self._turn:
            endpoint = self._rest.rollback(self._endpoint(name).endpoint_id)
        return self._awaited(endpoint, endpoint.next_model_id or endpoint.model_id or "", None)

    def undeploy(self, model_id: str) -> Endpoint:
        with self._turn:
            return self._rest.undeploy(model_id)

    def predict(self, model_id: str, body: bytes) -> Predicted:
        with self._turn:
            return self._rest.predict(model_id, body)

    def monitoring(self, name: str, hours: int) -> dict[str, Any]:
        """What is seen of the version that answers under a name."""
        with self._turn:
            return self._rest.monitoring(self._endpoint(name).endpoint_id, hours)

    def live(self, ref: str) -> Model:
        """The version that answers under a name, if ``ref`` is just that; else what ``model`` gives."""
        found = next((each for each in self.endpoints() if each.name == ref), None)
        return self.model(ref if found is None or found.model_id is None else found.model_id)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """One a name that was ever deployed."""
        with self._turn:
            return self._rest.endpoints().endpoints

    def _awaited(self, endpoint: Endpoint, model_id: str, timeout: float | None) -> Endpoint:
        rest = self.another_way()
        try:
            return serving.awaited(rest, endpoint, model_id, timeout)
        finally:
            rest.close()

    def _endpoint(self, name: str) -> Endpoint:
        for endpoint in self.endpoints():
            if endpoint.name == name:
                return endpoint
        raise ModelStateError(f"{name} was never deployed.", "Deploy it first: model.deploy()")

    def model_file(self, model_id: str) -> bytes:
        with self._turn:
            return self._rest.model_file(model_id)

    def datasets(self) -> tuple[RegisteredDataset, ...]:
        """The newest first."""
        with self._turn:
            return self._rest.datasets()

    def dataset(self, ref: str) -> Dataset:
        """By ``customers``, ``customers@3``, its id or a unique beginning of it."""
        return Dataset(*chosen(ref, self.datasets()), self)

    def upload(self, file: BinaryIO, filename: str, name: str | None, told: Told) -> Dataset:
        """Send a file; the version it is then."""
        with self._turn:
            same = upload(self._rest, file, filename, name, told)
        return self.dataset(f"{same.dataset}@{same.version}")

    def register(self, path: str, name: str | None) -> Dataset:
        """A file the server can read where it is, or fetch."""
        with self._turn:
            found = self._rest.register(path, name)
        return self.dataset(f"{found.id}@{found.current.version}")

    def preview(self, dataset_id: str, version: int) -> Preview:
        with self._turn:
            return self._rest.preview(dataset_id, version)

    def lineage(self, dataset_id: str) -> Lineage:
        with self._turn:
            return self._rest.lineage(dataset_id)

    def delete_dataset(self, dataset_id: str) -> None:
        with self._turn:
            self._rest.delete_dataset(dataset_id)

    def model_onnx(self, model_id: str) -> bytes:
        with self._turn:
            return self._rest.model_onnx(model_id)

    def loaded(self, model_id: str, sha256: str) -> Any:
        """The model registered as ``sha256``, read with the reviewed types only."""
        from mlops_jupyter.training.tabular import model  # noqa: PLC0415 - it imports scikit-learn

        return model.loads(self.model_file(model_id), sha256)

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
