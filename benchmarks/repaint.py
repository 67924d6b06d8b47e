"""What a repaint of a card costs the page: six charts of 300 points, two lines each, in a real Chromium.

Each round adds a step to every line and times script and layout until the card has taken it up and its
charts are drawn; beside it, in the same round, as many bare uPlots draw the same data. What the browser
does with the canvases after that (putting pixels on a screen) is in neither. Goal: at most 8 ms.

    python -m benchmarks.repaint [rounds]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys

from playwright.sync_api import sync_playwright

from hatch_build import npm
from tests.browser.cards import HARNESS, serve
from tests.browser.chromium import executable
from tests.browser.conftest import FLAGS
from tests.browser.test_card_states import theme_css

CHARTS, POINTS = 6, 300
ROUNDS = 60


def main(rounds: int) -> None:
    command, environment = npm()
    subprocess.run(
        [*command, "run", "harness"], cwd=HARNESS.parent, env=environment, check=True, capture_output=True
    )
    record = json.loads((HARNESS / "states.json").read_text())["running"]["record"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.set_default_timeout(0)
        page.route("http://cards/**", serve)
        page.goto("http://cards/index.html")
        page.add_style_tag(content=theme_css("light"))
        page.add_script_tag(url="http://cards/build/repaint.js", type="module")
        page.wait_for_function("() => Boolean(window.timeRepaints)")
        times = page.evaluate("given => window.timeRepaints(...given)", [record, CHARTS, POINTS, rounds])
        browser.close()
    load, _, _ = os.getloadavg()
    print(f"{CHARTS} charts, {POINTS} points a line, {rounds} rounds")
    print(f"load {load:.1f} on {os.cpu_count()} cores")
    medians = {}
    for name, taken in times.items():
        medians[name] = statistics.median(taken)
        most = sorted(taken)[int(len(taken) * 0.9)]
        print(
            f"{name:5} least {min(taken):.1f}, median {medians[name]:.1f}, nine of ten within {most:.1f} ms"
        )
    print(f"ours / bare: {medians['ours'] / medians['bare']:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
