"""A lost database gets endpoints and what was counted back from their folders."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from mlops_jupyter import ledgers
from mlops_jupyter.core import wire
from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.volume import Counts
from mlops_jupyter.errands import Errands
from mlops_jupyter.serving.messages import Charge
from mlops_jupyter.store import Store, Transaction
from mlops_jupyter.tallies import Tallies
from mlops_jupyter.watches import Watches
from tests.fitted import NOW

ENDPOINT = Endpoint(
    endpoint_id="e-7f3a00000000",
    name="churn",
    status="deployed",
    created=NOW,
    changed=NOW,
    model_id="m-7f3a00000000",
    version=1,
    history=("m-000000000000",),
)
CHARGE = Charge(model_id="m-7f3a00000000", name="churn", version=1, folder="", sha256="", memory=0)


def opened(folder: Path) -> Store:
    return Store(
        folder / "store.sqlite", lambda stored: None, lost=partial(ledgers.lost, folder / "endpoints")
    )


async def test_what_was_counted_until_the_end_is_in_the_folder(tmp_path: Path) -> None:
    """Between two looks, too."""
    store, folder = opened(tmp_path), tmp_path / "endpoints"
    store.write(lambda tx: tx.put_endpoint(ENDPOINT)).result()
    books, errands = ledgers.Ledgers(store, folder), Errands()
    tallies = Tallies(store, lambda *_: None)
    watches = Watches(store, tallies, books, errands, lambda job_id: tmp_path / job_id)
    await tallies.failed(ENDPOINT.endpoint_id, CHARGE)
    await watches.close()
    await errands.close()
    store.close()
    page = wire.decode((folder / ENDPOINT.endpoint_id / "meta.json").read_bytes(), ledgers.Page)
    assert page.counts["m-7f3a00000000"].errors == 1


def test_a_lost_database_gets_endpoints_back_and_a_torn_folder_holds_up_no_other(tmp_path: Path) -> None:
    store = opened(tmp_path)

    def work(tx: Transaction) -> None:
        tx.put_endpoint(ENDPOINT)
        tx.put_predicted("m-7f3a00000000", Counts(3, 1204, 1))

    store.write(work).result()
    ledgers.Ledgers(store, tmp_path / "endpoints").keep(ENDPOINT.endpoint_id)
    store.close()
    for path in tmp_path.glob("store.sqlite*"):
        path.unlink()
    torn = tmp_path / "endpoints" / "e-000000000000"
    torn.mkdir()
    (torn / "meta.json").write_bytes(b"{torn")
    store = opened(tmp_path)
    found = store.read(lambda reading: (reading.endpoints(), reading.predicted("m-7f3a00000000")))
    store.close()
    assert found == ([ENDPOINT], Counts(3, 1204, 1))
