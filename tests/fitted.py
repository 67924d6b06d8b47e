"""Models fitted, kept and registered without the seconds of a job: their files are those of stage 8."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
from msgspec.structs import replace
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from skrub import tabular_pipeline

from mlops_jupyter.core import wire
from mlops_jupyter.core.ends import model_of
from mlops_jupyter.core.jobs import SavedModel
from mlops_jupyter.core.models import Model
from mlops_jupyter.server.rooms import Rooms
from mlops_jupyter.store import Transaction
from mlops_jupyter.training.tabular import model
from mlops_jupyter.training.tabular.reference import references
from mlops_jupyter.training.worker import versions
from tests.core.builders import a_job
from tests.desk import SPEC
from tests.lines import NOW

COLUMNS = ["island", "culmen_length_mm", "culmen_depth_mm", "flipper_length_mm", "body_mass_g", "sex"]
PENGUINS = Path(__file__).parents[1] / "notebooks" / "data" / "penguins.csv"


def penguins() -> tuple[pd.DataFrame, pd.Series]:
    """What is measured of them, and the species."""
    table = pd.read_csv(PENGUINS)
    return table[COLUMNS], table["species"]


def fitted(estimator: Any = None) -> Pipeline:
    """What a job would make of the penguins."""
    final = LogisticRegression(max_iter=1000) if estimator is None else estimator
    return tabular_pipeline(final).fit(*penguins())


def numbers(estimator: Any, columns: int = 4) -> tuple[Pipeline, pd.DataFrame]:
    """Of a table of numbers alone, without preprocessing: predicting takes as long as the estimator does."""
    table = pd.DataFrame({f"x{i}": [float(row * (i + 1) % 7) for row in range(40)] for i in range(columns)})
    return make_pipeline(estimator).fit(table, table["x0"] > 3), table


async def registered(
    rooms: Rooms,
    pipeline: Pipeline | bytes,
    table: pd.DataFrame | None = None,
    *,
    job_id: str = "j-7f3a00000000",
    name: str = "penguins",
    sha256: str | None = None,
    watched: bool = True,
) -> Model:
    """As stage 8 and the end of a job leave it; bytes are written as they are. ``watched``: with histograms
    of the training rows, which models of earlier versions have not."""
    X = penguins()[0] if table is None else table
    body = pipeline if isinstance(pipeline, bytes) else model.dumps(pipeline)
    classes = getattr(pipeline, "classes_", None)
    signature = model.signature(X, "species", classes)._asdict()
    sha256 = sha256 or hashlib.sha256(body).hexdigest()
    file = SavedModel(sha256=sha256, bytes=len(body), signature=signature)
    job = replace(
        a_job(job_id=job_id, name=name, status="completed"), model_id="m-" + job_id[2:], model_file=file
    )
    folder = rooms.supervisor.folder(job_id) / "model"
    folder.mkdir(parents=True)
    (folder / "model.skops").write_bytes(body)
    meta: dict[str, Any] = {"signature": signature, "versions": versions()}
    if watched:
        meta["reference"] = references(X)
    (folder / "meta.json").write_bytes(wire.encode(meta))

    def work(tx: Transaction) -> Model:
        tx.add_job(job, SPEC, "rf")
        return tx.register(model_of(job, file, NOW))

    return await rooms.store.awrite(work)


def rows(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Rows of the penguins as a client sends them."""
    table = penguins()[0].iloc[start : start + count]
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]
