"""The page of ``jupyter mlops``, as it is sent."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from tornado.httpclient import HTTPClientError

from mlops_jupyter import __version__
from mlops_jupyter.server.extension import MlopsExtension
from mlops_jupyter.server.page import STATIC, TYPES


@pytest.mark.parametrize("name", ["mlops", "mlops/debug"])
async def test_a_page_runs_scripts_of_its_own_alone_and_may_post(rooms, jp_fetch, name) -> None:
    """What it holds is the same for everybody: nothing of a user's, and no token."""
    page = await jp_fetch(*name.split("/"), params={"job": "</script><script>alert(1)</script>"})
    file = {"mlops": "page.html", "mlops/debug": "debug.html"}[name]
    assert page.body == (STATIC / file).read_bytes()
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert any(cookie.startswith("_xsrf=") for cookie in page.headers.get_list("Set-Cookie"))
    # JupyterHub sends no module to whoever has its cookie alone: tests/browser/test_jupyterhub.py.
    assert b'type="module"' not in page.body
    scripts = re.findall(rb"<script([^>]*)>(.*?)</script>", page.body)
    assert [inside for attributes, inside in scripts if b"application/json" not in attributes] == [b""]


@pytest.mark.parametrize("name", ["mlops", "mlops/debug"])
async def test_all_a_page_needs_is_under_the_base_url(rooms, jp_fetch, name) -> None:
    """Relative addresses only: they hold behind any prefix, also one that a proxy takes away."""
    page = (await jp_fetch(*name.split("/"))).body.decode()
    needed = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(needed) == 3
    for address in needed:
        assert not urlsplit(address).netloc
        assert not address.startswith("/")
        path = urlsplit(urljoin(f"/{name}", address)).path.strip("/").split("/")
        answer = await jp_fetch(*path)
        assert answer.code == 200
        assert answer.headers["Content-Type"].partition(";")[0] in TYPES.values()
        with pytest.raises(HTTPClientError, match="304"):
            await jp_fetch(*path, headers={"If-None-Match": answer.headers["Etag"]})


async def test_looking_at_a_page_is_no_activity(rooms, jp_serverapp, jp_fetch) -> None:
    before = jp_serverapp.web_app.last_activity()
    await jp_fetch("mlops")
    assert jp_serverapp.web_app.last_activity() == before


async def test_a_file_that_is_not_one_of_the_pages_is_not_sent(rooms, knock, jp_base_url) -> None:
    headers = {"Authorization": f"mlops {rooms.secret}"}
    for name in ("..%2f__init__.py", "../__init__.py", "uPlot.LICENSE.txt", "page.jsx", "pagexjs"):
        assert await knock("GET", f"{jp_base_url}mlops/static/{name}", headers) == 404, name


def test_the_command_says_the_version_and_that_it_takes_a_servers_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (["--version"], ["--help"]):
        with pytest.raises(SystemExit, match="0"):
            MlopsExtension.launch_instance(words)
    told = capsys.readouterr().out
    assert told.startswith(f"{__version__}\n")
    assert "jupyter mlops --no-browser --port" in told
