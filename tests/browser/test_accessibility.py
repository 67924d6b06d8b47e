"""What axe-core finds in every view, in every state; what is left of them in forced colours."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.cards import HARNESS
from tests.browser.test_card_states import LOOK, draw, states  # noqa: F401 - fixtures

AXE = HARNESS.parent / "node_modules/axe-core/axe.min.js"
_FIND = """async part => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const options = { runOnly: rules, resultTypes: ["violations"] };
  const { violations } = await axe.run({ include: [[part]] }, options);
  return violations.map(({ id, nodes }) =>
    `${id}: ${nodes.length} × ${nodes[0].html.slice(0, 200)} ${nodes[0].failureSummary.slice(0, 300)}`);
}"""


#: Of each card: the system's colours, and those of its mark and of what is done.
_FORCED = """() => [...document.querySelectorAll("#states > div")].map(box => {
  const find = name => box.shadowRoot.querySelector(name);
  const color = (node, name) => node && getComputedStyle(node)[name];
  const [card, bar] = [find(".card"), find(".progress")];
  return {
    ink: color(card, "color"), ground: color(card, "backgroundColor"),
    mark: color(find(".title .mark"), "color"), shape: find(".title .mark").dataset.mark,
    word: find("[data-testid=mlops-state]").textContent,
    bar: bar.checkVisibility() && find(".progress .done").offsetWidth > 0,
    done: getComputedStyle(find(".progress .done")).backgroundImage !== "none" ? "stripes"
      : color(find(".progress .done"), "backgroundColor"),
  };
})"""


def violations(page: Page, part: str) -> list[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=AXE)
    found: list[str] = page.evaluate(_FIND, part)
    return found


def test_axe_finds_nothing_in_cards(page: Page, draw: Any) -> None:  # noqa: F811
    """Contrasts in the other themes are measured in test_card_states.py; all else is the same in them."""
    draw("light", 700)
    assert violations(page, "#states > div") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_panel(
    page: Page,
    draw: Any,  # noqa: F811
    states: dict[str, Any],  # noqa: F811
    theme: str,
) -> None:
    """Nor is anything in it, its feed and its machine cut, small or pale."""
    draw(theme, 700)
    some = dict(list(states.items())[::3])
    for width in (320, 280):
        page.evaluate("([states, width]) => window.showPanel(states, width)", [some, width])
        assert [seen["wrong"] for seen in page.evaluate(LOOK)] == [[]]
    assert violations(page, "#states > div") == []


def test_states_are_told_by_shape_and_word_in_forced_colours(
    page: Page,
    draw: Any,  # noqa: F811
    states: dict[str, Any],  # noqa: F811
) -> None:
    page.emulate_media(forced_colors="active", color_scheme="dark")
    draw("dark", 700)
    told = page.evaluate(_FORCED)
    assert len(told) == len(states)
    assert {card["mark"] for card in told} == {told[0]["ink"]}
    assert all(card["done"] not in (None, card["ground"]) for card in told if card["bar"])
    assert all(card["shape"] and card["word"] for card in told)
