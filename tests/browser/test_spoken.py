"""What a screen reader hears of a job: few sentences, far from each other, and the end."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Lab
from tests.browser.test_first_training import LOAD, TRAIN, card, notebook, state, stops

#: Each text that appears in a live region of the card, with the second it did.
LISTEN = """card => {
  window.heard = [];
  for (const region of card.querySelectorAll("[aria-live], [role=status], [role=alert]")) {
    let before = "";
    const listen = () => {
      const text = region.hidden ? "" : region.textContent.trim();
      if (text !== "" && text !== before) window.heard.push([performance.now() / 1000, text]);
      before = text;
    };
    listen();
    const all = { attributeFilter: ["hidden"], characterData: true, childList: true, subtree: true };
    new MutationObserver(listen).observe(region, all);
  }
}"""
#: Seconds between two sentences, as the card has it; a page that is busy draws the first a little late.
APART, LATE = 12, 0.5


@pytest.mark.parametrize(
    ("iterations", "seconds"),
    [(4000, 20), pytest.param(30_000, 58, marks=pytest.mark.soak)],
    ids=["short", "a-minute"],
)
def test_few_sentences_are_heard_and_the_last_is_the_end(lab: Lab, iterations: int, seconds: int) -> None:
    notebook(lab, LOAD, TRAIN.replace("8000", str(iterations)))
    lab.run_cell(0)
    lab.run_cell(1, wait=False)
    card(lab).wait_for()
    card(lab).evaluate(LISTEN)
    try:
        expect(state(lab)).to_have_text("Finished", timeout=1000 * seconds)
    except AssertionError:
        # On a slow machine it takes longer: its end comes now.
        stops(lab)
    end = state(lab).inner_text().split()[0]
    lab.until("end => window.heard.at(-1)[1].includes(end)", end)
    heard: list[tuple[float, str]] = lab.page.evaluate("() => window.heard")
    times = [time for time, _ in heard]
    assert [b - a for a, b in itertools.pairwise(times) if b - a < APART - LATE] == [], heard
    assert 2 <= len(heard) <= 6, heard
