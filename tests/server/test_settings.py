"""What the administrator sets reaches those who act on it."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"mlops_jupyter": True}},
        "MlopsExtension": {"max_jobs": 3, "memory_floor": 7, "orphan_ttl": 0.0},
    }


async def test_places_memory_and_life_without_a_server_can_be_set(rooms: Any) -> None:
    """P13: what 0 does is shown by the keeper's own tests."""
    places, executor = rooms.supervisor.places, rooms.executor
    assert (places._count, places._memory_floor, executor._orphan_ttl) == (3, 7, 0.0)
