"""JupyterLab in a page, in the words of its user: open a notebook, run a cell, reload, go dark.

What our own views look like is for the tests to ask (``lab.page``, ``lab.output(i)``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, ViewportSize

from tests.browser.proxy import Proxy
from tests.browser.servers import LabServer

SCREENSHOTS = Path("test-results") / "screenshots"
SHOWN = 60_000
#: What JupyterLab 4.6 itself logs as an error.
NOISE = (
    "Could not restore the debugger state: Canceled future",  # a page was reloaded or a kernel restarted
)

#: Resolves when notebook, kernel session and kernel are there; "idle" is shown before there is one.
_READY = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const widget = app.shell.currentWidget;
  await widget.context.ready;
  await widget.sessionContext.ready;
  await widget.sessionContext.session.kernel.info;
}"""
_RUN_CELL = """async ([index, wait]) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.activeCellIndex = index;
  content.deselectAll();
  const done = window.jupyterapp.commands.execute("notebook:run-cell");
  if (wait) await done;
}"""
_RUN_ALL = """async wait => {
  const done = window.jupyterapp.commands.execute("notebook:run-all-cells");
  if (wait) await done;
}"""
_RESTART = """async () => {
  const { session } = window.jupyterapp.shell.currentWidget.sessionContext;
  await session.kernel.restart();
  await session.kernel.info;
}"""
_LISTEN = """async base => {
  const url = new URL("mlops/api/events/subscribe", base);
  url.protocol = "ws:";
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
  socket.onmessage = message => {
    const { type, nonce } = JSON.parse(message.data);
    if (type === "ping") socket.send(JSON.stringify({ type: "pong", nonce }));
  };
}"""
_SAVE = "() => window.jupyterapp.shell.currentWidget.context.save()"
_THEME = """async name => {
  await window.jupyterapp.commands.execute("apputils:change-theme", { theme: name });
}"""
_OUTPUT_WIDTH = """() => {
  const widths = [...document.querySelectorAll(".jp-OutputArea-output")].map(e => e.clientWidth);
  return Math.max(0, ...widths);
}"""


