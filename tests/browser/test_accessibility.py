"""What axe-core finds in every view, in every state, and in JupyterLab; what forced colours leave of them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cards import HARNESS
from tests.browser.lab import Lab
from tests.browser.test_card_states import LOOK, THEMES, draw, states  # noqa: F401 - fixtures
from tests.browser.test_first_training import LOAD, TRAIN, connection, notebook, stops, trains
from tests.browser.test_many_tabs import WRONG
from tests.browser.test_surroundings import item, panel, submit

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


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_in_the_panel_and_in_a_feed_of_a_cell(
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
    for width in (700, 480):
        page.evaluate("given => window.showBoard(...given)", [some, width, "activity"])
        assert [seen["wrong"] for seen in page.evaluate(LOOK)] == [[]]
    expect(page.get_by_test_id("mlops-activity-board").get_by_role("listitem")).to_have_count(4)
    assert violations(page, "#states > div") == []


def test_axe_finds_nothing_of_ours_in_jupyterlab(lab: Lab) -> None:
    """JupyterLab's own faults are not looked for."""
    page = lab.page
    notebook(lab, LOAD, TRAIN.replace("8000", "100000"))
    shown = panel(lab)
    lab.run_all()
    trains(lab)
    expect(shown.get_by_test_id("mlops-running").get_by_test_id("mlops-row").first).to_be_visible()
    expect(item(lab)).to_contain_text("◐")
    details = page.get_by_test_id("mlops-connection-details").filter(visible=True)
    toast = page.locator(".Toastify__toast")
    found: dict[str, list[str]] = {}
    for theme in ("light", "dark"):
        lab.set_theme(dark=theme == "dark")
        expect(page.locator("#jupyterlab-splash")).to_have_count(0)
        for part in ("#mlops-panel", ".mlops-job", ".mlops-status"):
            found[f"{theme} {part}"] = violations(page, part)
        connection(lab).click()
        expect(details).to_be_visible()
        found[f"{theme} popover"] = violations(page, ".mlops-job")
        expect(details).to_be_visible()
        page.keyboard.press("Escape")
        submit(lab.server, name=f"wrong-{theme}", **WRONG)
        expect(toast).to_contain_text(f"wrong-{theme} failed", timeout=30_000)
        # It stays while somebody points at it.
        toast.hover()
        found[f"{theme} notification"] = violations(page, ".Toastify__toast")
        lab.screenshot(f"accessible-{theme}")
        toast.get_by_role("button", name="Open").click()
        expect(toast).to_have_count(0)
        page.locator(".lm-TabBar-tab", has_text=".ipynb").click()
    stops(lab)
    assert {part: wrong for part, wrong in found.items() if wrong} == {}


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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_strip_is_one_line_where_there_is_room_and_whole_where_there_is_none(
    page: Page,
    draw: Any,  # noqa: F811
    states: dict[str, Any],  # noqa: F811
    theme: str,
) -> None:
    draw(theme, 1200)
    some = dict(list(states.items())[::3])
    healthy = {"levels": dict.fromkeys(("cpu", "memory", "disk"), "healthy"), "health": "healthy"}
    mixed = {"memory_scope": "host"}
    seen = []
    for width in (1200, 700, 480):
        for sample in (healthy, mixed):
            page.evaluate("given => window.showBoard(...given)", [some, width, "system", sample])
            (strip,) = page.evaluate(LOOK)
            seen.append((width, strip["height"], strip["wrong"]))
            texts = page.get_by_test_id("mlops-system-board").inner_text().replace("\n", " ")
            for word in ("Server", "CPU", "Memory", "Data disk", "Load 1.2/8", "· 5", "this kernel", "Live"):
                assert word in texts
    # 24 px and the edges; where that is too narrow, whole lines more.
    assert [(height, wrong) for width, height, wrong in seen if width == 1200] == [(26, []), (26, [])]
    assert all((height - 2) % 24 == 0 and height <= 98 and not wrong for _, height, wrong in seen), seen
    assert violations(page, "#states > div") == []
