"""However a job ends, its journal says how, and nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlops_jupyter.core import facts
from mlops_jupyter.executors import pair
from mlops_jupyter.executors.protocol import Executor
from mlops_jupyter.training import output, processes
from mlops_jupyter.training.worker import LEAVE_WITHIN
from tests import control_groups
from tests.executors.builders import (
    BEGUN,
    FINISHED,
    ROOT,
    Server,
    a_job,
    an_executor,
    below,
    ended,
    keeper,
    over,
    processes_of,
    recorded,
    run,
    told,
    until,
    worker_pid,
)


async def started(executor: Executor, folder: Path, **options: Any) -> Any:
    """The keeper of a job whose code runs."""
    process = await executor.start(folder, **options)
    await until((folder / "waiting").exists)
    return process


# --- ends ------------------------------------------------------------------------------------


def test_work_that_raises_is_told_in_one_sentence(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "fails")
            await run(executor, folder)
            failed = facts.WorkFailed(time=0, error="ValueError: the target is empty")
            assert told(folder) == [*BEGUN, failed, ended(exit_code=1)]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param(0, ended(exit_code=0), id="as if all were well"),
        pytest.param(None, ended(exit_code=0), id="without a code"),
        pytest.param("no data", ended(exit_code=1, log_tail=("no data",)), id="with a message"),
        pytest.param(300, ended(exit_code=44), id="with a code the system cuts"),
    ],
)
def test_work_that_leaves_by_itself_is_not_finished(
    tmp_path: Path, code: Any, expected: facts.WorkerEnded
) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "exits", code=code)
            await run(executor, folder)
            assert told(folder) == [*BEGUN, expected]

    asyncio.run(story())


def test_a_worker_that_vanishes_at_once_is_not_finished(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "exits_at_once")
            await run(executor, folder)
            assert told(folder) == [*BEGUN, ended(exit_code=7)]

    asyncio.run(story())


def test_a_killed_worker_is_told_with_its_signal_and_last_lines(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "waits")
            process = await started(executor, folder)
            os.kill(worker_pid(folder), signal.SIGKILL)
            await over(executor, process)
            assert told(folder) == [*BEGUN, ended(signal=9, log_tail=("waiting",))]

    asyncio.run(story())


def test_a_crash_in_compiled_code_leaves_the_lines_that_led_to_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "crashes")
            await run(executor, folder)
            end = recorded(folder)[-1]
            assert isinstance(end, facts.WorkerEnded)
            assert (end.exit_code, end.signal) == (None, signal.SIGSEGV)
            assert end.log_tail[:2] == ("before the crash", "Fatal Python error: Segmentation fault")
            assert any("in crashes" in line for line in end.log_tail)

    asyncio.run(story())


def test_a_job_that_kills_its_process_group_does_not_reach_its_keeper(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "kills_its_group")
            await run(executor, folder)
            assert told(folder) == [*BEGUN, ended(signal=9)]

    asyncio.run(story())


def test_a_thread_that_never_ends_does_not_keep_a_finished_job(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "leaves_a_thread")
            await run(executor, folder)
            assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0)]

    asyncio.run(story())


def test_processes_of_joblib_end_with_the_job_and_leave_no_file(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "works_in_processes")
            await run(executor, folder)
            assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0, log_tail=("800000.0",))]
            end, finished = recorded(folder)[-1], recorded(folder)[-2]
            assert end.elapsed - finished.elapsed < LEAVE_WITHIN
            assert list(folder.glob("joblib_memmapping_folder_*")) == []

    asyncio.run(story())


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "stopped"])
def test_no_file_of_joblib_outlives_a_job_that_ends_in_the_middle(tmp_path: Path, killed: bool) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "works_in_processes", seconds=60.0)
            process = await started(executor, folder)
            assert len(list(folder.glob("joblib_memmapping_folder_*"))) == 1
            if killed:
                os.kill(worker_pid(folder), signal.SIGKILL)
            else:
                executor.stop(process)
            await over(executor, process)
            assert told(folder)[:-1] == BEGUN
            assert list(folder.glob("joblib_memmapping_folder_*")) == []
            assert processes_of(folder) == []

    asyncio.run(story())


def test_a_finished_job_leaves_no_process_however_it_hides(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "leaves_processes")
            await run(executor, folder)
            assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0, log_tail=("waiting",))]
            assert processes_of(folder) == []

    asyncio.run(story())


def test_a_killed_keeper_takes_everything_with_it_and_leaves_no_word(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "leaves_processes", seconds=60.0)
            process = await started(executor, folder)
            os.kill(process.pid, signal.SIGKILL)
            await over(executor, process)
            assert told(folder) == BEGUN
            assert processes_of(folder) == []

    asyncio.run(story())


def test_a_job_that_prints_without_end_does_not_fill_the_disk(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "prints", megabytes=120)
            await run(executor, folder)
            assert told(folder)[:-1] == [*BEGUN, FINISHED]
            assert (folder / "output.log").stat().st_size < output.KEPT + output.SLACK
            last = recorded(folder)[-1]
            assert isinstance(last, facts.WorkerEnded)
            assert last.log_tail[-1] == "the last line"

    asyncio.run(story())


def test_the_resources_are_those_of_the_whole_tree(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "uses_resources")
            await run(executor, folder)
            end = recorded(folder)[-1]
            assert isinstance(end, facts.WorkerEnded)
            assert end.cpu_seconds
            assert end.cpu_seconds >= 0.3
            assert end.peak_memory_bytes
            assert 300e6 < end.peak_memory_bytes < 600e6

    asyncio.run(story())


def test_what_was_logged_before_a_kill_is_in_the_journal(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            for number in range(5):
                folder = a_job(tmp_path, "counts", name=f"j-{number}")
                process = await executor.start(folder)
                await until(lambda at=100 * number, file=folder / "counted": lines(file) > at)
                os.kill(worker_pid(folder), signal.SIGKILL)
                await over(executor, process)
                points = [f.points[0].step for f in recorded(folder) if isinstance(f, facts.PointsLogged)]
                assert points == list(range(1, len(points) + 1))
                assert len(points) >= lines(folder / "counted")
                assert told(folder)[-1] == ended(signal=9)

    asyncio.run(story())


def lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


@contextmanager
def full(*pids: int) -> Iterator[None]:
    """No file of these processes takes anything meanwhile."""
    unlimited = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, hard) in unlimited.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    yield
    for pid, limits in unlimited.items():
        if psutil.pid_exists(pid):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keepers wait for the disk by hours; what is made once one has waited for two."""
    slept = tmp_path / "slept"
    ahead = (
        "import pathlib, mlops_jupyter.training.journal as j, tests.ahead as a; "
        f"j.time = a.Ahead(pathlib.Path({str(slept)!r})); from mlops_jupyter.training"
    )
    monkeypatch.setattr(pair, "_KEEPER", pair._KEEPER.replace("from mlops_jupyter.training", ahead, 1))
    return slept


