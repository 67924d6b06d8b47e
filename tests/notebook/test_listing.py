"""The table of jobs."""

from __future__ import annotations

from datetime import UTC, datetime

from mlops_jupyter.notebook import listing
from tests.core.builders import a_job


def test_jobs_are_listed_by_their_shortest_ids_with_when_they_began_to_the_second() -> None:
    began = datetime(2026, 11, 28, 12, 33, 44, 526_000, tzinfo=UTC)
    jobs = (a_job(start_time=began), a_job(job_id="j-7f3b00000000", name="waits"))
    frame = listing.frame(jobs)
    assert [str(at) for at in frame["started"]] == ["2026-11-28 12:33:44+00:00", "NaT"]
    assert list(frame.index) == ["j-7f3a", "j-7f3b"]
