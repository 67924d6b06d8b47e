"""Files on their way in: parts at their offsets, whatever comes in between, and only into files of ours."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from mlops_jupyter.core import limits
from mlops_jupyter.core.datasets import Upload
from mlops_jupyter.core.errors import InputError, NoRoom, UploadNotFoundError, UploadStateError
from mlops_jupyter.core.limits import UploadLimits
from mlops_jupyter.inputs import Ages
from mlops_jupyter.uploads import DATA, Uploads, asked

DAY = 24 * 3600
TABLE = b"a,b\n1,2\n3,4\n"


class Machine:
    """Its servers come and go; ``runs`` is for how many seconds it has run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.boot = "this boot"
        self.runs = 1000.0

    def server(self) -> Uploads:
        return Uploads(self.folder, Ages(self.boot, lambda: self.runs), UploadLimits())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "uploads")


def wanted(size: int = len(TABLE), sha256: str | None = None, by: str = "ada") -> Upload:
    return asked("t", "t.csv", size, sha256, by)


def send(uploads: Uploads, upload_id: str, offset: int, chunk: bytes) -> int:
    writer = uploads.write(upload_id, offset)
    writer.add(chunk)
    return writer.end()


def test_the_next_server_goes_on_where_the_bytes_end(machine: Machine) -> None:
    server = machine.server()
    upload = server.get(server.create(wanted(), 0).upload_id)
    assert send(server, upload.upload_id, 0, TABLE[:5]) == 5
    later = machine.server()
    assert later.get(upload.upload_id) == replace(upload, offset=5)
    assert send(later, upload.upload_id, 5, TABLE[5:]) == len(TABLE)
    digest = hashlib.sha256(TABLE).hexdigest()
    done = replace(upload, offset=len(TABLE), state="reading", sha256=digest)
    assert later.done(upload.upload_id) == (done, digest)
    assert later.place(upload.upload_id).read_bytes() == TABLE


@pytest.mark.parametrize("offset", [0, 4, 6, 100, -1])
def test_parts_out_of_order_overlapping_or_repeated_change_nothing(machine: Machine, offset: int) -> None:
    """F46."""
    server = machine.server()
    upload_id = server.create(wanted(), 0).upload_id
    send(server, upload_id, 0, TABLE[:5])
    with pytest.raises(UploadStateError) as refused:
        server.write(upload_id, offset)
    assert refused.value.offset == 5
    assert server.place(upload_id).read_bytes() == TABLE[:5]


def test_more_bytes_than_were_announced_are_refused(machine: Machine) -> None:
    server = machine.server()
    upload_id = server.create(wanted(4), 0).upload_id
    writer = server.write(upload_id, 0)
    with pytest.raises(UploadStateError, match="has 4 bytes; these are more"):
        writer.add(TABLE)
    assert writer.end() == 0


def test_fewer_bytes_than_were_announced_are_no_upload_yet(machine: Machine) -> None:
    server = machine.server()
    upload_id = server.create(wanted(), 0).upload_id
    send(server, upload_id, 0, TABLE[:5])
    with pytest.raises(UploadStateError, match="5 of 12 bytes") as refused:
        server.done(upload_id)
    assert refused.value.offset == 5


def test_another_sha256_than_was_announced_is_told(machine: Machine) -> None:
    server = machine.server()
    upload_id = server.create(wanted(sha256="0" * 64), 0).upload_id
    send(server, upload_id, 0, TABLE)
    with pytest.raises(InputError, match="arrived with another sha256"):
        server.done(upload_id)


def test_a_second_request_takes_the_place_of_one_that_hangs(machine: Machine) -> None:
    """A connection that is cut is noticed by its client first."""
    server = machine.server()
    upload_id = server.create(wanted(), 0).upload_id
    hanging = server.write(upload_id, 0)
    hanging.add(TABLE[:4])
    with pytest.raises(UploadStateError) as refused:
        server.write(upload_id, 0)
    assert refused.value.offset == 4
    going_on = server.write(upload_id, 4)
    with pytest.raises(UploadStateError, match="Another request goes on"):
        hanging.add(TABLE[4:])
    going_on.add(TABLE[4:])
    assert going_on.end() == len(TABLE)
    assert server.place(upload_id).read_bytes() == TABLE


