"""What stands against a recipe before there is a table: its options, for whichever task it may be.

A process of its own where parameters must be checked against a class; what needs none is asked in any.
Not here: the options themselves (``options``), and what the table says against them (``checks``).
"""

from __future__ import annotations

import sys

import msgspec
from msgspec.structs import replace

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import Problem
from mlops_jupyter.core.jobs import JobSpec
from mlops_jupyter.training.tabular import catalogue, options


def problems(spec: JobSpec) -> list[Problem]:
    """Where only the table tells the task, what stands against one of them stands against nothing yet."""
    tasks = catalogue.TASKS if spec.task is None else (spec.task,)
    found = [options.problems(spec, task, None, None) for task in tasks]
    if spec.target in spec.drop:
        message = f'"{spec.target}" is the target and cannot be dropped.'
        return [options.problem(message, "Take it out of drop=[…]."), *min(found, key=len)]
    if any(not each for each in found):
        return []
    shared = [each for each in found[0] if all(each in others for others in found)]
    return shared or found[0]


def without_classes(spec: JobSpec) -> list[Problem]:
    """The same without importing scikit-learn: parameters and grid are not looked at."""
    return problems(replace(spec, params={}, grid=None))


def main() -> None:
    """The spec comes by stdin, the problems go to stdout."""
    spec = msgspec.json.decode(sys.stdin.buffer.read(), type=JobSpec)
    sys.stdout.buffer.write(wire.encode(problems(spec)))


if __name__ == "__main__":
    main()
