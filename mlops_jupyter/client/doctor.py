"""``mlops doctor``: what must be as it should for jobs to be trained and watched, looked at one by one.

It starts no server and leaves nothing behind. Not here: what goes wrong later (the errors say it themselves).
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import httpcore
import httpx
import msgspec
from jupyter_core.paths import jupyter_config_path, jupyter_path

from mlops_jupyter import __version__
from mlops_jupyter.client.answers import Status
from mlops_jupyter.client.finder import Finder, connect
from mlops_jupyter.client.servers import Server
from mlops_jupyter.client.system import size
from mlops_jupyter.core.limits import FREE_BYTES

PATIENCE = 5.0
_PACKAGES = ("scikit-learn", "skrub", "skops", "pandas", "jupyter_server", "jupyterlab", "anywidget")
_UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "bWxvcHMgZG9jdG9yIGFza3M=",
}
#: A ping of the websocket protocol's own, with nothing in it; whatever is at the other end must answer.
_PING, _PONG = b"\x89\x80mask", 0xA


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at; ``well`` is null where it does not matter here. ``hint`` says what to do."""

    name: str
    well: bool | None
    found: str
    hint: str | None = None


def examine(finder: Finder) -> tuple[Check, ...]:
    """All of them, in the order in which one needs the other."""
    return tuple(_examined(finder))


def told(checks: tuple[Check, ...]) -> str:
    """A line each, and what to do below those that are not well."""
    lines = []
    for check in checks:
        sign = {True: "✓", False: "✕", None: "–"}[check.well]
        lines.append(f"{sign} {check.name}: {check.found}")
        if check.hint is not None and not check.well:
            lines.append(f"  {check.hint}")
    return "\n".join(lines)


def _examined(finder: Finder) -> Iterator[Check]:
    yield from _installed()
    status = yield from _reached(finder.running())
    told = None if status is None else status.data_dir
    yield from _stored(finder.private.store if told is None else Path(told))


def _installed() -> Iterator[Check]:
    python = f"Python {platform.python_version()}, {sys.executable}"
    yield Check(name="mlops_jupyter", well=True, found=f"{__version__} ({python})")
    versions = {name: _version(name) for name in _PACKAGES}
    missing = [name for name, found in versions.items() if found is None]
    yield Check(
        name="packages",
        well=not missing,
        found=", ".join(f"{name} {found or 'missing'}" for name, found in versions.items()),
        hint="Install again: pip install mlops_jupyter",
    )
    lab = _labextension()
    yield Check(
        name="JupyterLab extension",
        well=lab == __version__,
        found=lab or "not found beside this Python",
        hint=f"It must be {__version__}, as the package is: install mlops_jupyter where JupyterLab runs.",
    )
    enabled = _enabled()
    yield Check(
        name="server extension",
        well=enabled,
        found="enabled" if enabled else "not enabled",
        hint="Run: jupyter server extension enable mlops_jupyter — then restart JupyterLab.",
    )


def _reached(server: Server | None) -> Generator[Check, None, Status | None]:
    """What the server says of itself comes back, where it says something."""
    if server is None:
        found = "none runs; a private one is started with the first job"
        yield Check(name="server", well=None, found=found)
        return None
    where = server.socket or server.address
    with connect(server, PATIENCE) as http:
        try:
            answer = http.get("status")
        except httpx.TransportError as error:
            hint = "Is it shutting down? Its own log tells."
            yield Check(name="server", well=False, found=f"{where} does not answer: {error}", hint=hint)
            return None
        kind = "private server" if server.private else "Jupyter server"
        yield Check(
            name="server",
            well=answer.is_success,
            found=f"{kind} {where} (pid {server.pid}), {answer.status_code}",
            hint=_message(answer),
        )
        if not answer.is_success:
            return None
        status = msgspec.json.decode(answer.content, type=Status)
        yield Check(
            name="version",
            well=status.version == __version__,
            found=f"{status.version} there, {__version__} here",
            hint="Install the same version in both environments, and restart the server.",
        )
        yield _websocket(http)
        return status


def _websocket(http: httpx.Client) -> Check:
    try:
        with http.stream("GET", "events/subscribe", headers=_UPGRADE) as answer:
            opens, found = answer.status_code == httpx.codes.SWITCHING_PROTOCOLS, str(answer.status_code)
            if opens:
                spent = _round_trip(answer.extensions["network_stream"])
                found = f"opens from here, {1000 * spent:.1f} ms there and back"
    except (httpx.TransportError, httpcore.NetworkError, httpcore.TimeoutException) as error:
        opens, found = False, str(error) or type(error).__name__
    return Check(
        name="websocket",
        well=opens,
        found=found,
        hint="Pages poll every 2 s instead. What a proxy before the server does, only the page sees: "
        "click on its connection word.",
    )


def _round_trip(stream: httpcore.NetworkStream) -> float:
    """Seconds until a ping was answered; what else is told meanwhile is passed over."""
    held = b""

    def taken(count: int) -> bytes:
        nonlocal held
        while len(held) < count:
            more = stream.read(1 << 16, PATIENCE)
            if not more:
                raise httpcore.ReadError("opens, and is closed at once")
            held += more
        found, held = held[:count], held[count:]
        return found

    began = time.perf_counter()
    stream.write(_PING, PATIENCE)
    while True:
        kind, length = taken(2)
        if length > 125:
            length = int.from_bytes(taken(2 if length == 126 else 8), "big")
        taken(length)
        if kind & 0xF == _PONG:
            return time.perf_counter() - began


def _stored(folder: Path) -> Iterator[Check]:
    """Whether jobs, models and the store can be kept where they are; before the first job, where they will
    be. A file without a name is written there, which ends with this."""
    there = next((place for place in (folder, *folder.parents) if os.access(place, os.F_OK)), folder)
    try:
        with tempfile.TemporaryFile(dir=there, buffering=0) as file:
            file.write(b"m")
        room = os.statvfs(there)
    except OSError as error:
        yield Check(
            name="data directory",
            well=False,
            found=f"{folder} cannot be written: {error.strerror}",
            hint="Let this user write there, or name a place by JUPYTER_DATA_DIR or MlopsExtension.data_dir.",
        )
        return
    yield Check(name="data directory", well=True, found=f"{folder} can be written")
    free = room.f_bavail * room.f_frsize
    yield Check(
        name="disk",
        well=free > FREE_BYTES,
        found=f"{size(free)} free of {size(room.f_blocks * room.f_frsize)}",
        hint=f"Tables and uploads are refused below {size(FREE_BYTES)}: make room on the disk of {there}.",
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _labextension() -> str | None:
    for folder in jupyter_path("labextensions"):
        try:
            facts = json.loads(Path(folder, "mlops_jupyter", "package.json").read_bytes())
        except (OSError, ValueError):
            continue
        return str(facts.get("version"))
    return None


def _enabled() -> bool:
    """As ``jupyter server extension list`` reads it: the first folder that says something counts."""
    for folder in jupyter_config_path():
        for file in (
            Path(folder, "jupyter_server_config.d", "mlops_jupyter.json"),
            Path(folder, "jupyter_server_config.json"),
        ):
            try:
                said = json.loads(file.read_bytes())["ServerApp"]["jpserver_extensions"]["mlops_jupyter"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            return bool(said)
    return False


def _message(answer: httpx.Response) -> str | None:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return None
