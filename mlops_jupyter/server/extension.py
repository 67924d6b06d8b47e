"""Wires the rooms together when the Jupyter server starts, and lets go of them when it stops.

If anything of ours breaks here, Jupyter goes on without us.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from traitlets import Bool, Dict, Enum, Float, Int, List, Tuple, Unicode, default

from mlops_jupyter import __version__
from mlops_jupyter.channels import Wanted
from mlops_jupyter.core.alerts import TITLES
from mlops_jupyter.core.health import DEFAULTS, Thresholds
from mlops_jupyter.core.limits import ReadingLimits, UploadLimits
from mlops_jupyter.server import (
    counters,
    datasets,
    endpoints,
    events,
    feed,
    inputs,
    jobs,
    metrics,
    models,
    notify,
    page,
    pipelines,
    status,
    system,
    uploads,
)
from mlops_jupyter.server.activity import Activity
from mlops_jupyter.server.handler import ROOMS
from mlops_jupyter.server.rooms import Rooms, Settings
from mlops_jupyter.training.container import cores

log = logging.getLogger(__name__)

#: Seconds the start of the extension waits for its store; Jupyter itself listens already.
STORE_PATIENCE = 5.0
#: Seconds between tries to write the runtime file.
ANNOUNCE_AGAIN = 5.0


class MlopsExtension(ExtensionApp):
    """The extension; its traits are the administrator's settings."""

    name = "mlops_jupyter"
    version = __version__
    description = "Jobs, the machine and what happened, as a page of their own on a Jupyter server."
    examples = "jupyter mlops --no-browser --port=8890    # all options of jupyter server, too"
    #: What ``jupyter mlops`` opens.
    extension_url = "/mlops"

    data_dir = Unicode(help="Where jobs, models and the store are kept.").tag(config=True)
    max_jobs = Int(
        min=1,
        help="How many jobs run at once (a job counts as often as its n_jobs); the others queue. "
        "Default: the CPUs this server may use.",
    ).tag(config=True)
    max_sockets = Int(512, min=1, help="Event sockets at once; more are refused with 429.").tag(config=True)
    private = Bool(False, help="This server was started by a kernel or the command line, for itself.").tag(
        config=True
    )
    linger = Float(60.0, help="Seconds a private server lives after its last client and job.").tag(
        config=True
    )

    memory_floor = Int(
        512 << 20,
        min=0,
        help="Bytes that must be free in the container for a job to start beside others, and as many for "
        "each of those that has not begun to fit.",
    ).tag(config=True)
    serving_memory = Int(
        2 << 30,
        min=64 << 20,
        help="Bytes a deployed model may take, beyond what its process takes without it.",
    ).tag(config=True)
    system_seconds = Float(
        5.0,
        min=0.5,
        help="Seconds between samples of the machine, while anybody looks, a job runs or a model is live.",
    ).tag(config=True)
    health_thresholds = Dict(
        key_trait=Enum(tuple(DEFAULTS)),
        value_trait=Tuple(Float(), Float()),
        help="From how many percent on a figure is a warning, and critical: "
        'cpu, memory and disk, e.g. {"disk": (90, 98)}. One that is left out has its default.',
    ).tag(config=True)
    muted_alerts = List(
        Enum(tuple(TITLES)), help=f"Rules of alerts nobody wants to hear of: {', '.join(TITLES)}."
    ).tag(config=True)
    notify_urls = List(
        Unicode(),
        help="Where people are told who have no page open: URLs of apprise (mail, chat, webhook). They are "
        "secrets, which --debug would print: rather put them into notify_file.",
    ).tag(config=True)
    notify_file = Unicode(help="A file with such URLs, one a line, readable by its owner alone.").tag(
        config=True
    )
    notify_seconds = Float(10.0, min=0.0, help="Whose end is told so: jobs that took longer.").tag(
        config=True
    )
    upload_bytes = Int(
        UploadLimits().file, min=1, help="Bytes one file may have that is uploaded or fetched."
    ).tag(config=True)
    datasets_bytes = Int(
        UploadLimits().all, min=0, help="Bytes all datasets that are kept and all uploads may have together."
    ).tag(config=True)
    open_uploads = Int(
        UploadLimits().open, min=1, help="Uploads of one user at once; more are refused with 507."
    ).tag(config=True)
    reading_bytes = Int(
        ReadingLimits().bytes,
        min=1 << 30,
        help="Bytes of memory the process may take that reads or fetches a dataset.",
    ).tag(config=True)
    reading_cpu = Int(ReadingLimits().cpu, min=1, help="Seconds of one CPU it may take.").tag(config=True)
    reading_seconds = Float(ReadingLimits().seconds, min=1.0, help="Seconds it may take in all.").tag(
        config=True
    )
    remote_data = List(
        Unicode(),
        help="From where files may be fetched as datasets, by the extra `remote` (fsspec): "
        '["s3://bucket/", "https://data.example.org/public/"]; "s3" alone is all of it. '
        "Default: from nowhere.",
    ).tag(config=True)
    orphan_ttl = Float(
        24 * 3600.0,
        min=0.0,
        help="Seconds a job goes on without any Jupyter server; 0: it ends with its server.",
    ).tag(config=True)

    standby = Bool(
        True,
        help="Keep a worker ready for the next job, which begins at once then: one for each Python that had "
        "a job in the last ten minutes. It takes some 250 MB.",
    ).tag(config=True)

    @default("data_dir")
    def _default_data_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "mlops")

    @default("notify_file")
    def _default_notify_file(self) -> str:
        return str(Path(self.data_dir) / "notify.urls")

    @default("max_jobs")
    def _default_max_jobs(self) -> int:
        return cores()

    rooms: Rooms | None = None
    _activity: Activity | None = None
    _runtime_file: Path | None = None
    _lingering: asyncio.Task[None] | None = None
    _announcing: asyncio.Task[None] | None = None

    def initialize_handlers(self) -> None:
        for module in (
            status,
            system,
            jobs,
            metrics,
            models,
            endpoints,
            inputs,
            events,
            feed,
            notify,
            uploads,
            datasets,
            pipelines,
        ):
            for path, handler in module.handlers:
                self.handlers.append((url_path_join("/mlops/api", path), handler))
        for path, handler in page.handlers:
            self.handlers.append((url_path_join("/", path), handler))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Runs on the event loop, once the server listens."""
        settings = Settings(
            private=self.private,
            places=self.max_jobs,
            most_sockets=self.max_sockets,
            orphan_ttl=self.orphan_ttl,
            standby=self.standby,
            memory_floor=self.memory_floor,
            serving_memory=self.serving_memory,
            system_seconds=self.system_seconds,
            thresholds={
                **DEFAULTS,
                **{name: Thresholds(*pair) for name, pair in self.health_thresholds.items()},
            },
            muted_alerts=frozenset(self.muted_alerts),
            uploads=UploadLimits(self.upload_bytes, self.datasets_bytes, self.open_uploads),
            reading=ReadingLimits(self.reading_bytes, self.reading_cpu, self.reading_seconds),
            remote_data=tuple(self.remote_data),
            notify=Wanted(self.notify_urls, Path(self.notify_file), self.notify_seconds),
        )
        self.rooms = Rooms(Path(self.data_dir), serverapp, settings)
        await self.rooms.started(STORE_PATIENCE)
        # Until here every request is answered with 503.
        serverapp.web_app.settings[ROOMS] = self.rooms
        times = serverapp.web_app.settings["last_activity_times"]
        self._activity = Activity(self.rooms.store, self.rooms.supervisor, times)
        counters.watch(self.rooms, self._activity)
        if (refused := self._announce()) is not None:
            log.error("Kernels and the command line cannot find this server yet: %s", refused)
            self._announcing = asyncio.create_task(self._announce_later())
        if self.private:
            self._lingering = asyncio.create_task(self._linger())

    def current_activity(self) -> dict[str, str]:
        """Jobs that run or wait, and their states: Jupyter does not shut itself down meanwhile."""
        return {} if self._activity is None else self._activity.jobs

    def _announce(self) -> OSError | None:
        """Tell kernels where we are, if the disk takes it: pages find us without."""
        assert self.rooms is not None
        try:
            self._runtime_file = _write_runtime_file(self.serverapp, self.rooms)
        except OSError as error:
            return error
        return None

    async def _announce_later(self) -> None:
        while self._announce() is not None:  # noqa: ASYNC110 - no disk tells
            await asyncio.sleep(ANNOUNCE_AGAIN)

    async def stop_extension(self) -> None:
        counters.forget()
        if self._activity is not None:
            self._activity.close()
        for task in (self._lingering, self._announcing):
            if task is not None:
                task.cancel()
        if self._runtime_file is not None:
            # What stays there names a process that is gone: nobody takes it for a server.
            with contextlib.suppress(OSError):
                self._runtime_file.unlink(missing_ok=True)
        rooms, self.rooms = self.rooms, None
        if rooms is not None:
            await rooms.close()

    async def _linger(self) -> None:
        """A private server ends a while after its last client and job."""
        rooms, activity = self.rooms, self._activity
        assert rooms is not None
        assert activity is not None
        while True:
            await asyncio.sleep(min(self.linger / 4, 5.0))
            if rooms.sockets or await activity.look():
                rooms.used()
            elif time.monotonic() - rooms.last_used > self.linger:
                if self.serverapp is not None:
                    self.serverapp.stop(from_signal=True)
                return


def _write_runtime_file(serverapp: Any, rooms: Rooms) -> Path:
    """Tell kernels and the command line of this user where to find us, and the secret."""
    folder = Path(jupyter_runtime_dir())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"mlops-{os.getpid()}.json"
    path.unlink(missing_ok=True)
    facts = {
        "pid": os.getpid(),
        "url": serverapp.connection_url,
        "socket": serverapp.sock or None,
        "base_url": serverapp.base_url,
        "root_dir": rooms.root_dir,
        "secret": rooms.secret,
        "version": __version__,
        "private": rooms.private,
    }
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(facts, file)
    part.rename(path)
    return path
