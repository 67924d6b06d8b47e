"""A model from its job to its answers, on the page of ``jupyter mlops`` and in JupyterLab: a real server."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.lab import Lab
from tests.browser.servers import LabServer
from tests.browser.test_page import MlopsServer, row, seen_by_axe, server, tab  # noqa: F401 - fixtures
from tests.browser.test_surroundings import panel, submit

COPIED = "() => navigator.clipboard.readText()"


def finished(tab: Lab, server: LabServer, name: str) -> str:  # noqa: F811
    """A job that has made a model; the model's id."""
    job = submit(server, name=name)
    tab.page.goto(f"{server.url}mlops?token={server.token}&job={job}")
    expect(tab.page.get_by_test_id("mlops-state")).to_have_text("Finished", timeout=60_000)
    return str(server.get(f"mlops/api/jobs/{job}").json()["job"]["model_id"])


def filled(card: Locator, server: LabServer, model: str) -> list[dict[str, str]]:  # noqa: F811
    """The form of a model is filled by hand; its columns."""
    card.get_by_test_id("mlops-tab-try").click()
    inputs = server.get(f"mlops/api/models/{model}").json()["signature"]["inputs"]
    for column in inputs:
        field = card.locator(f'[data-column="{column["name"]}"]')
        if column["kind"] == "boolean":
            field.select_option("true")
        else:
            field.fill("39.1" if column["kind"] == "number" else "Torgersen")
    return list(inputs)


