"""Real JupyterLab servers as a test wants them: any base URL, token or password, any kernels.

Every server has a home of its own (configuration, data, runtime files, notebooks), so that it sees
neither the user's settings nor those another test chose.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import httpx
import nbformat
from jupyter_server.auth import passwd

from tests import processes

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-the-tests"
STARTING = 60.0
#: Made once: with each request it would cost more than all the rest of it.
TLS = ssl.create_default_context()
#: The announcements are the only thing JupyterLab fetches from elsewhere.
PAGE_CONFIG = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
#: How busy the machine is that runs the tests is no event of theirs.
NO_THRESHOLDS = dict.fromkeys(("cpu", "memory", "disk"), (1000.0, 1000.0))
#: Few have a next job, for which to have a worker ready costs as much as a job.
SETTINGS = {"health_thresholds": NO_THRESHOLDS, "standby": False}


class LabServer:
    """A JupyterLab server; ``start`` and ``stop`` may be called again and again.

    Parameters
    ----------
    home : an empty directory; ``home/root`` becomes the server's root directory.
    base_url : as given to Jupyter, e.g. ``"/user/x%20y/"``.
    password : log in with it instead of a token.
    options : further command line options, e.g. ``["--ServerApp.jpserver_extensions=…"]``.
    """

    #: What is run; the tests of the server alone need no JupyterLab.
    module = "jupyterlab"
    #: Where it listens.
    host = "127.0.0.1"

    def __init__(
        self, home: Path, *, base_url: str = "/", password: str | None = None, options: Sequence[str] = ()
    ) -> None:
        self.home = home
        self.base_url = base_url
        self.password = password
        self.token = "" if password else TOKEN
        self.options = list(options)
        self.root = home / "root"
        self.log = home / "server.log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.root.mkdir(parents=True, exist_ok=True)
        page = home / "config" / "labconfig" / "page_config.json"
        page.parent.mkdir(parents=True)
        page.write_text(json.dumps(PAGE_CONFIG))
        settings = {"MlopsExtension": SETTINGS}
        (home / "config" / "jupyter_server_config.json").write_text(json.dumps(settings))

    @property
    def program(self) -> list[str]:
        """The command that starts it."""
        return [sys.executable, "-m", self.module]

    @property
    def url(self) -> str:
        """Address of the server with its base URL, ends with ``/``."""
        return f"http://{self.host}:{self.port}{self.base_url}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the server; also for a client that is to find it."""
        told = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_"))}
        return {
            **told,
            "JUPYTER_CONFIG_DIR": str(self.home / "config"),
            "JUPYTER_DATA_DIR": str(self.home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
            "IPYTHONDIR": str(self.home / "ipython"),
        }

    def start(self) -> None:
        """Start the server on its port and return when it and our extension answer."""
        self._wait_until_it_answers(self.launch())

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it and wait for nothing."""
        command = [
            *(*self.program, "--no-browser", "--allow-root"),
            *(f"--ServerApp.ip={self.host}", f"--port={self.port}"),
            "--ServerApp.port_retries=0",
            f"--ServerApp.base_url={self.base_url}",
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}",
            f"--LabApp.workspaces_dir={self.home / 'workspaces'}",
            f"--LabApp.user_settings_dir={self.home / 'settings'}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
            *self.options,
        ]
        if self.password:
            command += [f"--PasswordIdentityProvider.hashed_password={passwd(self.password)}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self.process

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + STARTING
        while time.monotonic() < deadline and process.poll() is None:
            try:
                answers = httpx.get(f"{self.url}api", timeout=5, verify=TLS).is_success
                # Our extension starts once the server listens, and says 503 to its user until it is there.
                known = self._authorization() if self.token else {}
                address = f"{self.url}mlops/api/status"
                status = httpx.get(address, headers=known, timeout=5, verify=TLS).status_code
                if answers and status != 503:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()[-4000:]}")

    def stop(self) -> None:
        """End the server as ``jupyter server stop`` does; its jobs go on."""
        self._end(signal_kill=False)

    def kill(self) -> None:
        """SIGKILL: the server has no time to say goodbye."""
        self._end(signal_kill=True)

    def _end(self, *, signal_kill: bool) -> None:
        if self.process is None:
            return
        if signal_kill:
            self.process.kill()
        else:
            self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(15)
        self.process = None

    def close(self) -> None:
        """Stop the server and end every job and kernel that belongs to it."""
        self.stop()
        processes.end(processes.belonging_to(self.home))

    def get(self, path: str, **params: str | int) -> httpx.Response:
        """``GET {base_url}{path}`` as the server's user; for facts to compare a page with."""
        headers = self._authorization()
        return httpx.get(f"{self.url}{path}", params=params, headers=headers, timeout=60, verify=TLS)

    def stop_job(self, job_id: str) -> None:
        """Stop a job as the server's user."""
        address = f"{self.url}mlops/api/jobs/{job_id}/stop"
        headers = self._authorization()
        httpx.post(address, json={}, headers=headers, timeout=60, verify=TLS).raise_for_status()

    def _authorization(self) -> dict[str, str]:
        """The token; where there is a password instead, the secret of the runtime file."""
        if self.token:
            return {"Authorization": f"token {self.token}"}
        assert self.process is not None
        file = self.home / "runtime" / f"mlops-{self.process.pid}.json"
        return {"Authorization": f"mlops {json.loads(file.read_text())['secret']}"}

    def notebook(self, name: str, cells: Sequence[str], kernel: str = "python3") -> str:
        """Write a notebook of code cells into the root; returns its path for ``Lab.open_notebook``."""
        write_notebook(self.root / name, cells, kernel)
        return name

    def copy(self, *paths: str) -> None:
        """Copy files or folders of the repository (``"notebooks/data"``) to the same place in the root."""
        for path in paths:
            source, target = ROOT / path, self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copy2(source, target)

    def kernelspec(self, name: str, python: Path) -> None:
        """Offer the kernel ``name``, run by ``python``."""
        folder = self.home / "data" / "kernels" / name
        folder.mkdir(parents=True)
        command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": command, "display_name": name, "language": "python", "metadata": {"debugger": True}}
        (folder / "kernel.json").write_text(json.dumps(spec))

    def lab_path(self, notebook: str) -> str:
        """The address of a notebook below ``url``, without the token."""
        return f"lab/tree/{quote(notebook)}"


def write_notebook(path: Path, cells: Sequence[str], kernel: str = "python3") -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
