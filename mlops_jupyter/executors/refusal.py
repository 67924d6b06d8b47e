"""Why no worker could be started, in words that say what to do."""

from __future__ import annotations

import shlex

import mlops_jupyter
from mlops_jupyter.executors.pair import Refused
from mlops_jupyter.executors.protocol import BegunBefore, StartRefused
from mlops_jupyter.training.standby import Assignment

_OURS = mlops_jupyter.__version__


def refusal(refused: Refused, interpreter: str, assignment: Assignment) -> StartRefused:
    """The error to raise."""
    detail = refused.detail
    last_line = detail.splitlines()[-1] if detail else "it said nothing"
    again = "Submit the job again."
    install = f"{shlex.quote(interpreter)} -m pip install mlops_jupyter=={_OURS}"
    match refused.why:
        case "interpreter":
            error = f"The Python interpreter {interpreter} cannot be started: {detail}."
            hint = "Restart the kernel, or submit from an environment that exists."
        case "package_missing":
            error, hint = f"{interpreter} has no mlops_jupyter; the server has {_OURS}.", install
        case "version":
            found = detail or "of no known version"
            error, hint = f"{interpreter} has mlops_jupyter {found}; the server has {_OURS}.", install
        case "worker_ended":
            error, hint = f"{interpreter} cannot run jobs: {last_line}.", install
        case "keeper_ended":
            error, hint = f"The job's keeper ended before the job began: {last_line}.", again
        case "too_slow":
            error = f"The worker of {interpreter} was not ready within {detail} s."
            hint = "Submit the job again: what was read from the disk by now is read faster."
        case "cwd":
            error = f"The working directory {assignment.cwd} does not exist."
            hint = "Change to a directory that exists: %cd ~"
        case "taken":
            return BegunBefore("This job was started before; a job is run once.", "Submit it as a new job.")
        case "folder":
            error, hint = f"The job's folder cannot be written: {detail}.", again
    return StartRefused(error, hint)