def test_the_end_is_told_once_a_full_disk_has_room_again_however_long_that_takes(
    tmp_path: Path, patient: Path
) -> None:
    """P5, F6."""

    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "waits")
            process = await started(executor, folder)
            with full(process.pid):
                os.kill(worker_pid(folder), signal.SIGKILL)
                await until(lambda: patient.exists() or not psutil.pid_exists(process.pid))
                assert told(folder) == BEGUN
            await over(executor, process)
            assert told(folder) == [*BEGUN, ended(signal=9, log_tail=("waiting",))]

    asyncio.run(story())


@pytest.mark.parametrize("fails", [False, True])
def test_a_worker_waits_for_a_full_disk_to_take_its_end_and_counts_what_it_could_not_hold(
    tmp_path: Path, fails: bool
) -> None:
    """P5, F6: or a model that is saved would be a job that ended itself, and an error would be none."""

    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "ends_on_a_full_disk", points=100, fails=fails)
            process = await started(executor, folder)
            worker = worker_pid(folder)
            with full(worker):
                (folder / "full").touch()
                await until(lambda: (folder / "slept").exists() or not psutil.pid_exists(worker))
                assert told(folder) == BEGUN
            await over(executor, process)
            said = told(folder)
            kept = [fact.points[0].step for fact in said if isinstance(fact, facts.PointsLogged)]
            assert 0 < len(kept) < 100
            assert kept == list(range(101 - len(kept), 101))
            dropped = f"The disk refused for so long that {100 - len(kept)} records were given up"
            outcome, finding, end = said[-3:]
            assert isinstance(outcome, facts.WorkFailed if fails else facts.WorkFinished)
            assert isinstance(finding, facts.FindingMade)
            assert finding.message == f"{dropped}: points are missing."
            assert end == ended(exit_code=int(fails))

    asyncio.run(story())


