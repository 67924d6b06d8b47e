"""A network of its own at the other end of a cable, on which packets can be lost without a word to anybody.

Needs root and ``ip`` (iproute2). Nothing reaches a real network: the addresses are for benchmarks (RFC 2544).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

HERE, THERE = "198.18.77.1", "198.18.77.2"
#: Of no network card in the world: what is sent to it, nobody takes in.
NOBODY = "02:00:00:00:00:01"


class Cable:
    def __init__(self) -> None:
        self.name = f"mlops{os.getpid()}"
        self._near, self._far = f"near{os.getpid()}", f"far{os.getpid()}"

    @property
    def there(self) -> list[str]:
        """What to put before a command that is to run at the other end."""
        return ["ip", "netns", "exec", self.name]

    def plug_in(self) -> None:
        _ip("netns", "add", self.name)
        _ip("link", "add", self._near, "type", "veth", "peer", "name", self._far, "netns", self.name)
        _ip("address", "add", f"{HERE}/30", "dev", self._near)
        _ip("link", "set", self._near, "up")
        _ip("-n", self.name, "address", "add", f"{THERE}/30", "dev", self._far)
        for device in ("lo", self._far):
            _ip("-n", self.name, "link", "set", device, "up")

    @contextmanager
    def black_hole(self) -> Iterator[None]:
        """Both ends send on, to a card that is not there; their connections stay open."""
        ends = ((["-n", self.name], HERE, self._far), ([], THERE, self._near))
        for where, other, device in ends:
            _ip(*where, "neigh", "replace", other, "lladdr", NOBODY, "dev", device, "nud", "permanent")
        yield
        for where, other, device in ends:
            _ip(*where, "neigh", "del", other, "dev", device)

    def unplug(self) -> None:
        subprocess.run(["ip", "netns", "del", self.name], check=False)


@contextmanager
def cable() -> Iterator[Cable]:
    cable = Cable()
    try:
        cable.plug_in()
        yield cable
    finally:
        cable.unplug()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
