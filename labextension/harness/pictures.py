"""Draws every state in a real Chromium and measures it: ``pictures.py OUT [name …]``.

Real JupyterLab theme variables, 480, 700 and 1200 px wide. Prints heights and whatever overflows.
"""

from __future__ import annotations

import itertools
import json
import shutil
import sys
import sysconfig
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
WIDTHS = (480, 700, 1200)
SHEET = 5
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"]
MEASURE = """
() => [...document.querySelectorAll('#states > div')].map(box => {
  const root = box.shadowRoot, card = root.querySelector('.card'), wide = [];
  for (const node of root.querySelectorAll('*')) {
    if (!node.checkVisibility() || node.closest('.spoken, svg, .u-wrap') || !node.clientWidth) continue;
    const { display, overflowX } = getComputedStyle(node), over = node.scrollWidth - node.clientWidth;
    if (over > 1 && display !== 'inline' && overflowX !== 'auto')
      wide.push(`${node.className} ${over} ${node.textContent.slice(0, 40)}`);
  }
  return [box.id, Math.round(card.getBoundingClientRect().height), wide];
})
"""


def themes() -> dict[str, str]:
    folder = Path(sysconfig.get_path("data"), "share/jupyter/lab/themes/@jupyterlab")
    return {
        name: (folder / f"theme-{name}-extension" / "index.css").read_text() for name in ("light", "dark")
    }


def draw(page: Page, states: dict[str, object], out: Path, theme: str, css: str, width: int) -> None:
    # All in view: what is out of view is not painted.
    page.set_viewport_size({"width": width + 24, "height": 400 * len(states) + 100})
    page.goto((HERE / "index.html").as_uri())
    if css:
        page.add_style_tag(content=css)
        page.evaluate(
            "light => { document.body.dataset.jpThemeLight = light }", str(theme == "light").lower()
        )
        page.add_style_tag(content=f"body {{ color-scheme: {theme} }}")
    page.wait_for_function("() => Boolean(window.showStates)")
    page.evaluate("([states, width]) => window.showStates(states, width)", [states, width])
    page.wait_for_timeout(700)
    rows = page.evaluate(
        "() => [...document.querySelectorAll('#states > p')].map(p => p.getBoundingClientRect().top)"
    )
    end = page.evaluate("() => document.getElementById('states').getBoundingClientRect().bottom")
    edges = [*rows[::SHEET], end]
    for sheet, (top, bottom) in enumerate(itertools.pairwise(edges)):
        clip = {"x": 0, "y": top, "width": width + 24, "height": bottom - top + 8}
        page.screenshot(path=out / f"{theme}-{width}{'' if css else '-bare'}-{sheet}.png", clip=clip)
    for name, height, wide in page.evaluate(MEASURE):
        print(f"{theme:5} {width:5} {height:4} {name:28} {'; '.join(wide)}")


def main(out: Path, names: list[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    states = json.loads((HERE / "states.json").read_text())
    states = {name: state for name, state in states.items() if not names or name in names}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page()
        page.on("console", lambda message: message.type == "error" and print("console:", message.text))
        page.on("pageerror", lambda error: print("page error:", error))
        for theme, css in themes().items():
            for width in WIDTHS:
                draw(page, states, out, theme, css, width)
        draw(page, states, out, "light", "", 700)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