def test_a_worker_that_waits_for_a_full_disk_is_stopped_and_the_stop_is_told(
    tmp_path: Path, patient: Path
) -> None:
    """P5, F6: its keeper waits on."""

    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "ends_on_a_full_disk")
            process = await started(executor, folder)
            worker = worker_pid(folder)
            with full(worker, process.pid):
                (folder / "full").touch()
                await until((folder / "slept").exists)
                executor.stop(process)
                await until(lambda: not psutil.pid_exists(worker))
                await until(patient.exists)
                assert told(folder) == BEGUN
            await over(executor, process)
            assert told(folder) == [*BEGUN, ended(signal=15, stopped=True)]

    asyncio.run(story())


def test_a_worker_that_is_stopped_is_told_as_silent_and_as_heard_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P9, F17: and nothing else follows from it."""
    patience = "import mlops_jupyter.training.silence as s; s.SILENT_AFTER = 1.0; from mlops_jupyter.training"
    program = pair._KEEPER.replace("from mlops_jupyter.training", patience, 1)
    monkeypatch.setattr(pair, "_KEEPER", program)

    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "waits", seconds=1.0)
            process = await started(executor, folder)
            os.kill(worker_pid(folder), signal.SIGSTOP)
            await until(lambda: told(folder)[-1:] == [facts.WorkerSilent(time=0)])
            os.kill(worker_pid(folder), signal.SIGCONT)
            await over(executor, process)
            silence = [facts.WorkerSilent(time=0), facts.WorkerHeard(time=0)]
            # It may be over before anybody looks again.
            end = [FINISHED, ended(exit_code=0, log_tail=("waiting",))]
            said = told(folder)
            assert said[:3] == [*BEGUN, silence[0]]
            assert [fact for fact in said[3:] if fact != silence[1]] == end

    asyncio.run(story())


def test_real_control_groups_are_made_in_either_version(tmp_path: Path) -> None:
    """Of version 2 beside our own group, in one that hands memory on, and nowhere else."""
    membership, job = tmp_path / "membership", tmp_path / "user" / "job"
    job.mkdir(parents=True)
    membership.write_text("0::/user/job\n")
    handed = [(group / "cgroup.subtree_control") for group in (job, job.parent, tmp_path)]
    for file in handed:
        file.write_text("cpu pids\n")
    assert control_groups.place(str(tmp_path), str(membership)) is None
    handed[1].write_text("cpu memory pids\n")
    assert control_groups.place(str(tmp_path), str(membership)) == job.parent
    own = tmp_path / "memory" / "job"
    own.mkdir(parents=True)
    (own / "memory.limit_in_bytes").write_text("9\n")
    membership.write_text("4:memory:/job\n")
    assert control_groups.place(str(tmp_path), str(membership)) == own


@pytest.mark.parametrize("kind", control_groups.kinds())
def test_when_memory_runs_out_the_worker_goes_and_its_keeper_tells(tmp_path: Path, kind: str) -> None:
    """F13. A real control group where one can be made: the report's header says whether."""
    limit = 400 << 20

    async def story(group: control_groups.Real | control_groups.Recorded) -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "grows")
            with group.inside():
                process = await executor.start(folder)
            await until((folder / "waiting").exists)
            group.charge(worker_pid(folder))
            (folder / "grow").touch()
            await over(executor, process)
            end = recorded(folder)[-1]
            assert isinstance(end, facts.WorkerEnded)
            assert (end.signal, end.oom_kills, end.memory_limit_bytes) == (9, 1, limit)
            assert end.peak_memory_bytes
            # Pages it shares with others outside may be charged to them.
            assert limit / 2 < end.peak_memory_bytes < limit * 1.5

    with control_groups.limited(kind, limit, tmp_path) as group:
        asyncio.run(story(group))


