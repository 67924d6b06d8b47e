"""Addresses of data that may be fetched for a user: those below what the administrator allows.

Not here: how they are fetched (``training.fetch``).
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from mlops_jupyter.core.errors import DatasetNotFoundError
from mlops_jupyter.core.limits import NAME, ReadingLimits

SETTING = "MlopsExtension.remote_data"
#: Of this machine: its files go by their paths, below the server's folder.
_LOCAL = ("file", "local")


class Address(msgspec.Struct, frozen=True):
    """``url`` is fetched and told to nobody, since its query may be a signature; ``shown`` is without."""

    url: str
    scheme: str
    shown: str
    filename: str


class Order(msgspec.Struct, frozen=True):
    """What the process that fetches is told; it takes no more than ``most`` bytes, and for itself what
    ``reading`` says."""

    address: Address
    most: int
    reading: ReadingLimits


class Fetched(msgspec.Struct, frozen=True, tag="fetched"):
    """All of it is there."""


class TooMuch(msgspec.Struct, frozen=True, tag="too_much"):
    """There is more of it than was allowed."""


def is_address(path: str) -> bool:
    return "://" in path


def checked(url: str, allowed: Sequence[str]) -> Address:
    """``url`` as it may be fetched; ``DatasetNotFoundError`` says why not, without what may be secret."""
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or (parts.username and parts.scheme in ("http", "https"))
    except ValueError as error:
        raise DatasetNotFoundError("This is no address.") from error
    scheme, path = parts.scheme.lower(), unquote(parts.path)
    shown = f"{scheme}://{parts.netloc.rpartition('@')[2] if secret else parts.netloc}{parts.path}"
    odd = "::" in url or "\\" in path or url != url.strip() or not (url + path).isprintable()
    if not scheme or odd:
        raise DatasetNotFoundError(
            "This is no address of one file.", "For example: s3://bucket/customers.csv"
        )
    if secret:
        raise DatasetNotFoundError(
            f"{shown} is not fetched with a name or a password in it.",
            "The server signs in as its administrator has set it up.",
        )
    if scheme in _LOCAL:
        raise DatasetNotFoundError(
            f"{shown} is a file of the server's machine.", "One below the server's folder goes by its path."
        )
    steps = path.split("/")
    if not any(_below(parts, scheme, each) for each in allowed) or {".", ".."} & set(steps):
        raise DatasetNotFoundError(
            f"{shown} is not fetched: this server {_fetches(allowed)}.",
            f"Its administrator sets {SETTING}; a file of your own is uploaded:",
            'mlops.datasets.upload("…")',
        )
    if not 0 < len(steps[-1]) <= NAME:
        raise DatasetNotFoundError(f"{shown} names no file.", "One CSV or Parquet file is fetched.")
    return Address(scheme + url[len(scheme) :], scheme, shown, steps[-1])


def _fetches(allowed: Sequence[str]) -> str:
    return f"fetches what is below {', '.join(allowed)} alone" if allowed else "fetches nothing"


def _below(parts: SplitResult, scheme: str, allowed: str) -> bool:
    """Host and steps are compared as wholes: ``https://host`` allows no ``https://host.other``."""
    protocol, _, place = allowed.partition("://")
    if scheme != protocol.lower():
        return False
    host, _, path = place.rstrip("/").partition("/")
    if not host:
        return True
    return parts.netloc.lower() == host.lower() and f"{parts.path}/".startswith(f"/{path}/" if path else "/")
