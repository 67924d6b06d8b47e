"""Run in a process that a test kills: says on its output what it was told is stored, as soon as it was."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from mlops_jupyter.core import facts
from mlops_jupyter.core.errors import StoreUnavailable
from mlops_jupyter.core.events import LogLines
from tests.desk import JOB, Desk

EVENTS = 30
SUBMITTED = "j-900000000000"


def main(folder: Path) -> None:
    desk = Desk(folder)
    say("begun", JOB)
    for number in range(EVENTS):
        event = LogLines(time=datetime.now(UTC), job_id=JOB, first=number, lines=("x",))
        say("event", str(desk.store.write(lambda tx, event=event: tx.append(event)).result()))
    desk.submit(SUBMITTED)
    say("submitted", SUBMITTED)
    desk.run.tell(facts.ModelSaved, sha256="ab", bytes=2, signature={})
    desk.run.tell(facts.WorkFinished)
    desk.end()
    desk.read_all(JOB)
    say("ended", desk.store.read(lambda reading: reading.job(JOB).status))
    desk.close()


def say(*words: str) -> None:
    print(*words, flush=True)  # noqa: T201 - this is what it is for


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except StoreUnavailable as error:
        say("refused", str(error))
