"""One job by all three ways at once, the cards side by side, and the machine and the feed: by whichever their
events came, in the end the document is the same, but for the indicator that names the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from difflib import unified_diff

from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import Lab
from tests.browser.proxy import Proxy
from tests.browser.servers import LabServer

SETTING = """
import mlops_jupyter as mlops
from mlops_jupyter.notebook.board import BoardWidget
from mlops_jupyter.notebook.session import session
from mlops_jupyter.notebook.widgets import JobWidget
from sklearn.ensemble import GradientBoostingClassifier

class Cursed(GradientBoostingClassifier):
    def fit(self, X, y):
        print("one line")
        super().fit(X, y)
        raise ValueError("these rows are cursed")
"""
TRAIN = 'job = mlops.train("notebooks/data/penguins.csv", target="species", cv=0, {})'
ENDINGS = {
    "completed": 'model="gradient_boosting"',
    "failed": "model=Cursed()",
    "cancelled": 'model="mlp", params={"max_iter": 100_000, "n_iter_no_change": 100_000, "tol": 0.0}',
}
BOARDS = {
    "system": "display(mlops.health()); display(BoardWidget(session(), 'system'))",
    "activity": "display(mlops.activity()); display(BoardWidget(session(), 'activity'))",
}
WORDS = {"completed": "Finished", "failed": "Failed", "cancelled": "Cancelled"}
#: The document of a card as it is shown, without what names the way, what a library draws into pixels,
#: what was spoken last, a sentence each ten seconds, how long ago a moment was by the clock of its page,
#: and the samples before the newest: a way may miss one.
DOCUMENT = """
node => {
  const host = node.shadowRoot ? node : node.getRootNode().host;
  const gone = "style, [hidden], [data-testid^=mlops-connection], [data-testid=mlops-status]";
  const box = document.createElement("div");
  for (const child of host.shadowRoot.children) box.append(child.cloneNode(true));
  for (const node of box.querySelectorAll(gone)) node.remove();
  for (const node of box.querySelectorAll(".uplot, .spark, time")) node.replaceChildren();
  for (const node of box.querySelectorAll(".gauges")) node.removeAttribute("data-key");
  for (const node of box.querySelectorAll("[style]")) node.removeAttribute("style");
  return box.innerHTML.replaceAll("><", ">\\n<");
}
"""


def card(page: Page, job_id: str, way: str) -> Locator:
    """The card of ``job_id`` that hears of it by ``way``."""
    found = page.locator(f'[data-mlops-job="{job_id}"]').filter(visible=True)
    return found.last if way == "relay" else found.first


def become_one(views: dict[str, Locator], mark: str) -> None:
    """Wait until all have the same document, in which ``mark`` is to be found."""
    deadline = time.monotonic() + 30
    while True:
        documents = {way: one.evaluate(DOCUMENT) for way, one in views.items()}
        if len(set(documents.values())) == 1 or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert mark in documents["websocket"]
    lines = {way: document.split("\n") for way, document in documents.items()}
    for way in ("relay", "polling"):
        assert "\n".join(unified_diff(lines["websocket"], lines[way], lineterm="", n=1)) == ""


def test_three_ways_end_in_one_document(
    start_lab: Callable[..., LabServer],
    start_proxy: Callable[[LabServer], Proxy],
    open_lab: Callable[..., Lab],
) -> None:
    # One whose history every page has whole: of an old one, each has what there was when it began.
    server = start_lab()
    lab = open_lab(server)
    server.copy("notebooks/data")
    cells = [SETTING]
    for options in ENDINGS.values():
        cells += [TRAIN.format(options), "display(JobWidget(job, relayed=True)); print(job.job_id)"]
    path = server.notebook("ways.ipynb", [*cells, *BOARDS.values()])
    lab.open_notebook(path)
    lab.run_cell(0)
    proxy = start_proxy(server)
    proxy.refuse()
    other = open_lab(server, proxy)
    other.tolerate("403")
    other.page.goto(f"{proxy.url}lab?token={server.token}&reset")
    other.page.wait_for_function("() => window.jupyterapp?.commands.hasCommand('mlops:open-job')")
    for at, ending in enumerate(ENDINGS):
        lab.run_cell(1 + 2 * at)
        lab.run_cell(2 + 2 * at)
        job_id = lab.output(2 + 2 * at).last.inner_text().strip()
        other.page.evaluate("id => window.jupyterapp.commands.execute('mlops:open-job', { id })", job_id)
        cards = {
            "websocket": card(lab.page, job_id, "websocket"),
            "polling": card(other.page, job_id, "polling"),
            "relay": card(lab.page, job_id, "relay"),
        }
        # What fits on a line is shown on it.
        width = cards["websocket"].evaluate("host => host.clientWidth")
        for one in cards.values():
            one.evaluate("(host, width) => { host.style.width = `${width}px`; }", width)
        if ending == "cancelled":
            for way, word in {"websocket": "Live", "polling": "Polling", "relay": "Relay"}.items():
                indicator = cards[way].locator("[data-testid=mlops-connection]")
                expect(indicator).to_contain_text(word, timeout=20_000)
                numbers = cards[way].locator("[data-testid=mlops-numbers]")
                expect(numbers).to_contain_text("epoch", timeout=60_000)
            server.stop_job(job_id)
        for one in cards.values():
            expect(one.locator("[data-testid=mlops-state]")).to_contain_text(WORDS[ending], timeout=60_000)
        become_one(cards, "mlops-card")
    for at, part in enumerate(BOARDS, len(cells)):
        lab.run_cell(at)
        expect(lab.output(at).get_by_test_id(f"mlops-{part}-board")).to_have_count(2)
    lab.save()
    other.page.evaluate("path => window.jupyterapp.commands.execute('docmanager:open', { path })", path)
    for part, mark in {"system": "mlops-this-kernel", "activity": "mlops-feed"}.items():
        found = {one: one.page.get_by_test_id(f"mlops-{part}-board") for one in (lab, other)}
        boards = {"websocket": found[lab].first, "polling": found[other].first, "relay": found[lab].last}
        for way, word in {"websocket": "Live", "polling": "Polling", "relay": "Relay"}.items():
            indicator = boards[way].get_by_test_id("mlops-connection")
            expect(indicator).to_contain_text(word, timeout=20_000)
        become_one(boards, mark)
