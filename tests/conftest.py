"""What every test of the package gets: it must give back what it took."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import leaks


@pytest.fixture(autouse=True)
def nothing_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """No thread, child, detached job, socket or file of its own may outlive a test."""
    folder: Path | None = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    before = leaks.Held.now(folder)
    yield
    assert leaks.leaked(before, folder) == []
