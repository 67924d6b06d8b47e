"""What is kept: jobs, events, metric points, models — in SQLite. No rules here, and nobody listens."""

from mlops_jupyter.store.database import Store
from mlops_jupyter.store.levels import Measured
from mlops_jupyter.store.reading import Cursor, JobRow, Kept, Reading, Stored, shown_job
from mlops_jupyter.store.transaction import Transaction

__all__ = [
    "Cursor",
    "JobRow",
    "Kept",
    "Measured",
    "Reading",
    "Store",
    "Stored",
    "Transaction",
    "shown_job",
]
