"""Datasets, models, pipelines and uploads in every state: how wide and readable, and hostile names."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.cards import CORPUS, serve, watched
from tests.browser.lab import SCREENSHOTS
from tests.browser.test_accessibility import violations
from tests.browser.test_card_states import LOOK, draw, states  # noqa: F401 - fixtures

#: Nothing is wider than the place it has.
FITS = "() => document.getElementById('states').scrollWidth <= document.getElementById('states').clientWidth"
#: Open what opens, then look for what is no text of ours, and for what acted.
_OPENED = """name => {
  const strange = [];
  let told = 0;
  for (const box of document.querySelectorAll("#states > div")) {
    for (const button of box.shadowRoot.querySelectorAll("button")) button.click();
    for (const node of box.shadowRoot.querySelectorAll("*")) {
      const odd = node.matches("script, img, iframe, object, embed, link, base, meta, a")
        || [...node.attributes].some(({ name }) => /^(on|autofocus|srcdoc)/.test(name));
      if (odd) strange.push(node.outerHTML.slice(0, 80));
      if (node.textContent.includes(name)) told += 1;
    }
  }
  return { strange, told: told > 0, pwned: "__pwn" in window };
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_they_fit_every_width_and_axe_finds_nothing(page: Page, draw: Any, theme: str) -> None:  # noqa: F811
    for width in (480, 700, 1200):
        draw(theme, width)
        page.evaluate("width => window.showAssets(width, null)", width)
        page.set_viewport_size({"width": width + 24, "height": 5000})
        assert page.evaluate(FITS)
        assert [seen["wrong"] for seen in page.evaluate(LOOK)] == [[]] * 15
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"assets-{theme}-{width}.png", full_page=True)
        assert violations(page, "#states") == []
    page.evaluate("() => window.showAssets(300, null)")
    assert page.evaluate(LOOK)[-1]["wrong"] == []


def test_names_are_text_whatever_they_hold(page: Page, bundle: None) -> None:
    wrong = watched(page)
    page.route("http://cards/**", serve)
    page.goto("http://cards/index.html")
    for name in CORPUS:
        page.evaluate("name => window.showAssets(700, name)", name)
        assert page.evaluate(_OPENED, name) == {"strange": [], "told": True, "pwned": False}
    assert wrong == []
