"""The rig itself: what the feature tests of this folder stand on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

import mlops_jupyter
from tests.browser.lab import Lab
from tests.browser.proxy import Proxy
from tests.browser.servers import LabServer


def test_a_cell_runs_in_jupyterlab(lab: Lab) -> None:
    path = lab.server.notebook("hello.ipynb", ["print(6 * 7)", "1 + 1"])
    lab.open_notebook(path)
    lab.run_all()
    expect(lab.output(0)).to_have_text("42")
    expect(lab.output(1)).to_have_text("2")


def test_a_page_can_be_reloaded_while_a_cell_runs_and_outlives_its_kernel(lab: Lab) -> None:
    path = lab.server.notebook("busy.ipynb", ["import time; time.sleep(3)", "name = 'kept'", "name"])
    lab.open_notebook(path)
    lab.run_cell(1)
    lab.run_cell(0, wait=False)
    lab.kernel_is("busy")
    lab.reload(ready=True)
    lab.run_cell(2)
    expect(lab.output(2)).to_have_text("'kept'")
    lab.restart_kernel()
    lab.run_cell(2)
    expect(lab.output(2)).to_contain_text("NameError")


def test_width_and_theme_are_set_exactly(lab: Lab) -> None:
    lab.open_notebook(lab.server.notebook("looks.ipynb", ["print('x')"]))
    lab.run_all()
    for dark in (True, False):
        lab.set_theme(dark=dark)
        for width in (480, 700, 1200):
            lab.set_width(width)
            assert lab.output(0).first.evaluate("e => e.clientWidth") == width
    assert lab.screenshot("rig").stat().st_size > 0


@pytest.mark.parametrize(
    "wishes",
    [
        pytest.param({"base_url": "/user/x%20y/"}, id="base-url-with-a-space"),
        pytest.param({"password": "let me in"}, id="password"),
    ],
)
def test_other_servers(
    wishes: dict[str, str],
    start_lab: Callable[..., LabServer],
    open_lab: Callable[..., Lab],
    other_python: Path,
) -> None:
    server = start_lab(**wishes)
    server.kernelspec("other", other_python)
    lab = open_lab(server)
    lab.open_notebook(server.notebook("where.ipynb", ["import sys", "print(sys.executable)"], kernel="other"))
    lab.run_all()
    expect(lab.output(1)).to_have_text(str(other_python))
    assert str(other_python) != sys.executable
    assert server.get("mlops/api/status").json()["version"] == mlops_jupyter.__version__


def test_jupyterlab_works_through_the_proxy(
    lab_server: LabServer, start_proxy: Callable[[LabServer], Proxy], open_lab: Callable[..., Lab]
) -> None:
    proxy = start_proxy(lab_server)
    proxy.refuse()
    lab = open_lab(lab_server, proxy)
    lab.open_notebook(lab_server.notebook("proxied.ipynb", ["print('through')"]))
    lab.run_all()
    expect(lab.output(0)).to_have_text("through")
    assert all(request.answered for request in proxy.requests)


def test_the_proxy_refuses_only_the_event_socket(
    lab_server: LabServer, start_proxy: Callable[[LabServer], Proxy]
) -> None:
    proxy = start_proxy(lab_server)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    proxy.refuse("502 Bad Gateway")
    answer = httpx.get(f"{proxy.url}mlops/api/events/subscribe", headers=upgrade)
    assert answer.status_code == 502
    assert [(r.path, r.upgrade, r.answered) for r in proxy.asked("subscribe")] == [
        ("/mlops/api/events/subscribe", True, False)
    ]
    assert httpx.get(f"{proxy.url}api").json() == httpx.get(f"{lab_server.url}api").json()


def test_a_server_comes_back_on_its_port(start_lab: Callable[..., LabServer]) -> None:
    server = start_lab()
    server.kill()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}api")
    server.start()
    assert httpx.get(f"{server.url}api").is_success
