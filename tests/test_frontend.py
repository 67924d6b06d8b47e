"""The front end's own checks, run with the node that builds it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hatch_build import npm

SOURCES = Path(__file__).parents[1] / "labextension"


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    """They are there after an editable install, unless that found its bundles built already."""
    if not (SOURCES / "node_modules" / ".package-lock.json").exists():
        run("ci")


def run(*arguments: str) -> str:
    """Run npm; its output is the message when it fails."""
    command, environment = npm()
    ended = subprocess.run(
        [*command, *arguments],
        cwd=SOURCES,
        env={**environment, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_typescript_finds_nothing() -> None:
    run("run", "check")


@pytest.mark.timeout(400)
def test_the_front_ends_own_tests_pass() -> None:
    told = run("run", "test")
    assert "passed" in told
    assert "skipped" not in told
