"""A deployed model beside the same pipeline's own ``predict`` of the same rows, in turn, in one run.

Bare: ``pipeline.predict(table)`` in this process. Model: what the deployed model's process took for table,
predictions and probabilities (``ms``). Whole: from the first byte of a request to the last of its
answer, by HTTP, checked and counted on disk. Transport: the same request and answer by a bare Tornado
handler, which decodes the one and is given the other. The goal: whole ≤ 1.5 × bare + transport.

    python -m benchmarks.predict
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from skrub import tabular_pipeline
from threadpoolctl import threadpool_limits
from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application, RequestHandler

from benchmarks.serving import TOKEN, served
from mlops_jupyter.core import wire
from mlops_jupyter.core.jobs import Job, JobSpec, SavedModel, Source
from mlops_jupyter.store import Transaction
from mlops_jupyter.training.tabular import model
from mlops_jupyter.training.tabular.reference import references
from mlops_jupyter.training.worker import versions

PENGUINS = Path(__file__).parents[1] / "notebooks" / "data" / "penguins.csv"
COLUMNS = ["island", "culmen_length_mm", "culmen_depth_mm", "flipper_length_mm", "body_mass_g", "sex"]
ESTIMATORS = {
    "logistic": LogisticRegression(max_iter=1000),
    "rf (100 trees)": RandomForestClassifier(random_state=0),
    "hist_gradient_boosting": HistGradientBoostingClassifier(random_state=0),
}
SIZES = {1: 60, 100: 40, 1000: 20, 10_000: 20}


async def registered(rooms: Any, pipeline: Pipeline, X: pd.DataFrame, number: int) -> str:
    """A model as stage 8 leaves it; its id."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from mlops_jupyter.core.ends import model_of  # noqa: PLC0415

    body = model.dumps(pipeline)
    signature = model.signature(X, "species", pipeline.classes_)._asdict()
    file = SavedModel(sha256=hashlib.sha256(body).hexdigest(), bytes=len(body), signature=signature)
    job = Job(job_id=f"j-{number:012d}", name=f"model {number}", status="completed", model_file=file)
    folder = rooms.supervisor.folder(job.job_id) / "model"
    folder.mkdir(parents=True)
    (folder / "model.skops").write_bytes(body)
    meta = {"signature": signature, "versions": versions(), "reference": references(X)}
    (folder / "meta.json").write_bytes(wire.encode(meta))

    def work(tx: Transaction) -> str:
        tx.add_job(job, JobSpec(data=Source(path="/penguins.csv"), target="species"), "rf")
        return tx.register(model_of(job, file, datetime.now(UTC))).model_id

    return await rooms.store.awrite(work)


class Transport(RequestHandler):
    """Takes rows as JSON, and answers what a model answered before."""

    answer = b""

    def post(self) -> None:
        json.loads(self.request.body)
        self.set_header("Content-Type", "application/json")
        self.write(Transport.answer)


async def measured(port: int, model_id: str, pipeline: Pipeline, X: pd.DataFrame, rounds: int) -> list[float]:
    """Medians in milliseconds: bare, model, whole, transport."""
    bare_server = Application([("/", Transport)]).listen(0, "127.0.0.1", max_body_size=16 << 20)
    (bare_port,) = {each.getsockname()[1] for each in bare_server._sockets.values()}  # noqa: SLF001
    rows = json.loads(X.to_json(orient="records"))
    request = {
        "method": "POST",
        "headers": {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
        "body": json.dumps({"rows": rows}),
        "request_timeout": 120,
    }
    address = f"http://127.0.0.1:{port}/mlops/api/models/{model_id}/predict"
    client, found = AsyncHTTPClient(), []
    for _ in range(rounds):
        with threadpool_limits(1, user_api="openmp"):
            began = time.perf_counter()
            pipeline.predict(X)
            bare = time.perf_counter() - began
        began = time.perf_counter()
        answer = await client.fetch(address, **request)
        whole = time.perf_counter() - began
        Transport.answer = answer.body
        began = time.perf_counter()
        await client.fetch(f"http://127.0.0.1:{bare_port}/", **request)
        transport = time.perf_counter() - began
        found.append((1e3 * bare, json.loads(answer.body)["ms"], 1e3 * whole, 1e3 * transport))
    bare_server.stop()
    return [statistics.median(column) for column in zip(*found, strict=True)]


async def main() -> None:
    table = pd.read_csv(PENGUINS)
    X, y = table[COLUMNS], table["species"]
    words = ("model ms", "ratio", "whole ms", "transport", "ratio")
    print(f"{'model':24} {'rows':>6} {'bare ms':>9}", *(f"{word:>9}" for word in words))
    with tempfile.TemporaryDirectory() as home:
        async with served(Path(home)) as (port, rooms):
            for number, (name, estimator) in enumerate(ESTIMATORS.items()):
                pipeline = tabular_pipeline(estimator).fit(X, y)
                model_id = await registered(rooms, pipeline, X, number)
                endpoint = await rooms.deployments.deploy(model_id, "benchmark")
                while endpoint.endpoint_id not in rooms.deployments._lives:  # noqa: ASYNC110, SLF001
                    await asyncio.sleep(0.01)
                for size, rounds in SIZES.items():
                    rows = pd.concat([X] * (size // len(X) + 1), ignore_index=True).head(size)
                    bare, own, whole, way = await measured(port, model_id, pipeline, rows, rounds)
                    figures = (bare, own, own / bare, whole, way, (whole - way) / bare)
                    print(f"{name:24} {size:6}", *(f"{figure:9.2f}" for figure in figures), flush=True)
                await rooms.deployments.undeploy(model_id, "benchmark")


if __name__ == "__main__":
    asyncio.run(main())
