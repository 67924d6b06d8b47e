"""What ``jobs rm`` does in ``%mlops`` and ``mlops``: one definition for both.

Not here: the other words, which need none (``commands``).
"""

from __future__ import annotations

from mlops_jupyter.client.job import Job
from mlops_jupyter.core.errors import OptionError


def deleted(job: Job, prog: str, *, yes: bool) -> str:
    """Delete it if that was said twice; what is said then."""
    if not yes:
        raise OptionError(
            f"{job.name} ({job.job_id}) would be deleted with its metrics and its log, for good.",
            None,
            f"{prog} jobs rm {job.job_id} --yes",
        )
    job.delete()
    return f"{job.name} {job.id} deleted"
