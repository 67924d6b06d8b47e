"""What a job prints, kept up to a limit: the beginning and the end, with a line between that says so.

Standard library only: the keeper trims the file. Not here: how lines get to people (``intake``).
"""

from __future__ import annotations

import os

#: Bytes of a job's output that are kept, and of its end beyond them.
KEPT = 100 << 20
END = 64 << 10
#: Trimmed when it is so much longer: each time costs a write of the end.
SLACK = 16 << 20
NOTICE = f"[mlops: the job wrote more than {KEPT >> 20} MiB; of what follows only the end is kept]".encode()


def trim(file: int) -> None:
    """Cut out of an open file what nobody will read; whoever appends to it goes on behind its end.

    A disk that refuses costs no more than that: with its keeper the job itself would end."""
    try:
        size = os.fstat(file).st_size
        if size <= KEPT + SLACK:
            return
        end = os.pread(file, END, size - END)
        os.ftruncate(file, KEPT)
        os.write(file, b"\n" + NOTICE + b"\n" + end.partition(b"\n")[2])
    except OSError:
        return
