"""Names that would command a terminal are shown (P26)."""

from __future__ import annotations

import io
import json
import re
import traceback

import msgspec
import pytest

from mlops_jupyter import cli
from mlops_jupyter.client import lists
from mlops_jupyter.client.terminal import TerminalView
from mlops_jupyter.core import glyphs, wire
from mlops_jupyter.core.errors import OptionError, SubmissionError
from mlops_jupyter.core.jobs import Best, Job
from mlops_jupyter.core.series import Point
from mlops_jupyter.notebook import magics, snapshot

#: Clear the screen, set its title, ring, delete, turn the line round, say it in C1, end the line.
EVIL = "a\x1b[2J\x1b]0;t\x07\x7f\u202e\u2066\u200f\x9b31m\x85\u2028\r\nb"
OWN = ("\r", "\x1b[K", "\x1b[31m", "\x1b[0m")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[2J", "␛[2J"),
        ("\x07\x7f", "␇␡"),
        ("\u202egnp.exe", "‹right-to-left override›gnp.exe"),
        ("\x9b31m", "‹u+009b›31m"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("naïve 👩‍👩‍👧 =cmd", "naïve 👩‍👩‍👧 =cmd"),
    ],
)
def test_what_would_act_is_seen_and_the_rest_is_left(text: str, seen: str) -> None:
    assert glyphs.visible(text) == seen


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m\x1b[0m"),
        ("\x1b[38;5;9mred without an end\nplain", "\x1b[38;5;9mred without an end\x1b[0m\nplain"),
        ("step 1\rstep 2\r\nend\r", "step 2\nend"),
        ("\x1b[2J\x1b[31mred\x1b[1A", "␛[2J\x1b[31mred␛[1A\x1b[0m"),
        ("\x1b]52;c;cm0gLXJm\x07\x1b[31\x1b[0K", "␛]52;c;cm0gLXJm␇␛[31␛[0K"),
    ],
)
def test_output_keeps_its_colours_and_the_last_of_what_was_written_over(written: str, shown: str) -> None:
    assert glyphs.output(written) == shown
    assert acting(re.sub("\x1b\\[[0-9;]*m", "", glyphs.output(written + EVIL))) == ""


def test_a_name_on_a_line_stays_on_it() -> None:
    assert glyphs.on_a_line("two\nlines\tand a tab") == "two␊lines␉and a tab"


def an_evil_job(status: str) -> Job:
    return Job(
        job_id="j-7f3a00000000",
        name=EVIL,
        status=status,  # type: ignore[arg-type]
        error=EVIL,
        hint=EVIL,
        target=EVIL,
        estimator=EVIL,
        metric=EVIL,
        final_score=0.5,
        current_stage=EVIL,
        stopped_by=EVIL,
        submitted_by=EVIL,
        model_missing_reason=EVIL,
        best=Best(name=EVIL, value=0.5, step=1),
        live_metrics={EVIL: 0.5},
        metrics={EVIL: 0.5},
        progress=50.0,
        message=EVIL,
        log_tail=(EVIL,),
    )


def acting(text: str) -> str:
    return "".join(character for character in text if glyphs.visible(character) != character)


@pytest.mark.parametrize("status", ["running", "failed", "cancelled", "completed", "queued"])
def test_nothing_of_a_job_commands_a_terminal(status: str) -> None:
    """F39: every line of ours that shows a job, in a terminal, a list, an error and a notebook."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    class Shown:
        record = an_evil_job(status)
        id = "j-7f3a"

    terminal = Terminal()
    view = TerminalView(terminal, {"NO_COLOR": "1"})
    view.show(Shown())  # type: ignore[arg-type]
    view.moved(Shown())  # type: ignore[arg-type]
    view.ended(Shown())  # type: ignore[arg-type]
    said = terminal.getvalue()
    for own in OWN:
        said = said.replace(own, "")
    point = Point(name=EVIL, step=1, value=0.5)
    record = Shown.record
    told = [
        said,
        lists.jobs([record]),
        lists.job(record),
        snapshot.text(record, {EVIL: [point, point]}),
        snapshot.html(record, None),
        snapshot.reopening(record),
        OptionError(EVIL, EVIL, EVIL)._render_traceback_()[0],
        *traceback.format_exception_only(SubmissionError(OptionError(EVIL, EVIL, EVIL).problems * 2)),
        glyphs.escaped(wire.encode(record).decode()),
    ]
    assert [acting(text) for text in told] == [""] * len(told)
    assert len(lists.jobs([record]).splitlines()) == 2
    assert json.loads(told[-1])["name"] == record.name


def test_the_command_line_prints_a_log_without_obeying_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And so does the magic."""

    class Logged:
        def logs(self, tail: int | None) -> str:
            return EVIL

    monkeypatch.setattr(magics.session, "get", lambda job: Logged())
    magics.MlopsMagics().mlops("logs j-7f3a")
    assert acting(capsys.readouterr().out) == ""

    class Session:
        def __init__(self, *_: object) -> None: ...

        def logs(self, job: str, tail: int | None) -> msgspec.Struct:
            return msgspec.defstruct("Logs", [("lines", list)])([EVIL])

    monkeypatch.setattr(cli, "Session", Session)
    monkeypatch.setattr(cli.Finder, "of_this_process", lambda: None)
    for words in (["logs", "j-7f3a"], ["logs", "j-7f3a", "--json"]):
        assert cli.main(words) == 0
        assert acting(capsys.readouterr().out) == ""