# --- stops -----------------------------------------------------------------------------------


def test_code_that_catches_keyboard_interrupts_is_stopped_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "swallows_interrupts")
            executor.stop(await started(executor, folder))
            await over(executor, keeper(folder))
            assert told(folder) == [*BEGUN, ended(exit_code=130, stopped=True, log_tail=("waiting",))]

    asyncio.run(story())


def test_an_exit_function_that_hangs_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "hangs_at_exit")
            executor.stop(await started(executor, folder))
            await over(executor, keeper(folder))
            assert told(folder) == [*BEGUN, ended(exit_code=130, stopped=True, log_tail=("waiting",))]

    asyncio.run(story())


def test_a_worker_deaf_to_the_request_is_ended_by_the_order(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "ignores", signals=[signal.SIGINT])
            asked = time.monotonic()
            executor.stop(await started(executor, folder))
            await over(executor, keeper(folder))
            assert told(folder) == [*BEGUN, ended(signal=15, stopped=True, log_tail=("waiting",))]
            assert time.monotonic() - asked >= 2

    asyncio.run(story())


def test_a_worker_deaf_to_everything_is_gone_within_twelve_seconds(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "ignores", signals=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
            process = await started(executor, folder)
            asked = time.monotonic()
            executor.stop(process)
            executor.stop(process)
            await over(executor, process)
            assert told(folder) == [*BEGUN, ended(signal=9, stopped=True, log_tail=("waiting",))]
            assert 10 <= time.monotonic() - asked < 12
            assert processes_of(folder) == []

    asyncio.run(story())


def test_a_suspended_worker_can_be_stopped(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "waits")
            process = await started(executor, folder)
            os.kill(worker_pid(folder), signal.SIGSTOP)
            executor.stop(process)
            await over(executor, process)
            assert told(folder) == [*BEGUN, ended(exit_code=130, stopped=True, log_tail=("waiting",))]

    asyncio.run(story())


def test_a_stop_takes_what_the_job_started_with_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "leaves_processes", seconds=60.0)
            executor.stop(await started(executor, folder))
            await over(executor, keeper(folder))
            assert told(folder) == [*BEGUN, ended(exit_code=130, stopped=True, log_tail=("waiting",))]
            assert processes_of(folder) == []

    asyncio.run(story())


def test_a_stop_that_races_the_end_leaves_one_outcome(tmp_path: Path) -> None:
    stopped = [*BEGUN, ended(exit_code=130, stopped=True, log_tail=("waiting",))]
    finished = [
        [*BEGUN, FINISHED, ended(exit_code=0, stopped=asked, log_tail=("waiting",))]
        for asked in (False, True)
    ]

    async def race(executor: Executor, number: int) -> None:
        folder = a_job(tmp_path, "waits", name=f"j-{number}", seconds=0.03)
        process = await started(executor, folder)
        await asyncio.sleep(0.025 + number / 1000)
        executor.stop(process)
        await over(executor, process)
        assert told(folder) in (stopped, *finished)

    async def story() -> None:
        async with an_executor() as executor:
            for number in range(12):
                await race(executor, number)

    asyncio.run(story())


def test_a_terminal_ends_no_job(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "waits", seconds=0.5)
            process = await started(executor, folder)
            for number in (signal.SIGINT, signal.SIGHUP):
                os.kill(process.pid, number)
            os.kill(worker_pid(folder), signal.SIGHUP)
            await over(executor, process)
            assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0, log_tail=("waiting",))]

    asyncio.run(story())


# --- limits ----------------------------------------------------------------------------------


def states(folder: Path) -> list[str]:
    """Of every process of the job but its keeper, as the kernel has them."""
    found = [processes.status(pid) for pid in below(keeper(folder).pid)]
    return [status.state for status in found if status]


def pauses(folder: Path) -> list[str]:
    return [type(fact).__name__ for fact in recorded(folder) if "Worker" in type(fact).__name__]


