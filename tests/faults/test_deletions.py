"""Jobs are deleted by servers that are killed, and by one of two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.servers import WorksServer, await_true


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WorksServer]:
    server = WorksServer(tmp_path / "home")
    yield server
    server.close()


@pytest.mark.parametrize("lost", [False, True], ids=["kept", "lost"])
def test_a_job_whose_server_is_killed_behind_its_deletion_never_comes_back(
    server: WorksServer, *, lost: bool
) -> None:
    server.dies_at = "Deletions._finish"
    server.start()
    job_id = server.submit("emits", points=20)
    server.over(job_id)
    with pytest.raises(httpx.HTTPError):
        server.delete(f"jobs/{job_id}")
    server.kill()
    assert (server.folder(job_id) / "meta.json").exists()
    if lost:
        for path in server.data.glob("store.sqlite*"):
            path.unlink()
    server.dies_at = None
    server.start()
    assert server.get("mlops/api/jobs").json()["jobs"] == []
    await_true(lambda: not server.folder(job_id).exists())
    refused = server.get(f"mlops/api/jobs/{job_id}")
    assert (refused.status_code, refused.json()["reason"]) == (
        404,
        "JobNotFoundError" if lost else "DeletedJobError",
    )


def test_what_one_server_deletes_is_gone_at_the_other(tmp_path: Path) -> None:
    first = WorksServer(tmp_path / "first")
    second = WorksServer(tmp_path / "second", first.data)
    try:
        first.start()
        second.start()
        job_id = first.submit("emits", points=20)
        first.over(job_id)
        # The second may not have heard of its end yet; what is asked for is answered from the store.
        head = first.get("mlops/api/jobs").json()["head"]
        assert second.delete(f"jobs/{job_id}").json()["job_id"] == job_id
        heard = first.get("mlops/api/events", since=head, wait=20).json()["events"]
        assert [event["type"] for event in heard] == ["job_deleted", "activity_update"]
        assert first.get(f"mlops/api/jobs/{job_id}").json()["reason"] == "DeletedJobError"
        assert not first.folder(job_id).exists()
    finally:
        first.close()
        second.close()
