"""From where data may be fetched: hosts and steps are compared as wholes, and nothing secret is said."""

from __future__ import annotations

import pytest

from mlops_jupyter.core.errors import DatasetNotFoundError
from mlops_jupyter.core.remote import Address, checked

ALLOWED = ("s3", "gs://bucket", "https://data.example.org/public/", "abfs://box@account.example.org/")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://any/where/customers.csv", "s3://any/where/customers.csv"),
        ("gs://bucket/customers.csv", "gs://bucket/customers.csv"),
        (
            "HTTPS://Data.example.org/public/a/customers.csv",
            "https://Data.example.org/public/a/customers.csv",
        ),
        ("abfs://box@account.example.org/customers.csv", "abfs://box@account.example.org/customers.csv"),
    ],
)
def test_what_is_below_an_allowed_place_is_fetched(url: str, shown: str) -> None:
    assert checked(url, ALLOWED).shown == shown
    with pytest.raises(DatasetNotFoundError, match="this server fetches nothing") as refused:
        checked(url, ())
    assert "MlopsExtension.remote_data" in str(refused.value)


def test_a_signature_is_sent_and_never_shown() -> None:
    url = "https://data.example.org/public/a%20b.csv?sig=hunter2#part"
    shown = "https://data.example.org/public/a%20b.csv"
    assert checked(url, ALLOWED) == Address(url=url, scheme="https", shown=shown, filename="a b.csv")


@pytest.mark.parametrize(
    "url",
    [
        "http://data.example.org/public/a.csv",
        "https://data.example.org/private/a.csv",
        "https://data.example.org/publication/a.csv",
        "https://data.example.org/public/../private/a.csv",
        "https://data.example.org/public/%2e%2e/private/a.csv",
        "https://data.example.org/public/..%2fprivate/a.csv",
        r"https://data.example.org/public/..\private\a.csv",
        "https://data.example.org.evil.example/public/a.csv",
        "https://data.example.org:8443/public/a.csv",
        "https://evil.example/a.csv#@data.example.org/public/a.csv",
        "https://data.example.org@evil.example/public/a.csv",
        "https://ada:hunter2@data.example.org/public/a.csv",
        "https://hunter2@data.example.org/public/a.csv",
        "https://data.example.org/public/",
        f"https://data.example.org/public/{'a' * 257}",
        "gs://bucket-of-others/a.csv",
        "abfs://other@account.example.org/a.csv",
        "simplecache::s3://bucket/a.csv",
        "s3://bucket/a.zip::file:///etc/passwd",
        "zip://a.csv::s3://bucket/a.zip",
        "file:///etc/passwd",
        "local:///etc/passwd",
        "memory://a.csv",
        "://a.csv",
        " s3://bucket/a.csv",
        "s3://bucket/a\n.csv",
        "s3://bucket/a%0a.csv",
        "https://[data.example.org/public/a.csv",
    ],
)
def test_nothing_else_is_fetched_and_no_password_is_said(url: str) -> None:
    with pytest.raises(DatasetNotFoundError) as refused:
        checked(url, ALLOWED)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["file:///data/a.csv", "local:///data/a.csv"])
def test_files_of_this_machine_go_by_their_paths_whatever_is_allowed(url: str) -> None:
    with pytest.raises(DatasetNotFoundError, match="a file of the server's machine"):
        checked(url, ("file", "local", "file:///data/"))
