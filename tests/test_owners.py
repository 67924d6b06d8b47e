"""Which server cares for a job."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from mlops_jupyter import owners
from mlops_jupyter.core.jobs import Process
from mlops_jupyter.training import processes
from tests.core.builders import a_job
from tests.executors.test_liveness import no_file_left


def test_a_server_lives_by_its_whole_identity_not_by_its_pid() -> None:
    """P10: a reused pid is nobody's owner."""
    mine = processes.identify(os.getpid())
    assert mine
    assert owners.lives(owners.this_process())
    assert not owners.lives(mine._replace(ticks=mine.ticks + 1).mark)
    assert not owners.lives(mine._replace(boot_id="another").mark)
    assert not owners.lives(None)


def test_who_has_no_file_left_to_look_with_takes_nobodys_jobs(tmp_path: Path) -> None:
    """P9, P10: a server that lives keeps what is its own."""
    me, journal = owners.this_process(), tmp_path / "journal"
    there = Process(pid=1, ticks=1, boot_id="another", pid_namespace="pid:[1]")
    job = a_job(status="running", process=there, owner="another/pid:[1]/1/1")
    journal.touch()
    with no_file_left():
        with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
            owners.lives(me)
        with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
            owners.runs_elsewhere(job, journal, shared=False)


def test_a_job_of_another_container_is_elsewhere_while_its_journal_is_held(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    there = Process(pid=1, ticks=1, boot_id="another", pid_namespace="pid:[1]")
    job = a_job(status="running", process=there, owner="another/pid:[1]/1/1")
    with journal.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert owners.runs_elsewhere(job, journal, shared=False)
    assert not owners.runs_elsewhere(job, journal, shared=True)


def test_a_job_being_started_in_another_container_is_left_to_the_server_there(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    job = a_job(status="starting", owner="another/pid:[1]/1/1")
    assert owners.runs_elsewhere(job, journal, shared=True)
    assert not owners.runs_elsewhere(job, journal, shared=False)
    assert not owners.runs_elsewhere(replace(job, owner=owners.this_process()), journal, shared=True)
