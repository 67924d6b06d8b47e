"""Many tabs of one browser: who tells what happened, and what they cost the server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import WebSocket, expect

from tests.browser.cards import CORPUS
from tests.browser.lab import Lab
from tests.browser.servers import LabServer
from tests.browser.test_surroundings import item, submit

WRONG = {"model": "mlp", "params": {"hidden_layer_sizes": [0]}}
ENDED = re.compile(" failed| finished: accuracy")
ENDLESS = {"model": "mlp", "params": {"max_iter": 200_000, "n_iter_no_change": 200_000}}
#: Records each toast that appears, however short it lasts.
RECORD = """
window.__pwn = () => { window.pwned = true; };
window.toasts = [];
const seen = new WeakSet();
new MutationObserver(records => {
  for (const { addedNodes } of records) for (const node of addedNodes) {
    if (node.nodeType !== 1) continue;
    // Several may come at once, and the list behind the bell is made of the same.
    for (const toast of [node.closest(".Toastify__toast"), ...node.querySelectorAll(".Toastify__toast")]) {
      if (!toast || seen.has(toast) || toast.closest(".jp-Notification-List")) continue;
      seen.add(toast);
      window.toasts.push(toast.innerText);
    }
  }
}).observe(document, { childList: true, subtree: true });
"""
#: A browser's notifications, as a page makes them; headless Chromium shows nobody any.
OUTSIDE = """
window.told = [];
window.Notification = class {
  static permission = "default";
  static async requestPermission() { return window.Notification.permission = "granted"; }
  constructor(title, { body, tag }) { window.told.push([title, body, tag]); }
};
"""
#: The page that interrupts, by a name of its own.
IN_FRONT = "() => localStorage.getItem('mlops_jupyter:looked-at /')"
HIDE = """() => {
  Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
}"""


@pytest.fixture
def settings(lab_server: LabServer) -> Iterator[Callable[[dict[str, Any]], None]]:
    """What the user has chosen before the page is opened; nothing again after the test."""
    path = lab_server.home / "settings/mlops_jupyter/plugin.jupyterlab-settings"

    def choose(chosen: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(chosen))

    yield choose
    path.unlink(missing_ok=True)


def shown(lab: Lab, workspace: str) -> Lab:
    """JupyterLab without a notebook, in a workspace of this tab's own, connected."""
    server = lab.server
    lab.page.add_init_script(RECORD)
    lab.page.goto(f"{server.url}lab/workspaces/{workspace}?token={server.token}")
    lab.until(
        "async () => { if (!window.jupyterapp) return false; await window.jupyterapp.restored; return true; }"
    )
    item(lab).wait_for()
    return lab


def connections(server: LabServer) -> int:
    return int(server.get("mlops/api/system").json()["system"]["active_connections"])


def listed(lab: Lab, count: int) -> list[str]:
    """The texts of the list behind the bell, once it has so many of jobs that ended."""
    lab.page.locator(".jp-Notification-Status").click()
    items = lab.page.locator(".jp-Notification-List-Item")
    expect(items.filter(has_text=ENDED)).to_have_count(count, timeout=30_000)
    return items.all_inner_texts()


