"""REST for datasets: list, get, preview, lineage, register a file where it is or fetch it, delete."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web

from mlops_jupyter.core import wire
from mlops_jupyter.core.datasets import DatasetVersion, RegisteredDataset, checked_name
from mlops_jupyter.core.errors import DatasetNotFoundError
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.remote import is_address
from mlops_jupyter.core.wire import EXACT_INTEGER
from mlops_jupyter.server.handler import Handler, person
from mlops_jupyter.server.jobs import shown
from mlops_jupyter.store import Reading


class InPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a registration: a file below the server's folder, or an address where its administrator allows
    that; without a ``name`` called as it is."""

    path: str
    name: str | None = None


class DatasetsHandler(Handler):
    @web.authenticated
    @authorized("read", "mlops.datasets")
    async def get(self) -> None:
        known = {"epoch": self.rooms.store.epoch, "upload_bytes": self.rooms.arrivals.uploads.most.file}

        def listed(reading: Reading) -> bytes:
            found = [told(each, each.newest) for each in reading.datasets()]
            return wire.with_list({**known, "head": reading.head()}, "datasets", found)

        self.send(await self.rooms.store.aread(listed))

    @web.authenticated
    @authorized("write", "mlops.datasets")
    async def post(self) -> None:
        wanted = self.body(InPlace)
        by = person(self.current_user)
        if is_address(wanted.path):
            found = await self.rooms.arrivals.fetch(wanted.name, wanted.path, by)
            self.reply(told(*found), status=201)
            return
        hidden = bool(self.contents_manager.allow_hidden)
        place = await self.rooms.in_thread(_place, wanted.path, self.rooms.root_dir, hidden)
        name = checked_name(wanted.name or place.stem)
        found = await self.rooms.datasets.register(name, place, by)
        self.reply(told(*found), status=201)


class OfDataset(Handler):
    """What handlers of one dataset share."""

    async def chosen(self, dataset_id: str) -> tuple[RegisteredDataset, DatasetVersion]:
        """The version that was asked for, or the newest."""
        number = self.number("version", None, 1, EXACT_INTEGER)
        return await self.rooms.datasets.version(dataset_id, None if number is None else int(number))


class DatasetHandler(OfDataset):
    @web.authenticated
    @authorized("read", "mlops.datasets")
    async def get(self, dataset_id: str) -> None:
        self.reply(told(*await self.chosen(dataset_id)))

    @web.authenticated
    @authorized("write", "mlops.datasets")
    async def delete(self, dataset_id: str) -> None:
        await self.rooms.datasets.delete(dataset_id, person(self.current_user))
        self.reply({"id": dataset_id})


class DatasetPreviewHandler(OfDataset):
    @web.authenticated
    @authorized("read", "mlops.datasets")
    async def get(self, dataset_id: str) -> None:
        dataset, version = await self.chosen(dataset_id)
        self.send(await self.rooms.datasets.preview(dataset, version))


class DatasetLineageHandler(Handler):
    """What was made of a dataset."""

    @web.authenticated
    @authorized("read", "mlops.datasets")
    async def get(self, dataset_id: str) -> None:
        await self.rooms.datasets.get(dataset_id)
        self.send(await self.rooms.store.aread(lambda reading: wire.encode(_lineage(reading, dataset_id))))


def _lineage(reading: Reading, dataset_id: str) -> dict[str, Any]:
    jobs = reading.trained_on(dataset_id)
    uses = {job.job_id: _use(reading, job, dataset_id) for job in jobs}
    return {
        "jobs": [
            {
                "job_id": job.job_id,
                "name": job.name,
                "status": job.status,
                **uses[job.job_id],
                "target": job.target,
                "metric": job.metric,
                "final_score": job.final_score,
                "submitted_time": job.submitted_time,
            }
            for job in jobs
        ],
        "models": [
            {
                "model_id": model.model_id,
                "name": model.name,
                "version": model.version,
                "status": model.status,
                "job_id": model.job_id,
                **uses[model.job_id],
            }
            for model in reading.models_of(uses)
        ],
    }


def _use(reading: Reading, job: Job, dataset_id: str) -> dict[str, Any]:
    """Which version the job was given, and what for; to train on, where it was given some for both."""
    trained_on = job.dataset
    if trained_on is not None and trained_on.id == dataset_id:
        return {"dataset_version": trained_on.version, "used_as": "training"}
    test = reading.spec(job.job_id).test
    return {"dataset_version": None if test is None else test.version, "used_as": "test"}


def _place(path: str, root: str, hidden: bool) -> Path:
    """A file below the root, as the file browser shows it: nothing else is read for anybody."""
    try:
        place = Path(os.path.realpath(Path(root) / path))
    except (ValueError, OSError) as error:
        raise DatasetNotFoundError(f"{path!r} is no path.") from error
    if not shown(str(place), root, hidden):
        raise DatasetNotFoundError(
            f'"{path}" is no file that this server shows.',
            "A file below its folder by its path; others are uploaded.",
            'mlops.datasets.upload("…")',
        )
    return place


def told(dataset: RegisteredDataset, current: DatasetVersion) -> dict[str, Any]:
    """A dataset as it goes out: one version is the one that was asked for."""
    return {"id": dataset.id, "name": dataset.name, "current": current, "versions": dataset.versions}


ID = r"(d-[0-9a-z]{12})"
handlers = [
    ("datasets", DatasetsHandler),
    (f"datasets/{ID}", DatasetHandler),
    (f"datasets/{ID}/preview", DatasetPreviewHandler),
    (f"datasets/{ID}/lineage", DatasetLineageHandler),
]
