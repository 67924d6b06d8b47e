"""Stage 8: the model as a file: written, read again, checked to predict the same, and described.

Files are skops, read with the reviewed types of ``trusted`` only; nothing is ever unpickled.
Not here: the record a model has in the store.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import numpy as np
import pandas as pd
import skops
from pandas.api import types
from sklearn.pipeline import Pipeline
from skops.io import get_untrusted_types
from skops.io import loads as _skops_loads
from skops.io._utils import SaveContext, get_state
from skops.io.exceptions import UnsupportedTypeException, UntrustedTypesFoundException

from mlops_jupyter.core.errors import ModelChanged, ModelNotPortable
from mlops_jupyter.core.facts import ModelNotSaved, ModelSaved
from mlops_jupyter.core.wire import EXACT_INTEGER, encode
from mlops_jupyter.training.journal import sync_folder
from mlops_jupyter.training.live.meter import Array
from mlops_jupyter.training.run import Run, StageRun
from mlops_jupyter.training.tabular import metrics, soundness
from mlops_jupyter.training.tabular.preparation import transformed
from mlops_jupyter.training.tabular.trusted import TRUSTED

#: Rows by which it is checked that the file predicts what the model predicts.
CHECKED = 1000
#: A tree of a forest has five parts, a round of boosting three a class: forests of 10,000 trees pass.
MOST_MEMBERS = 50_000
MOST_BYTES = 2 << 30
MOST_RATIO = 200
#: Of what describes the parts, which takes a multiple of its size once it is read.
MOST_SCHEMA = 256 << 20
#: Rows among which an example is chosen, and characters of a text in it.
FIRST, LONGEST = 100, 200
#: What skops raises for objects it cannot write, or cannot find again when it reads.
_NOT_KEPT = (UnsupportedTypeException, AttributeError, ImportError, RecursionError, TypeError, ValueError)
#: … and what it raises when a file says what no file of it says.
_DAMAGED = (*_NOT_KEPT, KeyError, IndexError, BadZipFile, OSError, EOFError, zlib.error)


class Signature(NamedTuple):
    """What a model takes and gives."""

    inputs: list[dict[str, Any]]
    output: dict[str, Any]


def save(
    run: Run,
    stage: StageRun,
    pipeline: Pipeline,
    folder: Path,
    sample: pd.DataFrame,
    signature: Signature,
    meta: Mapping[str, Any],
) -> None:
    """Write ``folder/model/``, all of it or nothing; a model that cannot be kept is told, and no error."""
    sample = sample.head(CHECKED)
    try:
        body = dumps(pipeline)
        sha256 = hashlib.sha256(body).hexdigest()
        again = loads(body, sha256)
        same = _same(pipeline, again, sample)
    except ModelNotPortable as error:
        return _not_saved(run, stage, error.message)
    except _NOT_KEPT as error:
        return _not_saved(run, stage, f"It cannot be written to a file: {type(error).__name__}: {error}")
    run.predicted(2 * len(sample))
    if not same:
        return _not_saved(run, stage, "Read from its file, it predicted something else.")
    described = {**meta, "signature": signature._asdict(), "sha256": sha256, "bytes": len(body)}
    _write(folder, {"model.skops": body, "meta.json": encode(described)})
    run.tell(ModelSaved, sha256=sha256, bytes=len(body), signature=signature._asdict())
    stage.detail = f"{len(body) / 1e6:.1f} MB, predicts the same when read again"
    return None


def dumps(pipeline: Any) -> bytes:
    """What ``skops.io.dumps`` writes, but for the white space of its JSON, which takes three quarters
    of the time of writing a small model and nine tenths of its bytes."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", compression=ZIP_DEFLATED, compresslevel=1) as archive:
        context = SaveContext(zip_file=archive)
        state = get_state(pipeline, context)
        context.clear_memo()
        state["protocol"] = context.protocol
        state["_skops_version"] = skops.__version__
        archive.writestr("schema.json", json.dumps(state))
    return buffer.getvalue()


