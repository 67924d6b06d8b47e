"""A store, an intake and the folders of jobs that never run: their processes' part is played here."""

from __future__ import annotations

import threading
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from mlops_jupyter import records, shelves
from mlops_jupyter.core import facts, wire
from mlops_jupyter.core.jobs import Job, JobSpec, Source
from mlops_jupyter.intake import Intake, Taken
from mlops_jupyter.store import Store
from mlops_jupyter.training.journal import Writer
from mlops_jupyter.training.run import Run
from tests.core.builders import KEEPER, WORK, a_job, at

SPEC = JobSpec(data=Source(path="/data/penguins.csv"), target="species")
JOB = "j-7f3a00000000"


class Desk:
    """With one job, begun, unless more are asked for."""

    def __init__(self, folder: Path, *, found: bool = False) -> None:
        """``found``: what there is in ``folder`` is opened, and no job is begun."""
        self.path = folder / "store.sqlite"
        self.jobs = folder / "jobs"
        self.taken: list[Taken] = []
        self.writers: dict[str, Writer] = {}
        self._over = threading.Event()
        self.open()
        if found:
            return
        self.run = self.begin(JOB)
        self.folder = self.jobs / JOB
        self.writer = self.writers[JOB]

    def open(self) -> None:
        models = self.path.parent / "models"
        self.store = Store(
            self.path,
            lambda stored: None,
            lost=lambda found: chain(records.lost(self.jobs, found), shelves.lost(models, found)),
        )
        self.records = records.Records(self.store, self.jobs)
        self.shelves = shelves.Shelves(self.store, models)
        self.intake = Intake(self.store, self._take, self._keep)

    def begin(self, job_id: str, **fields: Any) -> Run:
        """Submit a job and let its keeper and worker begin."""
        self.submit(job_id, **fields)
        self.happened(job_id, at(facts.JobStarted, owner="s"))
        writer = self.writers[job_id] = Writer(self.jobs / job_id / "journal")
        run = Run(writer)
        for fact in (KEEPER, WORK):
            writer.append(msgspec.json.encode(fact))
        return run

    def submit(self, job_id: str, key: str | None = None, **fields: Any) -> None:
        job = a_job(job_id=job_id, **fields)
        submitted = at(facts.JobSubmitted, float(len(self.writers)), by="ada")
        (self.jobs / job_id).mkdir(mode=0o700, parents=True)
        (self.jobs / job_id / "spec.json").write_bytes(wire.encode(SPEC))

        def work(tx: Any) -> None:
            tx.add_job(job, SPEC, "rf")
            if key is not None:
                tx.add_submission(key, "its digest", job_id)
            self.intake.record(tx, job, [submitted])

        self.store.write(work).result(10)
        self.records.keep(job_id)

    def happened(self, job_id: str, fact: facts.Fact) -> None:
        """What only the server knows, kept as the supervisor keeps it."""
        self.store.write(lambda tx: self.intake.record(tx, tx.job(job_id), [fact])).result(10)
        self.records.keep(job_id)

    def read_all(self, job_id: str) -> None:
        """Take in all that the job's files hold."""
        self.intake.watch(job_id, self.jobs / job_id)
        while self.intake.look(job_id, self.jobs / job_id):
            pass

    def _keep(self, job_id: str) -> None:
        self.records.keep(job_id)
        self.shelves.keep_of(job_id)

    def _take(self, taken: Taken) -> None:
        self.taken.append(taken)
        if taken.job.terminal:
            self._over.set()

    def append(self, fact: facts.Fact) -> None:
        self.writer.append(msgspec.json.encode(fact))

    def end(self, job_id: str = JOB, **fields: Any) -> None:
        Run(self.writers[job_id]).tell(facts.WorkerEnded, **(fields or {"exit_code": 0}))

    def wait(self) -> None:
        assert self._over.wait(10)

    def all_jobs(self) -> list[Job]:
        return self.store.read(lambda reading: reading.jobs(1000))

    def events(self, kind: str) -> list[dict[str, Any]]:
        stored = self.store.read(lambda reading: reading.events(0, 100_000))
        bodies = [msgspec.json.decode(event.body) for event in stored]
        assert [body["seq"] for body in bodies] == list(range(1, len(bodies) + 1))
        return [body for body in bodies if body["type"] == kind]

    def steps(self, job_id: str = JOB) -> list[int]:
        """Of the one series of the job's metrics."""
        series = self.store.read(lambda reading: reading.series(job_id, None))
        return [point.step for kept in series.values() for point in kept.points]

    def let_go(self) -> None:
        self.intake.close()
        self.store.close()

    def close(self) -> None:
        self.let_go()
        for writer in self.writers.values():
            writer.close()
