"""Whose memory it is: a server in a control group says the group's, in a page, beside the host's."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.grouped_lab import GROUP
from tests.browser.lab import Lab
from tests.browser.servers import NO_THRESHOLDS, ROOT, SETTINGS, LabServer
from tests.browser.test_surroundings import panel
from tests.control_groups import Real, Recorded, kinds, limited

#: Of each level the shape of its mark, and the colour.
LOOKS = {"Healthy": ("live", "--good"), "Warning": ("warning", "--warn"), "Critical": ("failed", "--bad")}
COLOURS = """(mark, name) => {
  const sample = document.createElement("i");
  sample.style.color = `var(${name})`;
  mark.parentElement.append(sample);
  const colours = [mark, sample].map(node => getComputedStyle(node).color);
  sample.remove();
  return colours;
}"""


class GroupedServer(LabServer):
    """Lives in ``group``."""

    def __init__(self, home: Path, group: Real | Recorded) -> None:
        super().__init__(home)
        self._group = group
        if isinstance(group, Recorded):
            self.module = "tests.browser.grouped_lab"

    @property
    def environment(self) -> dict[str, str]:
        theirs = super().environment
        if isinstance(self._group, Recorded):
            place = os.pathsep.join(map(str, self._group.place))
            theirs |= {GROUP: place, "PYTHONPATH": str(ROOT)}
        return theirs

    def start(self) -> None:
        with self._group.inside():
            super().start()

    def settle(self, **settings: Any) -> None:
        """What its administrator wants, from its start on."""
        config = self.home / "config" / "jupyter_server_config.json"
        config.write_text(json.dumps({"MlopsExtension": {**SETTINGS, **settings}}))


def health_is(shown: Locator, level: str) -> None:
    """Word, shape and colour say so."""
    expect(shown.get_by_test_id("mlops-health")).to_have_text(level, timeout=30_000)
    mark, (shape, name) = shown.locator(".health .mark"), LOOKS[level]
    expect(mark).to_have_attribute("data-mark", shape)
    seen, wanted = mark.evaluate(COLOURS, name)
    assert seen == wanted


# A real one where one can be made; the other version of control groups: tests/test_machine.py.
@pytest.mark.parametrize("kind", kinds()[-1:])
def test_in_a_control_group_of_512_mib_the_page_says_512_mib(
    kind: str, tmp_path: Path, open_lab: Callable[..., Lab]
) -> None:
    with limited(kind, 512 << 20, tmp_path) as group:
        server = GroupedServer(tmp_path / "home", group)
        server.settle(health_thresholds={**NO_THRESHOLDS, "memory": (80, 80)}, system_seconds=0.5)
        try:
            server.start()
            lab = open_lab(server)
            lab.open_notebook(
                server.notebook("machine.ipynb", ["import mlops_jupyter as mlops\nmlops.health()"])
            )
            machine = panel(lab)
            memory = machine.get_by_test_id("mlops-gauge-memory")
            expect(memory).to_contain_text("of 512\u202fMiB · container", timeout=30_000)
            more = machine.get_by_test_id("mlops-machine-more")
            expect(more).to_contain_text(re.compile("Host: .*memory .*Server: 1 connection"))
            lab.run_cell(0)
            strip = lab.output(0).get_by_test_id("mlops-gauge-memory")
            expect(strip).to_contain_text("/512\u202fMiB", timeout=30_000)
            # Beside it where the CPUs are the host's, before all where they are the container's, too.
            expect(lab.output(0).get_by_test_id("mlops-system-board")).to_contain_text("container")
            told = server.get("mlops/api/system").json()["system"]
            assert (told["memory_limit"], told["memory_scope"]) == (512 << 20, "container")
            assert told["host"]["memory_limit"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
            # Nearly full, which interrupts.
            with group.filled(int(0.85 * (512 << 20)) - told["memory_used"]):
                health_is(machine, "Critical")
                toast = lab.page.locator(".Toastify__toast", has_text="The machine is critical")
                expect(toast).to_contain_text(re.compile(r"memory \d\d %"))
            health_is(machine, "Healthy")
        finally:
            server.close()