def loads(body: bytes, sha256: str) -> Any:
    """The model in a file's bytes. Raises ``ModelChanged`` when they are not those registered as ``sha256``,
    ``ModelNotPortable`` when it holds other than reviewed types or is no model file."""
    found = hashlib.sha256(body).hexdigest()
    if found != sha256:
        raise ModelChanged(
            "this is not the model file that was registered: it is not loaded.",
            f"Its sha256 is {found[:12]}…, that of the model {sha256[:12]}…",
        )
    _check_archive(body)
    try:
        model = _skops_loads(body, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        foreign = ", ".join(sorted(_foreign(body)))
        raise ModelNotPortable(f"The model holds types that cannot be kept safely: {foreign}.") from error
    except _DAMAGED as error:
        raise ModelNotPortable(
            f"The model file is damaged, or of other versions of its packages ({type(error).__name__})."
        ) from error
    soundness.check(model)
    return model


def signature(X: pd.DataFrame, target: str, classes: Any) -> Signature:
    """Columns as they were trained on, and what comes out."""
    inputs = [
        {
            "name": str(name),
            "kind": kind(column),
            "dtype": str(column.dtype),
            "missing": bool(column.isna().any()),
        }
        for name, column in X.items()
    ]
    labels = None if classes is None else [str(label) for label in classes]
    return Signature(
        inputs, {"name": target, "kind": "number" if classes is None else "class", "classes": labels}
    )


def example(X: pd.DataFrame) -> dict[str, Any]:
    """A row of ``X`` as it can be asked of the model: of the first ones the one with the fewest gaps."""
    first = X.head(FIRST)
    gaps = first.isna().to_numpy()
    row = int(np.argmin(gaps.sum(axis=1)))
    return {
        str(name): None if gap else _spelled(column.iloc[row])
        for (name, column), gap in zip(first.items(), gaps[row], strict=True)
    }


def _spelled(value: Any) -> Any:
    """As JSON has it. What is long is cut: it is there to be looked at."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value) if abs(int(value)) <= EXACT_INTEGER else float(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return str(value)[:LONGEST]


def kind(column: pd.Series) -> str:
    """A column's kind as people name it."""
    if types.is_bool_dtype(column):
        return "boolean"
    if types.is_numeric_dtype(column):
        return "number"
    if types.is_datetime64_any_dtype(column):
        return "date"
    if types.is_timedelta64_dtype(column):
        return "duration"
    return "category" if isinstance(column.dtype, pd.CategoricalDtype) else "text"


def _not_saved(run: Run, stage: StageRun, reason: str) -> None:
    run.tell(ModelNotSaved, reason=reason)
    stage.detail = "not saved"


def _foreign(body: bytes) -> list[str]:
    return [name for name in get_untrusted_types(data=body) if name not in TRUSTED]


def _check_archive(body: bytes) -> None:
    """Refuse what would fill the memory before its types can be looked at."""
    try:
        members = ZipFile(io.BytesIO(body)).infolist()
    except BadZipFile as error:
        raise ModelNotPortable("This is no model file.") from error
    names = [member.filename for member in members]
    if names.count("schema.json") != 1:
        raise ModelNotPortable("This is no model file.")
    size = sum(member.file_size for member in members)
    schema = next(member.file_size for member in members if member.filename == "schema.json")
    much = len(members) > MOST_MEMBERS or schema > MOST_SCHEMA or size > MOST_BYTES
    if much or size > MOST_RATIO * max(len(body), 1):
        raise ModelNotPortable(
            f"The model file unpacks to {len(members)} parts and {size} bytes: too much to read."
        )
    if any(name.startswith(("/", "\\")) or ".." in name or ":" in name for name in names):
        raise ModelNotPortable("The model file has parts outside of itself.")


def _same(pipeline: Any, again: Any, sample: pd.DataFrame) -> bool:
    before, after = (
        metrics.predict(each.steps[-1][1], transformed(each, sample)) for each in (pipeline, again)
    )
    if before.probabilities is not None and after.probabilities is not None:
        return _close(before.probabilities, after.probabilities)
    if before.decision is not None and after.decision is not None:
        return _close(before.decision, after.decision)
    if before.classes is not None:
        return np.array_equal(before.values, after.values)
    return _close(before.values, after.values)


def _close(one: Array, other: Array) -> bool:
    # Forests on several cores add up their trees in any order: the last digits are not theirs.
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True)


def _write(path: Path, files: Mapping[str, bytes]) -> None:
    # Held open, it is the job's folder and nothing that took its place since.
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _write_below(Path(f"/proc/self/fd/{held}"), files)
    finally:
        os.close(held)


def _write_below(folder: Path, files: Mapping[str, bytes]) -> None:
    unfinished = folder / "model.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    for name, body in files.items():
        file = os.open(unfinished / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(body)
            opened.flush()
            os.fsync(opened.fileno())
    sync_folder(unfinished)
    unfinished.rename(folder / "model")
    sync_folder(folder)
