"""IPython as users have it: a shell in this process, or a kernel with a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.view import Nobody
from mlops_jupyter.notebook import session as public

PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A real shell with ``%mlops``, in a folder with the penguins."""
    monkeypatch.chdir(tmp_path)
    # IPython warns of another environment that the terminal is in.
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    (tmp_path / "penguins.csv").symlink_to(PENGUINS)
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "mlops_jupyter")
    yield shell
    if public.session.cache_info().currsize:
        public.session().close()
        public.session.cache_clear()
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


@pytest.fixture
def session() -> Iterator[Session]:
    """A client that shows nothing."""
    session = Session(Finder.of_this_process(), Nobody())
    yield session
    session.close()
