"""An exception becomes a sentence, a hint and the part of the traceback that is the user's."""

from __future__ import annotations

import pytest

from mlops_jupyter.core.errors import TargetError
from mlops_jupyter.training.failure import hint, sentence, trimmed_traceback


def caught(error: BaseException) -> BaseException:
    """Raised through a frame of ours, as a fit is."""
    code = compile("def fit():\n    raise error\nfit()", trimmed_traceback.__code__.co_filename, "exec")
    try:
        exec(code, {"error": error})
    except BaseException as raised:  # noqa: BLE001 - any of them is returned
        return raised
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(ValueError("no rows\nsee docs"), "ValueError: no rows", id="first line only"),
        pytest.param(KeyError("x"), "KeyError: 'x'", id="as printed"),
        pytest.param(StopIteration(), "StopIteration was raised without a message", id="silent"),
        pytest.param(TargetError("One class only.", "Drop it?"), "One class only.", id="ours"),
    ],
)
def test_an_error_is_one_sentence(error: BaseException, expected: str) -> None:
    assert sentence(error) == expected


def test_a_hint_is_given_where_one_is_known() -> None:
    assert hint(ValueError("no rows")) is None
    assert hint(TargetError("One class only.", "Drop it?", "df.x")) == "Drop it?\ndf.x"
    assert "n_jobs=1" in str(hint(MemoryError()))
    assert '"catboost"' in str(hint(ModuleNotFoundError("No module named 'catboost'", name="catboost")))


def test_frames_of_ours_above_the_users_are_left_out() -> None:
    def fit() -> None:
        raise ValueError("no rows")

    try:
        fit()
    except ValueError as error:
        text = trimmed_traceback(error)
    assert text
    lines = text.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: no rows"


def test_a_traceback_of_ours_alone_is_kept_whole() -> None:
    error = caught(ValueError("a fault of ours"))
    text = trimmed_traceback(error)
    assert text
    assert text.splitlines()[-1] == "ValueError: a fault of ours"
    assert "in fit" in text


def test_errors_raised_on_purpose_need_no_traceback() -> None:
    assert trimmed_traceback(caught(TargetError("One class only."))) is None


def test_a_long_traceback_keeps_its_end() -> None:
    text = trimmed_traceback(caught(ValueError("x" * 100_000 + "\nthe end")))
    assert text
    assert text.startswith("…\n")
    assert text.endswith("the end\n")
    assert len(text) <= 8002
