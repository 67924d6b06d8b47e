"""``mlops`` on the command line: results to stdout, progress to stderr, and exit codes that tell.

Not here: the words and flags (``client.commands``).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from mlops_jupyter.client import (
    cards,
    commands,
    dataset_words,
    doctor,
    job_words,
    lists,
    model_words,
    pipeline_words,
    pipelines,
    serving,
    system,
)
from mlops_jupyter.client.finder import Finder
from mlops_jupyter.client.job import Job
from mlops_jupyter.client.model import Model
from mlops_jupyter.client.options import Options
from mlops_jupyter.client.session import Session
from mlops_jupyter.client.terminal import TerminalView
from mlops_jupyter.client.waiting import StoppedWaiting
from mlops_jupyter.core import errors, glyphs, wire
from mlops_jupyter.core.jobs import Job as Record

PROG = "mlops"
EXITS = """
exit codes: 0 done, 1 the job failed or was stopped, 2 the command or the data are wrong, or a file here can
be neither read nor written, 3 no server, or one that cannot now (disk, database, room), or the doctor
found something, 4 not found, 130 interrupted
"""
#: What the doctor marks with a cross is what keeps a server from doing what it is there for.
NOT_WELL = 3
SWITCHES = {"json": "one JSON document instead of text", "quiet": "no progress"}
CODES: dict[type[BaseException], int] = {
    errors.TrainingFailed: 1,
    errors.TrainingCancelled: 1,
    errors.ServerUnreachable: 3,
    errors.VersionMismatch: 3,
    errors.StoreUnavailable: 3,
    errors.NoRoom: 3,
    errors.AmbiguousIdError: 2,
    errors.JobNotFoundError: 4,
    errors.ModelNotFoundError: 4,
    errors.PipelineNotFoundError: 4,
    errors.DatasetNotFoundError: 4,
    errors.MlopsError: 2,
    # A file of this machine: Python would end with 1, which says that a job failed.
    OSError: 2,
    KeyboardInterrupt: 130,
}


def main(words: Sequence[str] | None = None) -> int:
    """Do what ``words`` say (``sys.argv`` by default); returns the exit code."""
    try:
        command = commands.parse(list(sys.argv[1:] if words is None else words), PROG, SWITCHES)
        return _Shell(command.said).do(command.word)
    except BrokenPipeError:
        # Whoever read our answer has read enough; Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (errors.MlopsError, OSError, KeyboardInterrupt) as error:
        print(_told(error), file=sys.stderr)
        return next(code for kind, code in CODES.items() if isinstance(error, kind))


def _told(error: BaseException) -> str:
    if isinstance(error, StoppedWaiting):
        return error.told(f"{PROG} stop {error.job.id}")
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, OSError) and not isinstance(error, errors.MlopsError):
        return glyphs.visible(_of_file(error))
    # What is to be pasted is to be pasted here: the words are the same in Python and in the shell.
    words = re.sub(r'mlops\.get\("([^"]+)"\)\.logs\((\d+)\)', rf"{PROG} logs \1 --tail \2", str(error))
    return f"{type(error).__name__}: {_pasted(words)}"


def _of_file(error: OSError) -> str:
    if error.strerror is None:
        return f"{type(error).__name__}: {error}"
    where = f'"{error.filename}": ' if error.filename is not None else ""
    return f"{type(error).__name__}: {where}{error.strerror[:1].lower()}{error.strerror[1:]}."


def _pasted(words: str) -> str:
    for what in ("jobs", "datasets", "models", "pipelines"):
        words = words.replace(f"mlops.{what}()", f"{PROG} {what}")
    return words


class _Shell:
    """One command and its switches."""

    def __init__(self, said: dict[str, Any]) -> None:
        self._json = said.pop("json", False)
        self._said = said
        self._quiet = said.pop("quiet", False)
        self._view = TerminalView(quiet=self._quiet)
        self._session = Session(Finder.of_this_process(), self._view)

    def do(self, word: str) -> int:
        code: int | None = getattr(self, f"_{word}")(**self._said)
        return code or 0

    def _train(self, data: str, *, wait: bool, target: str | None = None, **options: Any) -> None:
        self._follow(self._session.train(data, target, Options(**options)), wait=wait)

    def _rerun(self, job: str, *, wait: bool, **options: Any) -> None:
        self._follow(self._session.rerun(job, options), wait=wait)

    def _follow(self, job: Job, *, wait: bool) -> None:
        if not wait:
            self._answer(job.record, f"{job.id}")
            return
        try:
            job.wait()
        finally:
            self._result(job)

    def _result(self, job: Job) -> None:
        if job.record.terminal:
            self._answer(job.record, lists.job(job.record))

    def _jobs(self, limit: int) -> None:
        found = self._session.jobs(limit)
        self._answer(found, lists.jobs(found))

    def _show(self, job: str, **_: Any) -> None:
        record = self._session.get(job).record
        self._answer(record, lists.job(record))

    def _logs(self, job: str, tail: int | None = None, **_: Any) -> None:
        logs = self._session.logs(job, tail)
        # Colours of the job's own output stay.
        self._answer(logs, "\n".join(logs.lines), glyphs.output)

    def _watch(self, job: str, **_: Any) -> None:
        watched = self._session.get(job)
        if self._json:
            watched.on_change(self._line)
        self._follow(watched, wait=True)

    def _stop(self, job: str, **_: Any) -> None:
        self._moved(self._session.stop(job))

    def _pause(self, job: str, **_: Any) -> None:
        self._moved(self._session.pause(job), "pausing")

    def _resume(self, job: str, **_: Any) -> None:
        self._moved(self._session.resume(job), "resuming")

    def _mute(self, job: str, rule: str, *, undo: bool, **_: Any) -> None:
        self._moved(
            self._session.mute(job, rule, muted=not undo), f"{rule} {'heard again' if undo else 'muted'}"
        )

    def _moved(self, record: Record, word: str | None = None) -> None:
        self._answer(record, f"{record.name} {record.job_id[:6]} {word or record.status}")

    def _rm(self, job: str, *, yes: bool, **_: Any) -> None:
        found = self._session.get(job)
        self._answer(found.record, job_words.deleted(found, PROG, yes=yes))

    def _datasets(self, what: str | None = None, **said: Any) -> None:
        if what in (None, "ls"):
            found = self._session.datasets()
            self._answer(found, dataset_words.listed(found))
        else:
            self._answer(*dataset_words.done(what, self._session, said, PROG, self._sent))

    def _sent(self, there: int, size: int) -> None:
        if not self._quiet and sys.stderr.isatty():
            print(f"\r{100 * there / size:3.0f} % sent", end="" if there < size else "\n", file=sys.stderr)

    def _models(self, limit: int, what: str | None = None, **said: Any) -> None:
        if what in (None, "ls"):
            found = self._session.models(limit, said.get("name"))
            self._answer(found, cards.models(found))
        else:
            model, told = model_words.done(what, self._session, said, PROG)
            self._answer(model.record, told)

    def _pipelines(self, what: str, **said: Any) -> None:
        if what == "ls":
            found = self._session.pipelines()
            self._answer(found, pipelines.table(found))
        elif what == "run":
            wait, pipeline = said.pop("wait"), pipelines.find(said.pop("ref"), self._session)
            self._follow(pipeline.run(**said), wait=wait)
        else:
            about, told = pipeline_words.done(what, self._session, said, PROG)
            self._answer(about.record if isinstance(about, pipelines.Pipeline) else about, told)

    def _deploy(self, model: str) -> None:
        self._deployed(self._session.model(model).deploy())

    def _undeploy(self, model: str) -> None:
        self._deployed(self._session.live(model).undeploy())

    def _rollback(self, model: str) -> None:
        self._deployed(self._session.live(model).rollback())

    def _deployed(self, model: Model) -> None:
        self._answer(model.record, f"{model.ref} {model.status}")

    def _predict(self, model: str, row: str) -> None:
        found = self._session.live(model).predict(model_words.rows(row, PROG))
        self._answer(found.to_dict("records"), found.to_string(index=False))

    def _monitor(self, model: str, hours: int) -> None:
        found = self._session.live(model).monitoring(hours)
        self._answer(found, serving.told(found))

    def _status(self) -> None:
        server, status = self._session.status()
        newest = self._session.jobs(5)
        self._answer({**wire.plain(status), "newest": newest}, lists.overview(server, status, newest))

    def _activity(self, limit: int) -> None:
        rows = self._session.activity(limit)
        self._answer(rows, lists.activity(rows))

    def _open(self, what: str) -> None:
        link = self._session.link(None if what == "panel" else what)
        self._answer(link, link.url)

    def _doctor(self) -> int:
        checks = self._session.doctor()
        self._answer(checks, doctor.told(checks))
        return NOT_WELL if any(check.well is False for check in checks) else 0

    def _notify(self) -> None:
        answer = self._session.notify()
        self._answer(answer, lists.notified(answer))

    def _health(self) -> None:
        found = self._session.health()
        self._answer(found, system.told(found))

    def _help(self, topic: str | None = None) -> None:
        text = commands.help_text(PROG, topic, SWITCHES) + ("" if topic else EXITS)
        self._answer({"topic": topic, "help": text}, text)

    def _line(self, job: Job) -> None:
        # Its end is the answer, which comes once.
        if not job.record.terminal:
            self._answer(job.record, "")

    def _answer(self, document: Any, text: str, harmless: Callable[[str], str] = glyphs.visible) -> None:
        # Names and logs may hold what a terminal obeys.
        answer = glyphs.escaped(wire.encode(document).decode()) if self._json else harmless(text)
        print(answer, flush=True)


if __name__ == "__main__":
    sys.exit(main())
