"""strace, by which a system call of another process fails, or ends it, when a test wants it to.

What is missing is installed where that can be done: as root of a Debian.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def command(*injections: str) -> list[str]:
    """What to put before a command, so that ``injections`` (``fsync:signal=SIGKILL:when=3``) happen in it."""
    words = [str(executable()), "-f", "-qq", "-o", os.devnull]
    for injection in injections:
        words += ["-e", f"trace={injection.partition(':')[0]}", "-e", f"inject={injection}"]
    return words


def executable() -> Path:
    """The path of strace; ``RuntimeError`` when there is none and none can be had."""
    found = shutil.which("strace")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "strace"]):
            subprocess.run(["apt-get", *words], env=environment, stdout=sys.stderr, check=False)
        found = shutil.which("strace")
    if found is None:
        raise RuntimeError("No strace: install it (apt-get install strace) and run this again.")
    return Path(found)
