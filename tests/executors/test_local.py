"""Jobs in processes of this machine: how workers stand by, what they are given, who is refused."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import signal
import subprocess
import sys
import sysconfig
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

import mlops_jupyter
from mlops_jupyter.core import facts
from mlops_jupyter.executors import pair
from mlops_jupyter.executors.protocol import BegunBefore, Executor, StartRefused
from mlops_jupyter.training import processes
from tests.executors.builders import (
    BEGUN,
    FINISHED,
    PATH,
    Server,
    a_job,
    an_executor,
    below,
    ended,
    over,
    processes_of,
    recorded,
    run,
    told,
    until,
    worker_pid,
)
from tests.executors.contract import ExecutorContract
from tests.executors.works import Pickled


class TestLocalExecutor(ExecutorContract):
    def executor(self) -> AbstractAsyncContextManager[Executor]:
        return an_executor()


# --- standing by -----------------------------------------------------------------------------


def test_a_job_gets_the_worker_that_stood_by(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            assert await executor.warm()
            waiting = below(os.getpid())
            folder = a_job(tmp_path)
            process = await run(executor, folder)
            assert [process.pid, worker_pid(folder)] == waiting
            assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0)]

    asyncio.run(story())


def test_what_standing_by_cost_is_not_the_jobs(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            assert await executor.warm()
            stood_by = processes.status(below(os.getpid())[1])
            assert stood_by
            folder = a_job(tmp_path)
            await run(executor, folder)
            end = recorded(folder)[-1]
            assert isinstance(end, facts.WorkerEnded)
            assert end.cpu_seconds is not None
            assert end.cpu_seconds < stood_by.cpu_seconds

    asyncio.run(story())


def test_the_next_worker_stands_by_after_a_job_began(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor(standby=True, next_after=0.0) as executor:
            first = await executor.start(a_job(tmp_path, "waits"))
            await until(lambda: len(below(os.getpid())) == 4)
            assert await executor.warm()
            waiting = set(below(os.getpid())) - {first.pid, worker_pid(tmp_path / "j-1")}
            second = await executor.start(a_job(tmp_path, "waits", name="j-2"))
            await until((tmp_path / "j-2" / "waiting").exists)
            assert {second.pid, worker_pid(tmp_path / "j-2")} == waiting
            for process in (first, second):
                executor.stop(process)
                await over(executor, process)

    asyncio.run(story())


def test_asking_twice_warms_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            assert await asyncio.gather(executor.warm(), executor.warm(sys.executable)) == [True, True]
            assert await executor.warm()
            assert len(below(os.getpid())) == 2

    asyncio.run(story())


@pytest.mark.parametrize("which", [0, 1], ids=["keeper", "worker"])
def test_a_job_does_not_mind_that_what_stood_by_has_died(tmp_path: Path, which: int) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            for number in range(3):
                assert await executor.warm()
                end_at_once(below(os.getpid())[which])
                folder = a_job(tmp_path, name=f"j-{number}")
                await run(executor, folder)
                assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0)]

    asyncio.run(story())


def end_at_once(pid: int) -> None:
    """Without a turn of the event loop, so the executor has not heard of it."""
    with os.fdopen(os.pidfd_open(pid)) as process:
        os.kill(pid, signal.SIGKILL)
        select.select([process], [], [])


def test_what_stands_by_ends_with_its_server() -> None:
    server = Server()
    waiting = below(server.pid)
    assert len(waiting) == 2
    server.kill()

    async def story() -> None:
        await until(lambda: [pid for pid in waiting if processes.identify(pid)] == [])

    asyncio.run(story())


def test_what_nobody_wants_ends_after_a_while() -> None:
    async def story() -> None:
        async with an_executor(idle=0.1) as executor:
            await executor.warm()
            await until(lambda: below(os.getpid()) == [])

    asyncio.run(story())


def test_nothing_stands_by_where_memory_is_short(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor(room=1 << 60) as executor:
            assert not await executor.warm()
            assert below(os.getpid()) == []
            await run(executor, a_job(tmp_path))

    asyncio.run(story())


def test_nothing_stands_by_where_nobody_wants_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor(standby=False, next_after=0.0) as executor:
            for number in range(2):
                folder = a_job(tmp_path, name=f"j-{number}")
                await run(executor, folder)
                assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0)]
                assert below(os.getpid()) == []

    asyncio.run(story())


def test_a_job_uses_what_was_installed_just_before(tmp_path: Path, others_find_packages: None) -> None:
    other = an_environment(tmp_path / "env")
    packages = next((tmp_path / "env" / "lib").glob("python*/site-packages"))

    async def story() -> None:
        async with an_executor() as executor:
            assert await executor.warm(other)
            before = below(os.getpid())
            (packages / "new_package.py").write_text("")
            folder = a_job(tmp_path)
            await run(executor, folder, interpreter=other)
            assert worker_pid(folder) not in before

    asyncio.run(story())


# --- what a worker is given ------------------------------------------------------------------


def an_environment(folder: Path) -> str:
    """The interpreter of a new virtual environment, without packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return str(folder / "bin" / "python")


