"""The schema, as numbered steps that are never edited once released."""

from __future__ import annotations

import sqlite3

from mlops_jupyter.store.levels import take_over
from mlops_jupyter.store.numbering import number_models
from mlops_jupyter.store.trouble import NewerError

FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    kind TEXT NOT NULL,
    record BLOB NOT NULL,
    spec BLOB NOT NULL,
    journal_offset INTEGER NOT NULL DEFAULT 0,
    log_offset INTEGER NOT NULL DEFAULT 0,
    log_lines INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_by_status ON jobs (status, number);
CREATE INDEX jobs_by_kind ON jobs (kind, status, number);
CREATE TABLE events (seq INTEGER PRIMARY KEY, job_id TEXT, type TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE points (
    job_id TEXT NOT NULL,
    name TEXT NOT NULL,
    step INTEGER NOT NULL,
    value REAL,
    nf TEXT,
    elapsed REAL NOT NULL
);
CREATE INDEX points_by_series ON points (job_id, name, step);
CREATE TABLE models (model_id TEXT PRIMARY KEY, job_id TEXT NOT NULL, record BLOB NOT NULL);
"""

SUBMISSIONS = """
CREATE TABLE submissions (key TEXT PRIMARY KEY, digest TEXT NOT NULL, job_id TEXT NOT NULL) WITHOUT ROWID;
"""

SUBMISSIONS_BY_JOB = """
CREATE INDEX submissions_by_job ON submissions (job_id);
"""

LEVELS = """
CREATE TABLE series (
    number INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    first INTEGER NOT NULL,
    first_step INTEGER NOT NULL,
    last INTEGER NOT NULL,
    last_step INTEGER NOT NULL,
    rising INTEGER NOT NULL,
    UNIQUE (job_id, name)
);
CREATE TABLE measured (
    series INTEGER NOT NULL,
    n INTEGER NOT NULL,
    step INTEGER NOT NULL,
    value REAL,
    nf TEXT,
    elapsed REAL NOT NULL,
    PRIMARY KEY (series, n)
) WITHOUT ROWID;
CREATE TABLE levels (
    series INTEGER NOT NULL,
    level INTEGER NOT NULL,
    run INTEGER NOT NULL,
    telling BLOB NOT NULL,
    PRIMARY KEY (series, level, run)
) WITHOUT ROWID;
"""

#: The feed is asked for from its end on, past all that a job measured.
ACTIVITY = "CREATE INDEX activity ON events (seq) WHERE type = 'activity_update'"

#: Rows have a number of their own: their order is that in which models were registered.
REGISTRY = """
ALTER TABLE models RENAME TO old_models;
CREATE TABLE models (
    number INTEGER PRIMARY KEY,
    model_id TEXT NOT NULL UNIQUE,
    job_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    record BLOB NOT NULL,
    UNIQUE (name, version)
);
CREATE INDEX models_by_job ON models (job_id);
CREATE TABLE model_names (name TEXT PRIMARY KEY, highest INTEGER NOT NULL) WITHOUT ROWID;
"""

#: What was predicted is counted in all, and by the hour of UTC, with how long it took and which values came.
SERVING = """
CREATE TABLE endpoints (
    endpoint_id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, record BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE predicted (
    model_id TEXT PRIMARY KEY,
    requests INTEGER NOT NULL,
    predictions INTEGER NOT NULL,
    errors INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE predicted_hours (
    model_id TEXT NOT NULL,
    hour INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    predictions INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    latency BLOB NOT NULL,
    bins BLOB NOT NULL,
    PRIMARY KEY (model_id, hour)
);
"""

DATASETS = """
CREATE TABLE datasets (
    number INTEGER PRIMARY KEY,
    dataset_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    record BLOB NOT NULL
)
"""

#: What was said of a model's inputs is said once, as long as it lasts.
DRIFTS = """
CREATE TABLE drifts (
    model_id TEXT NOT NULL,
    column_name TEXT NOT NULL,
    level TEXT NOT NULL,
    PRIMARY KEY (model_id, column_name, level)
) WITHOUT ROWID;
"""

#: A version is never changed; a pipeline's row has the name and the number of its newest.
PIPELINES = """
CREATE TABLE pipelines (
    pipeline_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    deleted REAL
) WITHOUT ROWID;
CREATE INDEX pipelines_by_name ON pipelines (name);
CREATE TABLE pipeline_versions (
    pipeline_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (pipeline_id, version)
) WITHOUT ROWID;
"""

#: What became of models, past all that jobs measured.
OF_MODELS = (
    "CREATE INDEX of_models ON events (seq) WHERE type IN ('model_status', 'model_aliased', 'model_deployed')"
)

#: Drift that has ended may be said again: the last hour in which it was found.
DRIFTS_END = "ALTER TABLE drifts ADD COLUMN hour INTEGER NOT NULL DEFAULT 0"

#: Of a job that is gone its deletion tells, past all that jobs measured.
DELETIONS = "CREATE INDEX deletions ON events (job_id) WHERE type = 'job_deleted'"

STEPS = (
    FIRST,
    SUBMISSIONS,
    SUBMISSIONS_BY_JOB,
    LEVELS,
    ACTIVITY,
    REGISTRY,
    SERVING,
    DATASETS,
    DRIFTS,
    PIPELINES,
    OF_MODELS,
    DRIFTS_END,
    DELETIONS,
)


def check_version(db: sqlite3.Connection) -> int:
    """The schema's step; ``NewerError`` when a newer version has written it: it is left as it is."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(STEPS):
        raise NewerError(
            f"The store has schema {version}; this version knows {len(STEPS)}. Update mlops_jupyter."
        )
    return int(version)


def migrate(db: sqlite3.Connection, epoch: str) -> bool:
    """Bring the schema to the newest step; True for a new database, which gets ``epoch`` as its name."""
    version = check_version(db)
    for number, step in enumerate(STEPS[version:], start=version + 1):
        db.execute("BEGIN IMMEDIATE")
        for statement in step.split(";"):
            if statement.strip():
                db.execute(statement)
        if step is LEVELS:
            take_over(db)
        if step is REGISTRY:
            number_models(db)
            db.execute("DROP TABLE old_models")
        if number == 1:
            db.execute("INSERT INTO meta VALUES ('epoch', ?)", (epoch,))
        db.execute(f"PRAGMA user_version={number}")
        db.execute("COMMIT")
    return version == 0
