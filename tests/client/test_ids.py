"""Beginnings of ids, on a server that has these jobs from before."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.rest import Rest
from mlops_jupyter.core.errors import AmbiguousIdError
from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.store import Store, Transaction
from tests.core.builders import a_job

STATES = {"j-7f3a00000000": "completed", "j-7f1b00000000": "failed", "j-7c4400000000": "cancelled"}


def keep(folder: Path) -> None:
    """Leave these jobs in the store of ``folder``."""
    spec = JobSpec(data=Source(path="/penguins.csv"), target="species")

    def work(tx: Transaction) -> None:
        for job_id, status in STATES.items():
            tx.add_job(a_job(job_id=job_id, status=status), spec, "kind")

    store = Store(folder / "store.sqlite", lambda _: None)
    store.write(work).result()
    store.close()


def test_a_beginning_of_several_ids_lists_them(home: Path) -> None:
    keep(home / "data" / "mlops")
    rest = Rest(Finder(home / "runtime", home / "data", None, lambda: home))
    with pytest.raises(AmbiguousIdError) as error:
        rest.job("j-7f")
    assert str(error.value) == '"j-7f" matches 2 jobs: j-7f1b (failed), j-7f3a (completed).'
    assert rest.job("j-7c").job == a_job(job_id="j-7c4400000000", status="cancelled")
    rest.close()