@pytest.fixture
def others_find_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """New environments have none of their own: they borrow ours."""
    packages = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    monkeypatch.setattr("tests.executors.builders.PATH", os.pathsep.join([PATH, *packages]))


def test_a_job_runs_where_and_with_what_it_was_submitted_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others_find_packages: None
) -> None:
    other = an_environment(tmp_path / "env")
    monkeypatch.setenv("JPY_API_TOKEN", "secret")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("CHEESE", "gouda")
    (tmp_path / "work").mkdir()
    own_oom_score = int(Path("/proc/self/oom_score_adj").read_text())

    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "looks_around")
            read, write = os.pipe()
            os.set_inheritable(write, True)
            await run(executor, folder, interpreter=other, cwd=str(tmp_path / "work"))
            os.close(read)
            os.close(write)
            seen = json.loads((folder / "seen").read_text())
            environment = seen.pop("environment")
            assert {"JPY_API_TOKEN", "PYTHONDONTWRITEBYTECODE"} & set(environment) == set()
            assert environment["CHEESE"] == "gouda"
            assert seen == {
                "cwd": str(tmp_path / "work"),
                "path": str(tmp_path / "work"),
                "executable": other,
                "arguments": ["mlops-worker"],
                "stdin": "/dev/null",
                "leader": True,
                "oom": min(own_oom_score + 300, 1000),
                "files": [str(folder / "journal")],
            }

    asyncio.run(story())


def test_everything_that_is_written_is_in_the_log(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, "says")
            await run(executor, folder)
            log = (
                "from Python\nfrom a system call\nfrom C\nfrom a child\nand its errors\n"
                "\rstep 1\rstep 2 \\udcff"
            )
            assert (folder / "output.log").read_bytes().decode() == log
            shown = (*log.split("\n")[:-1], "step 2 \\udcff")
            assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0, log_tail=shown)]

    asyncio.run(story())


def test_what_was_pickled_elsewhere_is_unpickled_in_the_worker(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, estimator=Pickled())
            await run(executor, folder, cwd=str(tmp_path))
            log = (f"unpickled in {tmp_path}",)
            assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0, log_tail=log)]

    asyncio.run(story())


