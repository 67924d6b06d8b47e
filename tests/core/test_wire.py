"""Every byte sent as JSON passes a strict parser."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_jupyter.core.wire import encode


def strict(data: bytes):
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(data.decode(), parse_constant=refuse)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        pytest.param(math.nan, None, id="nan"),
        pytest.param(-math.inf, None, id="-inf"),
        pytest.param(2**53, 2**53, id="2**53"),
        pytest.param(2**53 + 1, "9007199254740993", id="2**53+1"),
        pytest.param(2**70, str(2**70), id="2**70"),
        pytest.param("a\ud800b", "a?b", id="lone-surrogate"),
        pytest.param("a\0b\u202e🤷🏽‍♀️", "a\0b\u202e🤷🏽‍♀️", id="nul-rlo-emoji"),
        pytest.param(np.float32(0.5), 0.5, id="numpy-float"),
        pytest.param(np.int64(3), 3, id="numpy-int"),
        pytest.param(np.bool_(True), True, id="numpy-bool"),
        pytest.param(np.array([1.0, math.nan]), [1.0, None], id="numpy-array"),
        pytest.param(Decimal("1.5"), 1.5, id="decimal"),
        pytest.param(Decimal("NaN"), None, id="decimal-nan"),
        pytest.param(pd.NaT, None, id="NaT"),
        pytest.param(datetime(2026, 11, 21, 14, 2, tzinfo=UTC), "2026-11-21T14:02:00.000Z", id="utc"),
        pytest.param(
            datetime(2026, 11, 21, 14, 2, tzinfo=timezone(timedelta(hours=2))),
            "2026-11-21T12:02:00.000Z",
            id="tz-aware",
        ),
        pytest.param(datetime(2026, 11, 21, 14, 2), "2026-11-21T14:02:00.000Z", id="naive"),  # noqa: DTZ001
        pytest.param(b"\xff", "\ufffd", id="bytes"),
        pytest.param({(1, 2): 3}, {"(1, 2)": 3}, id="tuple-key"),
        pytest.param({"a"}, ["a"], id="set"),
        pytest.param(object, "<class 'object'>", id="anything-else"),
    ],
)
def test_a_value_is_sent_as_strict_json(value, sent) -> None:
    assert strict(encode({"v": value})) == {"v": sent}


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.decimals()
    | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=20,
)


@given(anything)
def test_whatever_is_encoded_parses_strictly_and_twice_the_same(value) -> None:
    once = strict(encode(value))
    assert strict(encode(once)) == once


def test_very_deep_values_are_cut_and_not_fatal() -> None:
    deep: list = []
    for _ in range(100):
        deep = [deep]
    strict(encode(deep))


def test_a_structs_defaults_are_left_out_where_it_says_so() -> None:
    class Short(msgspec.Struct, omit_defaults=True, tag_field="kind", tag="short"):
        a: int
        b: int = 0

    assert strict(encode(Short(a=1))) == {"kind": "short", "a": 1}
    assert strict(encode(Short(a=1, b=2))) == {"kind": "short", "a": 1, "b": 2}