def test_another_server_on_the_same_folder_does_not_write_between(machine: Machine) -> None:
    server = machine.server()
    upload_id = server.create(wanted(), 0).upload_id
    writer = server.write(upload_id, 0)
    with pytest.raises(UploadStateError, match="Another server writes"):
        machine.server().write(upload_id, 0)
    writer.leave()
    assert send(machine.server(), upload_id, 0, TABLE) == len(TABLE)


@pytest.mark.parametrize("planted", ["symlink", "hardlink", "pipe", "folder"])
def test_what_is_no_plain_file_of_ours_is_neither_written_nor_read(
    machine: Machine, tmp_path: Path, planted: str
) -> None:
    """P28, F46."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"")
    server = machine.server()
    upload_id = server.create(wanted(), 0).upload_id
    place = server.place(upload_id)
    place.unlink()
    {
        "symlink": lambda: place.symlink_to(outside),
        "hardlink": lambda: place.hardlink_to(outside),
        "pipe": lambda: os.mkfifo(place),
        "folder": place.mkdir,
    }[planted]()
    with pytest.raises(UploadStateError, match="replaced by something else"):
        server.write(upload_id, 0)
    assert outside.read_bytes() == b""


def test_a_folder_that_became_a_link_is_not_followed(machine: Machine, tmp_path: Path) -> None:
    server = machine.server()
    upload_id = server.create(wanted(), 0).upload_id
    folder = server.place(upload_id).parent
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UploadStateError, match="replaced by something else"):
        server.write(upload_id, 0)
    assert (tmp_path / "elsewhere" / DATA).read_bytes() == b""


def test_a_user_has_four_uploads_open_and_others_have_theirs(machine: Machine) -> None:
    server = machine.server()
    for _ in range(limits.UPLOADS):
        server.create(wanted(), 0)
    with pytest.raises(NoRoom, match="4 uploads of ada are not finished"):
        server.create(wanted(), 0)
    assert server.create(wanted(by="grace"), 0).by == "grace"


def test_what_is_kept_and_what_is_announced_fit_together(machine: Machine) -> None:
    with pytest.raises(NoRoom, match="20 GiB together"):
        machine.server().create(wanted(), limits.DATASETS_BYTES)


@pytest.mark.parametrize("size", [0, -1, limits.UPLOAD_BYTES + 1])
def test_sizes_that_no_upload_has_are_refused(machine: Machine, size: int) -> None:
    with pytest.raises(InputError, match="1 byte to 5 GiB"):
        machine.server().create(wanted(size), 0)


def test_a_cancelled_upload_leaves_nothing(machine: Machine) -> None:
    server = machine.server()
    upload_id = server.create(wanted(), 0).upload_id
    writer = server.write(upload_id, 0)
    server.remove(upload_id)
    assert list(machine.folder.iterdir()) == []
    with pytest.raises(UploadStateError):
        writer.add(TABLE)
    with pytest.raises(UploadNotFoundError, match="was cancelled"):
        server.get(upload_id)


def test_what_nobody_finishes_goes_after_a_day_of_the_machine(machine: Machine) -> None:
    upload = machine.server().create(wanted(), 0)
    machine.runs += DAY - 1
    assert machine.server().remove_old() == []
    assert [path.name for path in machine.folder.iterdir()] == [upload.upload_id]
    machine.runs += 2
    assert [each.upload_id for each in machine.server().remove_old()] == [upload.upload_id]
    assert list(machine.folder.iterdir()) == []
    assert machine.server().remove_old() == []


def test_files_are_for_their_owner_alone(machine: Machine) -> None:
    """P32, whatever the umask."""
    before = os.umask(0)
    try:
        upload_id = machine.server().create(wanted(), 0).upload_id
    finally:
        os.umask(before)
    folder = machine.folder / upload_id
    modes = {
        path.name: oct(path.stat().st_mode & 0o777) for path in [machine.folder, folder, *folder.iterdir()]
    }
    assert modes == {"uploads": "0o700", upload_id: "0o700", DATA: "0o600", "meta.json": "0o600"}


def test_threads_that_write_at_once_do_not_mix(machine: Machine) -> None:
    server = machine.server()
    upload_id = server.create(wanted(1 << 20), 0).upload_id
    refused: list[UploadStateError] = []

    def add(letter: bytes) -> None:
        try:
            send(server, upload_id, 0, letter * (1 << 19))
        except UploadStateError as error:
            refused.append(error)

    threads = [threading.Thread(target=add, args=(letter,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = server.place(upload_id).read_bytes()
    assert len(set(written)) <= 1
    assert len(refused) >= 1
