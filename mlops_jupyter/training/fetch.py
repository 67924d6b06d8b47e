"""Copies one file from an address into this process's folder, as ``data``.

A process of its own, which may take little memory and time. What it is told comes by stdin: everybody on the
machine sees the arguments of processes. Not here: what may be fetched (``core.remote``), and what is in it
(``training.tabular.ingest``).
"""

from __future__ import annotations

import errno
import os
import resource
import sys
from typing import Any

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.core.datasets import Unreadable
from mlops_jupyter.core.errors import DataError, DatasetNotFoundError, MlopsError
from mlops_jupyter.core.remote import Address, Fetched, Order, TooMuch
from mlops_jupyter.training.processes import limit_reader

DATA = "data"


def fetch(address: Address) -> Fetched | TooMuch | Unreadable:
    """Write what is there; or why not, without what the address may hold of secrets."""
    try:
        return _copied(address)
    except MlopsError as error:
        return Unreadable(problem=error.problems[0])


def _copied(address: Address) -> Fetched | TooMuch:
    system, path = _system(address)
    try:
        system.get_file(path, DATA)
    except MlopsError:
        raise
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"There is no {address.shown}.") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            return TooMuch()
        # What a store of files says is its own, and may repeat the address, signature and all.
        status = getattr(error, "status", None)
        said = f"it answered {status}" if isinstance(status, int) else type(error).__name__
        raise DataError(f"{address.shown} cannot be fetched: {said}.") from error
    return Fetched()


def _system(address: Address) -> tuple[Any, str]:
    """What reads such addresses, and the file's name there."""
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - it comes with an extra

        if address.scheme in ("http", "https"):
            return url_to_fs(address.url, client_kwargs={"trace_configs": [_going_nowhere_else(address)]})
        return url_to_fs(address.url)
    except (ImportError, ValueError) as error:
        # "Install s3fs to access S3", and the like.
        raise DataError(
            f"{address.shown} cannot be fetched: {error}.",
            "The server's Python needs what reads it:",
            "pip install 'mlops_jupyter[remote]'",
        ) from error


def _going_nowhere_else(address: Address) -> Any:
    """What leads on elsewhere leads out of what is allowed."""
    import aiohttp  # noqa: PLC0415 - it comes with an extra

    async def refuse(*_: Any) -> None:
        raise DataError(f"{address.shown} leads on to another address.", "Register that one.")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(refuse)
    return tracing


def main() -> None:
    """Bounded before anything is asked for."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    limit_reader(order.reading.bytes, order.reading.cpu)
    resource.setrlimit(resource.RLIMIT_FSIZE, (order.most, order.most))
    os.umask(0o077)
    sys.stdout.buffer.write(wire.encode(fetch(order.address)))


if __name__ == "__main__":
    main()
