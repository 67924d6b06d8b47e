"""What the server refuses, as the client raises it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from mlops_jupyter import __version__
from mlops_jupyter.client import rest as client
from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.rest import Rest
from mlops_jupyter.core.errors import (
    DatasetNotFoundError,
    InputError,
    MlopsError,
    ModelNotFoundError,
    SubmissionError,
    VersionMismatch,
)
from mlops_jupyter.core.jobs import JobSpec, Source


@pytest.fixture
def rest() -> Iterator[Rest]:
    rest = Rest(Finder.of_this_process())
    yield rest
    rest.close()


def test_another_version_is_refused_and_both_are_named(rest: Rest) -> None:
    spec = JobSpec(data=Source(path="/nowhere.csv"), target="species", version="9.9.9")
    with pytest.raises(VersionMismatch) as error:
        rest.submit(spec)
    assert str(error.value) == (
        f"this kernel has mlops_jupyter 9.9.9, the Jupyter server {__version__}.\n"
        "Install the same version in both, then restart both."
    )


class Cut(httpx.BaseTransport):
    """Drops the connection once, after the server has answered a submission."""

    def __init__(self, whole: httpx.BaseTransport) -> None:
        self.whole = whole
        self.lost: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.whole.handle_request(request)
        if request.method == "POST" and request.url.path.endswith("/jobs") and not self.lost:
            self.lost.append(response.read())
            response.close()
            raise httpx.ReadError("the connection was cut")
        return response

    def close(self) -> None:
        self.whole.close()


def test_a_submission_whose_answer_was_lost_is_sent_again_and_starts_no_second_job(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P12."""

    def connect(*how: Any) -> httpx.Client:
        client = whole(*how)
        client._transport = cut = Cut(client._transport)
        cuts.append(cut)
        return client

    whole, cuts = client.connect, []
    monkeypatch.setattr(client, "connect", connect)
    before = len(rest.jobs(1000))
    table = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"
    job = rest.submit(JobSpec(data=Source(path=str(table)), target="species", model="logistic", cv=0))
    assert [msgspec.json.decode(answer)["job_id"] for cut in cuts for answer in cut.lost] == [job.job_id]
    assert len(rest.jobs(1000)) == before + 1
    rest.stop(job.job_id)


def test_a_file_is_waited_for_as_long_as_the_server_says_it_may_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server with its own ``reading_seconds``, as its answers were recorded."""
    waited: list[float] = []
    status = {
        "version": __version__,
        "epoch": "e",
        "head": 0,
        "pid": 1,
        "private": False,
        "root_dir": "/",
        "jobs": {},
        "data_dir": "/",
        "reading_seconds": 1200.0,
    }

    def answered(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/status"):
            return httpx.Response(200, json=status)
        waited.append(request.extensions["timeout"]["read"])
        return httpx.Response(400, json={"message": "enough was seen"})

    http = httpx.Client(transport=httpx.MockTransport(answered), base_url="http://server/mlops/api/")
    rest = Rest(Finder.of_this_process())
    monkeypatch.setattr(rest, "_connected", lambda: http)
    with pytest.raises(MlopsError, match="enough was seen"):
        rest.register("a.csv", None)
    assert waited == [3600.0]
    http.close()


def test_what_the_server_finds_wrong_comes_as_what_it_is(rest: Rest) -> None:
    gone = Source(path="/nowhere.csv")
    with pytest.raises(DatasetNotFoundError, match=r"/nowhere\.csv"):
        rest.submit(JobSpec(data=gone, target="species"))
    with pytest.raises(SubmissionError, match="2 things to change"):
        rest.submit(JobSpec(data=gone, target="species", test=gone))
    with pytest.raises(InputError, match="no input"):
        rest.submit(JobSpec(data=Source(input_id="i-" + "0" * 24), target="species"))
    with pytest.raises(ModelNotFoundError, match="no model"):
        rest.model_file("m-000000000000")
