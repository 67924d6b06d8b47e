"""The promise: one job, watched live in the notebook, whatever happens to kernel, page and network."""

from __future__ import annotations

import itertools
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Locator, Response, TimeoutError, expect  # noqa: A004 - Playwright's is meant

from tests.browser.lab import Lab
from tests.browser.proxy import Proxy
from tests.browser.servers import LabServer

LOAD = "%load_ext mlops_jupyter"
#: A job of many steps, each of them measured: some ten seconds.
TRAIN = (
    "job = %mlops train notebooks/data/penguins.csv --target species --model mlp --cv 0 "
    "--max-iter 8000 --n-iter-no-change 8000"
)
#: The same for long enough to reload the page or restart the kernel meanwhile.
LONGER = TRAIN.replace("8000", "14000")
SLEEP = "import time; time.sleep(20)"
#: Done when the kernel is free again; the job itself takes what it takes.
LONG = 90_000


def notebook(lab: Lab, *cells: str, kernel: str = "python3") -> None:
    """Open a notebook of these cells, with the penguins beside it."""
    lab.server.copy("notebooks/data")
    name = f"n{time.monotonic_ns()}.ipynb"
    lab.open_notebook(lab.server.notebook(name, list(cells), kernel=kernel))


def card(lab: Lab) -> Locator:
    return lab.page.get_by_test_id("mlops-card").first


def state(lab: Lab) -> Locator:
    return card(lab).get_by_test_id("mlops-state")


def job_id(lab: Lab) -> str:
    """The whole id of the job the card shows."""
    found = card(lab).get_by_test_id("mlops-id").get_attribute("title")
    assert found is not None
    return found


def connection(lab: Lab) -> Locator:
    return card(lab).get_by_test_id("mlops-connection")


def trains(lab: Lab) -> None:
    """Wait until the fit reports its steps."""
    expect(card(lab).get_by_test_id("mlops-numbers")).to_contain_text(re.compile(r"epochs? \d"), timeout=LONG)


def moves(lab: Lab) -> None:
    """Wait until the numbers of the card change."""
    numbers = card(lab).get_by_test_id("mlops-numbers")
    before = steps(numbers.inner_text())
    deadline = time.monotonic() + 20
    while steps(numbers.inner_text()) == before:
        assert time.monotonic() < deadline, f"stands still at {before}"
        lab.page.wait_for_timeout(100)


def steps(text: str) -> str:
    """The epoch: the elapsed time moves by itself and proves nothing."""
    found = re.search(r"epochs?\s([\d\s]+)", text)
    return found[1] if found else ""


def finishes(lab: Lab) -> dict[str, Any]:
    """Wait for the final card and compare what it says with what the server knows."""
    expect(state(lab)).to_have_text("Finished", timeout=LONG)
    record = lab.server.get(f"mlops/api/jobs/{job_id(lab)}").json()["job"]
    assert record["status"] == "completed"
    shown = f"{record['final_accuracy']:.4g}"
    expect(card(lab).get_by_test_id("mlops-numbers")).to_contain_text(shown)
    return record


def stored_since(server: LabServer, seq: int) -> list[dict[str, Any]]:
    """All events the server has after number ``seq``."""
    events: list[dict[str, Any]] = []
    while found := server.get("mlops/api/events", since=seq).json()["events"]:
        events += found
        seq = found[-1]["seq"]
    return events


def stops(lab: Lab) -> None:
    """End a job that was longer than the test."""
    lab.server.stop_job(job_id(lab))
    expect(state(lab)).to_contain_text("Cancelled", timeout=20_000)


def worker_of(lab: Lab) -> psutil.Process:
    """The process that fits what the card shows."""
    keeper = lab.server.get(f"mlops/api/jobs/{job_id(lab)}").json()["job"]["process"]["pid"]
    (worker,) = psutil.Process(keeper).children()
    return worker


def runs_once_more(lab: Lab, label: str) -> None:
    """Press the button that says so: the same card shows the next attempt, which trains."""
    before = job_id(lab)
    again = card(lab).get_by_test_id("mlops-rerun")
    expect(again).to_have_text(label)
    again.click()
    expect(card(lab).get_by_test_id("mlops-attempt")).to_have_text("attempt 2")
    assert job_id(lab) != before
    trains(lab)


def reconnects(lab: Lab) -> None:
    """Press the button for it, in what the indicator opens."""
    button = lab.page.get_by_test_id("mlops-connection-details").get_by_role("button", name="Reconnect")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not button.is_visible():
            connection(lab).click()
        # It closes when anything scrolls, as a notebook does that still finds its place.
        with suppress(TimeoutError):
            button.click(timeout=1000)
            return
    raise AssertionError("what the indicator opens does not stay open")


