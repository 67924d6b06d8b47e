"""When a job is said to be unresponsive. Time is a value here."""

from __future__ import annotations

import os
import subprocess

from mlops_jupyter.training.processes import descendants
from mlops_jupyter.training.silence import Sign, Silence, sign_of_life


def looks(*seen: tuple[float, str]) -> list[tuple[float, str]]:
    """What was told and when, looking at these moments and seeing these signs."""
    silence = Silence()
    told = ((now, silence.look(now, ((1, 0.0, sign),))) for now, sign in seen)
    return [(now, word) for now, word in told if word is not None]


def every_second(begin: int, end: int, sign: str) -> list[tuple[float, str]]:
    return [(float(now), sign) for now in range(begin, end)]


def test_half_a_minute_without_a_sign_of_life_is_told_once() -> None:
    assert looks(*every_second(0, 100, "a")) == [(30.0, "silent")]


def test_a_job_that_moves_again_is_heard_at_once() -> None:
    assert looks(*every_second(0, 40, "a"), *every_second(40, 50, "b")) == [(30.0, "silent"), (40.0, "heard")]


def test_a_job_that_moves_now_and_then_is_never_silent() -> None:
    assert looks(*((float(now), str(now // 29)) for now in range(200))) == []


def test_a_keeper_that_was_held_up_itself_raises_no_alarm() -> None:
    """P9, F17: a suspended container or machine. The first look after it says nothing of the time between."""
    assert looks((0.0, "a"), (1.0, "a"), (3600.0, "a"), (3601.0, "b")) == []


def test_a_process_that_runs_shows_it_and_one_that_is_stopped_does_not() -> None:
    def sign() -> Sign:
        return sign_of_life(descendants(os.getpid()))

    with subprocess.Popen(["sh", "-c", "kill -STOP $$; while read line; do :; done"], stdin=-1) as process:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        before = sign()
        assert sign() == before
        os.kill(process.pid, 18)
        process.communicate(b"x\n" * 1000)
    assert sign() != before
