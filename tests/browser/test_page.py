"""The page of ``jupyter mlops``, on a server that this command started behind a prefix."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from tests.browser.cards import CORPUS
from tests.browser.lab import Lab
from tests.browser.proxy import Proxy
from tests.browser.servers import LabServer
from tests.browser.test_accessibility import AXE, violations
from tests.browser.test_surroundings import submit

LONG = {"max_iter": 100_000, "n_iter_no_change": 100_000, "tol": 0}
NAME = CORPUS[0]
#: Nothing is wider than the page.
FITS = "() => document.documentElement.scrollWidth <= window.innerWidth"


class MlopsServer(LabServer):
    """A Jupyter server as ``jupyter mlops`` starts it."""

    @property
    def program(self) -> list[str]:
        return [str(Path(sys.executable).with_name("jupyter")), "mlops"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    server = MlopsServer(tmp_path_factory.mktemp("mlops"), base_url="/user/x%20y/")
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def finished(server: LabServer) -> str:
    """A job that is soon over, called as somebody would who wants to come in; its id."""
    return submit(server, name=NAME)


@pytest.fixture
def tab(open_lab: Callable[..., Lab], server: LabServer) -> Lab:
    """A tab that may ask nobody but the server it comes from."""
    tab = open_lab(server)
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.on("close", lambda _: asked.clear())
    tab.foreign = lambda: [url for url in asked if not url.startswith(server.url)]  # type: ignore[attr-defined]
    return tab


def row(tab: Lab, name: str) -> Locator:
    return tab.page.get_by_test_id("mlops-row").filter(has_text=name)


def seen_by_axe(tab: Lab) -> list[str]:
    """What stands against the whole page. Its policy lets no script in but by the browser's own hand."""
    tab.page.evaluate(AXE.read_text("utf-8"))
    return violations(tab.page, "html")


def test_it_shows_what_runs_and_follows_it_to_its_end(tab: Lab, server: LabServer) -> None:
    page = tab.page
    job = submit(server, name="steady", model="mlp", params=LONG)
    # Where the server opens the browser: its own address, and what is there.
    page.goto(f"{server.url}?token={server.token}")
    expect(page).to_have_url(f"{server.url}mlops")
    row(tab, "steady").wait_for()
    expect(page).to_have_title(re.compile(r"◐ steady \d+\s%.* · mlops"), timeout=30_000)
    expect(page.get_by_test_id("mlops-gauge-memory")).to_have_text(re.compile(r"\d+\s%"))
    expect(page.get_by_test_id("mlops-feed")).to_contain_text("Training started")
    row(tab, "steady").click()
    expect(page).to_have_url(f"{server.url}mlops?job={job}")
    card = page.get_by_test_id("mlops-card")
    expect(card.get_by_test_id("mlops-state")).to_have_text("Running")
    # The address is the job's: for another tab, a reload, somebody else.
    page.reload()
    expect(card.get_by_test_id("mlops-state")).to_have_text("Running")
    before = page.title()
    expect(page).not_to_have_title(before)
    page.go_back()
    expect(card).to_have_count(0)
    page.go_forward()
    # A POST, with the page's own token against foreign pages.
    card.get_by_test_id("mlops-stop").click()
    expect(card.get_by_test_id("mlops-state")).to_have_text(re.compile("Cancelled"), timeout=15_000)
    expect(page).to_have_title("◼ steady cancelled · mlops")
    page.get_by_test_id("mlops-connection").first.click()
    expect(page.get_by_test_id("mlops-connection-details").first).to_contain_text("Websocket")
    assert tab.foreign() == []  # type: ignore[attr-defined]


def test_it_fits_every_width_light_and_dark_and_shows_one_thing_where_room_is_scarce(
    tab: Lab, server: LabServer, finished: str
) -> None:
    page = tab.page
    page.goto(f"{server.url}mlops?token={server.token}")
    panel = page.get_by_test_id("mlops-panel")
    row(tab, NAME).click()
    expect(page).to_have_url(f"{server.url}mlops?job={finished}")
    expect(page.get_by_test_id("mlops-state")).to_have_text("Finished", timeout=30_000)
    for scheme, ground in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(33, 33, 33)")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for part in ("body", "[data-testid=mlops-panel]", "[data-testid=mlops-card]"):
            expect(page.locator(part)).to_have_css("background-color", ground)
        for width in (1200, 700, 480):
            page.set_viewport_size(ViewportSize(width=width, height=800))
            expect(panel).to_be_visible(visible=width == 1200)
            tab.until(FITS)
            if width == 1200:
                assert seen_by_axe(tab) == []
            tab.screenshot(f"page-{scheme}-{width}")
    # By keyboard, as everything: the focus goes along.
    for _ in range(2):
        page.get_by_role("link", name="All jobs").press("Enter")
        expect(page).to_have_url(f"{server.url}mlops")
        tab.until(FITS)
        assert seen_by_axe(tab) == []
        row(tab, NAME).press("Enter")
        expect(panel).to_be_hidden()
        expect(page.locator("#job")).to_be_focused()


def test_it_moves_where_a_proxy_refuses_websockets(
    open_lab: Callable[..., Lab], server: LabServer, start_proxy: Callable[[LabServer], Proxy]
) -> None:
    proxy = start_proxy(server)
    proxy.refuse()
    tab = open_lab(server, proxy)
    tab.tolerate("WebSocket connection to")
    tab.page.goto(f"{proxy.url}mlops?token={server.token}")
    expect(tab.page.get_by_test_id("mlops-connection")).to_have_text(re.compile("Polling"), timeout=20_000)
    submit(server, name="polled")
    expect(row(tab, "polled")).to_have_text(re.compile("completed polled"), timeout=30_000)