#: Writes down what the first card shows, frame by frame, wherever it is another than in the frame before.
WATCH = """() => {
  window.seen = [];
  let last = "";
  const look = () => {
    requestAnimationFrame(look);
    const root = document.querySelector(".jp-OutputArea [data-mlops-job]")?.shadowRoot;
    const card = root?.querySelector(".card");
    if (!card?.checkVisibility()) return;
    const find = name => root.querySelector(`[data-testid="mlops-${name}"]`);
    const text = name => find(name)?.checkVisibility() ? find(name).textContent : null;
    const bar = find("progress"), list = find("stages");
    const now = {
      face: card.dataset.face, name: text("name"), id: text("id"), state: text("state"),
      height: card.getBoundingClientRect().height, percent: text("percent"), left: text("left"),
      value: bar.getAttribute("aria-valuenow"), spoken: bar.getAttribute("aria-valuetext"),
      role: bar.getAttribute("role"), list: list.tagName,
      stages: [...list.children].map(one => [one.dataset.state, one.getAttribute("aria-current"),
        one.querySelector(".spoken").textContent]),
    };
    const written = JSON.stringify(now);
    if (written !== last) window.seen.push(now);
    last = written;
  };
  look();
}"""
#: A stage's state as those hear it who do not see its mark.
HEARD = {"pending": "not started", "running": "running", "done": "done", "skipped": "skipped"}


def all_frames_hold(seen: list[dict[str, Any]]) -> None:
    """Of one job from its first frame to its end: what is promised of each of them."""
    first, running = seen[0], [frame for frame in seen if frame["face"] == "running"]
    assert (first["name"], bool(first["id"]), bool(first["state"])) == ("penguins-mlp", True, True)
    assert {frame["height"] for frame in running} == {running[0]["height"]}
    for frame in running:
        assert (frame["role"], frame["list"], len(frame["stages"])) == ("progressbar", "OL", 8)
        assert all(HEARD[state] in spoken for state, _, spoken in frame["stages"])
        assert [now for _, now, _ in frame["stages"] if now] in ([], ["step"])
        # Of a length that nobody knows there is no percentage, and that is said.
        known = frame["value"] is not None
        assert frame["spoken"].startswith(f"{frame['value']} percent" if known else "length unknown")
        assert known or frame["percent"] is None
        assert frame["left"] is None or re.fullmatch(
            r"left (…|~(?!0:00$)[\d:]+)|longer than estimated.*", frame["left"]
        )
    values = [int(frame["value"]) for frame in running if frame["value"] is not None]
    assert values == sorted(values)
    assert (values[0] < 50, values[-1] > 90) == (True, True), values
    assert [now for _, now, _ in running[-1]["stages"] if now] == ["step"]
    assert any("~" in (frame["left"] or "") for frame in running)


def test_the_card_moves_while_the_kernel_is_busy(lab: Lab) -> None:
    notebook(lab, LOAD, TRAIN, SLEEP)
    lab.page.evaluate(WATCH)
    lab.run_cell(0)
    lab.run_cell(1)
    lab.run_cell(2, wait=False)
    lab.kernel_is("busy")
    trains(lab)
    expect(connection(lab)).to_contain_text("Live")
    moves(lab)
    lab.kernel_is("busy")
    finishes(lab)
    all_frames_hold(lab.page.evaluate("() => window.seen"))


def test_a_reload_in_mid_run_shows_the_same_job_live_within_three_seconds(lab: Lab) -> None:
    notebook(lab, LOAD, LONGER, SLEEP)
    lab.run_all(wait=False)
    trains(lab)
    before = job_id(lab)
    lab.save()
    lab.page.reload()
    # JupyterLab starts in its own time; ours begins when it has the notebook, before it shows a cell of it.
    lab.page.locator(".jp-NotebookPanel").first.wait_for(state="attached", timeout=LONG)
    began = time.monotonic()
    expect(connection(lab)).to_contain_text("Live", timeout=3000)
    assert time.monotonic() - began < 3
    assert job_id(lab) == before
    moves(lab)
    stops(lab)


def test_the_job_outlives_a_restart_of_its_kernel(lab: Lab) -> None:
    notebook(lab, LOAD, LONGER)
    lab.run_all()
    trains(lab)
    before = job_id(lab)
    lab.save()
    lab.restart_kernel()
    moves(lab)
    lab.reload()
    assert job_id(lab) == before
    moves(lab)
    stops(lab)


def test_a_finished_job_is_still_there_when_the_notebook_is_opened_again(lab: Lab) -> None:
    notebook(lab, LOAD, TRAIN.replace("8000", "50"))
    lab.run_all()
    record = finishes(lab)
    lab.save()
    lab.restart_kernel()
    lab.reload()
    assert finishes(lab) == record


