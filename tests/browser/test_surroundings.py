"""JupyterLab around the card: panel, a tab a job, status bar, and what is told to who looks elsewhere."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
from playwright.sync_api import Locator, Request, expect

from tests.browser.lab import Lab
from tests.browser.servers import LabServer
from tests.browser.test_first_training import LOAD, SLEEP, TRAIN, notebook

ACTIVE_CELL = """lines => {
  const { content } = window.jupyterapp.shell.currentWidget;
  return content.activeCell.model.sharedModel.getSource() === lines;
}"""
PANEL = "() => window.jupyterapp.commands.execute('mlops:open-panel')"


def panel(lab: Lab) -> Locator:
    lab.page.evaluate(PANEL)
    found = lab.page.locator("#mlops-panel").get_by_test_id("mlops-panel")
    found.wait_for()
    return found


def keeps_the_tab(request: Request) -> bool:
    """JupyterLab has written down which tabs to open again: a moment after they were opened."""
    return "/workspaces" in request.url and "mlops-jobs" in (request.post_data or "")


def item(lab: Lab) -> Locator:
    return lab.page.get_by_test_id("mlops-status-item")


def submit(server: LabServer, **wishes: Any) -> str:
    """A job of nobody's notebook; returns its id."""
    server.copy("notebooks/data")
    spec = {
        "data": {"path": str(server.root / "notebooks/data/penguins.csv")},
        "target": "species",
        "model": "logistic",
        "cv": 0,
        **wishes,
    }
    headers = {"Authorization": f"token {server.token}"}
    answer = httpx.post(f"{server.url}mlops/api/jobs", json=spec, headers=headers, timeout=30)
    return str(answer.raise_for_status().json()["job_id"])


def behind_the_bell(lab: Lab, name: str) -> Locator:
    """What JupyterLab's list of notifications, which is opened, has of a job."""
    lab.page.locator(".jp-Notification-Status").click()
    expect(lab.page.locator(".jp-Notification-List")).to_be_visible()
    return lab.page.locator(".jp-Notification-List-Item", has_text=name)


def moves_behind_the_bell(lab: Lab, name: str) -> None:
    """One entry of a job that runs, whose numbers change."""
    told = behind_the_bell(lab, name)
    expect(told).to_have_text(re.compile(rf"{name}: .*\d"))
    before = told.text_content()
    expect(told).not_to_have_text(before or "")
    expect(told).to_have_count(1)
    # A click beside it closes it.
    lab.page.locator("#jp-MainLogo").click()


def has_left_the_bell(lab: Lab, name: str) -> None:
    expect(behind_the_bell(lab, name)).to_have_count(0)
    lab.page.locator("#jp-MainLogo").click()


def test_the_panel_moves_while_the_kernel_sleeps_and_opens_a_job_in_a_tab(lab: Lab) -> None:
    notebook(lab, LOAD, TRAIN.replace("8000", "100000"), SLEEP)
    shown = panel(lab)
    lab.run_all(wait=False)
    # Its server is that of other tests, too: this is the newest job.
    running = shown.get_by_test_id("mlops-running").get_by_test_id("mlops-row").first
    expect(running).to_have_text(re.compile(r"penguins-mlp.*\d\s%"), timeout=30_000)
    lab.kernel_is("busy")
    before = running.text_content()
    expect(running).not_to_have_text(before or "")
    expect(item(lab)).to_have_text(re.compile(r"◐ penguins-mlp \d+\s%"))
    expect(shown.get_by_test_id("mlops-gauge-memory")).to_have_text(re.compile(r"\d+\s%.*GiB · host"))
    expect(shown.get_by_test_id("mlops-health")).to_have_text("Healthy")
    assert len(lab.server.get("mlops/api/system").json()["history"]) >= 1
    expect(shown.get_by_test_id("mlops-feed").get_by_role("listitem")).to_contain_text(
        ["Training started", "Training queued"]
    )
    moves_behind_the_bell(lab, "penguins-mlp")
    # By keyboard, as everything.
    running.focus()
    with lab.page.expect_request(keeps_the_tab):
        lab.page.keyboard.press("Enter")
    tab = lab.page.locator("[id^=mlops-job-]").get_by_test_id("mlops-card")
    expect(tab.get_by_test_id("mlops-state")).to_have_text("Running")
    # One connection for card, tab, panel and status bar.
    assert lab.server.get("mlops/api/system").json()["system"]["active_connections"] == 1
    lab.reload(ready=True)
    expect(tab.get_by_test_id("mlops-state")).to_have_text(re.compile("Running|Finished"), timeout=30_000)
    expect(lab.page.get_by_test_id("mlops-panel")).to_be_visible()
    lab.page.locator(".lm-TabBar-tab", has_text="penguins-mlp").click()
    expect(tab.get_by_test_id("mlops-stop")).to_be_visible()
    job_id = tab.get_by_test_id("mlops-id").get_attribute("title")
    assert job_id is not None
    # Every command can be run by a button in a notebook somebody sent: those that change something ask.
    lab.page.evaluate("() => { window.jupyterapp.commands.execute('mlops:stop-job'); }")
    asks = lab.page.locator(".jp-Dialog")
    expect(asks.get_by_role("combobox")).to_contain_text(f"penguins-mlp · {job_id[:6]}")
    asks.get_by_role("button", name="Cancel").click()
    row = shown.locator(f'[data-job="{job_id}"]')
    row.get_by_test_id("mlops-row").click(button="right")
    orders = lab.page.locator(".lm-Menu-item:visible")
    expect(orders).to_have_text(["Open", "Stop", "Pause", "Copy Job Id", "Copy as Code"])
    expect(tab.get_by_test_id("mlops-state")).to_have_text("Running")
    orders.filter(has_text="Stop").click()
    over = shown.get_by_test_id("mlops-jobs").locator(f'[data-job="{job_id}"]')
    expect(over).to_contain_text("cancelled", timeout=15_000)
    has_left_the_bell(lab, "penguins-mlp")
    over.get_by_test_id("mlops-row").click(button="right")
    orders.filter(has_text="Delete…").click()
    asks.get_by_role("button", name="Delete").click()
    expect(over).to_have_count(0)
    expect(tab.get_by_test_id("mlops-state")).to_have_text("Deleted")
    lab.page.locator(".lm-TabBar-tab", has_text=".ipynb").click()
    shown.get_by_test_id("mlops-train").click()
    lines = 'import mlops_jupyter as mlops\n\njob = mlops.train(df, target="…")'
    lab.until(ACTIVE_CELL, lines)
    assert lab.console_errors == []


