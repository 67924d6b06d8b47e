"""An upload outlives its server, whenever that is killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.servers import TLS
from tests.faults.test_server_restart import JupyterServer

pytestmark = pytest.mark.timeout(120)
ROWS = 200_000
TABLE = b"number,square\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(ROWS))
PART = 256 << 10


class Server(JupyterServer):
    def patch(self, upload_id: str, offset: int, chunk: bytes) -> httpx.Response:
        headers = {
            "Authorization": f"token {self.token}",
            "Content-Type": "application/octet-stream",
            "Upload-Offset": str(offset),
        }
        url = f"{self.url}mlops/api/uploads/{upload_id}"
        return httpx.patch(url, content=chunk, headers=headers, timeout=60, verify=TLS)

    def upload(self, upload_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"mlops/api/uploads/{upload_id}").json()
        return answer

    def send_rest(self, upload_id: str) -> None:
        offset = self.upload(upload_id)["offset"]
        while offset < len(TABLE):
            offset = self.patch(upload_id, offset, TABLE[offset : offset + PART]).json()["offset"]

    def over(self, upload_id: str) -> dict[str, Any]:
        """Waits on events, not on the clock."""
        while True:
            head = self.get("mlops/api/datasets").json()["head"]
            upload = self.upload(upload_id)
            if upload["state"] not in ("open", "reading"):
                return upload
            self.get("mlops/api/events", since=head, wait=0.2)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "home")
    server.start()
    yield server
    server.close()


def begin(server: Server) -> str:
    answer = server.post("uploads", {"filename": "numbers.csv", "bytes": len(TABLE)})
    upload_id: str = answer.json()["upload_id"]
    return upload_id


def test_an_upload_goes_on_after_its_server_was_killed_between_and_in_the_middle_of_parts(
    server: Server,
) -> None:
    """F46, P4."""
    upload_id = begin(server)
    assert server.patch(upload_id, 0, TABLE[:PART]).json() == {"offset": PART}
    server.kill()
    server.start()
    assert server.upload(upload_id)["offset"] == PART

    def half() -> Iterator[bytes]:
        yield TABLE[PART : 2 * PART]
        server.kill()
        yield TABLE[2 * PART : 3 * PART]

    with pytest.raises(httpx.HTTPError):
        server.patch(upload_id, PART, half())  # type: ignore[arg-type]
    server.start()
    assert PART <= server.upload(upload_id)["offset"] <= 3 * PART
    server.send_rest(upload_id)
    assert server.post(f"uploads/{upload_id}/finish", {}).status_code == 202
    upload = server.over(upload_id)
    assert (upload["state"], upload["version"]) == ("completed", 1)
    (dataset,) = server.get("mlops/api/datasets").json()["datasets"]
    assert (dataset["current"]["rows"], dataset["current"]["columns"]) == (ROWS, 2)


def test_what_was_being_read_is_read_by_the_next_server(server: Server) -> None:
    upload_id = begin(server)
    server.send_rest(upload_id)
    assert server.post(f"uploads/{upload_id}/finish", {}).status_code == 202
    server.kill()
    server.start()
    upload = server.over(upload_id)
    assert (upload["state"], upload["version"]) == ("completed", 1)
    assert len(server.get("mlops/api/datasets").json()["datasets"]) == 1


def test_a_lost_database_gets_its_datasets_back_from_their_folders(server: Server) -> None:
    upload_id = begin(server)
    server.send_rest(upload_id)
    server.post(f"uploads/{upload_id}/finish", {})
    server.over(upload_id)
    before = server.get("mlops/api/datasets").json()["datasets"]
    server.kill()
    for path in server.home.rglob("store.sqlite*"):
        path.unlink()
    server.start()
    assert server.get("mlops/api/datasets").json()["datasets"] == before
