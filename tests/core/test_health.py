"""Health changes when it is so twice in a row, goes down later than it came up, and names what moved it."""

from __future__ import annotations

import pytest

from mlops_jupyter.core import health
from mlops_jupyter.core.health import Gauge, Thresholds

AT = Thresholds(75, 90)


def levels(*values: float | None) -> list[str]:
    gauge, found = Gauge(), []
    for value in values:
        gauge = health.measured(gauge, value, AT)
        found.append(gauge.level)
    return found


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([80, 20, 80, 20], ["healthy"] * 4, id="once is an accident"),
        pytest.param([75, 75], ["healthy", "warning"], id="from the threshold on"),
        pytest.param([95, 95], ["healthy", "critical"], id="straight to critical"),
        pytest.param([95, 80], ["healthy", "warning"], id="as far as both go"),
        pytest.param([80, 80, 95, 95], ["healthy", "warning", "warning", "critical"], id="in steps"),
        pytest.param(
            [80, 80, 71, 71, 69, 69], ["healthy", *["warning"] * 4, "healthy"], id="five points below"
        ),
        pytest.param([95, 95, 86, 86, 84, 60], ["healthy", *["critical"] * 4, "warning"], id="down by steps"),
        pytest.param([95, 95, 10, 10], ["healthy", "critical", "critical", "healthy"], id="down at once"),
        pytest.param([80, None, 80], ["healthy", "healthy", "warning"], id="unknown changes nothing"),
        pytest.param([95, 95, None, None], ["healthy", *["critical"] * 3], id="unknown keeps"),
        pytest.param([80, 80, 95, 71, 95, 71], ["healthy", *["warning"] * 5], id="never twice"),
    ],
)
def test_a_level_follows_two_samples_in_a_row(values: list[float | None], expected: list[str]) -> None:
    assert levels(*values) == expected


def test_the_worst_figure_is_the_health_and_its_cause() -> None:
    calm = {"cpu": Gauge(value=5), "memory": Gauge(value=60), "disk": Gauge(value=50)}
    full = {**calm, "memory": Gauge(level="critical", value=93.4), "disk": Gauge(level="warning", value=82)}
    assert (health.worst(calm), health.worst(full)) == ("healthy", "critical")
    assert health.alarming(full)
    assert not health.alarming({**calm, "cpu": Gauge(level="critical", value=100)})
    assert health.cause(calm, full) == "memory 93 %"
    eased = {**full, "memory": Gauge(level="healthy", value=41)}
    assert health.worst(eased) == "warning"
    assert health.cause(full, eased) == "memory 41 %"
    both = {**calm, "cpu": Gauge(level="warning", value=80), "disk": Gauge(level="warning", value=82)}
    assert health.cause(calm, both) == "cpu 80 %, disk 82 %"
