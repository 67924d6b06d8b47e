"""The charts of a card with their tools, in a real browser: by pointer and by keys, on the harness page."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.cards import HARNESS, serve
from tests.browser.test_card_states import theme_css

POINTS = 400
#: Steps at which the loss stands far above its neighbours.
SPIKES = (40, 150, 280)
_CONTRASTS = """
() => {
  const root = document.querySelector("#states > div").shadowRoot;
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const light = color => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data]
      .map(c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = light(getComputedStyle(root.querySelector(".card")).backgroundColor);
  const ratio = light => (Math.max(light, ground) + .05) / (Math.min(light, ground) + .05);
  // The line where it is thickest: the colour furthest from the ground that the plot has.
  return [...root.querySelectorAll(".chart canvas")].map(plot => {
    const { data } = plot.getContext("2d").getImageData(0, 0, plot.width, plot.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] > 200) seen.add(`rgb(${data[at]} ${data[at + 1]} ${data[at + 2]})`);
    return Math.max(...[...seen].map(color => ratio(light(color))));
  });
}
"""


def job(metrics: int = 3, *, timed: bool = True) -> dict[str, Any]:
    """A running job with as many metrics, each measured on both kinds of rows; a spiky loss is the first."""
    state = json.loads((HARNESS / "states.json").read_text())["running"]
    values: dict[str, Callable[[int], float]] = {
        "loss": lambda step: 50.0 if step in SPIKES else 2 * math.exp(-step / 60) + 0.1 * math.sin(step),
        **{f"m{n}": lambda step, n=n: 1 + n + math.cos(step / (9 + n)) / 2 for n in range(1, metrics)},
    }
    state["series"] = {
        f"{rows}_{name}": [
            {"step": step, "value": value(step) + offset, **({"elapsed": step / 10} if timed else {})}
            for step in range(1, POINTS + 1)
        ]
        for name, value in values.items()
        for rows, offset in (("train", 0.2), ("val", 0.3))
    }
    state["record"] |= {"metric": "loss", "greater_is_better": False}
    return state


@pytest.fixture
def card(page: Page, bundle: None) -> Callable[..., Locator]:
    """``card(state=…, theme="light", width=700) -> Locator``: one card on a page."""
    page.route("http://cards/**", serve)

    def shown(state: dict[str, Any] | None = None, theme: str = "light", width: int = 700) -> Locator:
        page.set_viewport_size({"width": width + 24, "height": 700})
        page.goto("http://cards/index.html")
        page.add_style_tag(content=theme_css(theme))
        page.evaluate(
            "light => { document.body.dataset.jpThemeLight = light }", str(theme == "light").lower()
        )
        page.evaluate(
            "([states, width]) => window.showStates(states, width)", [{"one": state or job()}, width]
        )
        found = page.get_by_test_id("mlops-card")
        expect(found.locator("canvas").first).to_be_visible()
        return found

    return shown


def height(of: Locator) -> float:
    box = of.bounding_box()
    assert box
    return box["height"]


def painted(card: Locator) -> list[str]:
    """What each chart looks like."""
    return card.locator("canvas").evaluate_all("all => all.map(one => one.toDataURL())")


def average(state: dict[str, Any], name: str, weight: float) -> float:
    """The last smoothed value, straight from its definition."""
    values = [point["value"] for point in reversed(state["series"][name])]
    weights = [weight**age for age in range(len(values))]
    return sum(map(operator.mul, weights, values)) / sum(weights)


def smooth(card: Locator, weight: str) -> None:
    card.get_by_test_id("mlops-smoothing").fill(weight)


@pytest.mark.parametrize("width", [480, 700])
def test_tools_come_with_the_pointer_and_with_the_focus_and_no_card_changes_its_height(
    page: Page, card: Any, width: int
) -> None:
    shown = card(width=width)
    tools, charts, before = (
        shown.get_by_test_id("mlops-chart-tools"),
        shown.get_by_test_id("mlops-charts"),
        height(shown),
    )
    expect(tools).to_have_class("chart-tools spoken")
    charts.hover()
    expect(tools).to_have_class("chart-tools")
    targets = tools.locator("button, input").evaluate_all(
        "all => all.filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect())"
    )
    assert len(targets) >= 4
    assert all(box["width"] >= 24 and box["height"] >= 24 for box in targets), targets
    room = shown.bounding_box()
    assert room
    assert all(room["x"] <= box["left"] and box["right"] <= room["x"] + room["width"] for box in targets)
    # The way to the tools crosses what is neither.
    shown.get_by_test_id("mlops-smoothing").hover()
    assert height(shown) == before
    page.mouse.move(5, 5)
    expect(tools).to_have_class("chart-tools spoken")
    charts.focus()
    expect(tools).to_have_class("chart-tools")
    while not tools.locator(":focus").count():
        page.keyboard.press("ArrowUp")
    expect(tools.locator(":focus")).to_have_accessible_name("Fit the y axis to 1–99 % of the values")
    expect(tools).to_have_class("chart-tools")
    assert height(shown) == before


def test_one_crosshair_stands_on_all_charts_by_pointer_and_by_key(page: Page, card: Any) -> None:
    shown = card()
    pills = shown.get_by_test_id("mlops-pill")
    charts = shown.get_by_test_id("mlops-chart").count()
    assert charts > 1
    expect(pills.locator("visible=true")).to_have_count(0)
    shown.locator(".u-over").nth(1).hover()
    expect(pills.locator("visible=true")).to_have_count(charts)
    pointed = pills.all_inner_texts()
    assert len(set(pointed)) == 1
    shown.get_by_test_id("mlops-charts").focus()
    page.mouse.move(5, 5)
    page.keyboard.press("Home")
    expect(pills.locator("visible=true")).to_have_count(charts)
    assert set(pills.all_inner_texts()) == {"epoch 1"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_smoothing_shows_both_lines_and_tells_both_values(page: Page, card: Any, theme: str) -> None:
    train, val = (average(job(), name, 0.9) for name in ("train_loss", "val_loss"))
    shown = card(theme=theme)
    before, plain = shown.get_by_test_id("mlops-smoothed").first, painted(shown)
    expect(before).to_be_hidden()
    shown.get_by_test_id("mlops-charts").focus()
    page.keyboard.press("End")
    raw = shown.get_by_test_id("mlops-legend").first.text_content()
    smooth(shown, "0.9")
    expect(shown.get_by_test_id("mlops-smoothed").first).to_be_visible()
    expect(shown.get_by_test_id("mlops-smoothed").first).to_have_attribute(
        "title", f"smoothed by 0.90: train_loss {train:.4f}, val_loss {val:.4f}"
    )
    assert shown.get_by_test_id("mlops-legend").first.text_content() == raw
    shown.get_by_test_id("mlops-charts").focus()
    page.keyboard.press("End")
    expect(shown.locator("[aria-live=polite]").first).to_contain_text(f"smoothed {train:.4f}")
    assert all(contrast >= 3 for contrast in page.evaluate(_CONTRASTS))
    smooth(shown, "0")
    expect(shown.get_by_test_id("mlops-smoothed").first).to_be_hidden()
    page.mouse.move(5, 5)
    shown.get_by_test_id("mlops-charts").evaluate("node => node.blur()")
    page.wait_for_function(
        "plain => [...document.querySelector('#states > div').shadowRoot.querySelectorAll('canvas')]"
        ".every((one, i) => one.toDataURL() === plain[i])",
        arg=plain,
    )


def test_the_whole_range_is_drawn_until_somebody_asks_for_less_and_what_is_left_out_is_counted(
    page: Page, card: Any
) -> None:
    shown = card()
    shown.get_by_test_id("mlops-charts").focus()
    expect(shown.get_by_test_id("mlops-left-out").first).to_be_hidden()
    before = painted(shown)
    shown.get_by_test_id("mlops-fit").click()
    # Three spikes on each kind of rows.
    expect(shown.get_by_test_id("mlops-left-out").first).to_have_text("▲ 6 points above")
    assert painted(shown)[0] != before[0]
    shown.get_by_test_id("mlops-fit").click()
    expect(shown.get_by_test_id("mlops-left-out").first).to_be_hidden()


def test_the_axis_of_time_and_the_logarithmic_one(page: Page, card: Any) -> None:
    shown = card()
    charts, pill = shown.get_by_test_id("mlops-charts"), shown.get_by_test_id("mlops-pill").first
    charts.focus()
    page.keyboard.press("Home")
    expect(pill).to_have_text("epoch 1")
    before = painted(shown)
    shown.get_by_test_id("mlops-time-axis").click()
    charts.focus()
    page.keyboard.press("Home")
    expect(pill).to_have_text("0.1\u202fs · epoch 1")
    timed = painted(shown)
    assert timed != before
    shown.get_by_test_id("mlops-log-axis").click()
    page.wait_for_function(
        "timed => document.querySelector('#states > div').shadowRoot.querySelector('canvas').toDataURL()"
        " !== timed",
        arg=timed[0],
    )
    # Kept for this job, over a reload of the page.
    again = card()
    expect(again.get_by_test_id("mlops-time-axis")).to_have_attribute("aria-pressed", "true")
    expect(again.get_by_test_id("mlops-log-axis")).to_have_attribute("aria-pressed", "true")


def test_what_cannot_be_had_is_in_reach_and_says_why(page: Page, card: Any) -> None:
    shown = card(job(timed=False))
    shown.get_by_test_id("mlops-charts").focus()
    time = shown.get_by_test_id("mlops-time-axis")
    expect(time).to_have_accessible_description("It is not known when these values were measured.")
    time.focus()
    page.keyboard.press("Enter")
    expect(time).to_have_attribute("aria-pressed", "false")
