"""Each of the seventeen events, caused and seen in a page, the socket cut right behind it (F30)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from csv import DictReader
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.lab import Lab
from tests.browser.proxy import Proxy
from tests.browser.servers import NO_THRESHOLDS, ROOT
from tests.browser.test_control_group import GroupedServer, health_is
from tests.browser.test_pipelines import asked
from tests.browser.test_surroundings import panel, submit
from tests.control_groups import Real, Recorded, kinds, limited

MEMORY = 2 << 30
SEVENTEEN = {
    *("training_progress", "training_completed", "training_failed", "system_metrics", "health_change"),
    *("upload_progress", "upload_completed", "upload_failed", "dataset_created", "dataset_updated"),
    *("pipeline_created", "pipeline_updated", "pipeline_deleted", "activity_update"),
    *("model_status", "model_deployed", "prediction_volume"),
}
#: Some seconds, with an end.
SOME_SECONDS = {"max_iter": 1200, "tol": 0, "n_iter_no_change": 1200}
PENGUINS = ROOT / "notebooks" / "data" / "penguins.csv"


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Real | Recorded]:
    with limited(kinds()[-1], MEMORY, tmp_path) as group:
        yield group


@pytest.fixture
def server(group: Real | Recorded, tmp_path: Path) -> Iterator[GroupedServer]:
    """One whose memory is a warning from 60 % on."""
    server = GroupedServer(tmp_path / "home", group)
    server.settle(health_thresholds={**NO_THRESHOLDS, "memory": (60, 1000)}, system_seconds=0.5)
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
    proxy.cut_after(*SEVENTEEN)
    shown = panel(lab)
    machine(group, shown)
    model = trained(server, lab, shown)
    datasets(server, shown)
    pipelines(server, shown)
    deployed(server, lab, shown, model)
    failed(server, lab, shown)
    assert set(proxy.cuts) == SEVENTEEN


def machine(group: Real | Recorded, shown: Locator) -> None:
    # system_metrics: the strip has numbers.
    expect(shown.get_by_test_id("mlops-gauge-memory")).to_contain_text(re.compile(r"\d.*GiB · container"))
    # health_change: a word with its shape and colour, and why.
    health_is(shown, "Healthy")
    with group.filled(int(0.7 * MEMORY)):
        health_is(shown, "Warning")
        expect(rows(shown, "Machine warning")).to_contain_text(re.compile(r"memory \d\d %"))
    health_is(shown, "Healthy")


def trained(server: GroupedServer, lab: Lab, shown: Locator) -> str:
    # training_progress: numbers move.
    job_id = submit(server, name="whole", model="mlp", params=SOME_SECONDS)
    running = shown.get_by_test_id("mlops-running").get_by_test_id("mlops-row")
    expect(running).to_contain_text(re.compile(r"[1-9]\d?\s%"), timeout=60_000)
    running.press("Enter")
    card = lab.page.locator(f"#mlops-job-{job_id}").get_by_test_id("mlops-card")
    # training_completed: the card is final. model_status: it names its model, which is a row, too.
    expect(card.get_by_test_id("mlops-state")).to_have_text("Finished", timeout=60_000)
    expect(card).to_contain_text(re.compile("m-[0-9a-z]+"))
    expect(entry(shown, "models")).to_contain_text("v1 registered")
    # activity_update: a row each.
    for title in ("Training queued", "Training started", "Training finished"):
        expect(rows(shown, title)).to_have_count(1)
    return str(server.get(f"mlops/api/jobs/{job_id}").json()["job"]["model_id"])


def datasets(server: GroupedServer, shown: Locator) -> None:
    """Sent by somebody else: of what a page sends itself it knows more than it is told."""
    whole = PENGUINS.read_bytes()
    upload = asked(server, "POST", "uploads", {"filename": "seen.csv", "bytes": len(whole)})["upload_id"]
    # upload_progress: a bar.
    sent(server, upload, whole[:6000], 0)
    bar = shown.get_by_test_id("mlops-upload").get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", str(100 * 6000 // len(whole)))
    sent(server, upload, whole[6000:], 6000)
    asked(server, "POST", f"uploads/{upload}/finish", {})
    # upload_completed: it is on its way no more. dataset_created: a row, with what was counted.
    expect(entry(shown, "datasets")).to_contain_text(re.compile(r"seen\s*v1\s*344\srows"), timeout=30_000)
    expect(bar).to_have_count(0)
    expect(rows(shown, "Dataset created")).to_have_count(1)
    # dataset_updated: its next version.
    arrive(server, "seen.csv", b"a,b\n1,2\n3,4\n")
    expect(entry(shown, "datasets")).to_contain_text(re.compile(r"seen\s*v2\s*2\srows"), timeout=30_000)
    expect(rows(shown, "Dataset updated")).to_have_count(1)
    # upload_failed: the reason, and where.
    arrive(server, "broken.csv", b"a,b\n1,2\n1,2,3,4\n")
    expect(rows(shown, "Upload failed")).to_contain_text("Line 3 of broken.csv", timeout=30_000)


def pipelines(server: GroupedServer, shown: Locator) -> None:
    named = shown.locator("[data-pipeline]")
    recipe = {"data": {"path": str(PENGUINS)}, "target": "species", "model": "logistic"}
    # pipeline_created, pipeline_updated, pipeline_deleted: a row, its version, and no row any more.
    pipeline = asked(server, "POST", "pipelines", {"name": "seen", "recipe": recipe})["id"]
    expect(named).to_contain_text("seen v1")
    headers = {"If-Match": '"1"'}
    asked(server, "PUT", f"pipelines/{pipeline}", {"recipe": {**recipe, "cv": 0}}, headers)
    expect(named).to_contain_text("seen v2")
    asked(server, "DELETE", f"pipelines/{pipeline}", {})
    expect(named).to_have_count(0)
    for title in ("Pipeline created", "Pipeline updated", "Pipeline deleted"):
        expect(rows(shown, title)).to_have_count(1)


def deployed(server: GroupedServer, lab: Lab, shown: Locator, model: str) -> None:
    asked(server, "POST", f"models/{model}/deploy", {})
    # model_deployed: it interrupts, with how good it is. model_status: a badge.
    toast = lab.page.locator(".Toastify__toast")
    expect(toast.filter(has_text="whole is now live")).to_contain_text(
        re.compile(r"with \d+\.\d% accuracy"), timeout=60_000
    )
    expect(entry(shown, "models")).to_contain_text("v1 deployed")
    expect(rows(shown, "Model deployed")).to_have_count(1)
    inputs = asked(server, "GET", f"models/{model}")["signature"]["inputs"]
    with PENGUINS.open(newline="", encoding="utf-8") as table:
        read = [
            {one["name"]: cell(row[one["name"]], one["kind"]) for one in inputs} for row in DictReader(table)
        ]
    asked(server, "POST", f"models/{model}/predict", {"rows": (read * 3)[:1000]})
    # prediction_volume: at a round number it interrupts, for a few seconds; the counter stays.
    milestone = toast.filter(has_text=re.compile(r"has made 1\s000 predictions"))
    expect(milestone).to_have_count(1, timeout=30_000)
    expect(entry(shown, "models")).to_contain_text(re.compile(r"1\s000 predictions"), timeout=30_000)


def failed(server: GroupedServer, lab: Lab, shown: Locator) -> None:
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


def entry(shown: Locator, section: str) -> Locator:
    return shown.get_by_test_id(f"mlops-{section}").get_by_test_id("mlops-entry")


def sent(server: GroupedServer, upload: str, part: bytes, offset: int) -> None:
    headers = {
        "Authorization": f"token {server.token}",
        "Content-Type": "application/octet-stream",
        "Upload-Offset": str(offset),
    }
    address = f"{server.url}mlops/api/uploads/{upload}"
    httpx.patch(address, content=part, headers=headers, timeout=30).raise_for_status()


def arrive(server: GroupedServer, filename: str, body: bytes) -> None:
    upload = asked(server, "POST", "uploads", {"filename": filename, "bytes": len(body)})["upload_id"]
    sent(server, upload, body, 0)
    asked(server, "POST", f"uploads/{upload}/finish", {})


def cell(text: str, kind: str) -> str | float | None:
    """As JSON has it."""
    if text in ("", "NA"):
        return None
    return float(text) if kind == "number" else text
