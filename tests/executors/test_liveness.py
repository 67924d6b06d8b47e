"""A process is known by more than its pid."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from mlops_jupyter.core.jobs import Process
from mlops_jupyter.executors.liveness import alive, forbid, sweep, tell, whereabouts
from mlops_jupyter.executors.local import LocalExecutor
from mlops_jupyter.training import processes
from mlops_jupyter.training.keeper import claim_journal
from tests.executors.builders import until


@contextmanager
def a_process(**environment: str) -> Iterator[tuple[subprocess.Popen[bytes], Process]]:
    words = [sys.executable, "-S", "-c", "print(flush=True); input()"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, env={**os.environ, **environment}, **pipes) as popen:  # type: ignore[call-overload]
        popen.stdout.readline()
        identity = processes.identify(popen.pid)
        assert identity
        yield popen, Process(**identity._asdict())
        popen.kill()


def test_a_process_lives_until_it_is_dead_even_before_it_is_reaped() -> None:
    with a_process() as (popen, process):
        assert alive(process)
        assert tell(process, signal.SIGKILL)
        os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
        assert processes.status(popen.pid) is not None
        assert not alive(process)
        assert not tell(process, signal.SIGKILL)


def test_a_stopped_process_is_alive() -> None:
    with a_process() as (_, process):
        tell(process, signal.SIGSTOP)
        assert alive(process)


@pytest.mark.parametrize("change", [{"ticks": 1}, {"boot_id": "another"}, {"pid_namespace": "pid:[1]"}])
def test_a_reused_pid_is_nobody_of_ours(change: dict[str, object]) -> None:
    with a_process() as (popen, process):
        stranger = msgspec.structs.replace(process, **change)
        assert not alive(stranger)
        assert not tell(stranger, signal.SIGKILL)
        assert popen.poll() is None


def test_the_journal_tells_where_a_job_of_another_place_is(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with a_process() as (_, process):
        elsewhere = msgspec.structs.replace(process, boot_id="another")
        assert whereabouts(process, journal) == "here"
        assert whereabouts(elsewhere, journal) == "gone"
        with journal.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            assert whereabouts(elsewhere, journal) == "elsewhere"
            assert whereabouts(msgspec.structs.replace(process, ticks=1), journal) == "gone"
        assert whereabouts(elsewhere, journal) == "gone"


def test_what_a_dead_keeper_left_is_ended_and_nothing_else() -> None:
    with a_process() as (_, keeper):
        mark = processes.Identity(keeper.pid, keeper.ticks, keeper.boot_id, keeper.pid_namespace).mark
        marked = {processes.MARK: mark}
        with a_process(**marked) as (left, _), a_process(**{processes.MARK: f"{mark}0"}) as (other, _):
            tell(keeper, signal.SIGKILL)
            began = time.monotonic()
            sweep(keeper)
            assert left.wait() == -signal.SIGKILL
            assert other.poll() is None
            assert time.monotonic() - began < 2


def test_of_a_server_that_gives_a_job_up_and_a_keeper_that_begins_it_one_is_first(tmp_path: Path) -> None:
    """P12: the claim is a file that only one of them can make."""
    given_up, begun = tmp_path / "given up", tmp_path / "begun"
    assert forbid(given_up)
    with pytest.raises(FileExistsError):
        claim_journal(given_up)
    os.close(claim_journal(begun))
    assert not forbid(begun)
    assert forbid(tmp_path / "no folder" / "journal")


def test_where_there_are_no_locks_a_claim_stands_and_nobody_is_taken_for_its_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F53: whether another container holds it, nobody can know."""

    def without(file: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without)
    journal = tmp_path / "journal"
    claim = claim_journal(journal)
    with pytest.raises(FileExistsError):
        claim_journal(journal)
    with a_process() as (_, process):
        elsewhere = msgspec.structs.replace(process, boot_id="another")
        assert (whereabouts(process, journal), whereabouts(elsewhere, journal)) == ("here", "gone")
    os.close(claim)


@contextmanager
def no_file_left() -> Iterator[None]:
    """What is open stays so, and nothing more can be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_whoever_has_no_file_left_to_look_with_calls_nobody_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P9, P10: what is left of a job whose keeper is gone is swept away."""
    monkeypatch.setattr("mlops_jupyter.executors.local.LOOK_AGAIN", 0.01)

    async def story(keeper: Process, left: subprocess.Popen[bytes]) -> None:
        executor, ended = LocalExecutor(), asyncio.Event()
        with no_file_left():
            with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
                whereabouts(keeper, tmp_path / "journal")
            executor.adopt(keeper, ended.set)
            for _ in range(5):
                await asyncio.sleep(0.01)
        assert (left.poll(), ended.is_set()) == (None, False)
        tell(keeper, signal.SIGKILL)
        await until(ended.is_set)
        assert left.wait() == -signal.SIGKILL
        await executor.close()

    with a_process() as (_, keeper):
        mark = processes.Identity(keeper.pid, keeper.ticks, keeper.boot_id, keeper.pid_namespace).mark
        with a_process(**{processes.MARK: mark}) as (left, _):
            asyncio.run(story(keeper, left))
