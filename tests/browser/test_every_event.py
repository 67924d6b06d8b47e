"""Each event that there is by now, caused and seen in a page, the socket cut right behind it (F30)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.lab import Lab
from tests.browser.proxy import Proxy
from tests.browser.servers import NO_THRESHOLDS
from tests.browser.test_control_group import GroupedServer
from tests.browser.test_surroundings import panel, submit
from tests.control_groups import Real, Recorded, kinds, limited

MEMORY = 2 << 30
#: Of the seventeen; those of datasets, pipelines, deployments and predictions nothing causes yet.
THERE = {
    *("training_progress", "training_completed", "training_failed", "model_status"),
    *("system_metrics", "health_change", "activity_update"),
}
#: Some seconds, with an end.
SOME_SECONDS = {"max_iter": 1200, "tol": 0, "n_iter_no_change": 1200}


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Real | Recorded]:
    with limited(kinds()[-1], MEMORY, tmp_path) as group:
        yield group


@pytest.fixture
def server(group: Real | Recorded, tmp_path: Path) -> Iterator[GroupedServer]:
    """One whose memory is a warning from 60 % on."""
    server = GroupedServer(tmp_path / "home", group)
    settings = {"health_thresholds": {**NO_THRESHOLDS, "memory": (60, 1000)}, "system_seconds": 0.5}
    config = server.home / "config" / "jupyter_server_config.json"
    config.write_text(json.dumps({"MlopsExtension": settings}))
    try:
        server.start()
        yield server
    finally:
        server.close()


def rows(shown: Locator, title: str) -> Locator:
    return shown.get_by_test_id("mlops-feed").get_by_role("listitem").filter(has_text=title)


def test_each_event_is_seen_though_the_socket_is_cut_right_behind_it(
    group: Real | Recorded,
    server: GroupedServer,
    start_proxy: Callable[[GroupedServer], Proxy],
    open_lab: Callable[..., Lab],
) -> None:
    proxy = start_proxy(server)
    lab = open_lab(server, proxy)
    lab.tolerate("mlops/api/events/subscribe")
    lab.open_notebook(server.notebook("empty.ipynb", ["1"]))
    proxy.cut_after(*THERE)
    shown = panel(lab)

    # system_metrics: the strip has numbers.
    expect(shown.get_by_test_id("mlops-gauge-memory")).to_contain_text(re.compile(r"\d.*GiB · container"))
    # health_change: a word and its colour, and why.
    expect(shown.get_by_test_id("mlops-health")).to_have_text("Healthy")
    with group.filled(int(0.7 * MEMORY)):
        expect(shown.get_by_test_id("mlops-health")).to_have_text("Warning", timeout=30_000)
        expect(rows(shown, "Machine warning")).to_contain_text(re.compile(r"memory \d\d %"))
    expect(shown.get_by_test_id("mlops-health")).to_have_text("Healthy", timeout=30_000)

    # training_progress: numbers move.
    job_id = submit(server, name="whole", model="mlp", params=SOME_SECONDS)
    running = shown.get_by_test_id("mlops-running").get_by_test_id("mlops-row")
    expect(running).to_contain_text(re.compile(r"[1-9]\d?\s%"), timeout=60_000)
    running.press("Enter")
    card = lab.page.locator(f"#mlops-job-{job_id}").get_by_test_id("mlops-card")
    # training_completed: the card is final. model_status: it names its model.
    expect(card.get_by_test_id("mlops-state")).to_have_text("Finished", timeout=60_000)
    expect(card).to_contain_text(re.compile("m-[0-9a-z]+"))
    # activity_update: a row each.
    for title in ("Training queued", "Training started", "Training finished"):
        expect(rows(shown, title)).to_have_count(1)

    # training_failed: it interrupts, and says why.
    broken = submit(server, name="broken", model="mlp", params={"hidden_layer_sizes": [0]})
    toast = lab.page.locator(".Toastify__toast", has_text="broken failed")
    expect(toast).to_have_count(1, timeout=60_000)
    expect(rows(shown, "Training failed")).to_have_count(1)
    toast.get_by_text("Open").click()
    card = lab.page.locator(f"#mlops-job-{broken}").get_by_test_id("mlops-card")
    error = server.get(f"mlops/api/jobs/{broken}").json()["job"]["error"]
    # The same words everywhere; on the card the stage beside them, and nothing needs a click.
    for place in (card, rows(shown, "Training failed"), shown.locator(f'[data-job="{broken}"]')):
        expect(place).to_contain_text(error[:40])
    expect(card.locator('[data-testid="mlops-stage"][data-state="failed"]').first).to_be_visible()

    assert set(proxy.cuts) == THERE
