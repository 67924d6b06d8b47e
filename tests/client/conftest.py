"""Clients of the private server that the tests share; the root conftest ends it with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.view import Nobody
from tests import processes


@pytest.fixture
def session() -> Iterator[Session]:
    """A client that shows nothing."""
    session = Session(Finder.of_this_process(), Nobody())
    yield session
    session.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Jupyter home that lives as long as the test, with whatever was started in it."""
    for name in ("config", "data", "runtime"):
        monkeypatch.setenv(f"JUPYTER_{name.upper()}_DIR", str(tmp_path / name))
    (tmp_path / "runtime").mkdir()
    yield tmp_path
    processes.end(processes.belonging_to(tmp_path))
