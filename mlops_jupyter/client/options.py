"""What may be said to ``mlops.train`` beside data and target; ``notebook.session.train`` describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Options(NamedTuple):
    """``data_name`` is what people call the table."""

    model: Any = None
    params: Mapping[str, Any] | None = None
    grid: Mapping[str, Sequence[Any]] | None = None
    split: str = "random"
    test: Any = None
    test_size: float = 0.2
    metric: str | None = None
    drop: Sequence[str] | str = ()
    cv: int = 5
    refit: bool = False
    n_jobs: int = 1
    name: str | None = None
    timeout: float | None = None
    priority: int = 0
    seed: int = 0
    task: str | None = None
    target_na: str = "error"
    data_name: str | None = None
