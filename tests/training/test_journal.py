"""What was appended is read back, whatever happened to the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlops_jupyter.training.journal import Batch, Writer, frame, parse, read

RECORDS = [b'{"n":1}', b'{"n":2,"text":"a\\nb"}', b'{"n":3}']


def written(path: Path) -> bytes:
    writer = Writer(path)
    for record in RECORDS:
        writer.append(record)
    writer.close()
    return path.read_bytes()


def test_records_are_read_in_order_from_any_record_on(tmp_path: Path) -> None:
    data = written(tmp_path / "journal")
    first = len(frame(RECORDS[0]))
    assert read(tmp_path / "journal", 0) == Batch(RECORDS, len(data), [], [])
    assert read(tmp_path / "journal", first) == Batch(RECORDS[1:], len(data), [], [])


def test_a_file_that_is_not_there_yet_has_no_records(tmp_path: Path) -> None:
    assert read(tmp_path / "journal", 0) == Batch([], 0, [], [])


def test_a_torn_tail_is_left_for_later_at_every_byte(tmp_path: Path) -> None:
    data = written(tmp_path / "journal")
    ends = [sum(len(frame(r)) for r in RECORDS[:n]) for n in range(len(RECORDS) + 1)]
    for cut in range(len(data) + 1):
        whole = max(n for n, end in enumerate(ends) if end <= cut)
        assert parse(data[:cut]) == Batch(RECORDS[:whole], ends[whole], [], [])


@pytest.mark.parametrize("at", range(len(frame(RECORDS[0])), len(frame(RECORDS[0]) + frame(RECORDS[1]))))
def test_a_flipped_bit_costs_its_own_record_only(tmp_path: Path, at: int) -> None:
    data = bytearray(written(tmp_path / "journal"))
    data[at] ^= 0x40
    batch = parse(bytes(data))
    assert batch.payloads == [RECORDS[0], RECORDS[2]]
    assert batch.offset == len(data)
    assert (batch.damaged, batch.cut) == ([len(frame(RECORDS[0]))], [])


@pytest.mark.parametrize("length", range(1, len(frame(RECORDS[1]))))
def test_a_record_cut_off_by_a_kill_is_no_damage(length: int) -> None:
    """F4: its write had not returned; what the keeper wrote after it is read."""
    first = frame(RECORDS[0])
    batch = parse(first + frame(RECORDS[1])[:length] + frame(RECORDS[2]))
    assert batch.payloads == [RECORDS[0], RECORDS[2]]
    assert (batch.damaged, batch.cut) == ([len(first)], [len(first)])


def test_a_record_longer_than_the_read_limit_is_read_whole(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "journal")
    writer.append(b"x" * 5000)
    writer.close()
    assert read(tmp_path / "journal", 0, limit=100).payloads == [b"x" * 5000]


def test_kill_9_right_after_append_loses_nothing(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from mlops_jupyter.training.journal import Writer\n"
        "w = Writer(Path(sys.argv[1]))\n"
        "for n in range(777): w.append(b'%d' % n)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "journal"
    ended = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert read(path, 0).payloads == [b"%d" % n for n in range(777)]


def test_records_refused_by_the_disk_are_held_and_written_when_it_takes_them_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    code = (
        "import resource, signal, sys, threading; from pathlib import Path\n"
        "from mlops_jupyter.training import journal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "journal.RETRY = 0.05\n"
        "w = journal.Writer(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))\n"
        "for n in range(50): w.append(b'%d' % n)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        # Nothing is appended any more, nor closed: the writer's own thread tries again, and ends.
        "[t] = [t for t in threading.enumerate() if t.name == 'mlops-journal']; t.join(10)\n"
        "assert (t.is_alive(), w.holds, w.dropped) == (False, False, 0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert read(path, 0).payloads == [b"%d" % n for n in range(50)]


def test_what_no_longer_fits_in_memory_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from mlops_jupyter.training import journal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "journal.HELD_BYTES = 1000\n"
        "w = journal.Writer(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))\n"
        "for n in range(100): w.append(b'%08d' % n)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "print(w.dropped); w.close()\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True
    ).stdout
    kept = read(path, 0).payloads
    assert int(out) == 100 - len(kept)
    assert kept == [b"%08d" % n for n in range(100 - len(kept), 100)]


def test_what_the_disk_refuses_is_held_where_no_thread_can_be_begun_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``log()`` never raises into the fit."""

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    writer = Writer(tmp_path / "journal")
    with monkeypatch.context() as refused:
        refused.setattr(Writer, "_write", lambda self, record: False)
        refused.setattr(threading.Thread, "start", start)
        writer.append(b"first")
        writer.append(b"second")
        assert writer.holds
    assert writer.flush()
    writer.close()
    assert read(tmp_path / "journal", 0).payloads == [b"first", b"second"]


def test_nobody_waits_for_a_disk_to_take_what_nobody_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handle of a file that is gone is refused for ever on some network disks."""
    writer = Writer(tmp_path / "journal")
    monkeypatch.setattr(Writer, "_write", lambda self, record: False)
    writer.append(b"first")
    (tmp_path / "journal").unlink()
    writer.write_out()
    assert writer.holds
    writer.close()


FORKS = """
import os, resource, signal, sys, threading
from pathlib import Path
from mlops_jupyter.training import journal

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal.HELD_BYTES = 1 << 30
writer, over = journal.Writer(Path(sys.argv[1])), threading.Event()

def appends():
    number = 0
    while not over.is_set():
        writer.append(b"%d" % number)
        number += 1
    while not writer.flush(): pass
    print(writer.dropped, number)

appending = threading.Thread(target=appends, daemon=True)
limit(int(sys.argv[2]))
appending.start()
for child in range(20):
    if not (pid := os.fork()):
        signal.alarm(5)
        writer.append(b"child %d" % child)
        limit(resource.RLIM_INFINITY)
        os._exit(not writer.flush())
    assert os.waitpid(pid, 0)[1] == 0, "a child hangs"
limit(resource.RLIM_INFINITY)
over.set()
appending.join()
writer.close()
"""


@pytest.mark.parametrize("room", [-1, 1000], ids=["the disk takes all", "the disk refuses"])
def test_a_process_forked_while_another_thread_appends_appends_too(tmp_path: Path, room: int) -> None:
    """As ``multiprocessing`` forks out of a fit; ``room`` is what the file may grow to meanwhile."""
    path = tmp_path / "journal"
    words = [sys.executable, "-c", FORKS, str(path), str(room)]
    out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    dropped, number = map(int, out.split())
    batch = read(path, 0, 1 << 30)
    told = [payload for payload in batch.payloads if not payload.startswith(b"child")]
    assert [payload for payload in batch.payloads if payload.startswith(b"child")] == [
        b"child %d" % child for child in range(20)
    ]
    assert (told, dropped) == ([b"%d" % n for n in range(number)], 0)
    assert batch.damaged == batch.cut


def test_the_file_is_the_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Writer(tmp_path / "journal").close()
    finally:
        os.umask(before)
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o600
