"""What stays in a notebook file: bounded, strict, and never markup of somebody else's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from mlops_jupyter.core import wire
from mlops_jupyter.core.jobs import Best, Candidate, Dataset, Finding, Job
from mlops_jupyter.core.series import Point
from mlops_jupyter.notebook import snapshot
from mlops_jupyter.notebook.picture import picture
from tests.core.builders import a_job

NOW = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'


def curve(name: str, count: int) -> list[Point]:
    return [Point(name=name, step=step, value=2.61 / step, elapsed=step / 10) for step in range(1, count + 1)]


def a_finished_job(**changes: Any) -> Job:
    return a_job(
        **{
            "job_id": "j-7f3a00000000",
            "status": "completed",
            "elapsed_time": 10.44,
            "end_time": NOW,
            "final_score": 0.9742,
            "metrics": {"train_accuracy": 1.0, "test_accuracy": 0.9742},
            "best": Best(name="val_loss", value=0.12, step=37),
            "estimator": "MLPClassifier",
            "target": "species",
            "dataset": Dataset(name="penguins.csv", rows=344),
            "model_id": "m-7f3a00000000",
            **changes,
        }
    )


def a_monster() -> Job:
    """As much of everything as a job can have, all of it hostile."""
    long = HOSTILE * 1000
    candidates = tuple(
        Candidate(index=n, label=long, stage="Model selection", parameters={long: long}, scores=(0.5,) * 50)
        for n in range(500)
    )
    return a_finished_job(
        name=long,
        status="failed",
        error=long,
        hint=long,
        traceback=long,
        target=long,
        estimator=long,
        message=long,
        log_tail=(long,) * 100,
        metrics={f"{long}{n}": float(n) for n in range(500)},
        live_metrics={f"{long}{n}": float(n) for n in range(500)},
        parameters={f"p{n}": long for n in range(500)},
        findings=tuple(Finding(code=long, severity="warning", message=long) for _ in range(500)),
        candidates=candidates,
        classes=(long,) * 500,
        dataset=Dataset(name=long, rows=1),
    )


def test_text_has_three_lines() -> None:
    job = a_finished_job()
    moment = job.end_time.astimezone().strftime("%Y-%m-%d %H:%M") if job.end_time else ""
    assert snapshot.text(job, {"val_loss": curve("val_loss", 40)}).splitlines() == [
        f"penguins-rf j-7f3a  ✓ finished in 10.4 s ({moment})   accuracy 0.9742   best val_loss 0.12 @ 37",
        "val_loss 2.61 █▄▃▂▂▂▁▁▁▁ 0.06525",
        'model m-7f3a00000000     reopen: mlops.get("j-7f3a")',
    ]


def test_text_of_a_failure_gives_its_cause() -> None:
    job = a_job(status="failed", current_stage="Training model", error="ValueError: no\nmore", hint="Try")
    assert snapshot.text(job, {}).splitlines() == [
        "penguins-rf j-7f3a  ✕ failed at Training model",
        "ValueError: no",
        'reopen: mlops.get("j-7f3a")',
    ]


def test_json_holds_the_record_and_the_curves_as_pairs() -> None:
    job = a_finished_job()
    points = [*curve("val_loss", 2), Point(name="val_loss", step=3, value=None, nf="nan")]
    body = snapshot.json(job, {"val_loss": points}, NOW)
    record = body.pop("record")
    assert body == {
        "version": 1,
        "job_id": job.job_id,
        "as_of": "2026-11-21T14:02:00.000Z",
        "series": {"val_loss": [[1, 2.61], [2, 1.305], [3, None, "nan"]]},
    }
    whole = wire.plain(job)
    assert record == {name: whole[name] for name in record}
    assert {"status", "stages", "metrics", "best", "final_score", "model_id"} <= record.keys()


def test_only_a_failure_keeps_its_last_lines() -> None:
    def tail(status: str) -> Any:
        job = a_finished_job(status=status, log_tail=("a line",))
        return snapshot.json(job, {}, NOW)["record"]["log_tail"]

    assert [tail("completed"), tail("failed")] == [[], ["a line"]]


@pytest.mark.parametrize("curves", [1, 4, 40, 400])
def test_json_stays_below_its_bound_whatever_a_job_holds(curves: int) -> None:
    points = {f"metric_{n}": curve(f"metric_{n}", 5000) for n in range(curves)}
    body = snapshot.json(a_monster(), points, NOW)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    assert len(text.encode()) <= snapshot.MOST_JSON
    assert body["record"]["status"] == "failed"


def test_a_spike_survives_the_thinning() -> None:
    points = curve("val_loss", 100_000)
    points[77_777] = Point(name="val_loss", step=77_778, value=99.0)
    kept = snapshot.json(a_finished_job(), {"val_loss": points}, NOW)["series"]["val_loss"]
    assert len(kept) <= snapshot.MOST_POINTS
    assert [77_778, 99.0] in kept


class Tags(HTMLParser):
    """Every tag with its attributes, and the words between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[str]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_html_is_one_table_and_one_picture_and_stays_below_its_bound() -> None:
    points = {f"{split}_{name}": curve("m", 3000) for split in ("train", "val") for name in ("loss", "acc")}
    png = picture(points)
    assert png is not None
    html = snapshot.html(a_monster(), png)
    assert len(html.encode()) <= snapshot.MOST_HTML
    found = Tags(html)
    assert {tag for tag, _ in found.tags} == {"table", "tr", "th", "td", "img"}
    assert [names for tag, names in found.tags if tag == "img"] == [["alt", "src"]]
    assert {name for tag, names in found.tags if tag != "img" for name in names} == set()
    assert any(word.startswith("<script>") for word in found.words)


def test_html_shows_hold_out_numbers_first() -> None:
    words = Tags(snapshot.html(a_finished_job(), None)).words
    assert words[words.index("accuracy, hold-out") :][:6] == [
        *("accuracy, hold-out", "0.9742"),
        *("test_accuracy", "0.9742"),
        *("train_accuracy", "1"),
    ]


def test_the_picture_is_a_small_png_and_the_same_each_time() -> None:
    points = {"train_loss": curve("train_loss", 500), "val_loss": curve("val_loss", 500)}
    first = picture(points)
    assert first is not None
    assert (first[:8], first == picture(points), len(first) < 40_000) == (b"\x89PNG\r\n\x1a\n", True, True)


def test_a_name_with_dollar_signs_is_no_formula_and_not_finite_points_are_gaps() -> None:
    points = [Point(name="$x^", step=1, value=1.0), Point(name="$x^", step=2, value=None, nf="+inf")]
    assert picture({"$x^": points, "val_$": points}) is not None


def test_without_points_there_is_no_picture() -> None:
    assert picture({}) is None
    assert picture({"loss": [Point(name="loss", step=1, value=None, nf="nan")]}) is None
