"""The recipe that is shipped, in a worker of its own."""

from __future__ import annotations

import asyncio
import io
import sys
import time
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mlops_jupyter.core import facts, wire
from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.executors.local import RECIPE
from tests.executors.builders import an_executor, ended, over, recorded, run, told, until


def a_training(parent: Path, **options: Any) -> Path:
    """A job on a table whose target is the sign of one of its columns."""
    chance = np.random.default_rng(0)
    table = parent / "table.csv"
    rows = chance.normal(size=(400, 4)).round(4)
    table.write_text("a,b,c,d,y\n" + "".join(f"{a},{b},{c},{d},{a > 0}\n" for a, b, c, d in rows))
    folder = parent / "j-1"
    folder.mkdir(mode=0o700)
    spec = JobSpec(data=Source(path=str(table), name="table.csv"), target="y", **options)
    (folder / "spec.json").write_bytes(wire.encode(spec))
    return folder


class Plots(LogisticRegression):
    """Says whether pyplot was there before it asked for it, and what it and skrub's report make with it."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        there = "matplotlib.pyplot" in sys.modules
        import matplotlib.pyplot as plt  # noqa: PLC0415 - when a user's code does
        from skrub import TableReport  # noqa: PLC0415

        picture = io.StringIO()
        plt.figure().savefig(picture, format="svg")
        drawn = ["<svg" in text for text in (picture.getvalue(), TableReport(X).html())]
        sys.stdout.write(f"{there} {drawn} {plt is sys.modules['matplotlib.pyplot']}\n")
        return super().fit(X, y, sample_weight)


def stages_ended(folder: Path) -> int:
    return sum(isinstance(fact, facts.StageEnded | facts.StageSkipped) for fact in recorded(folder))


def test_a_training_runs_to_its_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor(recipe=RECIPE) as executor:
            folder = a_training(tmp_path, model="logistic")
            await run(executor, folder)
            assert stages_ended(folder) == 8
            finished, end = told(folder)[-2:]
            assert isinstance(finished, facts.WorkFinished)
            assert isinstance(end, facts.WorkerEnded)
            assert end.exit_code == 0

    asyncio.run(story())


def test_a_worker_has_no_pyplot_until_somebody_plots(tmp_path: Path) -> None:
    async def story() -> None:
        async with an_executor(recipe=RECIPE) as executor:
            folder = a_training(tmp_path, estimator_input="i-1", cv=0)
            (folder / "estimator.pkl").write_bytes(cloudpickle.dumps(Plots()))
            await run(executor, folder)
            assert "False [True, True] True" in (folder / "output.log").read_text().splitlines()

    asyncio.run(story())


@pytest.mark.parametrize("model", ["mlp", "rf"])
def test_a_fit_of_any_length_stops_between_its_steps(tmp_path: Path, model: str) -> None:
    endless = {
        "mlp": {"max_iter": 1_000_000, "n_iter_no_change": 1_000_000},
        "rf": {"n_estimators": 20_000},
    }

    async def story() -> None:
        async with an_executor(recipe=RECIPE) as executor:
            folder = a_training(tmp_path, model=model, params=endless[model], n_jobs=2)
            process = await executor.start(folder)
            await until(lambda: any(isinstance(fact, facts.PointsLogged) for fact in recorded(folder)))
            asked = time.monotonic()
            executor.stop(process)
            await over(executor, process)
            assert time.monotonic() - asked < 2
            assert told(folder)[-1] == ended(exit_code=130, stopped=True)
            assert stages_ended(folder) < 8

    asyncio.run(story())
