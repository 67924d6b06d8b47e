"""A fitted pipeline as an ONNX model: all of it or nothing, and only what predicts the same.

Tables of numbers can be exported; text, categories and dates cannot: nothing says in ONNX what skrub does
with them. Needs the extra ``onnx``. A program of its own, since reading a model file may end the process:
``python -m mlops_jupyter.training.tabular.onnx MODEL SHA256 ONNX``.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.tree import BaseDecisionTree
from skrub import SquashingScaler, TableVectorizer
from skrub._table_vectorizer import PassThrough, ShortReprDict

from mlops_jupyter.core import wire
from mlops_jupyter.core.errors import MlopsError, ModelNotPortable, Problem
from mlops_jupyter.training import processes
from mlops_jupyter.training.tabular import model

#: Rows by which it is checked that the export predicts what the model predicts, and of their cells the share
#: without a value in columns that had such.
CHECKED, MISSING = 500, 0.1
#: How far apart two probabilities or numbers may be: ONNX counts in single precision.
CLOSE = 1e-4
#: Labels may differ in so many of the rows: those that lie on the border of two classes.
ON_THE_BORDER = 0.002
#: Bytes of memory an export may take.
MEMORY = 4 << 30
#: Beyond this, scaled values are all the same.
_FAR = 1e15


def exported(pipeline: Pipeline, inputs: Sequence[dict[str, Any]]) -> bytes:
    """The ONNX model: one input ``X`` of single precision, whose columns its metadata ``columns`` names.

    Raises ``ModelNotPortable`` with the names of what stands against it."""
    try:
        from skl2onnx import to_onnx  # noqa: PLC0415 - an extra
        from skl2onnx.common.data_types import FloatTensorType  # noqa: PLC0415
        from skl2onnx.common.exceptions import (  # noqa: PLC0415
            MissingConverter,
            MissingShapeCalculator,
        )
    except ImportError as error:
        raise ModelNotPortable(
            "ONNX needs packages that are not installed.", None, 'pip install "mlops_jupyter[onnx]"'
        ) from error
    columns, steps = _numbers(pipeline, inputs)
    final = steps[-1][1]
    _refuse_missing(final, steps, inputs)
    _add_converters()
    if isinstance(final, BaseHistGradientBoosting):
        # Its converter takes a flat one only.
        final = copy(final)
        final._baseline_prediction = np.ravel(final._baseline_prediction)  # noqa: SLF001
        steps = [*steps[:-1], (steps[-1][0], final)]
    options = {id(final): {"zipmap": False}} if hasattr(final, "classes_") else None
    try:
        with warnings.catch_warnings(action="ignore"):
            made = to_onnx(
                Pipeline(steps),
                initial_types=[("X", FloatTensorType([None, len(columns)]))],
                options=options,
                name="model",
            )
    except (MissingConverter, MissingShapeCalculator) as error:
        named = ", ".join(type(step).__name__ for _, step in steps)
        raise ModelNotPortable(f"Nothing converts all of {named} to ONNX.") from error
    except (RuntimeError, NotImplementedError, ValueError, TypeError, AttributeError) as error:
        raise ModelNotPortable(f"It cannot be converted to ONNX: {error}") from error
    entry = made.metadata_props.add()
    entry.key, entry.value = "columns", json.dumps(columns)
    body: bytes = made.SerializeToString()
    _check(pipeline, body, columns, inputs)
    return body


def _numbers(pipeline: Pipeline, inputs: Sequence[dict[str, Any]]) -> tuple[list[str], list[tuple[str, Any]]]:
    """The columns that come to the first step which converts, and the steps from there on."""
    names = [str(column["name"]) for column in inputs]
    first = pipeline.steps[0][1]
    if not isinstance(first, TableVectorizer):
        others = [f'"{column["name"]}" ({column["kind"]})' for column in inputs if column["kind"] != "number"]
        _refuse(others)
        return names, pipeline.steps
    kept = []
    others = []
    for name, steps in first.all_processing_steps_.items():
        kinds = [type(step).__name__ for step in steps if not isinstance(step, ShortReprDict | PassThrough)]
        if name in first.input_to_outputs_ and not first.input_to_outputs_[name]:
            continue
        if set(kinds) <= {"DropUninformative", "ToFloat", "CheckInputDataFrame"}:
            kept.append(str(name))
        else:
            others.append(f'"{name}" ({kinds[-1]})')
    _refuse(others)
    return kept, pipeline.steps[1:]


def _refuse(others: list[str]) -> None:
    if others:
        more = f", and {len(others) - 10} more" if len(others) > 10 else ""
        listed = ", ".join(others[:10]) + more
        raise ModelNotPortable(f"Only tables of numbers are exported to ONNX; no numbers are {listed}.")


def _refuse_missing(final: Any, steps: list[tuple[str, Any]], inputs: Sequence[dict[str, Any]]) -> None:
    """Trees of forests have learned where to send a missing value, which their converter leaves out."""
    missing = [f'"{column["name"]}"' for column in inputs if column.get("missing")]
    filled = any(isinstance(step, SimpleImputer) for _, step in steps)
    if missing and not filled and isinstance(final, BaseForest | BaseDecisionTree):
        raise ModelNotPortable(
            f"Nothing says in ONNX what {type(final).__name__} does with missing values, as in {missing[0]}.",
            "hist_gradient_boosting can be exported with them.",
        )


def _add_converters() -> None:
    """For what comes before the estimators on offer and has no converter, or one that leaves out half."""
    from skl2onnx import update_registered_converter  # noqa: PLC0415 - an extra

    for kind, name, width, convert in (
        (SquashingScaler, "MlopsSquashingScaler", lambda step: step.n_features_in_, _squashed),
        (SimpleImputer, "MlopsSimpleImputer", lambda step: len(step.get_feature_names_out()), _imputed),
    ):
        update_registered_converter(kind, name, _shape(width), convert, overwrite=True)


def _shape(width: Callable[[Any], int]) -> Callable[[Any], None]:
    from skl2onnx.common.data_types import FloatTensorType  # noqa: PLC0415 - an extra

    def shape(operator: Any) -> None:
        operator.outputs[0].type = FloatTensorType([None, width(operator.raw_operator)])

    return shape


def _squashed(scope: Any, operator: Any, container: Any) -> None:
    """skrub's scaler: a shift, a factor, a soft bound. A column that had one value is 0."""
    from skl2onnx.algebra import onnx_ops as ops  # noqa: PLC0415 - an extra

    version = {"op_version": container.target_opset}
    center, factor = _affine(operator.raw_operator)
    bound = np.array([operator.raw_operator.max_absolute_value], np.float32)
    scaled = ops.OnnxMul(ops.OnnxSub(operator.inputs[0], center, **version), factor, **version)
    near = ops.OnnxClip(scaled, np.array(-_FAR, np.float32), np.array(_FAR, np.float32), **version)
    share = ops.OnnxDiv(near, bound, **version)
    square = ops.OnnxAdd(ops.OnnxMul(share, share, **version), np.ones(1, np.float32), **version)
    root = ops.OnnxSqrt(square, **version)
    ops.OnnxDiv(near, root, output_names=operator.outputs, **version).add_to(scope, container)


