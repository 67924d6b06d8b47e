"""The widget's traits, followed from Python."""

from __future__ import annotations

import ipywidgets
import pandas as pd

from mlops_jupyter.client.options import Options
from mlops_jupyter.client.session import Session
from mlops_jupyter.core import wire
from mlops_jupyter.notebook.snapshot import pairs
from mlops_jupyter.notebook.widgets import JobWidget
from tests.notebook.conftest import PENGUINS


def test_traits_follow_the_job_and_can_be_observed(session: Session) -> None:
    job = session.train(PENGUINS, "species", Options(model="gradient_boosting", cv=0))
    widget = JobWidget(job)
    seen: list[tuple[str, object]] = []
    widget.observe(lambda change: seen.append((change["name"], change["new"])), ["status", "progress"])
    job.wait(60)
    record = wire.plain(job.record)
    assert (widget.job_id, widget.record, widget.relayed) == (job.job_id, record, True)
    assert widget.series == {name: pairs(points) for name, points in job.points.items()}
    statuses = [value for name, value in seen if name == "status"]
    progress = [value for name, value in seen if name == "progress"]
    assert (statuses[-1], progress[-1]) == ("completed", 100.0)
    assert progress == sorted(progress)  # type: ignore[type-var]


def test_it_lives_in_layouts(session: Session) -> None:
    job = session.train(pd.read_csv(PENGUINS), "species", Options(model="knn", cv=0))
    box = ipywidgets.VBox([ipywidgets.HTML("above"), JobWidget(job)])
    assert box.children[1].job_id == job.job_id
    job.wait(60)


def test_an_observer_that_breaks_does_not_stop_the_feed(session: Session, caplog: object) -> None:
    job = session.train(PENGUINS, "species", Options(model="knn", cv=0))
    widget = JobWidget(job)
    widget.observe(lambda _: 1 / 0, "status")
    assert job.wait(60).status == "completed"
