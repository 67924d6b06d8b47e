"""What waits for its job goes after a day, whatever anybody does to the clock on the wall."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlops_jupyter import inputs
from mlops_jupyter.inputs import Ages, Inputs

DAY = 24 * 3600


class Machine:
    """Its servers come and go; ``runs`` is for how many seconds it has run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.boot = "this boot"
        self.runs = 1000.0

    def server(self) -> Inputs:
        return Inputs(self._folder, Ages(self.boot, lambda: self.runs))

    def waiting(self, server: Inputs) -> set[str]:
        """What is there once something new has come, without that."""
        new, file = server.create()
        server.discard(new, file)
        return {path.name for path in self._folder.iterdir()}


def send(server: Inputs) -> str:
    name, file = server.create()
    server.finish(name, file)
    return name


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "inputs")


@pytest.mark.parametrize("days", [-1, 1, 400])
def test_a_clock_that_is_set_removes_and_keeps_nothing(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """P35: whether the clock was set before or after the file was written."""
    name = send(machine.server())
    path = tmp_path / "inputs" / name
    written = path.stat().st_mtime
    monkeypatch.setattr(inputs.time, "time", lambda: written + days * DAY)
    os.utime(path, (written - days * DAY, written - days * DAY))
    machine.runs += DAY - 1
    assert machine.waiting(machine.server()) == {name}
    machine.runs += 2
    assert machine.waiting(machine.server()) == set()


def test_an_input_of_another_boot_goes_once_a_server_has_seen_it_for_a_day(machine: Machine) -> None:
    """The clock of that boot says nothing here; another machine may have sent it just now."""
    name = send(machine.server())
    machine.boot, machine.runs = "another boot", 5 * DAY
    server = machine.server()
    assert machine.waiting(server) == {name}
    machine.runs += DAY + 1
    assert machine.waiting(machine.server()) == {name}
    assert machine.waiting(server) == set()


def test_an_unfinished_input_goes_like_the_others(machine: Machine, tmp_path: Path) -> None:
    name, file = machine.server().create()
    file.close()
    assert machine.waiting(machine.server()) == {f"{name}.part"}
    machine.runs += DAY + 1
    assert machine.waiting(machine.server()) == set()
