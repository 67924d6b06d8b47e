"""The package as it is imported: its names, and what importing costs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mlops_jupyter
from mlops_jupyter.core import errors
from mlops_jupyter.executors.protocol import StartRefused

HEAVY = ("pandas", "numpy", "sklearn", "httpx", "IPython", "ipywidgets", "tornado", "matplotlib", "asyncio")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_importing_prints_nothing_starts_nothing_and_loads_nothing_heavy() -> None:
    code = f"""
import sys, threading
import mlops_jupyter
print([name for name in {HEAVY} if name in sys.modules], threading.active_count())
"""
    done = run(code)
    assert (done.stdout, done.stderr) == ("[] 1\n", "")


def test_the_command_line_loads_pandas_only_to_train() -> None:
    done = run("import sys, mlops_jupyter.cli; print('pandas' in sys.modules, 'IPython' in sys.modules)")
    assert done.stdout == "False False\n"


def test_every_public_name_is_there() -> None:
    assert [name for name in mlops_jupyter.__all__ if getattr(mlops_jupyter, name) is None] == []
    assert set(mlops_jupyter.__all__) <= set(dir(mlops_jupyter))


#: Of the server's own inside, or told to clients that speak REST themselves.
INSIDE = {"BegunBefore", "FaultyRows", "InvalidTransition", "KeyReusedError", "StartRefused"}


def test_every_error_is_in_the_tree_and_those_users_meet_are_public() -> None:
    def below(kind: type[errors.MlopsError]) -> set[str]:
        return {kind.__name__}.union(*(below(one) for one in kind.__subclasses__()))

    assert issubclass(StartRefused, errors.MlopsError)
    assert errors.__doc__ is not None
    drawn = set(re.findall(r"^ *[*+-] (\w+)", errors.__doc__, re.MULTILINE))
    assert drawn == below(errors.MlopsError)
    assert drawn - set(mlops_jupyter.__all__) == INSIDE


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        _ = mlops_jupyter.trian  # type: ignore[attr-defined]


def test_type_checkers_see_the_same_names() -> None:
    stub = Path(mlops_jupyter.__file__).with_suffix(".pyi")
    tree = ast.parse(stub.read_text("utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    typed = {alias.asname for node in imports for alias in node.names if alias.asname}
    assert typed == set(mlops_jupyter.__all__) - {"__version__"}