def test_a_job_that_was_deleted_from_its_card_keeps_its_picture_and_says_so(lab: Lab) -> None:
    notebook(lab, LOAD, TRAIN.replace("8000", "50"))
    lab.run_all()
    record = finishes(lab)
    lab.save()
    card(lab).get_by_test_id("mlops-more").click()
    card(lab).get_by_test_id("mlops-menu-delete").click()
    # Asked once.
    card(lab).get_by_test_id("mlops-delete").click()
    expect(state(lab)).to_have_text("Deleted")
    refused = lab.server.get(f"mlops/api/jobs/{record['job_id']}")
    assert (refused.status_code, refused.json()["reason"]) == (404, "DeletedJobError")
    lab.reload()
    expect(state(lab)).to_have_text("Deleted", timeout=LONG)
    expect(card(lab).get_by_test_id("mlops-name")).to_have_text(record["name"])
    expect(card(lab).get_by_test_id("mlops-sentence")).to_contain_text("Deleted by")
    assert lab.console_errors == []


def test_without_websockets_it_polls_every_two_seconds_and_ends_with_the_same_numbers(
    lab_server: LabServer, start_proxy: Callable[[LabServer], Proxy], open_lab: Callable[..., Lab]
) -> None:
    proxy = start_proxy(lab_server)
    proxy.refuse()
    lab = open_lab(lab_server, proxy)
    lab.tolerate("events/subscribe")
    answers: list[Response] = []
    lab.page.on("response", lambda answer: answers.append(answer) if "api/events?" in answer.url else None)
    notebook(lab, LOAD, TRAIN)
    lab.run_all()
    expect(connection(lab)).to_contain_text("Polling", timeout=10_000 + LONG)
    refused = proxy.asked("mlops/api/events/subscribe")[0].time
    assert proxy.asked("mlops/api/events?")[0].time - refused < 10
    trains(lab)
    moves(lab)
    finishes(lab)
    polls = [request.time for request in proxy.asked("mlops/api/events?")]
    gaps = [later - sooner for sooner, later in itertools.pairwise(polls)]
    assert min(gaps[1:]) > 1.5
    job = job_id(lab)
    series = lab_server.get(f"mlops/api/jobs/{job}/metrics").json()["series"]
    last = series["val_accuracy"]["points"][-1]["value"]
    expect(card(lab).get_by_test_id("mlops-body")).to_contain_text(f"{last:.4g}")
    # What the page got is what is stored: each event once, in order.
    polled = [event for answer in answers if answer.ok for event in answer.json()["events"]]
    assert polled == stored_since(lab_server, polled[0]["seq"] - 1)[: len(polled)]
    assert "training_completed" in [event["type"] for event in polled if event.get("job_id") == job]


def test_the_socket_is_taken_again_when_the_proxy_lets_it_through(
    lab_server: LabServer, start_proxy: Callable[[LabServer], Proxy], open_lab: Callable[..., Lab]
) -> None:
    proxy = start_proxy(lab_server)
    proxy.refuse("502 Bad Gateway")
    lab = open_lab(lab_server, proxy)
    lab.tolerate("events/subscribe")
    notebook(lab, LOAD, TRAIN.replace("8000", "30000"))
    lab.run_all()
    expect(connection(lab)).to_contain_text("Polling", timeout=20_000 + LONG)
    proxy.allow()
    reconnects(lab)
    expect(connection(lab)).to_contain_text("Live", timeout=15_000)
    trains(lab)
    moves(lab)
    stops(lab)


def test_a_cut_connection_says_so_and_catches_up(
    lab_server: LabServer, start_proxy: Callable[[LabServer], Proxy], open_lab: Callable[..., Lab]
) -> None:
    proxy = start_proxy(lab_server)
    lab = open_lab(lab_server, proxy)
    lab.tolerate("mlops/api|ERR_|Failed to fetch|WebSocket|api/")
    notebook(lab, LOAD, TRAIN.replace("8000", "30000"))
    lab.run_all()
    trains(lab)
    proxy.go_down()
    expect(card(lab)).to_contain_text(re.compile("Reconnecting|not reachable"), timeout=15_000)
    proxy.come_up()
    expect(connection(lab)).to_contain_text("Live", timeout=40_000)
    moves(lab)
    stops(lab)