@pytest.mark.parametrize("tabs", [4, pytest.param(10, marks=pytest.mark.soak)])
def test_three_jobs_that_end_together_are_at_most_three_toasts_in_all_tabs(
    lab_server: LabServer, open_lab: Callable[..., Lab], tabs: int
) -> None:
    """One tab of a browser interrupts, the one that was looked at last; all of them keep the list."""
    labs: list[Lab] = []
    sockets: list[list[str]] = []
    for n in range(tabs):
        lab = open_lab(lab_server)
        opened: list[str] = []
        sockets.append(opened)

        def heard(socket: WebSocket, opened: list[str] = opened) -> None:
            if "mlops/api" in socket.url:
                opened.append(socket.url)

        lab.page.on("websocket", heard)
        labs.append(shown(lab, f"tab{n}"))
    last = labs[-1]
    # Its card is looked at: nobody needs to be told.
    seen = submit(lab_server, name="seen", timeout=4, **ENDLESS)
    last.page.evaluate("id => window.jupyterapp.commands.execute('mlops:open-job', { id })", seen)
    # Names are made of what people give: they are text in toasts, too.
    names = [CORPUS[0], "wrong 1", "wrong 2"]
    jobs = [submit(lab_server, name=name, **WRONG) for name in names]
    # What took no time is in the list, and on nobody's screen.
    submit(lab_server, name="quick")
    for lab in labs:
        expect(lab.page.locator(".jp-Notification-Status")).to_have_text("5", timeout=60_000)
    last.until("() => window.toasts.length > 2")
    told = [lab.page.evaluate("() => window.toasts") for lab in labs]
    assert [len(texts) for texts in told[:-1]] == [0] * (tabs - 1)
    assert sorted(text.split(" failed")[0] for text in told[-1]) == sorted(names)
    # One socket a tab, one sampler for all of them.
    assert [len(opened) for opened in sockets] == [1] * tabs
    assert connections(lab_server) == tabs
    answer = lab_server.get("mlops/api/system").json()
    times = [datetime.fromisoformat(sample["time"]) for sample in answer["history"]]
    assert min((b - a).total_seconds() for a, b in pairwise(times)) > answer["every"] - 1
    for lab in labs:
        texts = listed(lab, 5)
        ended = [ENDED.split(text)[0] for text in texts]
        assert sorted(ended) == sorted([*names, "seen", "quick"])
        assert all("Open" in text for text in texts)
        assert lab.page.evaluate("() => window.pwned") is None
    last.page.locator(".jp-Notification-List-Item", has_text="wrong 2").get_by_text("Open").click()
    card = last.page.locator(f"#mlops-job-{jobs[2]}").get_by_test_id("mlops-card")
    expect(card.get_by_test_id("mlops-state")).to_have_text("Failed")
    # It is closed, and nobody looks at any other: one of them takes its place.
    held = last.page.evaluate(IN_FRONT)
    last.page.close()
    for lab in labs[:-1]:
        # Where the list is open, nothing is shown over it: a click beside it closes it.
        lab.page.locator("#jp-MainLogo").click()
        expect(lab.page.locator(".jp-Notification-List")).to_have_count(0)
    labs[0].until(f"held => ![null, held].includes(({IN_FRONT})())", held)
    submit(lab_server, name="wrong 3", **WRONG)
    for lab in labs[:-1]:
        expect(lab.page.locator(".jp-Notification-Status")).to_have_text("6", timeout=60_000)
    told = [lab.page.evaluate("() => window.toasts") for lab in labs[:-1]]
    while not any(told):
        labs[0].page.wait_for_timeout(100)
        told = [lab.page.evaluate("() => window.toasts") for lab in labs[:-1]]
    ((toast,),) = filter(None, told)
    assert toast.startswith("wrong 3 failed")


def test_a_hidden_page_tells_by_the_browser_where_that_is_wanted(
    lab: Lab, settings: Callable[[dict[str, Any]], None]
) -> None:
    settings({"notify": {"browser": True}})
    lab.page.add_init_script(OUTSIDE)
    shown(lab, "hidden")
    # It asked when it read the settings.
    lab.until("() => window.Notification.permission === 'granted'")
    lab.page.evaluate(HIDE)
    job = submit(lab.server, name="wrong", **WRONG)
    lab.until("() => window.told.length > 0", timeout=60)
    ((title, text, tag),) = lab.page.evaluate("() => window.told")
    assert (title, tag) == ("mlops", f"mlops {job}")
    assert text.startswith("wrong failed: ")
    expect(lab.page.locator(".jp-Notification-Status")).to_contain_text("1")
    assert lab.page.evaluate("() => window.toasts") == []


def test_what_may_not_interrupt_any_more_is_one_entry_beside_their_own(
    lab_server: LabServer, open_lab: Callable[..., Lab]
) -> None:
    lab = shown(open_lab(lab_server), "group")
    for n in range(5):
        submit(lab_server, name=f"wrong {n}", **WRONG)
    lab.until("() => window.toasts.length > 2")
    lab.page.locator(".jp-Notification-Status").click()
    items = lab.page.locator(".jp-Notification-List-Item")
    expect(items.filter(has_text=re.compile(r"wrong \d failed"))).to_have_count(5, timeout=60_000)
    group = items.filter(has_text="more in this minute")
    expect(group).to_contain_text("2 more in this minute: 2 failed or lost")
    assert len(lab.page.evaluate("() => window.toasts")) == 3
    group.get_by_text("Show").click()
    expect(lab.page.get_by_test_id("mlops-panel")).to_be_visible()
