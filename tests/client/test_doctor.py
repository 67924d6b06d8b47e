"""What is not as it should be is found and named, and nothing is started to find it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mlops_jupyter import __version__
from mlops_jupyter.client import doctor
from mlops_jupyter.client.finder import Finder


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Finder:
    """No server, and no configuration but that in ``tmp_path``."""
    monkeypatch.setattr(doctor, "jupyter_config_path", lambda: [str(tmp_path)])
    monkeypatch.setattr(doctor, "jupyter_path", lambda name: [str(tmp_path / name)])
    return Finder(tmp_path / "runtime", tmp_path / "data", None, Path.cwd)


def found(finder: Finder) -> dict[str, bool | None]:
    return {check.name: check.well for check in doctor.examine(finder)}


def test_without_anything_each_is_named_with_what_to_do(alone: Finder, tmp_path: Path) -> None:
    assert found(alone) == {
        "mlops_jupyter": True,
        "packages": True,
        "JupyterLab extension": False,
        "server extension": False,
        "server": None,
        "data directory": True,
        "disk": True,
    }
    lines = doctor.told(doctor.examine(alone)).splitlines()
    assert "✕ server extension: not enabled" in lines
    assert "  Run: jupyter server extension enable mlops_jupyter — then restart JupyterLab." in lines
    assert "– server: none runs; a private one is started with the first job" in lines
    # Nothing was made to see that it could be.
    assert f"✓ data directory: {tmp_path / 'data' / 'mlops'} can be written" in lines
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_and_a_full_disk_are_not_well(
    alone: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "FREE_BYTES", 1 << 60)
    assert found(alone)["disk"] is False
    (tmp_path / "data").write_text("a file")
    checks = {check.name: check for check in doctor.examine(alone)}
    assert (checks["data directory"].well, "disk" in checks) == (False, False)
    assert checks["data directory"].found == (
        f"{tmp_path / 'data' / 'mlops'} cannot be written: Not a directory"
    )


def test_what_is_installed_and_enabled_is_well(alone: Finder, tmp_path: Path) -> None:
    package = tmp_path / "labextensions" / "mlops_jupyter" / "package.json"
    package.parent.mkdir(parents=True)
    package.write_text(json.dumps({"version": __version__}))
    settings = tmp_path / "jupyter_server_config.d" / "mlops_jupyter.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"ServerApp": {"jpserver_extensions": {"mlops_jupyter": True}}}))
    assert found(alone)["JupyterLab extension"] is found(alone)["server extension"] is True
    package.write_text(json.dumps({"version": "0.0.9"}))
    settings.write_text(json.dumps({"ServerApp": {"jpserver_extensions": {"mlops_jupyter": False}}}))
    assert found(alone)["JupyterLab extension"] is found(alone)["server extension"] is False


def test_a_server_that_does_not_answer_is_not_well(alone: Finder, tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    facts = {
        "pid": os.getpid(),
        "url": "http://127.0.0.1:1/",
        "base_url": "/",
        "root_dir": str(Path.cwd()),
        "secret": "s",
        "version": __version__,
    }
    (runtime / f"mlops-{os.getpid()}.json").write_text(json.dumps(facts))
    (server,) = [check for check in doctor.examine(alone) if check.name == "server"]
    assert server.well is False
    assert server.found.startswith("http://127.0.0.1:1/ does not answer")
