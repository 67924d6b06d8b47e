"""What a lost job's folder still tells."""

from __future__ import annotations

from pathlib import Path

from mlops_jupyter import remains


def test_a_lost_job_has_its_last_lines_and_what_is_known_of_its_journal(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b"0123456789")
    (tmp_path / "output.log").write_text("epoch 1\nepoch 2\n")
    assert remains.last_lines(tmp_path) == ("epoch 1", "epoch 2")
    assert remains.why(tmp_path, 10) == "its processes are gone and left no word of their end."
    assert remains.why(tmp_path, 4) == (
        "its processes are gone, and the last 6 bytes of its journal cannot be read."
    )


def test_a_job_whose_folder_was_removed_or_replaced_is_lost_with_that_reason(tmp_path: Path) -> None:
    """F9: and nothing is read through a link."""
    (tmp_path / "output.log").write_text("root:x:0:0\n")
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert (remains.why(link, 0), remains.last_lines(link)) == (
        "its folder was replaced by a link, and its processes are gone.",
        (),
    )
    gone = tmp_path / "gone"
    assert (remains.why(gone, 0), remains.last_lines(gone)) == (
        "its folder was removed, and its processes are gone.",
        (),
    )
