"""``%mlops``: the same words as on the command line, on the notebook's own variables.

Not here: the words and flags (``client.commands``), completion (``completion``).
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from mlops_jupyter.client import (
    commands,
    dataset_words,
    doctor,
    job_words,
    lists,
    model_words,
    pipeline_words,
    serving,
)
from mlops_jupyter.client.job import Job
from mlops_jupyter.client.links import Link
from mlops_jupyter.client.model import Model
from mlops_jupyter.client.system import System
from mlops_jupyter.core import glyphs
from mlops_jupyter.core.errors import OptionError
from mlops_jupyter.notebook import completion, session
from mlops_jupyter.notebook.pipelines import PipelineCard

PROG = "%mlops"
_NAME = re.compile(r"\$([^\W\d]\w*)")


@magics_class
class MlopsMagics(Magics):
    """One magic, so that ``%mlops<Tab>`` is enough to remember."""

    @no_var_expand
    @line_magic
    def mlops(self, line: str) -> Any:
        """Train models, and look after jobs and models.

        %mlops                                  the server, and the last jobs
        %mlops train FILE --target COLUMN       train a model; returns the Job
        %mlops train $df --target COLUMN        ... on a DataFrame of yours
               --model rf --n-estimators 200    ... with this model and parameter
        %mlops jobs                             the newest jobs, as a DataFrame
        %mlops logs ID --tail 50                what a job wrote
        %mlops stop ID                          stop a job; what it measured is kept
        %mlops watch ID                         show a job, and wait for its end
        %mlops rerun ID --max-depth 5           train again, with these changes; returns the new Job
        %mlops pause ID, %mlops resume ID       suspend a job; let it go on
        %mlops mute ID overfitting              hear no more of a rule of alerts about this job
        %mlops jobs rm ID                       delete a job that has ended; its model stays
        %mlops datasets                         the datasets, as a DataFrame
        %mlops datasets upload customers.csv    ... one more; also: preview, lineage, register, rm
        %mlops models                           the newest models, as a DataFrame
        %mlops models ls|show NAME              ... the versions of one; its card
        %mlops models promote NAME@3 champion   give a version an alias; also: retire, rm, download, onnx
        %mlops deploy NAME@3                    let a version answer under its name; also: undeploy, rollback
        %mlops predict NAME '{"age": 41}'       what it says of a row, or of $df
        %mlops monitor NAME                     what it did: predictions, latency, errors, drift
        %mlops pipelines                        named recipes of jobs, as a DataFrame
        %mlops pipelines save NAME ID           keep what a job was asked for; run NAME trains by it
        %mlops pipelines set NAME --max-depth 5 change it: a new version (also show, duplicate, compare, rm)
        %mlops activity -n 20                   what happened, as a DataFrame
        %mlops health                           the machine: CPUs, memory, disk, what jobs take
        %mlops notify                           send a message by every channel set up, to try them
        %mlops open [panel|ID]                  a link to a job, or to all of them
        %mlops doctor                           whether all is as it should be
        %mlops help train                       every flag

        The same in Python: mlops.train(df, target="column", model="rf", params={"n_estimators": 200})
        """
        command = commands.parse(_words(line), PROG)
        return getattr(self, f"_{command.word}")(**command.said)

    def _train(self, data: str, *, wait: bool, **options: Any) -> Job:
        given = {name: self._value(text) for name, text in options.items()}
        job = session.train(self._value(data), **given)
        return job.wait() if wait else job

    def _rerun(self, job: str, *, wait: bool, **options: Any) -> Job:
        given = {name: self._value(text) for name, text in options.items()}
        again = session.get(job).rerun(**given)
        return again.wait() if wait else again

    def _jobs(self, limit: int) -> Any:
        return session.jobs(limit)

    def _show(self, job: str, **_: Any) -> Job:
        return session.get(job)

    def _logs(self, job: str, tail: int | None = None, **_: Any) -> None:
        print(glyphs.output(session.get(job).logs(tail)))  # noqa: T201 - it is the answer

    def _watch(self, job: str, **_: Any) -> Job:
        found = session.get(job)
        found.show()
        return found.wait()

    def _stop(self, job: str, **_: Any) -> Job:
        found = session.get(job)
        found.stop()
        return found

    def _pause(self, job: str, **_: Any) -> Job:
        found = session.get(job)
        found.pause()
        return found

    def _resume(self, job: str, **_: Any) -> Job:
        found = session.get(job)
        found.resume()
        return found

    def _mute(self, job: str, rule: str, *, undo: bool, **_: Any) -> Job:
        found = session.get(job)
        found.mute(rule, muted=not undo)
        return found

    def _rm(self, job: str, *, yes: bool, **_: Any) -> None:
        print(glyphs.visible(job_words.deleted(session.get(job), PROG, yes=yes)))  # noqa: T201 - it is the answer

    def _datasets(self, what: str | None = None, **said: Any) -> Any:
        if what in (None, "ls"):
            return session.datasets()
        if what in ("upload", "register"):
            send = session.datasets.upload if what == "upload" else session.datasets.register
            return send(said["path"], name=said.get("name"))
        _, told = dataset_words.done(what, session.session(), said, PROG, lambda *_: None)
        print(glyphs.visible(told))  # noqa: T201 - it is the answer
        return None

    def _models(self, limit: int, what: str | None = None, **said: Any) -> Any:
        if what in (None, "ls"):
            return session.models(said.get("name"), limit)
        model, told = model_words.done(what, session, said, PROG)
        if what in ("rm", "download", "onnx"):
            print(glyphs.visible(told))  # noqa: T201 - it is the answer
            return None
        return model

    def _pipelines(self, what: str, **said: Any) -> Any:
        if what == "ls":
            return session.pipelines()
        given = {name: self._value(text) for name, text in said.items()}
        if what == "run":
            wait, pipeline = given.pop("wait"), session.pipeline(given.pop("ref"))
            job = pipeline.run(**given)
            return job.wait() if wait else job
        about, told = pipeline_words.done(what, session.session(), given, PROG)
        if what in ("rm", "compare", "script"):
            print(glyphs.visible(told))  # noqa: T201 - it is the answer
            return None
        return PipelineCard(about.record, session.session())

    def _deploy(self, model: str) -> Model:
        return session.model(model).deploy()

    def _undeploy(self, model: str) -> Model:
        return session.session().live(model).undeploy()

    def _rollback(self, model: str) -> Model:
        return session.session().live(model).rollback()

    def _predict(self, model: str, row: str) -> Any:
        given = self._value(row)
        return (
            session.session()
            .live(model)
            .predict(model_words.rows(given, PROG) if isinstance(given, str) else given)
        )

    def _monitor(self, model: str, hours: int) -> None:
        found = session.session().live(model).monitoring(hours)
        print(glyphs.visible(serving.told(found)))  # noqa: T201 - it is the answer

    def _status(self) -> None:
        here = session.session()
        print(lists.overview(*here.status(), here.jobs(5)))  # noqa: T201

    def _activity(self, limit: int) -> Any:
        return session.activity(limit)

    def _open(self, what: str) -> Link:
        return session.open(None if what == "panel" else what)

    def _doctor(self) -> None:
        print(glyphs.visible(doctor.told(session.session().doctor())))  # noqa: T201 - it is the answer

    def _notify(self) -> None:
        print(lists.notified(session.session().notify()))  # noqa: T201 - it is the answer

    def _health(self) -> System:
        return session.health()

    def _help(self, topic: str | None = None) -> None:
        print(commands.help_text(PROG, topic))  # noqa: T201 - it is the answer

    def _value(self, said: Any) -> Any:
        """``$name`` is the notebook's variable itself; ``{expression}`` in a text its value."""
        assert self.shell is not None
        if not isinstance(said, str):
            return said
        name = _NAME.fullmatch(said)
        if name is None:
            return self.shell.var_expand(said) if "{" in said or "$" in said else said
        if name[1] not in self.shell.user_ns:
            raise OptionError(f"{PROG}: no variable {name[1]!r} in this notebook.")
        return self.shell.user_ns[name[1]]


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        # shlex says "No closing quotation" or "No escaped character".
        what = str(error)[0].lower() + str(error)[1:]
        raise OptionError(
            f"{PROG}: {what}: {line}", 'Put a word that holds a quote in the other ones: "it\'s.csv"'
        ) from error


def load(shell: Any) -> None:
    """Add the magic and its completion to an IPython shell."""
    shell.register_magics(MlopsMagics)
    shell.set_hook("complete_command", completion.complete, re_key=r".*%mlops")
