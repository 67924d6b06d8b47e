"""A loaded model and how it answers: requests in, bodies out. Lives in the host alone.

Predictions go the way jobs' own do (``preparation.transformed``); what a request gets wrong, or a model
cannot do, is that request's answer and nobody else's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd
from threadpoolctl import ThreadpoolController

from mlops_jupyter.core import limits, wire
from mlops_jupyter.core.drift import Reference
from mlops_jupyter.core.errors import FaultyRows, InputError, MlopsError, ServingFailed
from mlops_jupyter.core.limits import told_bytes
from mlops_jupyter.core.rows import Column, Reader
from mlops_jupyter.serving import tables
from mlops_jupyter.serving.bins import Bins
from mlops_jupyter.serving.messages import Charge, Reply
from mlops_jupyter.training.tabular.catalogue import ONE_THREAD
from mlops_jupyter.training.tabular.preparation import transformed

#: Closer probabilities than this decide nothing: the estimator is asked itself.
TIE = 1e-9
#: Classifiers of scikit-learn whose ``predict`` is the class of the highest probability: asked once for both.
ARGMAX = (
    "ExtraTreesClassifier",
    "GradientBoostingClassifier",
    "HistGradientBoostingClassifier",
    "LogisticRegression",
    "MLPClassifier",
    "RandomForestClassifier",
)


#: The values of each column of one request, as it sent them.
Values = dict[str, list[Any]]


class Answer(NamedTuple):
    """To one request; ``rows`` is how many it predicted."""

    status: int
    body: bytes
    rows: int = 0

    @property
    def reply(self) -> Reply:
        return Reply(self.status, len(self.body), self.rows)


class Predicted(NamedTuple):
    """Of some rows: labels or numbers, and probabilities by class where there are any."""

    values: Any
    probabilities: Any


class Served:
    """One model, with the columns it takes."""

    def __init__(
        self, charge: Charge, pipeline: Any, inputs: Sequence[Any], references: Sequence[Any]
    ) -> None:
        self._charge = charge
        self._pipeline = pipeline
        self._final = pipeline.steps[-1][1]
        self._threads = ThreadpoolController()
        self.columns = msgspec.convert(inputs, list[Column])
        self._reader = Reader(self.columns, charge.called, limits.PREDICT_ROWS)
        #: Where the values of rows that were predicted have fallen.
        self.bins = Bins(msgspec.convert(references, list[Reference], strict=False))
        classes = getattr(self._final, "classes_", None)
        self._classes = None if classes is None else np.asarray(classes)
        kind = type(self._final)
        self._argmax = kind.__module__.startswith("sklearn.") and kind.__name__ in ARGMAX
        self._head = msgspec.json.encode(
            {"model_id": charge.model_id, "name": charge.name, "version": charge.version}
        )[:-1]

    def answers(self, bodies: Sequence[bytes]) -> list[Answer]:
        """Of all requests, in their order; those that can be predicted are, in one go."""
        read = [self._read(body) for body in bodies]
        asked = [values for values in read if not isinstance(values, Answer)]
        together = iter(self._together(asked) if len(asked) > 1 else map(self._alone, asked))
        return [values if isinstance(values, Answer) else next(together) for values in read]

    def _read(self, body: bytes) -> Values | Answer:
        try:
            return self._reader.read(body)
        except InputError as error:
            return refusal(error)
        except MemoryError:
            return self._too_much()

    def _together(self, asked: list[Values]) -> list[Answer]:
        names = [column.name for column in self.columns]
        try:
            return self._told(
                {name: list(chain(*(values[name] for values in asked))) for name in names}, asked
            )
        except Exception:  # noqa: BLE001 - whatever it is, the request that is to blame meets it again
            return [self._alone(values) for values in asked]

    def _alone(self, values: Values) -> Answer:
        try:
            return self._told(values, [values])[0]
        except InputError as error:
            return refusal(error)
        except MemoryError:
            return self._too_much()
        except Exception as error:  # noqa: BLE001 - a pipeline of a user's own may raise anything for a row
            what = f"{self._charge.called} could not predict these rows: {type(error).__name__}: {error}"
            return refusal(InputError(what[:1000]))

    def _told(self, values: Values, parts: Sequence[Values]) -> list[Answer]:
        """The bodies of the answers to ``parts``, which ``values`` holds one after the other."""
        began = time.perf_counter()
        predicted = self.predict(tables.table(values, self.columns))
        seconds = time.perf_counter() - began
        tail = b',"classes":%b,"ms":%.3f}' % (_encoded(self._classes), seconds * 1e3)
        answers, at = [], 0
        for part in parts:
            count = len(next(iter(part.values())))
            these = slice(at, at + count)
            at += count
            probabilities = None if predicted.probabilities is None else predicted.probabilities[these]
            told = (_encoded(predicted.values[these]), _encoded(probabilities))
            answers.append(
                Answer(200, b'%b,"predictions":%b,"probabilities":%b%b' % (self._head, *told, tail), count)
            )
        self.bins.add(values)
        return answers

    def predict(self, table: pd.DataFrame) -> Predicted:
        """As the model's own ``predict`` and ``predict_proba`` say, preparing the rows once."""
        few = len(table) <= ONE_THREAD
        with self._threads.limit(limits=1, user_api="openmp") if few else nullcontext():
            X = transformed(self._pipeline, table)
            if not hasattr(self._final, "predict_proba"):
                return Predicted(np.asarray(self._final.predict(X)), None)
            probabilities = np.asarray(self._final.predict_proba(X))
            if not self._argmax or self._classes is None or not _decided(probabilities):
                return Predicted(np.asarray(self._final.predict(X)), probabilities)
            return Predicted(self._classes.take(probabilities.argmax(axis=1)), probabilities)

    def _too_much(self) -> Answer:
        most = told_bytes(self._charge.memory)
        error = ServingFailed(f"{self._charge.called} needs more memory for these rows than its {most}.")
        return refusal(error, 507)


def refusal(error: MlopsError, status: int = 400) -> Answer:
    """An error as every route of ours tells it, with the fields that are to blame."""
    told = {
        "message": str(error),
        "reason": "InputError" if isinstance(error, InputError) else type(error).__name__,
        "problems": error.problems,
        "fields": error.faults if isinstance(error, FaultyRows) else (),
    }
    return Answer(status, wire.encode(told))


def _decided(probabilities: Any) -> bool:
    """Whether each row has one class that is likelier than all others."""
    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        return False
    highest = np.partition(probabilities, -2, axis=1)[:, -2:]
    return bool((highest[:, 1] - highest[:, 0] > TIE).all())


def _encoded(values: Any) -> bytes:
    if values is None:
        return b"null"
    plain = values.tolist()
    if values.dtype.kind == "f":
        return msgspec.json.encode(plain)
    return wire.encode(plain)