def pasted(code: str, server: LabServer) -> str:  # noqa: F811
    """What Python says when somebody pastes the lines into it."""
    typed = subprocess.run(
        [sys.executable, "-iq"],
        input=f"{code}\n",
        env=server.environment,
        cwd=server.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return typed.stdout or typed.stderr


@pytest.mark.timeout(300)
def test_a_model_is_deployed_tried_and_taken_away_on_its_card(tab: Lab, server: LabServer) -> None:  # noqa: F811
    page = tab.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    first = finished(tab, server, "penguins")
    kept = page.get_by_test_id("mlops-models").get_by_test_id("mlops-entry").filter(has_text="penguins")
    expect(kept).to_contain_text("v1 registered")
    page.get_by_test_id("mlops-job-deploy").click()
    expect(page).to_have_url(f"{server.url}mlops?model={first}&part=deploy")
    card = page.get_by_test_id("mlops-model")
    expect(card.get_by_test_id("mlops-deploy-state")).to_contain_text("Not deployed")
    assert seen_by_axe(tab) == []
    card.get_by_test_id("mlops-deploy").press("Enter")
    expect(card.get_by_test_id("mlops-deploy-consequence")).to_contain_text(
        "Nothing answers for penguins yet."
    )
    card.get_by_test_id("mlops-deploy-now").press("Enter")
    expect(card.get_by_test_id("mlops-deploy-state")).to_contain_text(
        re.compile(r"^Deployed.*/predict$"), timeout=60_000
    )
    expect(kept).to_contain_text("v1 deployed")
    expect(
        page.get_by_test_id("mlops-feed").get_by_role("button").filter(has_text="Model deployed")
    ).to_be_visible()

    # A row it was trained on stands in the form, though that was no dataset, and is answered.
    card.get_by_test_id("mlops-tab-try").click()
    inputs = server.get(f"mlops/api/models/{first}").json()["signature"]["inputs"]
    with_values = card.locator("[data-column]").evaluate_all("all => all.filter(one => one.value).length")
    assert with_values >= len(inputs) - 1
    expect(card.get_by_text("Filled with a row of its data")).to_be_visible()
    card.get_by_test_id("mlops-predict").click()
    expect(card.get_by_test_id("mlops-answer")).to_have_text(re.compile(r"(Adelie|Chinstrap|Gentoo).*\d\sms"))

    # What is wrong is said at its field, and what is right answered.
    filled(card, server, first)
    number = next(column["name"] for column in inputs if column["kind"] == "number")
    tab.tolerate("status of 400")
    card.locator(f'[data-column="{number}"]').fill("many")
    card.get_by_test_id("mlops-predict").click()
    expect(card.locator(f'[data-column="{number}"]')).to_have_attribute("aria-invalid", "true")
    expect(card.locator(".fault:visible")).to_contain_text("it needs a number")
    assert seen_by_axe(tab) == []
    card.locator(f'[data-column="{number}"]').fill("39.1")
    card.get_by_test_id("mlops-predict").click()
    expect(card.get_by_test_id("mlops-answer")).to_have_text(re.compile(r"(Adelie|Chinstrap|Gentoo).*\d\sms"))
    expect(card.locator(".fault:visible")).to_have_count(0)
    assert seen_by_axe(tab) == []

    # The line that is copied does what the form did.
    card.get_by_test_id("mlops-tab-deploy").click()
    card.get_by_test_id("mlops-copy-curl").click()
    command = shlex.split(page.evaluate(COPIED).replace("\\\n", " "))
    told = [part.replace("$JUPYTER_TOKEN", server.token) for part in command]
    answer = json.loads(subprocess.run([*told, "-s"], capture_output=True, check=True, timeout=30).stdout)
    assert (answer["model_id"], len(answer["predictions"])) == (first, 1)
    expect(card.get_by_test_id("mlops-volume")).to_contain_text("3 predictions", timeout=40_000)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert seen_by_axe(tab) == []
        tab.screenshot(f"model-deployed-{scheme}")
    assert tab.foreign() == []  # type: ignore[attr-defined]


def ends(tab: Lab, server: LabServer, model: str, name: str) -> None:  # noqa: F811
    """What its card's menu does with a model that answers nowhere: an alias, its files, retired, deleted."""
    page = tab.page
    card = page.get_by_test_id("mlops-model")

    def choose(entry: str) -> None:
        card.get_by_test_id("mlops-model-more").press("Enter")
        card.get_by_test_id(f"mlops-menu-model-{entry}").press("Enter")

    state = card.get_by_test_id("mlops-model-state")
    choose("promote")
    expect(card.get_by_test_id("mlops-naming")).to_be_focused()
    assert seen_by_axe(tab) == []
    page.keyboard.press("Enter")
    expect(card.locator(".alias")).to_have_text("champion", timeout=30_000)
    card.get_by_test_id("mlops-tab-history").click()
    expect(card.get_by_test_id("mlops-model-history")).to_contain_text("got the alias champion")
    choose("demote-champion")
    expect(card.locator(".alias")).to_have_count(0, timeout=30_000)
    with page.expect_download() as fetched:
        choose("skops")
    assert fetched.value.suggested_filename == f"{name.replace(' ', '-')}.skops"
    record = server.get(f"mlops/api/models/{model}").json()
    assert hashlib.sha256(fetched.value.path().read_bytes()).hexdigest() == record["sha256"]
    tab.tolerate("status of 400")
    choose("onnx")
    expect(card.get_by_test_id("mlops-model-told")).to_contain_text("ONNX", timeout=60_000)
    choose("retire")
    expect(state).to_have_text("retired", timeout=30_000)
    choose("unretire")
    expect(state).to_have_text("registered", timeout=30_000)
    choose("delete")
    expect(card.get_by_test_id("mlops-model-delete")).to_contain_text(f"{name} and its file are gone then")
    assert seen_by_axe(tab) == []
    card.get_by_test_id("mlops-model-delete-now").press("Enter")
    expect(card.get_by_test_id("mlops-model-trouble")).to_have_text("No such model any more.", timeout=30_000)
    assert server.get(f"mlops/api/models/{model}").status_code == 404
    expect(page.get_by_test_id("mlops-feed")).to_contain_text(name)


@pytest.mark.timeout(300)
def test_a_second_version_says_what_it_replaces_and_gives_way_again(tab: Lab, server: LabServer) -> None:  # noqa: F811
    page = tab.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    first, second = finished(tab, server, "gentoos"), finished(tab, server, "gentoos")
    card = page.get_by_test_id("mlops-model")
    for model in (first, second):
        page.goto(f"{server.url}mlops?model={model}&part=deploy")
        if model == second:
            expect(card.get_by_test_id("mlops-deploy-state")).to_contain_text("gentoos v1 is deployed")
        card.get_by_test_id("mlops-deploy").click()
        what = "Nothing answers" if model == first else "gentoos v2 takes the place of gentoos v1"
        expect(card.get_by_test_id("mlops-deploy-consequence")).to_contain_text(what)
        card.get_by_test_id("mlops-deploy-now").click()
        expect(card.get_by_test_id("mlops-model-state")).to_have_text("deployed", timeout=60_000)
    expect(card.get_by_test_id("mlops-rollback")).to_have_text("Roll back to v1", timeout=60_000)
    card.get_by_test_id("mlops-rollback").click()
    expect(card.get_by_test_id("mlops-deploy-state")).to_contain_text(
        "gentoos v1 is deployed", timeout=60_000
    )

    # Of a name of which an older version answers, the lines that are copied ask that one.
    filled(card, server, second)
    card.get_by_test_id("mlops-tab-deploy").click()
    card.get_by_test_id("mlops-copy-python").click()
    copied = page.evaluate(COPIED)
    assert 'mlops.model("gentoos@1").predict' in copied
    assert re.search(r"0\s+(Adelie|Chinstrap|Gentoo)", pasted(copied, server))
    card.get_by_test_id("mlops-tab-history").click()
    expect(card.get_by_test_id("mlops-model-history")).to_contain_text("deploying · by")
    card.get_by_test_id("mlops-model-versions").get_by_role("button", name="v1").click()
    expect(page).to_have_url(f"{server.url}mlops?model={first}")
    card.get_by_test_id("mlops-tab-deploy").click()
    card.get_by_test_id("mlops-undeploy").click()
    expect(card.get_by_test_id("mlops-deploy-state")).to_contain_text("Not deployed", timeout=30_000)
    ends(tab, server, first, "gentoos v1")


@pytest.mark.timeout(300)
def test_in_jupyterlab_a_model_has_a_tab_that_a_reload_keeps_and_a_toast_when_it_is_live(
    open_lab: Callable[..., Lab],
    server: LabServer,  # noqa: F811
) -> None:
    lab = open_lab(server)
    lab.open_notebook(server.notebook("empty.ipynb", ["1"]))
    shown = panel(lab)
    job = submit(server, name="toasted")
    done = shown.get_by_test_id("mlops-jobs").get_by_test_id("mlops-row").filter(has_text="toasted")
    done.click(timeout=60_000)
    tab = lab.page.locator(f"#mlops-job-{job}")  # noqa: F811
    tab.get_by_test_id("mlops-job-deploy").click(timeout=30_000)
    card = lab.page.get_by_test_id("mlops-model")
    card.get_by_test_id("mlops-deploy").click()
    card.get_by_test_id("mlops-deploy-now").click()
    toast = lab.page.locator(".Toastify__toast").filter(has_text="toasted is now live with")
    expect(toast).to_contain_text(re.compile(r"\d\.\d% accuracy"), timeout=60_000)
    model = f"m-{job.removeprefix('j-')}"
    lab.page.wait_for_function(
        "async () => JSON.stringify(await window.jupyterapp.serviceManager.workspaces.fetch('default'))"
        ".includes('mlops-models')"
    )
    lab.page.reload()
    expect(lab.page.locator(f"#mlops-model-{model}").get_by_test_id("mlops-model-state")).to_have_text(
        "deployed", timeout=60_000
    )
