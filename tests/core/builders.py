"""Jobs and facts for tests of pure code."""

from __future__ import annotations

from typing import Any

from mlops_jupyter.core import facts
from mlops_jupyter.core.consequences import Consequence
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.transitions import advance

WALL = 1_795_000_000.0


def a_job(**changes: Any) -> Job:
    return Job(**{"job_id": "j-7f3a00000000", "name": "penguins-rf", "metric": "accuracy", **changes})


def at(kind: type[facts.Fact], elapsed: float = 0.0, **fields: Any) -> Any:
    return kind(time=WALL + elapsed, elapsed=elapsed, **fields)


KEEPER = at(facts.KeeperStarted, 0.001, pid=7, ticks=70, boot_id="b", pid_namespace="n")
WORK = at(facts.WorkStarted, 0.002, pid=8, versions={"python": "3.11"})


def after(job: Job, *happened: facts.Fact) -> tuple[Job, list[Consequence]]:
    """The job after all facts, and the consequences of the last."""
    consequences: list[Consequence] = []
    for fact in happened:
        job, consequences = advance(job, fact)
    return job, consequences


def a_running_job(**changes: Any) -> Job:
    return after(
        a_job(**changes), at(facts.JobSubmitted, by="ada"), at(facts.JobStarted, owner="s"), KEEPER, WORK
    )[0]
