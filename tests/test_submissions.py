"""What a job needs is on disk before its row is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.inputs import Inputs
from mlops_jupyter.submissions import Submissions


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
    inputs = Inputs(tmp_path / "inputs", "this boot")
    input_id, file = inputs.create()
    inputs.write(file, b"a table")
    inputs.finish(input_id, file)
    assert synced == [f"{input_id}.part"]
    nothing: Any = None
    submissions = Submissions(nothing, tmp_path / "jobs", inputs, nothing, nothing)
    submissions._prepare("j-7f3a00000000", JobSpec(data=Source(input_id=input_id), target="y"), {})
    assert (tmp_path / "jobs" / "j-7f3a00000000" / "data.parquet").read_bytes() == b"a table"
    assert synced[1:] == ["spec.json", "j-7f3a00000000", "jobs"]
