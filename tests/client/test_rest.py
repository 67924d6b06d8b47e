"""What the server refuses, as the client raises it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlops_jupyter import __version__
from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.rest import Rest
from mlops_jupyter.core.errors import (
    DatasetNotFoundError,
    InputError,
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