def test_what_cannot_be_unpickled_fails_with_what_to_do(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor() as executor:
            folder = a_job(tmp_path, estimator=Pickled())
            pickled = (folder / "estimator.pkl").read_bytes()
            (folder / "estimator.pkl").write_bytes(pickled.replace(b"works", b"w0rks"))
            await run(executor, folder)
            failed = next(fact for fact in told(folder) if isinstance(fact, facts.WorkFailed))
            assert failed.error == "ModuleNotFoundError: No module named 'tests.executors.w0rks'"
            assert failed.hint
            assert "tests.executors.w0rks" in failed.hint

    asyncio.run(story())


# --- refusals --------------------------------------------------------------------------------


async def refused(folder: Path, *, recipe: str = "tests.executors.works", **options: str) -> str:
    """What is said when this job cannot be started; nothing is left of the attempt."""
    async with an_executor(recipe=recipe, start_timeout=5.0) as executor:
        with pytest.raises(StartRefused) as caught:
            await executor.start(folder, **options)
    assert below(os.getpid()) == []
    return str(caught.value)


def test_another_version_is_refused_naming_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "older" / "mlops_jupyter"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "0.0.9"')
    monkeypatch.setattr("tests.executors.builders.PATH", str(tmp_path / "older"))
    said = asyncio.run(refused(a_job(tmp_path), interpreter=sys.executable))
    ours = mlops_jupyter.__version__
    assert said == (
        f"{sys.executable} has mlops_jupyter 0.0.9; the server has {ours}.\n"
        f"{sys.executable} -m pip install mlops_jupyter=={ours}"
    )


def test_an_environment_without_the_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = an_environment(tmp_path / "env")
    monkeypatch.setattr("tests.executors.builders.PATH", "")
    said = asyncio.run(refused(a_job(tmp_path), interpreter=other))
    ours = mlops_jupyter.__version__
    assert said == (
        f"{other} has no mlops_jupyter; the server has {ours}.\n{other} -m pip install mlops_jupyter=={ours}"
    )


def test_an_interpreter_that_is_gone_is_refused(tmp_path: Path) -> None:
    gone = str(tmp_path / "env" / "bin" / "python")
    said = asyncio.run(refused(a_job(tmp_path), interpreter=gone))
    assert said.startswith(f"The Python interpreter {gone} cannot be started: No such file or directory.\n")


@pytest.mark.parametrize(
    ("program", "why"),
    [
        pytest.param("echo this is no Python >&2", "this is no Python", id="that is no Python"),
        pytest.param("kill -9 $$", "it was ended by SIGKILL", id="that dies"),
    ],
)
def test_an_interpreter_that_cannot_work_is_refused(tmp_path: Path, program: str, why: str) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\n{program}\n")
    script.chmod(0o700)
    said = asyncio.run(refused(a_job(tmp_path), interpreter=str(script)))
    assert said.startswith(f"{script} cannot run jobs: {why}.\n")


def test_a_pair_that_cannot_be_started_keeps_no_file_open(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def story() -> None:
        async with an_executor() as executor:
            before = open_files()
            with pytest.raises(ValueError, match="null"):
                await run(executor, a_job(tmp_path), interpreter="a\0b")
            assert open_files() == before

    asyncio.run(story())


def test_an_interpreter_that_hangs_is_given_up(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text('#!/bin/sh\nsleep 600 < "$0"\n')
    script.chmod(0o700)

    async def story() -> None:
        async with an_executor(start_timeout=1.0) as executor:
            with pytest.raises(StartRefused, match=r"was not ready within 1 s"):
                await executor.start(a_job(tmp_path), interpreter=str(script))
        assert below(os.getpid()) == []
        assert processes_of(tmp_path) == []

    asyncio.run(story())


def test_a_missing_dependency_is_named(tmp_path: Path) -> None:
    said = asyncio.run(refused(a_job(tmp_path), recipe="tests.executors.not_there"))
    reason = "ModuleNotFoundError: No module named 'tests.executors.not_there'"
    assert re.match(rf".* cannot run jobs: {reason}\.\n", said)


def test_a_directory_that_is_gone_is_refused_before_the_job_is_claimed(tmp_path: Path) -> None:
    folder = a_job(tmp_path)
    said = asyncio.run(refused(folder, cwd=str(tmp_path / "gone")))
    assert said.startswith(f"The working directory {tmp_path / 'gone'} does not exist.\n")
    assert not (folder / "journal").exists()


def test_a_job_without_a_folder_is_refused(tmp_path: Path) -> None:
    said = asyncio.run(refused(tmp_path / "j-1"))
    assert said.startswith("The job's folder cannot be written: ")


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(8, id="eight"),
        pytest.param(500, id="500", marks=[pytest.mark.soak, pytest.mark.timeout(1800)]),
    ],
)
def test_jobs_one_after_the_other_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """F10: files, threads, zombies and temporary files stay as few as after the first, memory too."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))

    def held() -> tuple[int, int, int]:
        zombies = [pid for pid in processes.descendants(os.getpid()) if not processes.identify(pid)]
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), len(zombies)

    def no_more_than(first: tuple[int, int, int]) -> bool:
        return all(now <= before for now, before in zip(held(), first, strict=True))

    async def story() -> None:
        # Else the loop's pool has a thread more whenever two things end at once.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        async with an_executor() as executor:
            for number in range(2):
                await run(executor, a_job(tmp_path, name=f"j-first-{number}"))
            first = held()
            memory = 0
            for number in range(count):
                if number == 50:
                    memory = processes.memory([os.getpid()])
                folder = a_job(tmp_path, name=f"j-{number}")
                await run(executor, folder)
                assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0)]
                assert sorted(path.name for path in folder.iterdir()) == [
                    "journal",
                    "output.log",
                    "spec.json",
                ]
            await until(lambda: no_more_than(first))
            # By then libraries have all they load and keep.
            grown = processes.memory([os.getpid()]) - memory if memory else 0
            assert grown < 4 << 20
            assert list(temporary.iterdir()) == []

    asyncio.run(story())


async def test_a_start_that_is_cancelled_leaves_a_keeper_that_has_begun_or_never_will(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P12: here it has the job and was just not scheduled."""
    monkeypatch.setattr(pair, "LAST_WORD", 0.1)
    folder = a_job(tmp_path)
    async with an_executor() as executor:
        await executor.warm()
        (waiting,) = executor._pairs
        os.kill(waiting._pid, signal.SIGSTOP)
        starting = asyncio.create_task(executor.start(folder))
        await until(lambda: waiting.assigned)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert waiting.ended.done()
        assert not (folder / "journal").exists()


async def test_of_two_keepers_that_were_sent_the_same_job_one_runs_it(tmp_path: Path) -> None:
    """P12: the first was not scheduled while its server died and the next one started the job again."""
    folder = a_job(tmp_path)
    async with an_executor() as executor, an_executor() as another:
        await executor.warm()
        (waiting,) = executor._pairs
        os.kill(waiting._pid, signal.SIGSTOP)
        late = asyncio.create_task(executor.start(folder))
        await until(lambda: waiting.assigned)
        await run(another, folder)
        os.kill(waiting._pid, signal.SIGCONT)
        with pytest.raises(BegunBefore):
            await late
        assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0)]
