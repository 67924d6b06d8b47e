"""The rig itself, where the feature tests of this folder do not show that it works."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tests.browser.lab import Lab
from tests.browser.proxy import Proxy
from tests.browser.servers import LabServer


def test_width_and_theme_are_set_exactly(lab: Lab) -> None:
    lab.open_notebook(lab.server.notebook("looks.ipynb", ["print('x')"]))
    lab.run_all()
    for dark in (True, False):
        lab.set_theme(dark=dark)
        for width in (480, 700, 1200):
            lab.set_width(width)
            assert lab.output(0).first.evaluate("e => e.clientWidth") == width
    assert lab.screenshot("rig").stat().st_size > 0


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
