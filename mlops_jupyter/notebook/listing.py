"""Jobs as a DataFrame."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mlops_jupyter.client import sentences
from mlops_jupyter.core.jobs import Job


def frame(jobs: Sequence[Job]) -> pd.DataFrame:
    """One job a row, the newest first, indexed by the shortest id that tells it apart."""
    ids = [job.job_id for job in jobs]
    rows = [
        {
            "name": job.name,
            "status": job.status,
            "progress": job.progress,
            "target": job.target,
            "estimator": job.estimator,
            "metric": job.metric,
            "score": job.final_score,
            "seconds": job.elapsed_time,
            # To the second: a table of times to the millionth is read by nobody.
            "started": job.start_time and job.start_time.replace(microsecond=0),
            "model_id": job.model_id,
        }
        for job in jobs
    ]
    index = pd.Index([sentences.short(job_id, ids) for job_id in ids], name="job_id")
    columns = ["name", "status", "progress", "target", "estimator", "metric", "score", "seconds", "started"]
    frame = pd.DataFrame(rows, index=index, columns=[*columns, "model_id"])
    return frame.astype({"progress": float, "score": float, "seconds": float})
