"""What holds for every executor. A test module subclasses it and says how one is made."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
import pytest

from mlops_jupyter.executors import liveness
from mlops_jupyter.executors.protocol import BegunBefore, Executor
from tests.executors.builders import BEGUN, FINISHED, a_job, ended, keeper, over, run, told, until


class ExecutorContract:
    def executor(self) -> AbstractAsyncContextManager[Executor]:
        raise NotImplementedError

    def test_a_job_tells_its_begin_its_work_and_its_end(self, tmp_path: Path) -> None:
        async def story() -> None:
            async with self.executor() as executor:
                folder = a_job(tmp_path, "nothing")
                process = await run(executor, folder)
                assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0)]
                assert keeper(folder) == process

        asyncio.run(story())

    def test_start_returns_while_the_job_runs_and_its_process_is_alive(self, tmp_path: Path) -> None:
        async def story() -> None:
            async with self.executor() as executor:
                folder = a_job(tmp_path, "waits")
                process = await executor.start(folder)
                assert liveness.alive(process)
                assert executor.stop(process)
                await over(executor, process)
                assert not liveness.alive(process)

        asyncio.run(story())

    def test_a_stopped_job_ends_within_two_seconds_where_its_code_lets_it(self, tmp_path: Path) -> None:
        async def story() -> None:
            async with self.executor() as executor:
                folder = a_job(tmp_path, "waits")
                process = await executor.start(folder)
                await until((folder / "waiting").exists)
                asked = time.monotonic()
                executor.stop(process)
                await over(executor, process)
                assert time.monotonic() - asked < 2
                assert told(folder) == [*BEGUN, ended(exit_code=130, stopped=True, log_tail=("waiting",))]

        asyncio.run(story())

    def test_a_job_is_started_once(self, tmp_path: Path) -> None:
        async def story() -> None:
            async with self.executor() as executor:
                folder = a_job(tmp_path, "nothing")
                await run(executor, folder)
                with pytest.raises(BegunBefore):
                    await executor.start(folder)
                assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0)]

        asyncio.run(story())

    def test_what_is_not_that_process_is_neither_alive_nor_stopped(self, tmp_path: Path) -> None:
        async def story() -> None:
            async with self.executor() as executor:
                folder = a_job(tmp_path, "waits")
                process = await executor.start(folder)
                await until((folder / "waiting").exists)
                for other in (
                    msgspec.structs.replace(process, ticks=process.ticks + 1),
                    msgspec.structs.replace(process, boot_id="another boot"),
                    msgspec.structs.replace(process, pid_namespace="pid:[1]"),
                ):
                    assert (liveness.alive(other), executor.stop(other)) == (False, False)
                assert liveness.alive(process)
                executor.stop(process)
                await over(executor, process)

        asyncio.run(story())

    def test_whoever_adopts_a_job_that_is_gone_hears_so_once(self, tmp_path: Path) -> None:
        async def story() -> None:
            async with self.executor() as executor:
                process = await run(executor, a_job(tmp_path, "nothing"))
                await over(executor, process)

        asyncio.run(story())

    def test_jobs_go_on_when_the_executor_is_closed(self, tmp_path: Path) -> None:
        async def story() -> None:
            async with self.executor() as executor:
                folder = a_job(tmp_path, "waits", seconds=1.0)
                process = await executor.start(folder)
            async with self.executor() as another:
                assert liveness.alive(process)
                await over(another, process)
                assert told(folder) == [*BEGUN, FINISHED, ended(exit_code=0, log_tail=("waiting",))]

        asyncio.run(story())
