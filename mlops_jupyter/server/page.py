"""``{base_url}mlops``, the page of ``jupyter mlops``, and ``mlops/debug``, the raw stream.

The files are the same for everybody; what they show comes by REST and by events.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from mlops_jupyter.server.handler import Bodiless

STATIC = Path(__file__).parents[1] / "static"
#: Scripts are files of ours, whatever a name of a job may hold. The views' styles are elements of their own.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class File(Bodiless):
    """A file of the front end. Looking at it is no activity: it must not keep a server from being culled."""

    SUPPORTED_METHODS = ("GET",)
    # For eyes, not for programs.
    write_error = JupyterHandler.write_error

    async def show(self, name: str) -> None:
        if not self.check_origin():
            raise web.HTTPError(404)
        body = await asyncio.to_thread((STATIC / name).read_bytes)
        self.set_header("Content-Type", f"{TYPES[Path(name).suffix]}; charset=utf-8")
        self.set_header("Content-Security-Policy", f"{self.content_security_policy}; {POLICY}")
        self.set_header("Referrer-Policy", "same-origin")
        # Kept, and asked for all the same: an update of the package shows at the next reload.
        self.set_header("Cache-Control", "no-cache")
        await self.finish(body)

    async def show_page(self, name: str) -> None:
        # Asked for, so that it is sent as a cookie: what a page posts needs it.
        assert self.xsrf_token
        await self.show(name)


class PageHandler(File):
    @web.authenticated
    @authorized("read", "mlops.jobs")
    async def get(self) -> None:
        await self.show_page("page.html")


class DebugHandler(File):
    @web.authenticated
    @authorized("read", "mlops.events")
    async def get(self) -> None:
        await self.show_page("debug.html")


class FileHandler(File):
    @web.authenticated
    @authorized("read", "mlops.jobs")
    async def get(self, name: str) -> None:
        await self.show(name)


handlers = [
    ("mlops", PageHandler),
    ("mlops/debug", DebugHandler),
    (r"mlops/static/(page\.js|page\.css|debug\.js|icon\.svg)", FileHandler),
]
