"""``Model``: a registered model, as ``mlops.model`` gives it.

Not here: how it is shown (``cards``), and that what answers is fresh: a record is as of its last order.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_jupyter.client import cards, serving
from mlops_jupyter.core import glyphs
from mlops_jupyter.core.errors import InputError, ModelChanged
from mlops_jupyter.core.models import Model as Record

if TYPE_CHECKING:
    import pandas as pd

    from mlops_jupyter.client.session import Session


class Model:
    """A registered model: a version of a name, with its file.

    Besides what is below, every field of its record is an attribute: ``name``, ``version``, ``aliases``,
    ``status``, ``metric``, ``score``, ``metrics``, ``split``, ``signature``, ``environment``,
    ``provenance``, ``sha256``, ``size`` … What is not known is ``None``.
    """

    def __init__(self, record: Record, session: Session) -> None:
        self._record = record
        self._session = session

    @property
    def record(self) -> Record:
        """As ``GET models/{id}`` gave it last."""
        return self._record

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in Record.__struct_fields__:
            raise AttributeError(f"a Model has no attribute {name!r}")
        return getattr(self._record, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *Record.__struct_fields__})

    @property
    def ref(self) -> str:
        """``churn@3``: what it is got by, on any day."""
        return f"{self._record.name}@{self._record.version}"

    def promote(self, alias: str = "champion") -> Model:
        """Give it an alias, from whichever version of its name has it now."""
        return self._changed({"aliases": {"set": [alias]}})

    def demote(self, alias: str = "champion") -> Model:
        """Take an alias from it; no version has it then."""
        return self._changed({"aliases": {"remove": [alias]}})

    def retire(self) -> Model:
        """Let nobody deploy it any more; it is kept. Raises ``ModelStateError`` while it is deployed."""
        return self._changed({"retired": True})

    def restore(self) -> Model:
        """Bring it back from retirement."""
        return self._changed({"retired": False})

    def delete(self) -> None:
        """Its record and its file are gone, for good; its job stays, and its version is never given again.
        Raises ``ModelStateError`` while it is deployed."""
        self._session.delete_model(self._record.model_id)

    def deploy(self, *, wait: bool = True, timeout: float | None = None) -> Model:
        """Let this version answer under its name, in place of the one that does; that one answers until then.
        Waits for it, unless ``wait`` is false. Raises ``ServingFailed`` when it cannot."""
        try:
            self._session.deploy(self._record.model_id, wait=wait, timeout=timeout)
        finally:
            self._fresh()
        return self

    def undeploy(self) -> Model:
        """Let nothing answer under its name any more."""
        self._session.undeploy(self._record.model_id)
        return self._fresh()

    def rollback(self) -> Model:
        """Let the version answer again that did before; returns that one."""
        endpoint = self._session.rollback(self._record.name)
        self._fresh()
        return self._session.model(str(endpoint.model_id))

    def predict(self, data: Any) -> pd.DataFrame:
        """What it says of a DataFrame, a row (dict) or rows, while it is deployed: ``prediction`` and, where
        it has them, the probability of each class. ``InputError`` names the column that does not fit."""
        asked = serving.rows(data)
        if not asked:
            raise InputError("there is nothing to predict: no rows.")
        answers = [self._session.predict(self._record.model_id, body) for body in serving.bodies(asked)]
        return serving.table(answers, data)

    def monitoring(self, hours: int = 24) -> dict[str, Any]:
        """What the version that answers under its name did: predictions, rate, latency, errors, drift."""
        return self._session.monitoring(self._record.name, hours)

    def load(self) -> Any:
        """The fitted pipeline, read with the reviewed types only. Raises ``ModelChanged`` when its file is
        not the one that was registered."""
        return self._session.loaded(self._record.model_id, self._record.sha256)

    def download(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Its skops file, whole and as it was registered, or none; ``churn-v3.skops`` here by default, or in
        ``path`` if that is a folder. Returns where it is."""
        target = _target(self._record, path, ".skops")
        body = self._session.model_file(self._record.model_id)
        found = hashlib.sha256(body).hexdigest()
        if found != self._record.sha256:
            raise ModelChanged(
                f"what came is not the file of {self._record.label}: nothing was written.",
                f"Its sha256 is {found[:12]}…, that of the model {self._record.sha256[:12]}…",
            )
        return _written(target, body)

    def to_onnx(self, path: str | os.PathLike[str] | None = None) -> Path:
        """The pipeline as an ONNX model, ``churn-v3.onnx`` here by default: one input ``X`` of single
        precision, whose columns the metadata ``columns`` names. Returns where it is.

        Raises ``ModelNotPortable`` for what cannot be said in ONNX, by name, and where the export would
        predict something else: tables of numbers can be exported, text, categories and dates cannot. The
        server needs the extra ``onnx``."""
        return _written(_target(self._record, path, ".onnx"), self._session.model_onnx(self._record.model_id))

    def _changed(self, order: dict[str, Any]) -> Model:
        self._record = self._session.change_model(self._record.model_id, order)
        return self

    def _fresh(self) -> Model:
        self._record = self._session.model(self._record.model_id).record
        return self

    def __repr__(self) -> str:
        aliases = f" ({', '.join(self._record.aliases)})" if self._record.aliases else ""
        score = cards.score(self._record)
        told = f"<Model {self._record.label}{aliases} {cards.state(self._record)}"
        return glyphs.on_a_line(told + (f", {score}>" if score else ">"))


def _target(model: Record, path: str | os.PathLike[str] | None, ending: str) -> Path:
    given = Path("." if path is None else path).expanduser()
    if not given.is_dir():
        return given
    # Names may hold what no file can be called, and what leads elsewhere.
    stem = re.sub(r"[^\w.-]+", "-", model.name).strip("-.")[:100] or "model"
    return given / f"{stem}-v{model.version}{ending}"


def _written(target: Path, body: bytes) -> Path:
    """All of it or nothing, under a name of its own until it is whole."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            with part.open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        # Of the other name nobody has heard.
        raise OSError(error.errno, error.strerror, str(target)) from error
    return target