def test_a_name_is_text_and_no_script_comes_in(tab: Lab, server: LabServer, finished: str) -> None:
    page = tab.page
    page.add_init_script("window.__pwn = () => { window.pwned = true; }")
    page.goto(f"{server.url}mlops?token={server.token}&job={finished}")
    expect(page).to_have_url(f"{server.url}mlops?job={finished}")
    expect(page.get_by_test_id("mlops-state")).to_have_text("Finished", timeout=30_000)
    expect(page).to_have_title(re.compile(re.escape(NAME[:12])))
    assert page.evaluate("() => window.pwned") is None
    # Even where somebody had found a way in, the page's policy stands before it.
    tab.tolerate("Content Security Policy")
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.pwned = true";
      document.body.append(script);
    }""")
    assert page.evaluate("() => window.pwned") is None


def test_who_is_signed_out_is_asked_and_led_back(tab: Lab, server: LabServer) -> None:
    answer = httpx.get(f"{server.url}mlops", params={"job": "j-7f3a"})
    assert answer.status_code == 302
    address = httpx.URL(answer.headers["Location"])
    assert (address.path, address.params["next"]) == ("/user/x y/login", "/user/x%20y/mlops?job=j-7f3a")
    tab.page.goto(f"{server.url}mlops?job=j-7f3a")
    tab.page.locator("input[type=password]").first.fill(server.token)
    tab.page.locator("button[type=submit]").first.click()
    expect(tab.page).to_have_url(f"{server.url}mlops?job=j-7f3a")
    expect(tab.page.get_by_test_id("mlops-panel")).to_be_visible()


def test_the_raw_stream_shows_what_is_on_the_wire_as_text(tab: Lab, server: LabServer) -> None:
    page = tab.page
    server.copy("notebooks/data")
    page.goto(f"{server.url}mlops/debug?token={server.token}")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.locator("#state")).to_have_text("Connected.")
    messages = page.locator("#messages li")
    expect(messages.last).to_contain_text('{"type":"hello"')
    expect(page.locator("#counts")).to_contain_text("ping 2")
    # The same request as from anywhere else, and the same answer: text, whatever it names.
    tab.tolerate("status of 400")
    page.get_by_label("file").fill("<img src=x onerror=__pwn()>.csv")
    page.get_by_label("target").fill("species")
    page.get_by_role("button", name="Train").click()
    expect(page.locator("#trained")).to_contain_text("<img src=x onerror=__pwn()>.csv")
    page.get_by_label("file").fill("notebooks/data/penguins.csv")
    page.get_by_role("button", name="Train").click()
    job = page.locator("#trained a").inner_text()
    # By the name of older documents.
    page.get_by_label("types").fill("training_complete")
    expect(messages.first).to_contain_text(
        re.compile(f'"type":"training_completed".*"job_id":"{job}"'), timeout=30_000
    )
    for text in messages.all_inner_texts():
        assert '"type":"training_completed"' in text
    page.get_by_role("button", name="Pause").click()
    page.get_by_label("types").fill("")
    count = messages.count()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.locator("#state")).to_contain_text("Closed")
    expect(messages).to_have_count(count)
    assert seen_by_axe(tab) == []
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Go on").click()
    # It goes on where it was: no snapshot.
    head = server.get("mlops/api/status").json()
    expect(page.get_by_label("since")).to_have_value(str(head["head"]))
    expect(page.get_by_label("epoch")).to_have_value(head["epoch"])
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(messages.last).to_contain_text('{"type":"hello"')
    expect(messages.filter(has_text='"type":"snapshot"')).to_have_count(0)
    page.locator("#trained a").click()
    expect(page).to_have_url(f"{server.url}mlops?job={job}")
    expect(page.get_by_test_id("mlops-state")).to_have_text("Finished")
    assert tab.foreign() == []  # type: ignore[attr-defined]


def test_a_link_from_a_notebook_opens_the_tab_in_jupyterlab_and_the_page_elsewhere(
    open_lab: Callable[..., Lab], server: LabServer, finished: str
) -> None:
    lab = open_lab(server)
    lines = ["import mlops_jupyter as mlops", f"mlops.open('{finished[:6]}')"]
    lab.open_notebook(
        server.notebook("links.ipynb", ["\n".join(lines), "%load_ext mlops_jupyter\n%mlops open"])
    )
    lab.run_all()
    link = lab.output(0).get_by_role("link")
    with lab.page.context.expect_page() as opened:
        link.click(modifiers=["Control"])
    expect(opened.value).to_have_url(f"{server.url}mlops?job={finished}")
    opened.value.close()
    link.click()
    tab = lab.page.locator(f"#mlops-job-{finished}").get_by_test_id("mlops-card")
    expect(tab.get_by_test_id("mlops-state")).to_have_text("Finished", timeout=30_000)
    lab.page.locator(".lm-TabBar-tab", has_text="links.ipynb").click()
    lab.output(1).get_by_role("link").click()
    expect(lab.page.get_by_test_id("mlops-panel")).to_be_visible()
    assert len(lab.page.context.pages) == 1
