"""What the tests of whole jobs share."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing import resource_tracker

import pytest
from joblib.externals.loky.backend import resource_tracker as of_loky
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="package", autouse=True)
def helpers_of_joblib() -> None:
    """They are started once and kept, with a pipe each: before the first test, so that it is not blamed."""
    resource_tracker.ensure_running()
    of_loky.ensure_running()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Teams of OpenMP threads wait for each other by spinning, which other tests would feel."""
    with threadpool_limits(1):
        yield
