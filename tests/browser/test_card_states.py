"""The job card in every recorded state: how high, how wide and how readable it is in a real browser.

The states are those of ``labextension/harness``, the colours JupyterLab's own.
"""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.cards import CORPUS, HALF, HARNESS, OPEN_ALL, serve, watched

THEMES = ("light", "dark", "dark-high-contrast")
WIDTHS = (480, 700, 1200)
#: Pixels at 700.
RUNNING, FINISHED, OTHER = 240, 180, 140
BUDGETS = {"running": RUNNING, "finished": FINISHED}

TOLD_BY_USERS = {
    *("name", "label", "message", "error", "hint", "traceback", "target", "estimator", "column", "detail"),
    *("metric", "classes", "log_tail", "stopped_by", "submitted_by", "model_missing_reason"),
}
NAMED_BY_USERS = {"live_metrics", "metrics", "parameters", "versions", "series"}
#: Everything wrong with one card, as sentences.
LOOK = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [...[r, g, b].map((c, i) => c * a + below[i] * (1 - a)), 1];
  const parent = node => node.parentElement ?? node.getRootNode().host ?? null;
  const ground = node => {
    const layers = [];
    for (let at = node; at; at = parent(at)) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const light = color => {
    const [r, g, b] = color.map(c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const contrast = (node, color) => {
    const below = ground(node);
    const [a, b] = [light(over(rgba(color), below)), light(below)].sort((x, y) => y - x);
    return (a + .05) / (b + .05);
  };
  const shown = node => node.checkVisibility() && !node.closest(".spoken");
  const own = node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());

  return [...document.querySelectorAll("#states > div")].map(box => {
    const root = box.shadowRoot, card = root.querySelector(".card"), wrong = [];
    const say = (node, what) =>
      wrong.push(`${node.getAttribute("class")} "${node.textContent.slice(0, 30)}" ${what}`);
    for (const node of root.querySelectorAll(".card *:not(style)")) {
      if (!shown(node)) continue;
      const style = getComputedStyle(node);
      // Long names end in an ellipsis; their whole is in the tooltip.
      if (style.display !== "inline" && style.overflowX !== "auto" && style.textOverflow !== "ellipsis"
          && !node.closest("svg, .u-wrap") && node.clientWidth && node.scrollWidth > node.clientWidth + 1)
        say(node, `is cut by ${node.scrollWidth - node.clientWidth}px`);
      if (own(node)) {
        if (parseFloat(style.fontSize) < 11) say(node, `is ${style.fontSize} high`);
        const ratio = contrast(node, style.color);
        if (ratio < 4.5) say(node, `has contrast ${ratio.toFixed(2)}`);
      }
      if (node.matches("svg.mark, .sample")) {
        const ratio = contrast(node, node.matches("svg") ? style.color : style.borderTopColor);
        if (ratio < 3) say(node, `has contrast ${ratio.toFixed(2)}`);
      }
      if (node.matches(".progress, .button:not(.icon)")) {
        const ratio = contrast(node.parentElement, style.borderTopColor);
        if (ratio < 3) say(node, `has a border of contrast ${ratio.toFixed(2)}`);
      }
      if (node.matches("button")) {
        const { width, height } = node.getBoundingClientRect();
        if (width < 24 || height < 24) say(node, `is a target of ${width} x ${height}`);
        if (!(node.textContent.trim() || node.ariaLabel)) say(node, "has no name");
      }
    }
    return { face: card.dataset.face, height: card.getBoundingClientRect().height, wrong };
  });
}
"""


@pytest.fixture(scope="module")
def states() -> dict[str, Any]:
    return json.loads((HARNESS / "states.json").read_text())


@pytest.fixture
def draw(page: Page, bundle: None, states: dict[str, Any]) -> Any:
    """``draw(theme, width)``: all states on one page, and what is to be seen of each."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route("http://cards/**", serve)

    def drawn(theme: str, width: int) -> dict[str, Any]:
        # Tall enough for all of them: what is out of view is not painted.
        page.set_viewport_size({"width": width + 24, "height": 400 * len(states)})
        page.goto("http://cards/index.html")
        page.add_style_tag(content=theme_css(theme))
        page.evaluate(
            "light => { document.body.dataset.jpThemeLight = light }", str(theme == "light").lower()
        )
        page.evaluate("([states, width]) => window.showStates(states, width)", [states, width])
        page.wait_for_function(
            "() => [...document.querySelectorAll('#states > div')].every(box => "
            "[...box.shadowRoot.querySelectorAll('.charts:not([hidden])')]"
            ".every(row => !row.checkVisibility() || row.querySelector('canvas')))"
        )
        assert errors == []
        return dict(zip(states, page.evaluate(LOOK), strict=True))

    return drawn


def theme_css(name: str) -> str:
    folder = Path(sysconfig.get_path("data"), "share/jupyter/lab/themes/@jupyterlab")
    return (folder / f"theme-{name}-extension" / "index.css").read_text()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_small_or_pale(draw: Any, theme: str, width: int) -> None:
    seen = draw(theme, width)
    assert {name: state["wrong"] for name, state in seen.items() if state["wrong"]} == {}


def test_cards_keep_to_their_heights(draw: Any) -> None:
    seen = draw("light", 700)
    too_high = {
        name: state["height"]
        for name, state in seen.items()
        if state["height"] > BUDGETS.get(state["face"], OTHER)
    }
    assert too_high == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_a_running_card_never_changes_its_height(draw: Any, width: int) -> None:
    heights = {state["height"] for state in draw("light", width).values() if state["face"] == "running"}
    assert len(heights) == 1


def test_nothing_moves_for_those_who_asked_for_rest(page: Page, draw: Any) -> None:
    page.emulate_media(reduced_motion="reduce")
    draw("light", 700)
    moving = page.evaluate(
        "() => [...document.querySelectorAll('#states > div')]"
        ".flatMap(box => box.shadowRoot.getAnimations ? box.shadowRoot.getAnimations() : []).length"
    )
    assert moving == 0


def _hostile(value: Any, name: str, key: str = "") -> Any:
    """A record in which everything a user could have named is called ``name``."""
    if isinstance(value, dict):
        named = key in NAMED_BY_USERS
        return {(name if named else inner): _hostile(each, name, inner) for inner, each in value.items()}
    if key == "stages":
        # Their names are ours; what a stage found out is not.
        return [each | {"detail": name} for each in value]
    if isinstance(value, list):
        return [_hostile(each, name, key) for each in value]
    return name if isinstance(value, str) and key in TOLD_BY_USERS else value


def test_hostile_names_are_shown_as_they_are_and_do_nothing(
    page: Page, bundle: None, states: dict[str, Any]
) -> None:
    """P26, F39: every name of the corpus in every string of a user's, everything that opens opened."""
    wrong = watched(page)
    names = [*CORPUS, HALF]
    shown = {
        f"{number} {kind}": _hostile(states[kind], name)
        for number, name in enumerate(names)
        for kind in ("finished after selection", "timed out", "selecting", "saved while running", "diverging")
    }
    page.goto("http://cards/index.html")
    # As text: what takes a value into the page mends halves of pairs.
    page.evaluate(
        "([states, width]) => window.showStates(JSON.parse(states), width)", [json.dumps(shown), 700]
    )
    seen = page.evaluate(f"names => ({OPEN_ALL})(JSON.parse(names))", json.dumps(names))
    assert seen == {"strange": [], "missing": [], "pwned": False}
    assert wrong == []
