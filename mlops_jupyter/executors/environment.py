"""The environment variables a worker gets: the server's, without the keys to the server."""

from __future__ import annotations

from collections.abc import Mapping

#: Set in some images; without compiled modules every worker would start seconds later.
_SLOW = {"PYTHONDONTWRITEBYTECODE"}
#: How Jupyter's and JupyterHub's own processes find and trust each other.
_PREFIXES = ("JPY_", "JUPYTERHUB_", "JUPYTER_SERVER_")
_SUFFIXES = ("_TOKEN", "_TOKENS", "_COOKIE_SECRET", "_CRYPT_KEY")
_NAMES = {"JUPYTER_PASSWORD", "JUPYTER_COOKIE_SECRET"}


def worker_environment(server: Mapping[str, str]) -> dict[str, str]:
    """``server`` less what would let a job act as the server, its hub or another user.

    What the user set for their own code (credentials of a database, of a cloud) stays, unless it is
    called a token."""
    return {name: value for name, value in server.items() if not _is_dropped(name.upper())}


def _is_dropped(name: str) -> bool:
    return name in _SLOW | _NAMES or name.startswith(_PREFIXES) or name.endswith(_SUFFIXES)