def _imputed(scope: Any, operator: Any, container: Any) -> None:
    """What a missing value is replaced by, and behind that which were missing."""
    from skl2onnx.algebra import onnx_ops as ops  # noqa: PLC0415 - an extra

    imputer, version = operator.raw_operator, {"op_version": container.target_opset}
    fill = np.asarray(imputer.statistics_, dtype=np.float32)
    if not np.isnan(imputer.missing_values) or np.isnan(fill).any():
        raise ValueError("it leaves out columns, or has a value of its own for what is missing")
    missing = ops.OnnxIsNaN(operator.inputs[0], **version)
    filled = ops.OnnxWhere(missing, fill, operator.inputs[0], **version)
    parts = [filled]
    if imputer.indicator_ is not None and len(imputer.indicator_.features_):
        which = np.asarray(imputer.indicator_.features_, dtype=np.int64)
        told = ops.OnnxCast(ops.OnnxGather(missing, which, axis=1, **version), to=1, **version)
        parts.append(told)
    ops.OnnxConcat(*parts, axis=1, output_names=operator.outputs, **version).add_to(scope, container)


def _affine(scaler: Any) -> tuple[Any, Any]:
    """What is taken away from each column, and by what it is multiplied."""
    center = np.zeros(scaler.n_features_in_, np.float32)
    factor = np.zeros(scaler.n_features_in_, np.float32)
    if scaler.robust_scaler_ is not None:
        center[scaler.robust_cols_] = scaler.robust_scaler_.center_
        factor[scaler.robust_cols_] = 1 / scaler.robust_scaler_.scale_
    if scaler.minmax_scaler_ is not None:
        center[scaler.minmax_cols_] = scaler.minmax_scaler_.median_
        factor[scaler.minmax_cols_] = scaler.minmax_scaler_.scale_
    return center, factor


