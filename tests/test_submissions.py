"""What a job needs is on disk before its row is."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter import submissions as module
from mlops_jupyter.core.errors import InputError
from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.inputs import Ages, Inputs
from mlops_jupyter.submissions import Submissions
from tests.desk import JOB, Desk


def test_what_a_job_needs_is_on_disk_before_it_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P2: the row survives a power cut; what was sent for it, and its folder, must do so, too."""
    synced: list[str] = []
    fsync = os.fsync

    def seen(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)
        fsync(file)

    monkeypatch.setattr(os, "fsync", seen)
    inputs = Inputs(tmp_path / "inputs", Ages("this boot"))
    input_id, file = inputs.create()
    inputs.write(file, b"a table")
    inputs.finish(input_id, file)
    assert synced == [f"{input_id}.part"]
    nothing: Any = None
    submissions = Submissions(nothing, tmp_path / "jobs", inputs, nothing, nothing)
    submissions._prepare("j-7f3a00000000", JobSpec(data=Source(input_id=input_id), target="y"), {})
    assert (tmp_path / "jobs" / "j-7f3a00000000" / "data.parquet").read_bytes() == b"a table"
    assert synced[1:] == ["spec.json", "j-7f3a00000000", "jobs"]


def test_where_there_are_no_hard_links_a_job_gets_a_copy_of_what_was_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F53: the first attempt its own, the next one that of the first."""

    def none(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    inputs = Inputs(tmp_path / "inputs", Ages("this boot"))
    input_id, file = inputs.create()
    inputs.write(file, b"a table")
    inputs.finish(input_id, file)
    nothing: Any = None
    submissions = Submissions(nothing, tmp_path / "jobs", inputs, nothing, nothing)
    spec = JobSpec(data=Source(input_id=input_id), target="y")
    first, second = (tmp_path / "jobs" / name / "data.parquet" for name in ("j-1", "j-2"))
    submissions._prepare("j-1", spec, {})
    inputs.remove(input_id)
    submissions._prepare("j-2", spec, {input_id: first})
    assert [(copy.read_bytes(), copy.stat().st_mode & 0o777) for copy in (first, second)] == [
        (b"a table", 0o600)
    ] * 2


def test_an_input_that_another_job_takes_just_now_is_to_be_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = Inputs(tmp_path / "inputs", Ages("this boot"))
    input_id, file = inputs.create()
    inputs.finish(input_id, file)
    link = os.link

    def late(source: Path, target: Path) -> None:
        source.unlink(missing_ok=True)
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(InputError, match="send it again"):
        inputs.link(input_id, tmp_path / "data.parquet")


def test_what_a_server_left_that_was_killed_before_its_job_was_stored_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P28: and nothing that may be a job, whatever the database knows of it, or is just becoming one."""
    desk = Desk(tmp_path)
    nothing: Any = None
    submissions = Submissions(desk.store, desk.jobs, nothing, desk.records, desk.intake)

    def make(name: str, *files: str) -> None:
        (desk.jobs / name).mkdir()
        for file in files:
            (desk.jobs / name / file).touch()

    async def meanwhile(seconds: float) -> None:
        assert seconds == module.ABANDONED
        make("j-just", "spec.json")

    make("j-cut", "spec.json", "data.parquet")
    make("j-empty")
    make("j-told", "spec.json", "meta.json")
    make("j-ran", "spec.json", "journal")
    (desk.jobs / "j-link").symlink_to(desk.jobs / "j-told")
    monkeypatch.setattr(module.asyncio, "sleep", meanwhile)
    asyncio.run(submissions.sweep())
    left = {path.name for path in desk.jobs.iterdir()}
    assert left == {JOB, "j-just", "j-link", "j-ran", "j-told"}
    desk.close()
