"""Pyplot is left out while skrub is imported, and nobody who plots finds out."""

from __future__ import annotations

import sys

import matplotlib as mpl
import pytest

from mlops_jupyter.training.tabular.ready import _without_pyplot


@pytest.fixture(autouse=True)
def no_pyplot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    monkeypatch.delattr(mpl, "pyplot", raising=False)


def test_it_is_there_once_it_is_used() -> None:
    with _without_pyplot():
        from matplotlib import pyplot as plt  # noqa: PLC0415 - as skrub does, meanwhile
    assert "matplotlib.pyplot" not in sys.modules
    assert plt.figure is sys.modules["matplotlib.pyplot"].figure


def test_who_plots_while_it_is_imported_gets_the_real_one() -> None:
    with _without_pyplot():
        import matplotlib.pyplot as plt  # noqa: PLC0415 - as skrub might

        assert plt.figure is sys.modules["matplotlib.pyplot"].figure
    assert sys.modules["matplotlib.pyplot"] is not plt
    assert sys.modules["matplotlib.pyplot"].figure is plt.figure


def test_one_that_is_there_stays() -> None:
    import matplotlib.pyplot as plt  # noqa: PLC0415 - after the fixture has taken away another test's

    with _without_pyplot():
        assert sys.modules["matplotlib.pyplot"] is plt
    assert sys.modules["matplotlib.pyplot"] is plt
