"""A job that takes most of what is in use is told when there is hardly any left."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_jupyter.core.alerts import memory
from tests.samples import a_sample, a_use

GB = 10**9


def near(used: float, of_job: float | None, **fields: Any) -> Any:
    """Of 4 GB."""
    sample = a_sample(
        **{"memory_percent": used / 4 * 100, "memory_used": int(used * GB), "memory_limit": 4 * GB, **fields}
    )
    taken = None if of_job is None else int(of_job * GB)
    return memory.check(a_use(id="j-1", memory=taken, processes=3), sample)


def test_a_job_that_takes_most_of_the_little_there_is_is_told() -> None:
    found = near(3.7, 3.1, memory_scope="container")
    assert found.message == (
        "This job takes 3.1 GB, and 92 % of the container's 4.0 GB are in use: when nothing is left, the "
        "kernel ends it."
    )
    assert found.evidence == {
        "memory": 3_100_000_000,
        "memory_used": 3_700_000_000,
        "memory_limit": 4_000_000_000,
        "memory_percent": 92.5,
        "memory_scope": "container",
        "processes": 3,
    }


@pytest.mark.parametrize(
    ("used", "of_job", "fields"),
    [
        pytest.param(3.5, 3.4, {}, id="there is enough"),
        pytest.param(3.7, 1.8, {}, id="others take more"),
        pytest.param(3.7, None, {}, id="nobody knows what it takes"),
        pytest.param(3.7, 3.1, {"memory_percent": None}, id="nobody knows what is in use"),
    ],
)
def test_what_is_no_alert(used: float, of_job: float | None, fields: dict[str, Any]) -> None:
    assert near(used, of_job, **fields) is None
