"""What was measured while a job fits, as people take it further: a table, and the best of a metric.

Not here: where the points come from (``known``), and pictures of them (``notebook.picture``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlops_jupyter.core import directions
from mlops_jupyter.core.jobs import Job
from mlops_jupyter.core.series import Point

if TYPE_CHECKING:
    import pandas as pd


def best(name: str, points: Mapping[str, Sequence[Point]], job: Job) -> tuple[float, int] | None:
    """The best value of a metric and its step; None while there is no value, ``KeyError`` where it is not
    measured."""
    if name not in points:
        raise KeyError(f"no live metric {name!r}; there are: {', '.join(points) or 'none'}")
    measured = [(point.value, point.step) for point in points[name] if point.value is not None]
    if not measured:
        return None
    choose = min if directions.better(directions.measured(name).title, job) == "down" else max
    return choose(measured, key=lambda pair: pair[0])


def frame(points: Mapping[str, Sequence[Point]]) -> pd.DataFrame:
    """One column a metric, one row a step; what was not measured is NaN."""
    import pandas as pd  # noqa: PLC0415 - a job that came from a file needs none until here

    infinite = {"nan": float("nan"), "+inf": float("inf"), "-inf": float("-inf"), None: float("nan")}
    columns = {
        name: pd.Series(
            {p.step: infinite[p.nf] if p.value is None else p.value for p in measured}, dtype=float
        )
        for name, measured in points.items()
    }
    table = pd.DataFrame(columns, index=pd.Index([], dtype=int)) if not columns else pd.DataFrame(columns)
    return table.sort_index().rename_axis("step")
