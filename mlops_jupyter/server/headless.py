"""``python -m mlops_jupyter.server.headless SOCKET ROOT``: a Jupyter server for our extension alone.

It listens on a unix socket that only its user can open, and is deaf to what he has configured for
his own servers (addresses, certificates, passwords, other extensions). Not here: who starts it
(``client.private``) and when it ends (``MlopsExtension.private``).
"""

from __future__ import annotations

import secrets
import sys
from typing import Any

# It compiles a grammar of international addresses while it is imported: three quarters of the whole start.
# Schemas of Jupyter's events are checked without it where it is not installed.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

from jupyter_server.serverapp import ServerApp  # noqa: E402
from traitlets.config import Config  # noqa: E402


class HeadlessServer(ServerApp):
    """Reads no configuration file, so that no other extension is loaded either."""

    no_browser_open_file = True

    @property
    def config_file_paths(self) -> list[str]:
        return []


def settings(socket: str, root: str) -> dict[str, Any]:
    """The token is never told to anybody: clients hold the secret of the runtime file."""
    return {
        "ServerApp": {
            "sock": socket,
            "sock_mode": "0600",
            "root_dir": root,
            "open_browser": False,
            "allow_root": True,
            "jpserver_extensions": {"mlops_jupyter": True},
        },
        "IdentityProvider": {"token": secrets.token_hex(24)},
        "MlopsExtension": {"private": True},
    }


def main(socket: str, root: str) -> None:
    HeadlessServer.launch_instance(argv=[], config=Config(settings(socket, root)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