def test_a_paused_job_does_nothing_anywhere_until_it_is_resumed(tmp_path: Path) -> None:
    """Detached grandchildren included."""

    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "counts_everywhere")
            process = await started(executor, folder)
            executor.pause(process)
            await until(lambda: pauses(folder) == ["WorkerPaused"])
            assert states(folder) == ["T", "T", "T"]
            executor.resume(process)
            await until(lambda: pauses(folder) == ["WorkerPaused", "WorkerResumed"])
            await until(lambda: "T" not in states(folder))
            executor.stop(process)
            await over(executor, process)
            assert processes_of(folder) == []

    asyncio.run(story())


def test_a_stop_of_a_paused_job_lets_it_go_on_first(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "waits")
            process = await started(executor, folder)
            executor.pause(process)
            await until(lambda: pauses(folder) == ["WorkerPaused"])
            executor.stop(process)
            await over(executor, process)
            paused, resumed = facts.WorkerPaused(time=0), facts.WorkerResumed(time=0, paused_for=0)
            end = ended(exit_code=130, stopped=True, log_tail=("waiting",))
            assert told(folder) == [*BEGUN, paused, resumed, end]

    asyncio.run(story())


def test_a_timeout_does_not_count_pauses(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "waits")
            process = await started(executor, folder, timeout=1.5)
            executor.pause(process)
            await until(lambda: pauses(folder) == ["WorkerPaused"])
            # Longer than the timeout: the keeper must have looked at it.
            await asyncio.sleep(1.6)
            assert states(folder) == ["T"]
            executor.resume(process)
            await over(executor, process)
            resumed, end = recorded(folder)[-2:]
            assert isinstance(resumed, facts.WorkerResumed)
            assert isinstance(end, facts.WorkerEnded)
            assert end.timed_out
            assert end.elapsed - resumed.paused_for >= 1.5

    asyncio.run(story())


def test_a_job_ends_at_its_timeout(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "waits")
            await run(executor, folder, timeout=0.3)
            assert told(folder) == [*BEGUN, ended(exit_code=130, timed_out=True, log_tail=("waiting",))]

    asyncio.run(story())


def test_a_job_outlives_the_server_that_started_it(tmp_path: Path) -> None:
    folder = a_job(tmp_path, "waits", seconds=1.0)
    Server(folder).kill()

    async def story() -> None:
        await until(lambda: told(folder)[-1:] == [ended(exit_code=0, log_tail=("waiting",))])

    asyncio.run(story())
    assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0, log_tail=("waiting",))]


def test_a_job_without_any_server_ends_after_its_time(tmp_path: Path) -> None:
    folder = a_job(tmp_path, "waits")
    Server(folder, orphan_ttl=0).kill()

    async def story() -> None:
        await until(lambda: processes_of(folder) == [])

    asyncio.run(story())
    assert told(folder) == [*BEGUN, ended(exit_code=130, orphaned=True, log_tail=("waiting",))]


def test_a_job_that_was_adopted_is_no_orphan(tmp_path: Path) -> None:
    folder = a_job(tmp_path, "waits", seconds=4.0)
    server = Server(folder, orphan_ttl=1.5)

    async def story() -> None:
        async with an_executor() as executor:
            server.kill()
            await over(executor, keeper(folder))

    asyncio.run(story())
    assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0, log_tail=("waiting",))]


# --- itself ----------------------------------------------------------------------------------


def test_a_keeper_imports_nothing_but_the_standard_library() -> None:
    program = (
        "import sys; sys.path.append(sys.argv[1]); import mlops_jupyter.training.keeper; print(*sys.modules)"
    )
    words = [sys.executable, "-I", "-S", "-c", program, str(ROOT)]
    modules = subprocess.run(words, capture_output=True, check=True, text=True).stdout.split()
    others = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names) - {"__main__"}
    assert others == {"mlops_jupyter"}


@pytest.mark.parametrize("mask", [0o000, 0o777])
def test_files_of_a_job_are_its_users_alone_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "nothing")
            before = os.umask(mask)
            try:
                process = await executor.start(folder)
            finally:
                os.umask(before)
            await over(executor, process)
            modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
            assert (modes["journal"], modes["output.log"]) == (0o600, 0o600)

    asyncio.run(story())
