"""A clock on the wall that is set changes no duration, no order and no progress (P35)."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

import mlops_jupyter
from mlops_jupyter.core import facts
from mlops_jupyter.core.series import Point
from mlops_jupyter.core.stages import STAGES
from mlops_jupyter.core.transitions import advance
from tests.core.builders import KEEPER, WORK, a_job, at

DAY = 24 * 3600.0
STORY = [
    at(facts.JobSubmitted, by="ada"),
    at(facts.JobStarted, owner="s"),
    KEEPER,
    WORK,
    *(
        fact
        for number, stage in enumerate(STAGES)
        for fact in (
            at(facts.StageStarted, 10.0 * number + 1, stage=stage, total=2, unit="steps"),
            at(facts.StageAdvanced, 10.0 * number + 4, stage=stage, done=1),
            at(
                facts.PointsLogged,
                10.0 * number + 5,
                points=(Point(name="loss", step=number + 1, value=0.5, elapsed=10.0 * number + 5),),
            ),
            at(facts.StageEnded, 10.0 * number + 9, stage=stage),
        )
    ),
    at(facts.WorkFinished, 90.0),
    at(facts.WorkerEnded, 91.0, exit_code=0),
]


def told(story: list[facts.Fact]) -> list[Any]:
    """Every record and event of a story, without the times of day."""
    job = a_job()
    seen: list[Any] = []
    for fact in story:
        job, consequences = advance(job, fact)
        seen += [_timeless(msgspec.to_builtins(each)) for each in (job, *consequences)]
    return seen


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _timeless(each) for name, each in value.items() if not isinstance(_moment(each), datetime)
        }
    return [_timeless(each) for each in value] if isinstance(value, list | tuple) else value


def _moment(value: Any) -> Any:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
    except ValueError:
        return None


@settings(deadline=None)
@given(st.lists(st.sampled_from([-DAY, -60.0, 0.0, 60.0, DAY]), min_size=len(STORY), max_size=len(STORY)))
def test_a_story_told_by_a_clock_that_jumps_is_the_same_story(jumps: list[float]) -> None:
    jumping = [
        msgspec.structs.replace(fact, time=fact.time + jump) for fact, jump in zip(STORY, jumps, strict=True)
    ]
    assert told(jumping) == told(STORY)


def test_durations_come_from_clocks_that_cannot_be_set() -> None:
    clock = r"(time\.time\(\)|datetime\.now\([^)]*\))"
    wall = re.compile(rf"{clock}\s*[-+<>]|[-+<>]=?\s*{clock}")
    assert wall.search("time.time() - began")
    assert wall.search("end > datetime.now(UTC)")
    package = Path(mlops_jupyter.__file__).parent
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if wall.search(path.read_text("utf-8"))
    }
    assert found == set()
