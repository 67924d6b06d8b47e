"""An alert in a real JupyterLab: feed, bell and card say it, none interrupts, a mute outlives a reload."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.lab import Lab
from tests.browser.test_first_training import notebook
from tests.browser.test_surroundings import panel, submit

RUNS_AWAY = {"learning_rate": 2.2, "n_estimators": 600, "max_depth": 2}


def test_a_fit_that_runs_away_is_seen_and_muted(lab: Lab) -> None:
    notebook(lab, "1")
    shown = panel(lab)
    job_id = submit(
        lab.server,
        name="runs-away",
        target="body_mass_g",
        target_na="drop",
        model="gradient_boosting",
        params=RUNS_AWAY,
    )
    row = shown.get_by_test_id("mlops-feed").get_by_role("listitem").filter(has_text="Diverging").first
    expect(row).to_contain_text(
        re.compile(r"runs-away: train_(r2|rmse) is .+: it was .+ at tree 1"), timeout=60_000
    )
    expect(lab.page.locator(".Toastify__toast")).to_have_count(0)
    row.get_by_role("button").click()
    card = lab.page.locator(f"#mlops-job-{job_id}").get_by_test_id("mlops-card")
    alerts = card.get_by_test_id("mlops-alerts")
    expect(alerts).to_contain_text("Diverging")
    alerts.click()
    mute = card.get_by_test_id("mlops-alerts-list").get_by_role("button", name="Mute").first
    expect(mute).to_be_focused()
    lab.page.keyboard.press("Enter")
    expect(alerts).to_be_hidden()
    assert lab.server.get(f"mlops/api/jobs/{job_id}").json()["job"]["muted_rules"] == ["diverging"]
    lab.page.locator(".jp-Notification-Status").click()
    expect(lab.page.locator(".jp-Notification-List")).to_contain_text(
        re.compile("runs-away: train_(r2|rmse) is ")
    )
    # What was in front is restored: the notebook may be behind the job.
    lab.page.reload()
    lab.until("() => window.jupyterapp")
    lab.page.evaluate("async () => { await window.jupyterapp.restored; }")
    lab.page.evaluate("id => window.jupyterapp.commands.execute('mlops:open-job', { id })", job_id)
    expect(card.get_by_test_id("mlops-state")).to_have_text("Finished", timeout=60_000)
    expect(alerts).to_be_hidden()
    assert lab.console_errors == []
