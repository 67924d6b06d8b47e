"""Sends a file to the server in parts, goes on where one was cut off, and waits until it is a dataset.

Not here: the requests themselves (``rest``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO

from mlops_jupyter.client.answers import Same
from mlops_jupyter.client.rest import Rest
from mlops_jupyter.core.errors import NoRoom, error_for
from mlops_jupyter.core.limits import LEAST_CHUNK

#: Seconds an answer is held while the server reads what was sent.
WAIT = 2.0
Told = Callable[[int, int], None]


def upload(rest: Rest, file: BinaryIO, filename: str, name: str | None, told: Told) -> Same:
    """Which version of which dataset it is now, or was before; ``told`` hears of bytes sent and in all."""
    sha256 = hashlib.sha256()
    size = 0
    while block := file.read(1 << 20):
        sha256.update(block)
        size += len(block)
    wanted = {"filename": filename, "bytes": size, "sha256": sha256.hexdigest()}
    begun = rest.begin_upload(wanted | ({} if name is None else {"name": name}))
    try:
        _send(rest, begun.upload_id, begun.chunk, file, size, told)
    except BaseException:
        # Ctrl-C, too: what nobody goes on with would count among the open ones for a day.
        rest.cancel_upload(begun.upload_id)
        raise
    same = rest.finish_upload(begun.upload_id).duplicate_of
    return same or _read(rest, begun.upload_id)


def _send(rest: Rest, upload_id: str, chunk: int, file: BinaryIO, size: int, told: Told) -> None:
    offset = 0
    while offset < size:
        file.seek(offset)
        there = rest.add_part(upload_id, offset, file.read(chunk))
        if there is not None:
            offset = there
            told(offset, size)
        elif chunk > LEAST_CHUNK:
            chunk = max(chunk // 2, LEAST_CHUNK)
        else:
            least = LEAST_CHUNK >> 10
            raise NoRoom(f"Something on the way takes no {least} KiB at once (413).", "Ask who runs it.")


def _read(rest: Rest, upload_id: str) -> Same:
    """Waits on events, not on the clock."""
    while True:
        status = rest.status()
        upload = rest.upload_of(upload_id)
        if upload.problem is not None:
            raise error_for([upload.problem])
        if upload.dataset_id is not None and upload.version is not None:
            return Same(dataset=upload.dataset_id, version=upload.version)
        rest.events(status.head, status.epoch, WAIT)
