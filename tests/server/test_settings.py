"""What the administrator sets reaches those who act on it."""

from __future__ import annotations

import getpass
import os
from typing import Any

import pytest
from traitlets import TraitError

from mlops_jupyter.core.limits import ReadingLimits
from mlops_jupyter.server.extension import MlopsExtension
from mlops_jupyter.server.handler import RuntimeFileIdentity


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"mlops_jupyter": True}},
        "MlopsExtension": {
            "max_jobs": 3,
            "memory_floor": 7,
            "orphan_ttl": 0.0,
            "upload_bytes": 100,
            "datasets_bytes": 150,
            "open_uploads": 2,
            "reading_bytes": 5 << 30,
            "reading_cpu": 6,
            "reading_seconds": 7.5,
            "standby": False,
        },
    }


async def test_places_memory_and_life_without_a_server_can_be_set(rooms: Any) -> None:
    """P13: what 0 does is shown by the keeper's own tests, that no worker stands by by the executor's."""
    places, executor = rooms.supervisor.places, rooms.executor
    assert (places._count, places._memory_floor) == (3, 7)
    assert (executor._orphan_ttl, executor._standby) == (0.0, False)


async def test_what_one_who_reads_a_file_may_take_can_be_set(rooms: Any) -> None:
    """That its process is held to it, tests/training/tabular/test_ingest.py shows."""
    assert rooms.datasets.reading == ReadingLimits(bytes=5 << 30, cpu=6, seconds=7.5)


async def test_what_may_be_uploaded_can_be_set_and_pages_are_told(ask: Any) -> None:
    assert (await ask("GET", "datasets"))[1]["upload_bytes"] == 100

    async def begun(size: int) -> tuple[int, str]:
        status, answer = await ask("POST", "uploads", {"filename": "a.csv", "bytes": size})
        return status, answer.get("message", "")

    assert await begun(101) == (400, "a.csv has 101 bytes; a file has 1 byte to 100 bytes.")
    assert await begun(100) == (201, "")
    status, refused = await begun(51)
    assert (status, refused.partition("\n")[2]) == (507, "Delete what is not needed.")
    assert await begun(50) == (201, "")
    status, refused = await begun(1)
    assert (status, "2 uploads of" in refused) == (507, True)


@pytest.mark.parametrize("name", ["max_jobs", "max_sockets", "upload_bytes", "open_uploads"])
def test_none_at_all_is_refused_where_it_would_mean_no_bound(name: str) -> None:
    with pytest.raises(TraitError, match=name):
        MlopsExtension(**{name: 0})
    assert getattr(MlopsExtension(), name) >= 1


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found: 1000620000"), OSError("no user")])
def test_a_user_whom_no_file_names_is_called_by_number(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """OpenShift gives each project a range of them."""

    def nobody() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert RuntimeFileIdentity().get_user(None).username == str(os.getuid())  # type: ignore[arg-type]
