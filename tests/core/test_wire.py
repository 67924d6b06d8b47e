"""Every byte sent as JSON passes a strict parser."""

from __future__ import annotations

import functools
import json
import math
import shutil
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import get_type_hints

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_build import npm
from mlops_jupyter.core.jobs import Best, JobSpec, Source
from mlops_jupyter.core.wire import EXACT_INTEGER, decode, encode
from tests.core.builders import a_job


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


def test_a_time_that_has_no_date_in_utc_keeps_its_offset() -> None:
    east = timezone(timedelta(hours=3))
    assert strict(encode(datetime(1, 1, 1, tzinfo=east))) == "0001-01-01T00:00:00.000+03:00"
    assert strict(encode(datetime(2026, 1, 1, tzinfo=east))) == "2025-12-31T21:00:00.000Z"


@settings(deadline=None)
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


_INTEGERS = sorted(name for name, kind in get_type_hints(JobSpec).items() if kind is int)


def test_the_integers_of_a_spec_are_the_four_that_are_tested() -> None:
    assert _INTEGERS == ["cv", "n_jobs", "priority", "seed"]


@pytest.mark.parametrize("value", [EXACT_INTEGER, -EXACT_INTEGER, EXACT_INTEGER + 1, -(2**60)])
@pytest.mark.parametrize("name", _INTEGERS)
def test_an_integer_of_a_spec_is_kept_as_it_is_or_refused(name: str, value: int) -> None:
    """One that came as a number and was kept as text could not be read again, by anybody."""
    asked = json.dumps({"data": {"path": "/a.csv"}, "target": "y", name: value}).encode()
    if abs(value) > EXACT_INTEGER:
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.json.decode(asked, type=JobSpec)
    else:
        spec = msgspec.json.decode(asked, type=JobSpec)
        assert msgspec.json.decode(encode(spec), type=JobSpec) == spec


def test_a_record_is_read_as_it_was_kept_whatever_its_integers() -> None:
    """Steps are the user's own: nothing bounds them."""
    job = a_job(
        name="null", best=Best(name="val_r2", value=0.5, step=2**60), parameters={"a": "12", "b": None}
    )
    assert decode(encode(job), type(job)) == job
    spec = JobSpec(data=Source(path="1"), target="2", params={"n": "3"}, drop=("4", "null"))
    assert decode(encode(spec), JobSpec) == spec


exotic = st.one_of(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.binary(max_size=20),
    st.text(st.characters(), max_size=20)
    | st.text(st.sampled_from('\ud800\udfff\u2028\0\u202ea=<>&"\\'), max_size=9),
    st.decimals() | st.datetimes() | st.dates() | st.datetimes(timezones=st.timezones()),
    st.floats(width=32).map(np.float32) | st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.booleans().map(np.bool_) | st.integers(0, 2**64 - 1).map(np.uint64) | st.floats().map(np.float64),
    st.sampled_from([pd.NaT, pd.NA, pd.Timestamp("2026-01-01"), pd.Timedelta("1D"), np.datetime64("NaT")]),
    st.lists(st.floats() | st.integers(-5, 5), max_size=4).map(np.array),
    st.sampled_from([object(), int, math.inf, -math.inf, math.nan, Decimal("1e400"), 1j, range(3)]),
)
keys = (
    st.text(st.characters(), max_size=8)
    | st.tuples(st.integers(), st.text())
    | st.floats()
    | st.binary(max_size=4)
)
everything = st.recursive(
    exotic,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.tuples(inner, inner)
        | st.frozensets(st.text(max_size=3) | st.integers(), max_size=3)
    ),
    max_leaves=12,
)
#: Each line is parsed and written again by JavaScript; the first it does not take ends it.
ECHO = """
const lines = require("fs").readFileSync(0, "utf8").split("\\n").slice(0, -1);
for (const line of lines) process.stdout.write(JSON.stringify(JSON.parse(line)) + "\\n");
"""


def test_javascript_reads_all_that_is_encoded_and_finds_the_same_values() -> None:
    """P33, F43."""
    sent: list[bytes] = []

    @settings(max_examples=400, derandomize=True, database=None, deadline=None)
    @given(everything)
    def send(value: object) -> None:
        sent.append(encode(value))

    send()
    assert len(sent) >= 400
    command, environment = npm()
    node = shutil.which("node") or command[0]
    lines = b"".join(line + b"\n" for line in sent)
    read = subprocess.run([node, "-e", ECHO], input=lines, env=environment, capture_output=True, check=False)
    assert read.stderr == b""
    # A number has no kind there: 1e16 comes back as all its digits.
    numbers = functools.partial(json.loads, parse_int=float)
    assert [numbers(line) for line in read.stdout.split(b"\n")[:-1]] == [numbers(line) for line in sent]