def test_a_second_tab_shows_the_same(lab: Lab) -> None:
    notebook(lab, LOAD, LONGER)
    lab.run_all()
    trains(lab)
    lab.save()
    other = lab.new_tab()
    other.page.goto(lab.page.url)
    other.wait_until_shown(ready=False)
    moves(other)
    assert job_id(other) == job_id(lab)
    stops(lab)
    expect(state(other)).to_contain_text("Cancelled", timeout=20_000)
    texts = [tab.page.get_by_test_id("mlops-numbers").first.inner_text() for tab in (lab, other)]
    assert texts[0] == texts[1]
    assert other.console_errors == []
    other.page.close()


def test_a_killed_worker_is_a_failed_job_on_the_card_within_two_seconds(lab: Lab) -> None:
    notebook(lab, LOAD, TRAIN.replace("8000", "30000") + " --verbose 1")
    lab.run_all()
    trains(lab)
    worker = worker_of(lab)
    worker.kill()
    killed = time.monotonic()
    expect(state(lab)).to_have_text("Failed", timeout=2000)
    assert time.monotonic() - killed < 2
    cause = card(lab).get_by_test_id("mlops-cause")
    expect(cause).to_contain_text("killed by signal 9 (SIGKILL) in stage Training model")
    # What the perceptron itself printed last.
    expect(card(lab).get_by_test_id("mlops-last-lines")).to_contain_text(
        re.compile(r"Iteration \d+, loss = ")
    )
    runs_once_more(lab, "Retry")
    stops(lab)


def test_pausing_resuming_and_stopping_need_only_the_keyboard(lab: Lab) -> None:
    notebook(lab, LOAD, TRAIN.replace("8000", "30000"))
    lab.run_all()
    trains(lab)
    pause = card(lab).get_by_test_id("mlops-pause")
    expect(pause).to_have_text("Pause")
    pause.focus()
    # Keys of the notebook's own: they add or delete no cell from here, and Escape gives them back.
    cells = lab.page.locator(".jp-Notebook .jp-Cell").count()
    for keys in ("ab", "ddx"):
        lab.page.keyboard.type(keys)
        assert lab.page.locator(".jp-Notebook .jp-Cell").count() == cells
    lab.page.keyboard.press("ArrowRight")
    expect(card(lab).get_by_test_id("mlops-stop")).to_be_focused()
    # One stop of the Tab key: the next is outside.
    lab.page.keyboard.press("Tab")
    lab.until("() => !document.activeElement.shadowRoot")
    pause.focus()
    lab.page.keyboard.press("Escape")
    lab.until("() => document.activeElement.closest('.jp-Notebook') && !document.activeElement.shadowRoot")
    pause.focus()
    lab.page.keyboard.press("Enter")
    expect(state(lab)).to_have_text("Paused")
    assert worker_of(lab).status() == psutil.STATUS_STOPPED
    expect(pause).to_have_text("Resume")
    lab.page.keyboard.press("Enter")
    expect(state(lab)).to_have_text("Running")
    moves(lab)
    stop = card(lab).get_by_test_id("mlops-stop")
    stop.focus()
    lab.page.keyboard.press("Enter")
    if "Stop at" in stop.inner_text():
        lab.page.keyboard.press("Enter")
    expect(state(lab)).to_contain_text("Cancelled", timeout=15_000)
    expect(card(lab)).to_contain_text("No model was saved")
    runs_once_more(lab, "Run again")
    stops(lab)


def runs_and_is_waited_for(lab: Lab, kernel: str = "python3", python: str = sys.executable) -> None:
    train = TRAIN.replace("8000", "3000")
    notebook(lab, LOAD, train, "import sys; print(job.wait().status, sys.executable)", kernel=kernel)
    lab.run_all(wait=False)
    trains(lab)
    expect(connection(lab)).to_contain_text("Live")
    record = finishes(lab)
    expect(lab.output(2).last).to_contain_text(f"completed {python}", timeout=LONG)
    assert record["submitted_by"]


def test_below_a_base_url_with_a_space_and_with_a_password_instead_of_a_token(
    start_lab: Callable[..., LabServer], open_lab: Callable[..., Lab]
) -> None:
    server = start_lab(base_url="/user/x%20y/", password="let me in")
    runs_and_is_waited_for(open_lab(server))


def test_a_kernel_of_another_environment_than_the_servers(lab: Lab, other_python: Path) -> None:
    lab.server.kernelspec("other", other_python)
    assert str(other_python) != sys.executable
    runs_and_is_waited_for(lab, kernel="other", python=str(other_python))


def test_the_first_notebook_runs_in_jupyterlab(lab: Lab) -> None:
    lab.server.copy("notebooks")
    lab.open_notebook("notebooks/01-first-training.ipynb")
    lab.run_all()
    expect(state(lab)).to_have_text("Finished", timeout=LONG)
    assert (
        lab.page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]').count() == 0
    )
