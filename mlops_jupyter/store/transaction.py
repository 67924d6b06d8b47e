"""Changes to the store, all or none of them. Not here: the rules that lead to them (``core.transitions``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from mlops_jupyter.core import activities, series, wire
from mlops_jupyter.core.assets import PredictionVolume
from mlops_jupyter.core.datasets import RegisteredDataset
from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.events import Event, MetricPoints
from mlops_jupyter.core.jobs import Job, JobSpec
from mlops_jupyter.core.models import Model, Split
from mlops_jupyter.core.series import Point
from mlops_jupyter.core.volume import Counts
from mlops_jupyter.store import datasets, endpoints, levels, models
from mlops_jupyter.store.pruning import prune
from mlops_jupyter.store.reading import Cursor, Kept, Reading, Stored, as_jobs

_NO_POINTS = b'"points":[]'


class Transaction(Reading):
    """A write transaction, which reads what it has written. Use it inside ``Store.write`` only."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db)
        self.stored: list[Stored] = []

    def take_in_others(self, told: int, most: int) -> None:
        """What other servers appended after ``told`` is news for our listeners too: the newest ``most``."""
        self.stored = self.events(max(told, self.head() - most), most)

    def tell(self, event: Event) -> None:
        """Keep ``event``, and behind it what the activity feed says of it."""
        seq = self.append(event)
        if (row := activities.row(msgspec.structs.replace(event, seq=seq))) is not None:
            self.append(row)

    def append(self, event: Event) -> int:
        """Keep ``event`` under the next number and return it."""
        (last,) = self._db.execute("SELECT max(seq) FROM events").fetchone()
        seq = (last or 0) + 1
        body = _body(msgspec.structs.replace(event, seq=seq))
        # What is merged is merged of one job, or of one model; a milestone is told once, and to all.
        job_id = getattr(event, "job_id", None)
        if isinstance(event, PredictionVolume) and event.milestone is None:
            job_id = event.model_id
        kind = str(event.__struct_config__.tag)
        self._db.execute("INSERT INTO events VALUES (?,?,?,?)", (seq, job_id, kind, body))
        if isinstance(event, MetricPoints):
            levels.add(self._db, event.job_id, event.points)
        self.stored.append(Stored.of(seq, kind, job_id, body)._replace(ours=kind))
        return seq

    def add_job(self, job: Job, spec: JobSpec, kind: str) -> None:
        """``kind`` groups jobs whose durations resemble each other."""
        self._db.execute(
            "INSERT INTO jobs (job_id, status, kind, record, spec) VALUES (?,?,?,?,?)",
            (job.job_id, job.status, kind, wire.encode(job), wire.encode(spec)),
        )

    def put_kept(self, kept: Kept, spec: JobSpec, points: Iterable[Point]) -> None:
        """A job and its points as its folder had them, in place of what is known of it."""
        job_id = kept.job.job_id
        try:
            self.job(job_id)
        except KeyError:
            self.add_job(kept.job, spec, kept.kind)
        else:
            self.put_job(kept.job)
        self._db.execute(
            "UPDATE jobs SET journal_offset=?, log_offset=?, log_lines=? WHERE job_id=?",
            (*kept.cursor, job_id),
        )
        if kept.submission is not None:
            self._db.execute("INSERT OR IGNORE INTO submissions VALUES (?,?,?)", (*kept.submission, job_id))
        levels.forget(self._db, job_id)
        levels.add(self._db, job_id, points)

    def add_submission(self, key: str, digest: str, job_id: str) -> None:
        self._db.execute("INSERT INTO submissions VALUES (?,?,?)", (key, digest, job_id))

    def put_meta(self, key: str, value: str) -> None:
        """Keep something beside jobs and events, of which the newest is all there is to know."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, value))

    def prune(self, now: datetime) -> bool:
        """Let old events go; True when there is more to do."""
        return prune(self._db, now)

    def put_job(self, job: Job) -> None:
        self._db.execute(
            "UPDATE jobs SET status=?, record=? WHERE job_id=?",
            (job.status, wire.encode(job), job.job_id),
        )

    def forget_job(self, job_id: str) -> None:
        """Its record and what it was submitted as; its points go with ``forget_some_points``."""
        self._db.execute("DELETE FROM submissions WHERE job_id=?", (job_id,))
        self._db.execute("DELETE FROM jobs WHERE job_id=?", (job_id,))

    def forget_some_points(self, job_id: str) -> None:
        """So many that no other write waits long."""
        levels.forget_some(self._db, job_id)

    def register(self, model: Model) -> Model:
        """Keep a new model under the next version of its name; one that is known stays as it is."""
        try:
            return self.model(model.model_id)
        except KeyError:
            version = self.highest_version(model.name) + 1
        split = Split.of(self.spec(model.job_id))
        model = msgspec.structs.replace(model, version=version, split=split)
        models.put(self._db, model)
        return model

    def put_model(self, model: Model) -> None:
        """Keep a model under the version it has."""
        models.put(self._db, model)

    def delete_model(self, model: Model, why: str) -> Job | None:
        """Its job says ``why``, and its version stays given; that job, if it is known."""
        models.forget(self._db, model.model_id)
        try:
            job = self.job(model.job_id)
        except KeyError:
            return None
        job = msgspec.structs.replace(job, model_id=None, model_file=None, model_missing_reason=why)
        self.put_job(job)
        return job

    def reserve_version(self, name: str, version: int) -> None:
        """Never give this version of a name, nor one before it, again."""
        models.reserve(self._db, name, version)

    def put_endpoint(self, endpoint: Endpoint) -> None:
        endpoints.put(self._db, endpoint)

    def count_predictions(
        self, model_id: str, moment: datetime, counts: Counts, bins: bytes
    ) -> tuple[int, int]:
        """Add to what a model did; its predictions in all, before and after."""
        return endpoints.count(self._db, model_id, endpoints.hour_of(moment), counts, bins)

    def put_dataset(self, dataset: RegisteredDataset) -> None:
        """Keep a dataset, or what it is now."""
        datasets.put(self._db, dataset)

    def forget_dataset(self, dataset_id: str) -> None:
        datasets.forget(self._db, dataset_id)

    def put_predicted(self, model_id: str, counts: Counts) -> None:
        """What a model did, as its endpoint's folder knows."""
        endpoints.put_total(self._db, model_id, counts)

    def drift_begins(self, model_id: str, column: str, levels: Sequence[str], hour: int, since: int) -> bool:
        """Whether the worst of ``levels`` is found in ``hour`` and was not from hour ``since`` on."""
        return endpoints.drift_begins(self._db, model_id, column, levels, hour, since)

    def finished(self, kind: str, limit: int) -> list[Job]:
        """The newest completed jobs of ``kind``."""
        rows = self._db.execute(
            "SELECT record FROM jobs WHERE kind=? AND status='completed' ORDER BY number DESC LIMIT ?",
            (kind, limit),
        )
        return as_jobs(rows)

    def move_cursor(self, job_id: str, before: Cursor, after: Cursor) -> bool:
        """Move the cursor if it still is at ``before``; False: somebody else took these bytes in."""
        moved = self._db.execute(
            "UPDATE jobs SET journal_offset=?, log_offset=?, log_lines=? "
            "WHERE job_id=? AND journal_offset=? AND log_offset=?",
            (*after, job_id, before.journal, before.log),
        )
        return moved.rowcount == 1


def _body(event: Event) -> bytes:
    """``wire.encode``. The points of a busy job are most of what is stored: they go their quicker way."""
    if not isinstance(event, MetricPoints):
        return wire.encode(event)
    whole = wire.encode(msgspec.structs.replace(event, points=()))
    return whole.replace(_NO_POINTS, b'"points":' + series.encode(event.points))
