"""Files that are let fall into the panel, on the page of ``jupyter mlops`` against a real server."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.lab import Lab
from tests.browser.servers import LabServer
from tests.browser.test_page import FITS, MlopsServer, seen_by_axe, server, tab  # noqa: F401 - fixtures

DROPPED = """() => {
  const given = new DataTransfer();
  given.items.add(new File(["a,b\\n1,2\\n3,4\\n"], "<img src=x onerror=__pwn()>.csv"));
  return given;
}"""
ROW = b"1,2.5,Torgersen,some more words\n"
#: Three parts.
LARGE = b"a,b,c,d\n" + ROW * (9 * 2**20 // len(ROW))


def uploads(tab: Lab) -> Locator:  # noqa: F811
    return tab.page.get_by_test_id("mlops-upload")


def choose(tab: Lab, path: Path) -> Locator:  # noqa: F811
    tab.page.get_by_test_id("mlops-upload-file").set_input_files(path)
    return uploads(tab).last.get_by_test_id("mlops-upload-state")


@pytest.mark.timeout(300)
def test_a_file_becomes_a_dataset_once_and_says_why_it_does_not(
    tab: Lab,  # noqa: F811
    server: LabServer,  # noqa: F811
    tmp_path: Path,
) -> None:
    page = tab.page
    page.goto(f"{server.url}mlops?token={server.token}")
    expect(page.get_by_test_id("mlops-datasets")).to_contain_text('mlops.datasets.upload("customers.csv")')
    file = tmp_path / "customers.csv"
    file.write_bytes(b"a,b\n1,2\n3,4\n5,6\n")
    became = re.compile(r"3\srows × 2\scolumns · 16\sB · sha [0-9a-f]{3}…")
    expect(choose(tab, file)).to_have_text(became, timeout=60_000)
    entry = page.get_by_test_id("mlops-datasets").get_by_test_id("mlops-entry")
    expect(entry).to_contain_text("customers")
    assert seen_by_axe(tab) == []
    expect(choose(tab, file)).to_have_text("already uploaded as customers v1", timeout=60_000)
    expect(uploads(tab).last.get_by_test_id("mlops-upload-use")).to_have_text("Use it")
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"a,b\n1,2\n1,2,3,4\n")
    expect(choose(tab, broken)).to_have_text(re.compile(r"line 3: .+"), timeout=60_000)
    text = tmp_path / "notes.txt"
    text.write_text("x")
    expect(choose(tab, text)).to_have_text("Not sent: it is neither a .csv nor a .parquet file.")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        tab.until(FITS)
        assert seen_by_axe(tab) == []
        tab.screenshot(f"uploads-{scheme}")
    # By hand, and with a name that wants to be more.
    section = page.locator("details").filter(has=page.get_by_test_id("mlops-datasets"))
    section.dispatch_event("drop", {"dataTransfer": page.evaluate_handle(DROPPED)})
    expect(entry.filter(has_text="<img src=x onerror=__pwn()>")).to_be_visible(timeout=60_000)
    assert tab.foreign() == []  # type: ignore[attr-defined]


@pytest.mark.timeout(300)
def test_a_file_goes_on_after_a_cut_and_after_a_reload_and_is_cancelled_for_every_tab(
    tab: Lab,  # noqa: F811
    server: LabServer,  # noqa: F811
    open_lab: Callable[..., Lab],
    tmp_path: Path,
) -> None:
    page = tab.page
    tab.tolerate("Failed to load resource: net::ERR_FAILED")
    offsets: list[int] = []
    let_through = 1

    def cut(route: Route) -> None:
        if route.request.method != "PATCH":
            route.continue_()
            return
        offsets.append(int(route.request.headers["upload-offset"]))
        if len(offsets) <= let_through:
            route.continue_()
        else:
            route.abort()

    page.route("**/mlops/api/uploads/*", cut)
    page.goto(f"{server.url}mlops?token={server.token}")
    file = tmp_path / "large.csv"
    file.write_bytes(LARGE)
    state = choose(tab, file)
    expect(state).to_contain_text("goes on by itself", timeout=60_000)
    assert offsets[:2] == [0, 4 << 20]
    # The page is reloaded: the same file goes on where the server stands.
    page.reload()
    offsets.clear()
    let_through = 99
    expect(choose(tab, file)).to_have_text(
        re.compile(r".*rows × 4\scolumns · 9\.4\sMB · sha .*"), timeout=90_000
    )
    assert offsets == [4 << 20, 8 << 20]
    # Another one is cut, and cancelled; another tab sees it come and go.
    beside = open_lab(server)
    beside.page.goto(f"{server.url}mlops?token={server.token}")
    expect(beside.page.get_by_test_id("mlops-datasets").get_by_test_id("mlops-entry").first).to_be_visible()
    expect(uploads(beside)).to_have_count(0)
    offsets.clear()
    let_through = 1
    other = tmp_path / "other.csv"
    other.write_bytes(LARGE + ROW)
    expect(choose(tab, other)).to_contain_text("goes on by itself", timeout=60_000)
    seen = uploads(beside).filter(has_text="other.csv")
    expect(seen).to_contain_text("sent by somebody else", timeout=30_000)
    expect(seen.get_by_test_id("mlops-upload-drop")).to_be_hidden()
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        uploads(tab).last.get_by_test_id("mlops-upload-drop").click()
    assert deleted.value.ok
    expect(uploads(tab)).to_have_count(1)
    expect(uploads(beside)).to_have_count(0)


@pytest.mark.timeout(300)
def test_a_file_goes_on_where_a_killed_server_had_it(
    tab: Lab,  # noqa: F811
    server: LabServer,  # noqa: F811
    tmp_path: Path,
) -> None:
    page = tab.page
    tab.tolerate("ERR_|Failed to fetch|WebSocket|api/")
    offsets: list[int] = []

    def kill(route: Route) -> None:
        if route.request.method == "PATCH":
            offsets.append(int(route.request.headers["upload-offset"]))
            if len(offsets) == 2:
                server.kill()
        route.continue_()

    page.route("**/mlops/api/uploads/*", kill)
    page.goto(f"{server.url}mlops?token={server.token}")
    file = tmp_path / "outlives.csv"
    content = LARGE + 2 * ROW
    file.write_bytes(content)
    state = choose(tab, file)
    expect(state).to_contain_text("goes on by itself", timeout=60_000)
    server.start()
    expect(state).to_have_text(re.compile(r".*rows × 4\scolumns · 9\.4\sMB · sha .*"), timeout=120_000)
    # What the first server had was not sent again.
    assert offsets == [0, 4 << 20, 4 << 20, 8 << 20]
    kept = server.get("mlops/api/datasets").json()["datasets"][0]
    assert kept["name"] == "outlives"
    assert kept["versions"][0]["sha256"] == hashlib.sha256(content).hexdigest()


def test_the_debug_page_uploads(tab: Lab, server: LabServer, tmp_path: Path) -> None:  # noqa: F811
    page = tab.page
    page.goto(f"{server.url}mlops/debug?token={server.token}")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.locator("#state")).to_have_text("Connected.")
    file = tmp_path / "debugged.csv"
    file.write_bytes(b"a,b\n1,2\n")
    page.locator("#upload input").set_input_files(file)
    page.locator("#upload button", has_text="Upload").click()
    expect(page.locator("#uploaded a")).to_have_text(re.compile("d-[0-9a-z]{12}"), timeout=60_000)
    page.get_by_label("types").fill("upload_complete")
    expect(page.locator("#messages li").first).to_contain_text('"filename":"debugged.csv"')
    assert seen_by_axe(tab) == []