def _check(pipeline: Pipeline, body: bytes, columns: list[str], inputs: Sequence[dict[str, Any]]) -> None:
    """Both predict the same for rows that were made up, or nothing is exported."""
    import onnxruntime  # noqa: PLC0415 - an extra

    rows = _made_up(columns, inputs)
    runtime = onnxruntime.InferenceSession(body, providers=["CPUExecutionProvider"])
    found = runtime.run(None, {"X": rows[columns].to_numpy(np.float32)})
    with warnings.catch_warnings(action="ignore"):
        expected = pipeline.predict(rows)
        probabilities = pipeline.predict_proba(rows) if hasattr(pipeline, "predict_proba") else None
    if hasattr(pipeline, "classes_"):
        differ = float(np.mean(np.ravel(found[0]) != np.ravel(expected)))
        same = differ <= ON_THE_BORDER
        if same and probabilities is not None and len(found) > 1:
            apart = np.abs(np.asarray(found[1]) - probabilities).max(axis=1)
            same = bool(np.mean(apart > CLOSE) <= ON_THE_BORDER)
    else:
        scale = max(float(np.abs(expected).max()), 1e-12)
        apart = np.abs(np.ravel(found[0]) - np.ravel(expected)) / scale
        same = bool(np.mean(apart > CLOSE) <= ON_THE_BORDER)
    if not same:
        raise ModelNotPortable(
            f"Exported to ONNX, it predicted something else for {CHECKED} rows: not exported."
        )


def _made_up(columns: list[str], inputs: Sequence[dict[str, Any]]) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    made = {}
    for column in inputs:
        # Of all sizes: what training saw is not in the file.
        sizes = 10.0 ** generator.integers(-2, 4, CHECKED)
        values = (generator.standard_normal(CHECKED) * sizes).astype(np.float32).astype(float)
        if column.get("missing") and column["name"] in columns:
            values[generator.random(CHECKED) < MISSING] = np.nan
        made[str(column["name"])] = values
    return pd.DataFrame(made)


def main(source: str, sha256: str, target: str) -> int:
    """Read the model file ``source``, write ``target``. What stands against it goes to stdout."""
    processes.limit_memory(MEMORY)
    path = Path(source)
    try:
        pipeline = model.loads(path.read_bytes(), sha256)
        meta = msgspec.json.decode((path.parent / "meta.json").read_bytes())
        body = exported(pipeline, meta["signature"]["inputs"])
    except MlopsError as error:
        sys.stdout.buffer.write(wire.encode(error.problems))
        return 1
    except FileNotFoundError:
        gone = Problem(error="ModelNotFoundError", message="The file of this model is gone.")
        sys.stdout.buffer.write(wire.encode([gone]))
        return 1
    Path(target).write_bytes(body)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
