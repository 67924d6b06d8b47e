"""A Chromium for the browser tests: the machine's, Playwright's, or one installed now.

``python -m tests.browser.chromium`` prints its path. Debian's package is taken where we are root and
have apt-get (it brings every library it needs), Playwright's own download elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: The fonts make the same words equally wide everywhere and give the state signs (● ◐ ◷ ✓) a shape.
PACKAGES = ("chromium", "fonts-liberation", "fonts-dejavu-core")


def executable() -> Path:
    """The path of a Chromium, installed if there was none; ``RuntimeError`` when none can be had."""
    found = _on_path() or _of_playwright()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        found = _from_debian()
    if found is None:
        found = _from_playwright()
    if found is None:
        raise RuntimeError("No Chromium: install one (apt-get install chromium) and run this again.")
    return found


def _on_path() -> Path | None:
    paths = (shutil.which(name) for name in NAMES)
    return next((Path(path) for path in paths if path), None)


def _of_playwright() -> Path | None:
    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


def _from_debian() -> Path | None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *PACKAGES]):
        if subprocess.run(["apt-get", *command], env=environment, stdout=sys.stderr, check=False).returncode:
            return None
    return _on_path()


def _from_playwright() -> Path | None:
    libraries = ["--with-deps"] if os.geteuid() == 0 else []
    command = [sys.executable, "-m", "playwright", "install", *libraries, "chromium"]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        return None
    return _of_playwright()


if __name__ == "__main__":
    print(executable())
