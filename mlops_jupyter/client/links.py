"""Where a browser finds the page of ``jupyter mlops``, with a job chosen or none.

No address holds a token: who is not signed in there is asked to.
"""

from __future__ import annotations

from html import escape
from typing import Any

import msgspec

from mlops_jupyter.client.servers import Server
from mlops_jupyter.core.errors import ServerUnreachable


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """``url`` as this machine knows it. ``path`` alone is what a notebook's page of the same server needs,
    whatever that server is called where the browser runs; null in other places."""

    url: str
    path: str | None = None
    job_id: str | None = None

    def __str__(self) -> str:
        return self.url

    __repr__ = __str__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """In a notebook it can be clicked. JupyterLab follows it itself, if our extension is there."""
        address = escape(self.path or self.url)
        words = "mlops: all jobs" if self.job_id is None else f"mlops: job {escape(self.job_id)}"
        return {"text/plain": self.url, "text/html": f'<a href="{address}" target="_blank">{words}</a>'}


def link(server: Server | None, job_id: str | None, *, parent: bool) -> Link:
    """The page on ``server``; ``parent``: it is that of the notebook which asks."""
    if server is None or server.socket:
        private = "" if server is None else ": jobs run under one on a unix socket"
        raise ServerUnreachable(
            f"no Jupyter server that a browser could open runs here{private}.",
            "Run: jupyter mlops — its page shows the same jobs.",
        )
    page = "mlops" if job_id is None else f"mlops?job={job_id}"
    path = f"{server.base_url.rstrip('/')}/{page}" if parent else None
    return Link(url=f"{server.address}{page}", path=path, job_id=job_id)