def test_status_bar_keys_and_launcher_lead_to_the_panel(lab: Lab) -> None:
    notebook(lab, "1")
    page = lab.page
    shown = page.get_by_test_id("mlops-panel")

    def by_launcher() -> None:
        page.evaluate("() => { window.jupyterapp.commands.execute('launcher:create'); }")
        page.locator(".jp-LauncherCard", has_text="mlops: Jobs and the Machine").click()

    for way in (item(lab).click, lambda: page.keyboard.press("Alt+Shift+M"), by_launcher):
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        expect(shown).to_be_hidden()
        way()
        expect(shown).to_be_visible()
    assert lab.console_errors == []


def test_settings_hold_as_soon_as_they_are_changed(lab: Lab) -> None:
    notebook(lab, "1")
    shown = panel(lab)
    expect(item(lab)).to_be_visible()
    connection = shown.get_by_test_id("mlops-connection")
    expect(connection).to_contain_text("Live")
    lab.page.evaluate("() => window.jupyterapp.commands.execute('settingeditor:open', { query: 'mlops' })")
    field = "[id='jp-SettingsEditor-mlops_jupyter:plugin_{}']"
    lab.page.locator(field.format("statusBar")).uncheck()
    expect(item(lab)).to_be_hidden()
    lab.page.locator(field.format("pollSeconds")).fill("5")
    lab.page.locator(field.format("connection")).select_option("polling")
    expect(connection).to_contain_text("Polling · 5\u202fs", timeout=15_000)
    # What is worth a toast, too: with its score.
    lab.page.locator(field.format("notify_minSeconds")).fill("0")
    submit(lab.server, name="short")
    toast = lab.page.locator(".Toastify__toast", has_text="short finished")
    expect(toast).to_have_text(re.compile(r"short finished: accuracy [01]\.\d+"), timeout=60_000)
    settings = lab.server.home / "settings/mlops_jupyter/plugin.jupyterlab-settings"
    kept = json.loads(settings.read_text())
    assert kept | {"statusBar": False, "pollSeconds": 5, "connection": "polling"} == kept
    # A page by plain http cannot tell while it is hidden: the editor says so, and nothing breaks.
    lab.page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    lab.page.reload()
    expect(connection).to_contain_text("Polling · 5\u202fs", timeout=60_000)
    plugins = lab.page.locator(".jp-PluginList")
    # The forms of all plugins take a busy machine half a minute.
    plugins.get_by_role("searchbox").fill("mlops")
    plugins.get_by_text("mlops", exact=True).first.click()
    expect(lab.page.get_by_text("Not on this page").last).to_be_visible()
    lab.page.locator(field.format("notify_browser")).check()
    expect(lab.page.locator(".jp-Notification-Status")).to_have_text("1")
    expect(item(lab)).to_be_hidden()
    settings.unlink()
    assert lab.console_errors == []
