"""A job may tell and print without end; what is kept has one, says so, and the fit goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_jupyter import news
from mlops_jupyter.core import limits
from mlops_jupyter.core.facts import FindingMade, PointsLogged, StageSkipped
from mlops_jupyter.training import output, standby
from mlops_jupyter.training.journal import Writer
from mlops_jupyter.training.run import Run
from tests.training import builders


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    writer = Writer(tmp_path / "journal")
    yield Run(writer)
    writer.close()


def kept(folder: Path) -> tuple[list[str], list[str]]:
    """Names of the points in the journal, and codes of the findings."""
    told = builders.told(folder).facts
    points = [point.name for fact in told if isinstance(fact, PointsLogged) for point in fact.points]
    return points, [fact.code for fact in told if isinstance(fact, FindingMade)]


def test_metrics_beyond_the_limit_are_left_out_and_it_is_said_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "METRICS", 3)
    run.log(1, {"a": 1.0, "b": 1.0})
    run.log(2, {"a": 2.0, "c": 2.0, "d": 2.0, "e": 2.0})
    run.log(3, {"f": 3.0})
    run.log(4, {"c": 4.0})
    assert kept(tmp_path) == (["a", "b", "a", "c", "c"], ["too_many_metrics"])


@pytest.mark.parametrize("limit", [{"POINTS": 5}, {"JOURNAL_BYTES": 500}], ids=["points", "bytes"])
def test_points_beyond_the_limit_are_left_out_and_it_is_said_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: dict[str, int]
) -> None:
    for name, most in limit.items():
        monkeypatch.setattr(limits, name, most)
    for step in range(100):
        run.log(step, {"a": 1.0})
    run.skip("Feature engineering", "still told")
    points, findings = kept(tmp_path)
    assert 4 <= len(points) <= 6
    assert findings == ["too_many_points"]
    (skipped,) = builders.told(tmp_path).all(StageSkipped)
    assert skipped.stage == "Feature engineering"


def test_findings_beyond_the_limit_are_left_out_but_for_what_stops_the_job(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FINDINGS", 2)
    for number in range(5):
        run.finding(f"f{number}", "…")
    run.finding("last", "…", "fatal")
    assert kept(tmp_path) == ([], ["f0", "f1", "too_many_findings", "last"])


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """An open log of which 1,000 bytes are kept, and 200 of its end."""
    for name, size in (("KEPT", 1000), ("END", 200), ("SLACK", 300)):
        monkeypatch.setattr(output, name, size)
    file = os.open(tmp_path / "output.log", os.O_RDWR | os.O_APPEND | os.O_CREAT)
    yield file
    os.close(file)


def test_output_keeps_its_beginning_and_its_end_and_says_what_is_between(log: int, tmp_path: Path) -> None:
    def write(first: int, last: int) -> None:
        for number in range(first, last):
            os.write(log, b"line %4d\n" % number)
            output.trim(log)

    path = tmp_path / "output.log"
    notice = output.NOTICE.decode()
    write(0, 60)
    lines, offset = news.new_lines(path, 0, final=False)
    write(60, 5000)
    assert path.stat().st_size <= 1000 + 300 + 400
    more, offset = news.new_lines(path, offset, final=False)
    last, offset = news.new_lines(path, offset, final=False)
    assert lines + more == [f"line {number:4}" for number in range(100)]
    assert last == [notice]
    write(5000, 9000)
    assert news.new_lines(path, offset, final=True) == ([], offset)
    written = path.read_text().splitlines()
    assert written[:100] == lines + more
    assert notice in written
    assert written[-1] == "line 8999"


def test_output_within_the_limit_is_left_as_it_is(log: int, tmp_path: Path) -> None:
    os.write(log, b"x" * 1300)
    output.trim(log)
    assert (tmp_path / "output.log").stat().st_size == 1300
    lines, offset = news.new_lines(tmp_path / "output.log", 0, final=True)
    assert [len(line) for line in lines] == [1000]
    assert news.new_lines(tmp_path / "output.log", offset, final=True)[0] == [output.NOTICE.decode()]


def test_output_of_exactly_the_limit_has_no_more_to_say(log: int, tmp_path: Path) -> None:
    os.write(log, b"x" * 999 + b"\n")
    lines, offset = news.new_lines(tmp_path / "output.log", 0, final=True)
    assert [len(line) for line in lines] == [999]
    assert news.new_lines(tmp_path / "output.log", offset, final=True) == ([], offset)


def test_a_disk_that_refuses_to_cut_or_read_the_output_ends_no_keeper(log: int, tmp_path: Path) -> None:
    """P5: an error there would end the keeper, and with it the job."""
    os.write(log, b"x" * 1400)
    for flags in (os.O_RDONLY, os.O_WRONLY):
        file = os.open(tmp_path / "output.log", flags)
        try:
            output.trim(file)
            assert standby.tail(file) == ([] if flags == os.O_WRONLY else ["x" * 1000])
        finally:
            os.close(file)