class Lab:
    """One browser tab with JupyterLab.

    Parameters
    ----------
    page : a fresh page.
    server : the server it shows.
    proxy : go through this proxy instead of to the server itself.
    """

    def __init__(self, page: Page, server: LabServer, proxy: Proxy | None = None) -> None:
        self.page = page
        self.server = server
        self.url = proxy.url if proxy else server.url
        self.proxy = proxy
        self._errors: list[str] = []
        self._tolerated = list(NOISE)
        self._tabs: list[Lab] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._errors.append(f"uncaught {error}"))

    # --- notebooks ------------------------------------------------------------------------

    def open_notebook(self, path: str, *, ready: bool = True) -> None:
        """Log in, open ``path`` (relative to the server's root) and wait for its kernel."""
        address = f"{self.url}{self.server.lab_path(path)}"
        if self.server.password:
            self._log_in(self.server.password)
            self.page.goto(f"{address}?reset")
        else:
            self.page.goto(f"{address}?token={self.server.token}&reset")
        self.wait_until_shown(ready=ready)

    def _log_in(self, password: str) -> None:
        self.page.goto(f"{self.url}login")
        field = self.page.locator("input[type=password]")
        if field.count():
            field.fill(password)
            self.page.locator("button[type=submit]").click()
            self.page.wait_for_url(re.compile(r"^(?!.*/login)"))

    def wait_until_shown(self, *, ready: bool = True) -> None:
        """Wait for the notebook's cells and, with ``ready``, for a kernel that answers."""
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=SHOWN)
        if ready:
            self.page.evaluate(_READY)

    def run_all(self, *, wait: bool = True) -> None:
        """Run every cell; without ``wait`` return at once, for tests of a busy kernel."""
        self.page.evaluate(_RUN_ALL, wait)

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        self.page.evaluate(_RUN_CELL, [index, wait])

    def output(self, index: int) -> Locator:
        """The outputs of the cell ``index``."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-OutputArea-output")

    def kernel_is(self, state: str, timeout: float = 30.0) -> None:
        """Wait until the kernel is shown as ``"busy"`` or ``"idle"``; seconds."""
        indicator = self.page.locator(f'.jp-Notebook-ExecutionIndicator[data-status="{state}"]')
        indicator.first.wait_for(state="attached", timeout=1000 * timeout)

    def save(self) -> None:
        self.page.evaluate(_SAVE)

    def reload(self, *, ready: bool = False) -> None:
        """Reload the page in mid-run as a user does; returns when the cells are shown again."""
        self.page.reload()
        self.wait_until_shown(ready=ready)

    def listen(self) -> None:
        """Open one more socket of our events, which answers pings and does nothing else."""
        self.page.evaluate(_LISTEN, self.server.url)

    def restart_kernel(self) -> None:
        """Restart the kernel without the question; returns when the new one answers."""
        self.page.evaluate(_RESTART)

    def new_tab(self) -> Lab:
        """Another tab of the same browser, logged in already; it shows nothing yet.

        Its errors count as errors of this one."""
        tab = Lab(self.page.context.new_page(), self.server, self.proxy)
        tab._tolerated = self._tolerated
        self._tabs.append(tab)
        return tab

    # --- looks ----------------------------------------------------------------------------

    def set_theme(self, *, dark: bool) -> None:
        self.page.evaluate(_THEME, "JupyterLab Dark" if dark else "JupyterLab Light")
        light = "false" if dark else "true"
        self.page.locator(f'body[data-jp-theme-light="{light}"]').wait_for(state="attached")

    def set_width(self, width: int, height: int = 900) -> None:
        """Make an output area ``width`` pixels wide (the window is wider); needs one output to measure."""
        self.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        for _ in range(3):  # the scroll bar may come or go with the first try
            beside = self.page.evaluate("() => window.innerWidth") - self._output_width()
            self.page.set_viewport_size(ViewportSize(width=width + beside, height=height))
            if self._settled_width() == width:
                return
        raise AssertionError(f"output area is {self._output_width()} px wide, not {width}")

    def _output_width(self) -> int:
        width: int = self.page.evaluate(_OUTPUT_WIDTH)
        return width

    def _settled_width(self) -> int:
        """The width once two animation frames in a row agree."""
        before = -1
        while (width := self._output_width()) != before:
            before = width
            self.page.evaluate(
                "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
            )
        return width

    def screenshot(self, name: str, part: Locator | None = None) -> Path:
        """A picture of the page, or of a part of it, in ``test-results/screenshots/{name}.png``."""
        path = SCREENSHOTS / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        (part or self.page).screenshot(path=path)
        return path

    # --- what went wrong ------------------------------------------------------------------

    def tolerate(self, pattern: str) -> None:
        """Console errors matching ``pattern`` are expected now (Chromium logs every cut socket)."""
        self._tolerated.append(pattern)

    @property
    def console_errors(self) -> list[str]:
        """Errors of the console and uncaught exceptions so far, without those tolerated;
        its other tabs' included."""
        mine = [text for text in self._errors if not any(re.search(p, text) for p in self._tolerated)]
        return mine + [text for tab in self._tabs for text in tab.console_errors]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._errors.append(f"{message.text} ({message.location.get('url', '')})")

    def until(self, expression: str, argument: Any = None, timeout: float = 30.0) -> None:
        """Wait until a JavaScript ``expression`` (a function) is truthy in the page; seconds."""
        self.page.wait_for_function(expression, arg=argument, timeout=1000 * timeout)


def closing(lab: Lab) -> Callable[[], None]:
    """What to do with a tab at the end of a test: it must not have logged an error."""

    def close() -> None:
        errors = lab.console_errors
        try:
            lab.page.close()
        except Error:
            errors.append("the page had crashed")
        assert not errors, f"errors in the browser's console: {errors}"

    return close
