"""Why no worker could be started, in words that say what to do."""

from __future__ import annotations

import shlex

import mlops_jupyter
from mlops_jupyter.executors.pair import Refused
from mlops_jupyter.executors.protocol import StartRefused
from mlops_jupyter.training.standby import Assignment

_OURS = mlops_jupyter.__version__


def refusal(refused: Refused, interpreter: str, assignment: Assignment) -> StartRefused:
    """The error to raise."""
    detail = refused.detail
    install = f"{shlex.quote(interpreter)} -m pip install mlops_jupyter=={_OURS}"
    match refused.why:
        case "interpreter":
            error = f"The Python interpreter {interpreter} cannot be started: {detail}."
            return StartRefused(error, "Restart the kernel, or submit from an environment that exists.")
        case "package_missing":
            return StartRefused(f"{interpreter} has no mlops_jupyter; the server has {_OURS}.", install)
        case "version":
            found = detail or "of no known version"
            error = f"{interpreter} has mlops_jupyter {found}; the server has {_OURS}."
            return StartRefused(error, install)
        case "worker_ended":
            reason = detail.splitlines()[-1]
            return StartRefused(f"{interpreter} cannot run jobs: {reason}.", install)
        case "cwd":
            error = f"The working directory {assignment.cwd} does not exist."
            return StartRefused(error, "Change to a directory that exists: %cd ~")
        case "taken":
            return StartRefused("This job was started before; a job is run once.", "Submit it as a new job.")
        case "folder":
            return StartRefused(f"The job's folder cannot be written: {detail}.")
        case "keeper_ended":
            reason = f": {detail.splitlines()[-1]}" if detail else ""
            error = f"The job's keeper ended before the job began{reason}."
            return StartRefused(error, "Submit the job again.")


def too_slow(interpreter: str, seconds: float) -> StartRefused:
    """It may be waiting for a disk; nobody should wait for it."""
    error = f"The worker of {interpreter} was not ready within {seconds:g} s."
    return StartRefused(error, "Submit the job again: what was read from the disk by now is read faster.")
