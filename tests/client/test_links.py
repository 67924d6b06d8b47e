from __future__ import annotations

from pathlib import Path

import pytest

from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.links import Link, link
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.view import Nobody
from mlops_jupyter.core.errors import ServerUnreachable
from tests.client.test_servers import a_server

HUB = a_server(url="http://0.0.0.0:8888/user/x%20y/?token=secret", base_url="/user/x%20y/")


def test_a_link_holds_no_token_and_is_whole_only_where_its_host_is_known() -> None:
    assert link(HUB, None, parent=False) == Link(url="http://127.0.0.1:8888/user/x%20y/mlops")
    job = "j-7f3a00000000"
    assert link(HUB, job, parent=True) == Link(
        url=f"http://127.0.0.1:8888/user/x%20y/mlops?job={job}",
        # What the browser calls the host of a notebook's own page, the kernel does not know.
        path=f"/user/x%20y/mlops?job={job}",
        job_id=job,
    )


def test_a_link_in_a_notebook_is_an_anchor_and_a_line_of_text() -> None:
    assert link(HUB, "j-7f3a", parent=True)._repr_mimebundle_() == {
        "text/plain": "http://127.0.0.1:8888/user/x%20y/mlops?job=j-7f3a",
        "text/html": '<a href="/user/x%20y/mlops?job=j-7f3a" target="_blank">mlops: job j-7f3a</a>',
    }


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (None, "runs here."),
        (a_server(private=True, socket="/run/s"), "runs here: jobs run under one on a unix socket."),
    ],
    ids=["nothing runs", "a private server"],
)
def test_where_no_browser_could_open_anything_it_says_what_to_run(server, why) -> None:
    with pytest.raises(ServerUnreachable, match="no Jupyter server") as raised:
        link(server, None, parent=False)
    assert str(raised.value).splitlines() == [
        f"no Jupyter server that a browser could open {why}",
        "Run: jupyter mlops — its page shows the same jobs.",
    ]


@pytest.mark.parametrize("job", [None, "j-7f3a"])
def test_no_server_is_started_for_a_link(home: Path, job: str | None) -> None:
    session = Session(Finder.of_this_process(), Nobody())
    with pytest.raises(ServerUnreachable):
        session.link(job)
    assert not session.finder.up()
