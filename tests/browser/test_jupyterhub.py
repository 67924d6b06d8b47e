"""Under a real JupyterHub: behind its proxy, with its sign-in, its keys and its way to end servers (F37)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.jupyterhub import Hub
from tests.browser.lab import Lab, closing
from tests.browser.servers import write_notebook
from tests.browser.test_first_training import (
    LOAD,
    TRAIN,
    card,
    connection,
    job_id,
    moves,
    state,
    steps,
    stops,
    trains,
)

NOTEBOOK = "first.ipynb"
#: Its looks at the jobs are five seconds apart, and it tells the hub each second.
ACTIVITY = 12.0
#: A machine that does much else takes more than 300 ms for an answer.
CONNECTED = re.compile("Live|Slow")
#: What JupyterLab and Chromium say of a server that is gone, or of whom it knows no more.
TROUBLE = "Loading chunk|40[03]|424|503|Forbidden|ERR_|Failed to fetch|WebSocket|api/"
ASK = """async base => {
  const headers = { "X-XSRFToken": /(?:^|;\\s*)_xsrf=([^;]*)/.exec(document.cookie)[1] };
  return (await fetch(`${base}mlops/api/events`, { headers })).status;
}"""
pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("hub"), "ann lee@x")
    try:
        hub.start()
        hub.spawn()
        yield hub
    finally:
        hub.close()


@pytest.fixture
def trained(hub: Hub, context: BrowserContext) -> Iterator[Lab]:
    """A notebook under the hub, whose job trains and is live."""
    write_notebook(hub.root / NOTEBOOK, [LOAD, TRAIN.replace("8000", "400000")])
    page = context.new_page()
    sign_in(page, hub)
    lab = open_notebook(page, hub)
    lab.run_all()
    trains(lab)
    expect(connection(lab)).to_contain_text(CONNECTED)
    moves(lab)
    lab.save()
    yield lab
    closing(lab)()


class Asked:
    """What a page has asked of us, sockets included; not where the hub led it from there."""

    def __init__(self, page: Page) -> None:
        self.addresses: list[str] = []
        page.on("request", lambda request: request.redirected_from or self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))

    def _asked(self, address: str) -> None:
        if "mlops/api" in address:
            self.addresses.append(address)


def sign_in(page: Page, hub: Hub) -> None:
    # Not on to JupyterLab, which goes on to an address of its own while it loads.
    page.goto(f"{hub.address}hub/login?next={urlsplit(hub.address).path}hub/home")
    page.locator("#username_input").fill(hub.user)
    page.locator("#password_input").fill(hub.password)
    page.locator("#login_submit").click()
    page.wait_for_url("**/hub/home")


def open_notebook(page: Page, hub: Hub) -> Lab:
    lab = Lab(page, hub)
    page.goto(f"{hub.url}lab/tree/{NOTEBOOK}")
    lab.wait_until_shown()
    return lab


def record(hub: Hub, job: str) -> dict[str, Any]:
    return hub.get(f"mlops/api/jobs/{job}").json()["job"]


def processes_of(hub: Hub, job: str) -> list[psutil.Process]:
    keeper = psutil.Process(record(hub, job)["process"]["pid"])
    return [keeper, *keeper.children(recursive=True)]


def test_a_job_keeps_its_server_up_and_an_idle_tab_does_not(hub: Hub, trained: Lab) -> None:
    """P14, P31: with no page open at all; and once it is paused, with one that only listens."""
    page = trained.page
    assert "/hubs/one/user/ann%20lee@x/" in page.url
    job = job_id(trained)
    assert hub.server is not None
    server = psutil.Process(hub.server["state"]["pid"]).environ()
    keys = [value for name, value in server.items() if name.startswith("JUPYTERHUB_") and "TOKEN" in name]
    assert keys
    told = [f"{process.cmdline()}{process.environ()}" for process in processes_of(hub, job)]
    assert [text for text in told if "JUPYTERHUB_" in text or any(key in text for key in keys)] == []

    page.goto("about:blank")
    for _ in range(3):
        before = hub.last_activity
        hub.until(lambda since=before: hub.last_activity > since)
    lab = open_notebook(page, hub)
    card(lab).get_by_test_id("mlops-pause").click()
    expect(state(lab)).to_have_text("Paused")
    # A tab of ours alone: JupyterLab's own asks for kernels all the time, which Jupyter counts.
    trained.tolerate("/favicon.ico")
    page.goto(f"{hub.url}static/favicons/favicon.ico")
    lab.listen()
    page.wait_for_timeout(1000 * ACTIVITY)
    before = hub.last_activity
    # By the cookie: the hub wants to see whose page it is, although nothing is changed.
    assert page.evaluate(ASK, hub.url) == 200
    page.wait_for_timeout(1000 * ACTIVITY)
    assert hub.last_activity == before
    lab = open_notebook(page, hub)
    card(lab).get_by_test_id("mlops-pause").click()
    expect(state(lab)).to_have_text("Running")
    stops(lab)


def test_who_signs_out_elsewhere_is_told_so_and_asks_no_more(hub: Hub, trained: Lab) -> None:
    """P36: nothing of what the card says then changes, until somebody who is signed in again asks."""
    lab = trained
    lab.tolerate(TROUBLE)
    asked = Asked(lab.page)
    other = lab.page.context.new_page()
    other.goto(f"{hub.address}hub/logout")
    expect(connection(lab)).to_have_text("Signed out", timeout=75_000)
    expect(state(lab)).to_have_text("Last known state")
    expect(card(lab)).to_contain_text("You are signed out of this server")
    asked.addresses.clear()
    numbers = card(lab).get_by_test_id("mlops-numbers")
    before = steps(numbers.inner_text())
    # For longer than it takes those who are signed in to ask.
    lab.page.wait_for_timeout(70_000)
    assert asked.addresses == []
    assert steps(numbers.inner_text()) == before
    expect(numbers).to_contain_text("last update 1\u202fmin ago")
    expect(connection(lab)).to_have_text("Signed out")

    sign_in(other, hub)
    # The hub's cookie is not yet the server's: that one comes with the next page of it.
    other.goto(f"{hub.url}lab/tree/{NOTEBOOK}")
    card(lab).get_by_test_id("mlops-retry").click()
    expect(connection(lab)).to_contain_text(CONNECTED, timeout=20_000)
    # The key in the page's own settings is of the session that is over.
    lab.reload()
    expect(connection(lab)).to_contain_text(CONNECTED, timeout=20_000)
    moves(lab)
    lab.page.wait_for_timeout(70_000)
    expect(connection(lab)).to_contain_text(CONNECTED)
    other.close()
    stops(lab)


def test_a_job_outlives_a_server_that_the_hub_stops_and_its_page_says_so(hub: Hub, trained: Lab) -> None:
    """P1, P6, P36: by the hub's button, or because nobody was there for long."""
    lab = trained
    lab.tolerate(TROUBLE)
    job = job_id(lab)
    running = processes_of(hub, job)
    before = record(hub, job)
    hub.stop_server()
    asked = Asked(lab.page)
    stopped = time.monotonic()
    expect(connection(lab)).to_contain_text("Reconnecting", timeout=20_000)
    expect(connection(lab)).to_have_text("Server not reachable", timeout=60_000)
    expect(state(lab)).to_have_text("Last known state")
    # Each try is a socket and, once two of them were refused, a request; twelve seconds lie between, at most.
    assert len(asked.addresses) < time.monotonic() - stopped
    assert [process.is_running() for process in running] == [True] * len(running)
    hub.spawn()
    after = record(hub, job)
    assert (after["status"], after["attempt"], after["owner"] == before["owner"]) == ("running", 1, False)
    assert after["stages"][4]["done"] > before["stages"][4]["done"]
    assert processes_of(hub, job) == running
    # With the server the hub has forgotten who had signed in to it, and lets them in again unasked.
    expect(connection(lab)).to_have_text("Signed out", timeout=60_000)
    lab.reload()
    expect(connection(lab)).to_contain_text(CONNECTED, timeout=20_000)
    assert job_id(lab) == job
    moves(lab)
    stops(lab)
    points = hub.get(f"mlops/api/jobs/{job}/metrics").json()["series"]["train_loss"]["points"]
    assert [point["step"] for point in points] == sorted({point["step"] for point in points})
    stored = hub.get("mlops/api/events", since=0).json()["events"]
    assert [event["seq"] for event in stored] == list(range(1, len(stored) + 1))


def test_the_page_of_its_own_is_live_and_may_post(hub: Hub, trained: Lab) -> None:
    """By the hub's cookies alone, with its own token against foreign pages."""
    job = job_id(trained)
    page = trained.page
    page.goto(f"{hub.url}mlops?job={job}")
    expect(state(trained)).to_have_text("Running")
    expect(page.get_by_test_id("mlops-connection").first).to_contain_text(CONNECTED)
    moves(trained)
    card(trained).get_by_test_id("mlops-pause").click()
    expect(state(trained)).to_have_text("Paused")
    stops(trained)
    assert trained.console_errors == []
