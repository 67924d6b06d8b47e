"""What is kept: jobs, events, metric points, models — in SQLite. No rules here, and nobody listens."""

from mlops_jupyter.store.database import Store
from mlops_jupyter.store.levels import Measured
from mlops_jupyter.store.reading import Cursor, Kept, Reading, Stored
from mlops_jupyter.store.transaction import Transaction

__all__ = ["Cursor", "Kept", "Measured", "Reading", "Store", "Stored", "Transaction"]
