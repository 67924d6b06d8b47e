"""A real JupyterHub, its proxy and its single-user servers, each of them a process.

Needs the extra ``hub``, and ``configurable-http-proxy`` (npm) on PATH or at ``$CONFIGURABLE_HTTP_PROXY``.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests import processes
from tests.browser.servers import PAGE_CONFIG, ROOT, free_port

STARTING = 60.0
PASSWORD = "a password of the tests"
CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/hubs/one/"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = "sqlite:///{home}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{home}/cookie_secret"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.ConfigurableHTTPProxy.pid_file = "{home}/proxy.pid"
# What the servers themselves tell. The proxy counts every byte, those of JupyterLab's own sockets, too.
c.JupyterHub.last_activity_interval = 0
c.JupyterHub.activity_resolution = 0
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "{password}"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{home}/homes/{{username}}"
c.Spawner.cmd = ["{python}", "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", "--LabApp.expose_app_in_browser=True"]
c.Spawner.environment = {{"JUPYTERHUB_ACTIVITY_INTERVAL": "1", "OPENBLAS_NUM_THREADS": "1"}}
c.JupyterHub.services = [{{"name": "tests", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [
    {{"name": "tests", "services": ["tests"], "scopes": ["admin:users", "admin:servers", "access:servers"]}}
]
"""


class Hub:
    """One user, whose server is at ``url``."""

    def __init__(self, home: Path, user: str) -> None:
        self.home = home
        self.user = user
        self.password = PASSWORD
        self.log = home / "hub.log"
        self._token = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        port = free_port()
        self.address = f"http://127.0.0.1:{port}/hubs/one/"
        wishes = {
            "home": home,
            "port": port,
            "hub_port": free_port(),
            "api_port": free_port(),
            "proxy": _proxy(),
            "python": sys.executable,
            "password": PASSWORD,
            "token": self._token,
        }
        (home / "jupyterhub_config.py").write_text(CONFIG.format(**wishes))
        #: The user's home, which is the root directory of their server.
        self.root = home / "homes" / user
        shutil.copytree(ROOT / "notebooks/data", self.root / "notebooks/data")
        settings = self.root / ".jupyter" / "labconfig" / "page_config.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(PAGE_CONFIG))

    def start(self) -> None:
        command = [sys.executable, "-m", "jupyterhub", "-f", str(self.home / "jupyterhub_config.py")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.until(lambda: self.ask("GET", "").is_success)
        self.ask("POST", f"users/{self.user}").raise_for_status()

    def close(self) -> None:
        """Stop the hub, its proxy and servers, and whatever they left."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
        processes.end(processes.belonging_to(self.home))

    def spawn(self) -> None:
        """Start the user's server; returns when hub and extension say that it is there."""
        self.ask("POST", f"users/{self.user}/server").raise_for_status()
        self.until(lambda: bool(self.server) and self.get("mlops/api/status").is_success)

    def stop_server(self) -> None:
        """As the hub's button does, and those who cull."""
        self.ask("DELETE", f"users/{self.user}/server").raise_for_status()
        self.until(lambda: not self.server)

    @property
    def server(self) -> dict[str, Any] | None:
        """What the hub knows of the user's server; nothing while there is none that is ready."""
        known: dict[str, Any] | None = self.ask("GET", f"users/{self.user}").json()["servers"].get("")
        return known if known and known["ready"] else None

    @property
    def url(self) -> str:
        """The user's server, with a slash at the end."""
        assert self.server is not None
        return f"{self.address.removesuffix('/hubs/one/')}{self.server['url']}"

    @property
    def last_activity(self) -> datetime:
        """When the hub thinks that the user's server was last of use."""
        assert self.server is not None
        return datetime.fromisoformat(self.server["last_activity"])

    def ask(self, method: str, path: str) -> httpx.Response:
        """The hub's own interface, as its administrator."""
        try:
            return httpx.request(
                method, f"{self.address}hub/api/{path}", headers=self._authorization, timeout=STARTING
            )
        except httpx.TransportError:
            return httpx.Response(503)

    def get(self, path: str, **params: str | int) -> httpx.Response:
        """The user's server, as somebody who may: for facts to compare a page with."""
        return httpx.get(f"{self.url}{path}", params=params, headers=self._authorization, timeout=10)

    def stop_job(self, job_id: str) -> None:
        """Stop a job as somebody who may."""
        address = f"{self.url}mlops/api/jobs/{job_id}/stop"
        httpx.post(address, json={}, headers=self._authorization, timeout=10).raise_for_status()

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"token {self._token}"}

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + STARTING
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"It never came true:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)


def _proxy() -> str:
    found = os.environ.get("CONFIGURABLE_HTTP_PROXY") or shutil.which("configurable-http-proxy")
    if found is None:
        raise RuntimeError("No proxy for the hub: npm install --global configurable-http-proxy")
    return found
