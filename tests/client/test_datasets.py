"""Datasets from Python: sent, found by what people call them, trained on by name."""

from __future__ import annotations

import hashlib
import io
import os
import signal
from pathlib import Path

import pandas as pd
import pytest

from mlops_jupyter.client import dataset_words
from mlops_jupyter.client.answers import Begun, Finished, Same
from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.uploading import upload
from mlops_jupyter.client.view import Nobody
from mlops_jupyter.core.errors import DataError, DatasetNotFoundError, NoRoom, SubmissionError, TargetError
from mlops_jupyter.core.limits import CHUNK, LEAST_CHUNK

PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"


def unheard(*_: int) -> None:
    pass


def test_a_file_is_sent_found_trained_on_by_name_and_known_by_its_job(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    heard: list[tuple[int, int]] = []
    with PENGUINS.open("rb") as file:
        sent = session.upload(file, "penguins.csv", "birds of py", lambda *so: heard.append(so))
    size = PENGUINS.stat().st_size
    assert (sent.name, sent.version, sent.bytes, heard) == ("birds of py", 1, size, [(size, size)])
    with PENGUINS.open("rb") as file:
        assert session.upload(file, "penguins.csv", "birds of py", unheard).ref == sent.ref
    assert session.dataset("birds of py").id == session.dataset(sent.id[:8]).id == sent.id
    job = session.train("birds of py@1", "species", Options(model="rf", cv=0))
    record = job.wait().record
    assert record.dataset is not None
    assert (record.status, record.dataset.id, record.dataset.version) == ("completed", sent.id, 1)
    assert [used.job_id for used in sent.lineage().jobs] == [record.job_id]
    assert sent.preview().suggested_target is not None
    with pytest.raises((TargetError, SubmissionError, KeyError), match="specie"):
        session.train("birds of py", "specie", Options(model="rf"))


def test_a_name_that_is_nothing_says_what_is_close(session: Session) -> None:
    with PENGUINS.open("rb") as file:
        session.upload(file, "penguins.csv", "close by", unheard)
    with pytest.raises(DatasetNotFoundError, match='Did you mean "close by"'):
        session.dataset("clos by")
    with pytest.raises(DatasetNotFoundError, match="It has 1 to 1"):
        session.dataset("close by@7")


def test_what_is_no_table_is_raised_with_its_line(session: Session) -> None:
    with pytest.raises(DataError, match=r"Line 3 of t\.csv has 3 fields; the first has 2"):
        session.upload(io.BytesIO(b"a,b\n1,2\n1,2,3\n"), "t.csv", None, unheard)


def test_the_words_of_terminals(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    pd.DataFrame({"id": range(30), "y": [0, 1] * 15}).to_csv(path, index=False)
    said = {"path": str(path), "name": "few rows"}
    _, told = dataset_words.done("upload", session, said, "mlops", unheard)
    assert told.startswith("few rows@1 · 30 rows × 2 columns · ")
    _, told = dataset_words.done("preview", session, {"dataset": "few rows"}, "mlops", unheard)
    assert told.splitlines()[1:4] == [
        '⚠ "id" is different in every row, like an id.',
        'target? "y": It is called so; 2 classes.',
        "column  kind    missing  distinct  most frequent",
    ]
    assert "few rows@1" in dataset_words.listed(session.datasets())
    _, told = dataset_words.done("rm", session, {"dataset": "few rows", "yes": True}, "mlops", unheard)
    assert told == "few rows deleted"


class Proxy:
    """A server behind a proxy that takes no more than ``most`` bytes at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.got = b""
        self.cancelled = False

    def begin_upload(self, wanted: dict[str, object]) -> Begun:
        return Begun(upload_id="u-1", chunk=CHUNK)

    def add_part(self, upload_id: str, offset: int, part: bytes) -> int | None:
        if len(part) > self.most:
            return None
        self.got = self.got[:offset] + part
        return len(self.got)

    def finish_upload(self, upload_id: str) -> Finished:
        return Finished(duplicate_of=Same(dataset="d-1", version=1))

    def cancel_upload(self, upload_id: str) -> None:
        self.cancelled = True


def test_an_upload_from_python_goes_on_after_its_private_server_was_killed(home: Path) -> None:
    """F46, P4: the next private server finds the bytes that are there."""
    session = Session(Finder.of_this_process(), Nobody())
    body = b"a,b\n" + b"1,2\n" * (2 * CHUNK // 4)
    server, _ = session.status()
    sent: list[int] = []

    def told(there: int, size: int) -> None:
        sent.append(there)
        if len(sent) == 1:
            os.kill(server.pid, signal.SIGKILL)

    found = session.upload(io.BytesIO(body), "long.csv", "long", told)
    after, _ = session.status()
    assert (found.ref, found.bytes, found.sha256) == ("long@1", len(body), hashlib.sha256(body).hexdigest())
    assert sent == [CHUNK, 2 * CHUNK, len(body)]
    assert after.pid != server.pid
    session.close()


def test_parts_are_halved_where_a_proxy_takes_less() -> None:
    """F46: nginx takes 1 MiB by default."""
    proxy, content = Proxy(1 << 20), bytes(range(256)) * (20 << 10)
    same = upload(proxy, io.BytesIO(content), "t.csv", None, unheard)  # type: ignore[arg-type]
    assert (same, proxy.got) == (Same(dataset="d-1", version=1), content)


def test_a_proxy_that_takes_nothing_is_named_and_nothing_stays() -> None:
    proxy = Proxy(LEAST_CHUNK - 1)
    with pytest.raises(NoRoom, match="takes no 256 KiB at once"):
        upload(proxy, io.BytesIO(bytes(CHUNK)), "t.csv", None, unheard)  # type: ignore[arg-type]
    assert proxy.cancelled
