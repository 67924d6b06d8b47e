"""What stands against a job that is to be trained again with changes, as a kernel finds it for a first one.

A process of the job's own interpreter, which reads the table and imports what the models are made of: the
server does neither. An estimator that was sent is not unpickled here, either: what it alone knows is for
stage 1. Not here: the checks (``checks``).
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import MlopsError, Problem
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.training.tabular import checks, data


def problems(spec: JobSpec) -> list[Problem]:
    """``spec`` names its tables by their paths and, where an estimator was sent, the task."""
    tables = []
    for source in (spec.data, spec.test):
        if source is not None and source.path is not None:
            wanted = checks.needed(spec.target, spec.split)
            try:
                tables.append(data.glance(Path(source.path), wanted, source.name))
            except MlopsError as error:
                return list(error.problems)
    return checks.check(tables[0], spec, test=tables[1] if len(tables) > 1 else None)


def main() -> None:
    """The spec comes by stdin, the problems go to stdout."""
    spec = msgspec.json.decode(sys.stdin.buffer.read(), type=JobSpec)
    sys.stdout.buffer.write(wire.encode(problems(spec)))


if __name__ == "__main__":
    main()
