"""A table whose file, columns, target and classes are the hostile corpus, trained for real (P26, F39).

All that came of it holds these names as they are, and nothing of it acts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page
from sklearn.tree import DecisionTreeClassifier

from mlops_jupyter.client import lists
from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.job import Job
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.rest import Rest
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.view import Nobody
from mlops_jupyter.core import glyphs, wire
from mlops_jupyter.core.errors import TrainingFailed
from mlops_jupyter.notebook import snapshot
from tests.browser.cards import CORPUS, OPEN_ALL, watched

TARGET, JOB, *COLUMNS = CORPUS
CLASSES = COLUMNS[:3]
#: As far as a file may be called so.
FILE = "".join(name for name in CORPUS if len(name) < 20 and "\0" not in name).replace("/", "")[:200]
#: Of one line, and no longer than the sentence an error is told in.
ERROR = " ".join(name for name in CORPUS if len(name) < 300 and "\n" not in name)
ROWS = 60


class Chatty(DecisionTreeClassifier):
    """Says all of the corpus, and fails with it."""

    def fit(self, X: Any, y: Any) -> Chatty:
        print(*CORPUS, sep="\n")  # noqa: T201 - what a user does
        raise ValueError(ERROR)


class Trained(NamedTuple):
    done: Job
    failed: Job
    rest: Rest


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    chance = np.random.default_rng(0)
    # Half of the columns say nothing, which is found; the rest is learned from.
    columns = {
        name: [name] * ROWS if place % 2 else chance.normal(size=ROWS) for place, name in enumerate(COLUMNS)
    }
    classes = [CLASSES[number % 3] for number in range(ROWS)]
    path = tmp_path_factory.mktemp("table") / FILE
    pd.DataFrame({**columns, TARGET: classes}).to_parquet(path)
    session, rest = Session(Finder.of_this_process(), Nobody()), Rest(Finder.of_this_process())
    options = Options(name=JOB, cv=0)
    failed = session.train(path, TARGET, options._replace(model=Chatty()))
    done = session.train(path, TARGET, options._replace(model="rf", params={"n_estimators": 3}))
    with pytest.raises(TrainingFailed):
        failed.wait(60)
    yield Trained(done.wait(60), failed, rest)
    rest.close()
    session.close()


def test_the_record_and_the_events_hold_every_name_as_it_is(trained: Trained) -> None:
    for job in (trained.done, trained.failed):
        record = job.record
        assert (record.name, record.target, record.classes) == (JOB, TARGET, tuple(sorted(CLASSES)))
        assert record.dataset is not None
        assert record.dataset.name == FILE
        found = {finding.column for finding in record.findings if finding.code == "constant_column"}
        assert found == set(COLUMNS[1::2])
    assert trained.failed.error == f"ValueError: {ERROR}"
    model = trained.rest.model(trained.done.model_id)
    assert {column["name"] for column in model.signature["inputs"]} == set(COLUMNS)
    last = {}
    since, epoch = 0, trained.rest.status().epoch
    while events := trained.rest.events(since, epoch, 0).events:
        told = [msgspec.json.decode(event) for event in events]
        last |= {event["job_id"]: event["job"] for event in told if "job" in event}
        since = told[-1]["seq"]
    for job in (trained.done, trained.failed):
        assert last[job.job_id] == wire.plain(job.record)


def test_logs_hold_it_and_printed_it_does_nothing(trained: Trained) -> None:
    said = "\n".join(CORPUS)
    assert said in trained.failed.logs()
    printed = glyphs.output(trained.failed.logs()).replace("\x1b[31m", "").replace("\x1b[0m", "")
    assert printed == glyphs.visible(printed)


def test_what_stays_in_the_notebook_is_text(trained: Trained) -> None:
    for job in (trained.done, trained.failed):
        html = snapshot.html(job.record, None)
        assert "<th>" + escape(JOB) in html
        assert not any(f"<{word}" in html for word in ("img", "script", "svg", "iframe", "style"))
        told = [snapshot.text(job.record, job.points), lists.job(job.record), repr(job)]
        assert told == [glyphs.visible(text) for text in told]
        assert JOB in told[0]


def test_its_card_shows_it_and_does_nothing(page: Page, bundle: None, trained: Trained) -> None:
    wrong = watched(page)
    kept = {
        f"{CORPUS.index(name)} {job.status}": snapshot.json(job.record, job.points, datetime.now(UTC))
        | {"series": {}}
        for name, job in ((TARGET, trained.done), (JOB, trained.failed))
    }
    page.goto("http://cards/index.html")
    page.evaluate("([states, width]) => window.showStates(states, width)", [kept, 700])
    assert page.evaluate(OPEN_ALL, list(CORPUS)) == {"strange": [], "missing": [], "pwned": False}
    assert wrong == []
