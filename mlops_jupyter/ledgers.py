"""What an endpoint's folder keeps, so that a lost database gets it back: its record, and what was counted.

Records are written with each change, counts once an hour and when a server ends: a lost database costs
the predictions since then. Not here: the counting (``tallies``).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from mlops_jupyter import meta
from mlops_jupyter.core import wire
from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.volume import Counts
from mlops_jupyter.store import Reading, Store, Transaction

log = logging.getLogger(__name__)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as its folder keeps it, and the counts of the models that answered there."""

    endpoint: Endpoint
    counts: dict[str, Counts]


class Ledgers:
    """Writes what the store says of an endpoint into the endpoint's folder, below ``folder``."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        # Of two who write, the later has read the later record.
        self._lock = threading.Lock()

    def keep(self, endpoint_id: str) -> None:
        """Blocks. A disk that refuses costs nothing as long as there is a database."""
        with self._lock:
            try:
                body = wire.encode(self._store.read(lambda reading: _page(reading, endpoint_id)))
                meta.write(self._folder / endpoint_id, "meta.json", body)
            except (OSError, StoreUnavailable) as error:
                log.info("The record of endpoint %s is in the database only: %s", endpoint_id, error)


def _page(reading: Reading, endpoint_id: str) -> Page:
    endpoint = reading.endpoint(endpoint_id)
    models = {model.model_id for model in reading.versions(endpoint.name)}
    models |= {*endpoint.history, *([endpoint.model_id] if endpoint.model_id else [])}
    counts = {model_id: reading.predicted(model_id) for model_id in sorted(models)}
    return Page(
        endpoint=endpoint, counts={model_id: each for model_id, each in counts.items() if each.requests}
    )


def lost(folder: Path, found: Reading) -> Iterator[Callable[[Transaction], bool]]:
    """The work that brings back endpoints of which the database ``found`` knows nothing."""
    known = {endpoint.endpoint_id for endpoint in found.endpoints()}
    for path, page in meta.below(folder, Page):
        if path.name == page.endpoint.endpoint_id and path.name not in known:
            yield _putting(page)


def _putting(page: Page) -> Callable[[Transaction], bool]:
    def work(tx: Transaction) -> bool:
        # Another server may have been quicker, or somebody copied a folder.
        if tx.endpoint_named(page.endpoint.name) is not None:
            return False
        tx.put_endpoint(page.endpoint)
        for model_id, counts in page.counts.items():
            tx.put_predicted(model_id, counts)
        return True

    return work
