"""Jobs run in this process, and what their journals say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from mlops_jupyter.core import facts
from mlops_jupyter.core.jobs import JobSpec, Source
from mlops_jupyter.training.journal import Writer, read
from mlops_jupyter.training.run import Run
from mlops_jupyter.training.tabular import recipe

Kind = TypeVar("Kind", bound=facts.Fact)


class Told(NamedTuple):
    """Everything a journal says, read back from its file."""

    facts: list[facts.Fact]

    def all(self, kind: type[Kind]) -> list[Kind]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def one(self, kind: type[Kind]) -> Kind:
        (fact,) = self.all(kind)
        return fact

    @property
    def metrics(self) -> dict[str, float | None]:
        return {name: v for fact in self.all(facts.Evaluated) for name, v in fact.metrics.items()}

    @property
    def report(self) -> dict[str, Any]:
        return {name: v for fact in self.all(facts.Evaluated) for name, v in fact.report.items()}

    def series(self, name: str) -> dict[int, float | None]:
        """One live metric: step -> value."""
        points = [point for fact in self.all(facts.PointsLogged) for point in fact.points]
        return {point.step: point.value for point in points if point.name == name}

    def details(self) -> dict[str, str | None]:
        return {fact.stage: fact.detail for fact in self.all(facts.StageEnded)}


def told(folder: Path) -> Told:
    batch = read(folder / "journal", 0)
    assert batch.damaged == []
    return Told([facts.decode(payload) for payload in batch.payloads])


def a_run(folder: Path) -> tuple[Run, Writer]:
    writer = Writer(folder / "journal")
    return Run(writer), writer


def kept(folder: Path, table: pd.DataFrame, name: str = "table.csv") -> Source:
    path = folder / name
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)
    return Source(path=str(path))


def trained(folder: Path, table: pd.DataFrame, target: str, estimator: Any = None, **options: Any) -> Told:
    """Run a whole job on ``table`` in ``folder``; its errors are raised, its journal is kept."""
    data = kept(folder, table, options.pop("file", "table.parquet"))
    if estimator is not None:
        options["estimator_input"] = "i-1"
    run, writer = a_run(folder)
    try:
        recipe.train(run, JobSpec(data=data, target=target, **options), folder, estimator)
    finally:
        writer.close()
    return told(folder)
