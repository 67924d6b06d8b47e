"""The server under a page is killed, and the next one takes its place: what the page says, and keeps."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.lab import Lab
from tests.browser.servers import LabServer
from tests.browser.test_first_training import (
    LOAD,
    TRAIN,
    card,
    connection,
    job_id,
    moves,
    notebook,
    state,
    steps,
    stops,
    trains,
)
from tests.browser.test_many_tabs import WRONG
from tests.browser.test_surroundings import submit


def test_a_killed_server_is_said_in_time_and_the_next_one_fills_what_was_missed(
    start_lab: Callable[..., LabServer], open_lab: Callable[..., Lab]
) -> None:
    server = start_lab()
    lab = open_lab(server)
    lab.tolerate("ERR_|Failed to fetch|WebSocket|api/|Loading chunk")
    notebook(lab, LOAD, TRAIN.replace("8000", "60000"))
    lab.run_all()
    trains(lab)
    moves(lab)
    numbers = card(lab).get_by_test_id("mlops-numbers")
    legend = card(lab).get_by_test_id("mlops-legend").first
    # JupyterLab fetches what draws toasts with the first of them: of a server that is away it could not.
    submit(server, name="wrong", **WRONG)
    expect(lab.page.locator(".Toastify__toast", has_text="wrong failed")).to_have_count(1, timeout=60_000)
    server.kill()
    counted = re.compile(r"Reconnecting… try \d+, next in \d+\ss")
    expect(connection(lab)).to_have_text(counted, timeout=15_000)
    # Its data stay.
    expect(legend).to_contain_text(re.compile(r"\d\.\d"))
    seen = steps(numbers.inner_text())
    assert seen
    # Away for longer than a restart takes: a toast says so, and is gone when it is back.
    away = lab.page.locator(".Toastify__toast", has_text="The server does not answer.")
    expect(away).to_have_count(1, timeout=30_000)
    server.start()
    expect(connection(lab)).to_contain_text("Live", timeout=30_000)
    expect(away).to_have_count(0)
    expect(state(lab)).to_have_text("Running")
    moves(lab)
    stops(lab)
    # The curve of the page has every point there is.
    expect(card(lab)).not_to_contain_text("not received")
    measured = server.get(f"mlops/api/jobs/{job_id(lab)}/metrics").json()["series"]["train_loss"]["count"]
    # JupyterLab says what happened, too, in a dialog over everything: no pointer reaches the button.
    lab.page.get_by_test_id("mlops-show-charts").dispatch_event("click")
    curve = card(lab).locator("[data-metric=loss] [role=img]")
    expect(curve).to_have_attribute("aria-label", re.compile(f"train_loss, {measured} points"))
