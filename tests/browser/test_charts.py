"""The charts of a card with their tools, in a real browser: by pointer and by keys, on the harness page."""

from __future__ import annotations

import base64
import json
import math
import operator
import re
import time
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.cards import HARNESS, serve
from tests.browser.test_accessibility import violations
from tests.browser.test_card_states import theme_css
from tests.faults.servers import WorksServer

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

#: Of a picture: how wide it is, how many pixels are no ground in its title, its first heading, the first
#: legend and the first plot, and the ground.
_BANDS = """
async png => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pen.drawImage(image, 0, 0);
  const ground = [...pen.getImageData(1, 1, 1, 1).data].slice(0, 3);
  const inked = ([top, height]) => {
    const { data } = pen.getImageData(0, top, 200, height);
    let all = 0;
    for (let at = 0; at < data.length; at += 4) all += Math.abs(data[at] - ground[0]) > 60;
    return all;
  };
  return [image.width, [[12, 20], [34, 16], [50, 16], [68, 60]].map(inked), ground];
}
"""


#: Of the first plot: where there is a line between two heights, both in parts of it; grid lines are paler.
_INKED = """
([top, bottom]) => {
  const root = document.querySelector("#states > div").shadowRoot;
  const [canvas, over] = [root.querySelector("canvas"), root.querySelector(".u-over")];
  const [all, plot] = [canvas, over].map(one => one.getBoundingClientRect());
  const scale = canvas.width / all.width;
  const [left, width] = [plot.left - all.left, plot.width].map(px => Math.round(px * scale));
  const [from, to] = [top, bottom].map(part => Math.round((plot.top - all.top + part * plot.height) * scale));
  const { data } = canvas.getContext("2d").getImageData(left, from, width, to - from);
  const inked = [];
  for (let x = 0; x < width; x++) {
    let dark = false;
    for (let y = 0; y < to - from; y++) {
      const at = 4 * (y * width + x);
      dark ||= data[at + 3] > 100 && Math.min(data[at], data[at + 1], data[at + 2]) < 150;
    }
    if (dark) inked.push(x / width);
  }
  return inked;
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
    expect(tools.locator(":focus")).to_have_accessible_name("Other ways to have the charts")
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


def test_three_spikes_among_a_hundred_thousand_points_are_drawn(page: Page, card: Any) -> None:
    state, spikes = job(1), (20_000, 50_001, 77_777)
    values = [1.0 if step in spikes else 0.2 for step in range(1, 100_001)]
    state["series"] = {"train_loss": [{"step": n, "value": value} for n, value in enumerate(values, 1)]}
    shown = card(state)
    expect(shown.locator(".note").first).to_have_text(re.compile("^[\\d\u202f]+ of 100\u202f000$"))
    found = page.evaluate(_INKED, [0.2, 0.6])
    places = [at for before, at in pairwise([-1.0, *found]) if at - before > 0.05]
    assert places == pytest.approx([step / 100_000 for step in spikes], abs=0.02)


def test_what_is_not_finite_is_a_gap_with_a_label(page: Page, card: Any) -> None:
    state = job(1)
    values = state["series"]["train_loss"]
    for point in values[99:200]:
        point |= {"value": None, "nf": "nan"}
    state["series"] = {"train_loss": values}
    expect(card(state).get_by_test_id("mlops-not-finite")).to_have_text("101 × NaN, first at epoch 100")
    found = page.evaluate(_INKED, [0.0, 1.0])
    ((gap, on),) = [(at, later) for at, later in pairwise(found) if later - at > 0.05]
    assert (gap, on) == pytest.approx((99 / POINTS, 201 / POINTS), abs=0.02)


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


def steps_shown(card: Locator) -> list[int]:
    """Both ends of the x axis of the first chart, by the crosshair."""
    charts = card.get_by_test_id("mlops-charts")
    pill = card.get_by_test_id("mlops-pill").first
    box = card.locator(".u-over").first.bounding_box()
    assert box
    ends = []
    for x in (1, box["width"] - 1):
        card.page.mouse.move(box["x"] + x, box["y"] + 30)
        ends.append(pill.text_content() or "")
    card.page.mouse.move(5, 5)
    charts.focus()
    return [int(end.replace("epoch ", "")) for end in ends]


def shows(card: Locator, low: int, high: int) -> None:
    """Within a few pixels, once it is painted."""
    deadline = time.monotonic() + 5
    while (ends := steps_shown(card)) != pytest.approx([low, high], abs=6) and time.monotonic() < deadline:
        pass
    assert ends == pytest.approx([low, high], abs=6)


def drag(card: Locator, start: tuple[float, float], end: tuple[float, float], chart: int = 0) -> None:
    """Between two places of a plot, as shares of its width and height."""
    box = card.locator(".u-over").nth(chart).bounding_box()
    assert box
    mouse = card.page.mouse
    for n, (x, y) in enumerate((start, end)):
        mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=1 + 4 * n)
        if n == 0:
            mouse.down()
    mouse.up()
    mouse.move(5, 5)


def repainted(card: Locator, before: list[str], *, which: int = 0) -> None:
    card.page.wait_for_function(
        "([before, which]) => document.querySelector('#states > div').shadowRoot"
        ".querySelectorAll('canvas')[which].toDataURL() !== before",
        arg=[before[which], which],
    )


def test_dragging_zooms_all_charts_and_what_is_new_meanwhile_is_told(page: Page, card: Any) -> None:
    shown = card()
    before, tall = painted(shown), height(shown)
    follow = shown.get_by_test_id("mlops-follow")
    expect(follow).to_be_hidden()
    shows(shown, 1, 400)
    drag(shown, (0.25, 0.5), (0.5, 0.2))
    for chart in range(3):
        repainted(shown, before, which=chart)
    shows(shown, 100, 200)
    expect(follow).to_have_text("Reset zoom")
    assert height(shown) == tall
    later = job()
    for points in later["series"].values():
        points += [{"step": step, "value": 1.0, "elapsed": step / 10} for step in range(401, 451)]
    page.evaluate("state => window.changeState('one', state)", later)
    expect(follow).to_have_text("● new data — follow")
    shows(shown, 100, 200)
    follow.click()
    expect(follow).to_be_hidden()
    shows(shown, 1, 450)
    near = painted(shown)
    drag(shown, (0.25, 0.5), (0.5, 0.2), chart=1)
    repainted(shown, near)
    shown.locator(".u-over").first.dblclick()
    expect(follow).to_be_hidden()


def test_dragging_with_shift_zooms_the_values_of_one_chart(page: Page, card: Any) -> None:
    shown = card()
    before = painted(shown)
    page.keyboard.down("Shift")
    drag(shown, (0.5, 0.9), (0.5, 0.99))
    page.keyboard.up("Shift")
    repainted(shown, before)
    assert painted(shown)[1:] == before[1:]
    # The three spikes of both lines and whatever else is above.
    expect(shown.get_by_test_id("mlops-left-out").first).to_contain_text("points above")
    shown.get_by_test_id("mlops-charts").focus()
    page.keyboard.press("0")
    expect(shown.get_by_test_id("mlops-left-out").first).to_be_hidden()


def test_keys_zoom_around_the_crosshair_and_take_the_part_along(page: Page, card: Any) -> None:
    shown = card()
    shown.get_by_test_id("mlops-charts").focus()
    page.keyboard.press("End")
    for _ in range(3):
        page.keyboard.press("+")
    pill = shown.get_by_test_id("mlops-pill").first
    expect(pill).to_have_text("epoch 400")
    shows(shown, 350, 400)
    page.keyboard.press("Home")
    expect(pill).to_have_text("epoch 1")
    shows(shown, 1, 51)
    before = painted(shown)
    page.keyboard.press("Shift+ArrowUp")
    repainted(shown, before)
    page.keyboard.press("-")
    page.keyboard.press("0")
    shows(shown, 1, 400)
    expect(shown.get_by_test_id("mlops-follow")).to_be_hidden()
    less = shown.get_by_test_id("mlops-zoom-out")
    expect(less).to_have_accessible_description("All is shown.")
    shown.get_by_test_id("mlops-zoom-in").click()
    expect(less).not_to_have_attribute("aria-disabled", "true")
    less.click()
    expect(shown.get_by_test_id("mlops-follow")).to_be_hidden()


def test_a_part_of_a_long_series_is_asked_for_and_drawn_in_its_own_detail(page: Page, card: Any) -> None:
    state = json.loads((HARNESS / "states.json").read_text())["long"]
    shown = card(state)
    note = shown.locator(".note").first
    expect(note).to_have_text("1\u202f000 of 100\u202f000")
    with page.expect_console_message(lambda said: '"look"' in said.text) as said:
        drag(shown, (0.5, 0.5), (0.52, 0.5))
    wish = json.loads(said.value.text)
    assert (48_000 < wish["from"] < 51_000, 51_000 < wish["to"] < 54_000) == (True, True)
    before = painted(shown)
    points = [
        {"step": step, "value": 1.0 if step == wish["from"] + 150 else 0.2}
        for step in range(wish["from"], wish["to"], 2)
    ]
    near = {"from": wish["from"], "to": wish["to"], "series": {"train_loss": points}}
    page.evaluate("state => window.changeState('one', state)", {**state, "near": near})
    repainted(shown, before)
    expect(note).to_have_text("")
    shown.get_by_test_id("mlops-follow").click()
    expect(note).to_have_text("1\u202f000 of 100\u202f000")


def test_the_wheel_scrolls_the_page(page: Page, card: Any) -> None:
    shown = card()
    page.evaluate("document.body.style.height = '3000px'")
    before = painted(shown)
    shown.locator(".u-over").first.hover()
    page.mouse.wheel(0, 60)
    page.wait_for_function("() => scrollY === 60")
    assert painted(shown) == before


def test_a_real_server_is_asked_for_a_part_in_its_own_detail(page: Page, tmp_path: Path) -> None:
    """Twenty thousand points are reduced; seventy of them looked at from near are all there."""
    server = WorksServer(tmp_path / "home")
    with closing(server):
        server.start()
        job_id = server.begun("emits", points=20_000, per_second=20_000.0)
        server.over(job_id)
        page.goto(f"{server.url}mlops?token={server.token}&job={job_id}")
        shown = page.get_by_test_id("mlops-card")
        note = shown.get_by_test_id("mlops-chart").locator(".note")
        expect(note).to_have_text(re.compile(r"of 20\u202f000"), timeout=30_000)
        shown.get_by_test_id("mlops-charts").focus()
        page.keyboard.press("Home")
        with page.expect_response(re.compile(r"/metrics\?.*from=1&to=\d{2,3}$")) as answered:
            for _ in range(8):
                page.keyboard.press("+")
        points = answered.value.json()["series"]["n"]["points"]
        assert [point["step"] for point in points] == list(range(1, len(points) + 1))
        expect(note).to_have_text("")
        page.keyboard.press("0")
        expect(note).to_have_text(re.compile(r"of 20\u202f000"))


def ways(card: Locator) -> Locator:
    """The menu of the tools, opened."""
    card.get_by_test_id("mlops-charts").focus()
    card.get_by_test_id("mlops-ways").click()
    return card.get_by_test_id("mlops-ways-menu")


def cells(card: Locator) -> list[list[str]]:
    """Of the first table, row by row, its head included."""
    rows: list[list[str]] = (
        card.get_by_test_id("mlops-table")
        .first.locator("tr")
        .evaluate_all("all => all.map(row => [...row.cells].map(cell => cell.textContent))")
    )
    return rows


def test_keys_lead_to_a_table_of_the_points_and_back(page: Page, card: Any) -> None:
    state = job()
    state["series"]["train_loss"][2] = {"step": 3, "value": None, "nf": "nan"}
    for points in state["series"].values():
        del points[40:]
    shown = card(state)
    shown.get_by_test_id("mlops-charts").focus()
    while not shown.locator("[data-testid=mlops-ways]:focus").count():
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(shown.get_by_test_id("mlops-menu-table")).to_be_focused()
    page.keyboard.press("Enter")
    data = shown.get_by_test_id("mlops-data")
    expect(data).to_have_accessible_name("Data of the charts: digits-mlp")
    expect(data.get_by_test_id("mlops-data-close")).to_be_focused()
    assert data.locator("caption").all_inner_texts() == [f"{name} 80 values" for name in ("loss", "m1", "m2")]
    table = cells(shown)
    assert [table[0], table[3], len(table)] == [
        ["epoch", "train_loss", "val_loss"],
        ["3", "NaN", str(state["series"]["val_loss"][2]["value"])],
        41,
    ]
    assert data.get_by_role("columnheader").count() == 9
    assert data.get_by_role("rowheader").count() == 120
    expect(data.locator("code")).to_have_text(f'mlops.get("{state["record"]["job_id"][:6]}").metrics')
    # Its box is reached and scrolled by keys, and the page keeps its place.
    page.keyboard.press("Tab")
    box = data.get_by_test_id("mlops-table").first
    expect(box).to_be_focused()
    page.keyboard.press("End")
    page.wait_for_function("box => box.scrollTop > 0", arg=box.element_handle())
    with page.expect_console_message(lambda said: '"csv"' in said.text):
        data.get_by_test_id("mlops-data-csv").click()
    page.keyboard.press("Escape")
    expect(data).to_be_hidden()
    expect(shown.get_by_test_id("mlops-ways")).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_table_of_a_long_series_says_what_of_it_is_shown(page: Page, card: Any, theme: str) -> None:
    shown = card(json.loads((HARNESS / "states.json").read_text())["long"], theme=theme, width=480)
    ways(shown).get_by_test_id("mlops-menu-table").click()
    data = shown.get_by_test_id("mlops-data")
    said = data.locator("caption").first.inner_text()
    told = re.fullmatch(
        r"loss (\d+) of 100\u202f000 values: first, lowest and highest of each range, at most 300 rows", said
    )
    assert told, said
    rows = cells(shown)[1:]
    assert int(told[1]) == sum(bool(value) for row in rows for value in row[1:]) == len(rows) <= 300
    data.get_by_test_id("mlops-data-close").click()
    shown.get_by_test_id("mlops-charts").focus()
    page.keyboard.press("End")
    for _ in range(9):
        page.keyboard.press("+")
    ways(shown).get_by_test_id("mlops-menu-table").click()
    # Nearer than the card has points of: nobody here knows how many there are.
    expect(data.locator("caption").first).to_contain_text("of more values")
    assert violations(page, "#states > div") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_of_the_charts_is_made_on_the_page_with_title_legend_and_curves(
    page: Page, card: Any, tmp_path: Path, theme: str
) -> None:
    asked: list[str] = []
    state = job(4)
    state["record"]["name"] = "../<b>A & B</b>"
    shown = card(state, theme=theme)
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_download() as saved:
        ways(shown).get_by_test_id("mlops-menu-png").click()
    short = state["record"]["job_id"][:6]
    assert saved.value.suggested_filename == f"b-A-B-b-{short}.png"
    assert [url for url in asked if not url.startswith("blob:")] == []
    file = tmp_path / "charts.png"
    saved.value.save_as(file)
    # Three charts of the row, each as wide as on the card; the bands of title and legend are not empty.
    box = shown.get_by_test_id("mlops-charts").bounding_box()
    assert box
    width, bands, ground = page.evaluate(_BANDS, base64.b64encode(file.read_bytes()).decode())
    assert abs(width - box["width"] - 24) <= 3
    assert all(inked > 40 for inked in bands), bands
    assert ground == ([255, 255, 255] if theme == "light" else [33, 33, 33])


def test_the_card_fills_the_screen_with_all_its_charts_and_escape_brings_it_back(
    page: Page, card: Any
) -> None:
    shown = card(job(6))
    before, charts = height(shown), shown.get_by_test_id("mlops-chart")
    assert charts.count() == 3
    entry = ways(shown).get_by_test_id("mlops-menu-full")
    expect(entry).to_have_text("Full screen")
    entry.click()
    expect(charts).to_have_count(6)
    page.wait_for_function(
        "card => card.matches(':fullscreen') && card.offsetHeight === innerHeight"
        " && card.scrollHeight === innerHeight && card.querySelector('canvas').clientHeight > 120",
        arg=shown.element_handle(),
    )
    expect(shown.get_by_test_id("mlops-unfold")).to_be_hidden()
    expect(ways(shown).get_by_test_id("mlops-menu-full")).to_have_text("Leave full screen")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(charts).to_have_count(3)
    assert height(shown) == before
