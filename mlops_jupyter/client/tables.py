"""What a user hands to ``mlops.train`` as data: a file, a DataFrame or ``(X, y)``, made ready to send.

Not here: what is wrong with it (``training.tabular.checks``).
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mlops_jupyter.client import sources
from mlops_jupyter.client.notices import warn
from mlops_jupyter.client.sources import Datasets
from mlops_jupyter.core.errors import DataError
from mlops_jupyter.core.jobs import Source
from mlops_jupyter.training.tabular import checks
from mlops_jupyter.training.tabular import data as files
from mlops_jupyter.training.tabular.data import Glance

TARGET = "target"
#: Bytes up to which a sparse matrix is made a table.
DENSE = 2 << 30


class MixedColumns(UserWarning):
    """Columns of a DataFrame hold several types, or types no table file has; they travel as text."""


class RenamedColumns(UserWarning):
    """Columns of a DataFrame are not called by texts, as those of files and models are."""


class Table(NamedTuple):
    """``frame`` is null for a file, which is read where the job runs. ``seen`` is what checks need of it;
    null for a dataset, which is the server's to look at."""

    name: str
    seen: Glance | None
    path: Path | None = None
    frame: Any = None
    stored: Source | None = None

    def source(self, send: Callable[[bytes], str]) -> Source:
        """Where the job finds it; ``send`` takes the bytes of a DataFrame and gives their id."""
        if self.stored is not None:
            return self.stored
        if self.path is not None:
            return Source(path=str(self.path), name=self.name)
        return Source(input_id=send(parquet(self.frame)), name=self.name)


def table(
    data: Any, target: str | None, split: str, name: str | None, folder: Path, datasets: Datasets
) -> tuple[Table, str | None]:
    """``data`` as a table, and the name of its target column: with ``(X, y)``, y's own. A name that is no
    file is that of one of the ``datasets``.

    Raises what makes it no table at all."""
    if isinstance(data, str | os.PathLike):
        return _named(sources.found(data, folder, datasets), checks.needed(target, split)), target
    if isinstance(data, tuple) and len(data) == 2:
        frame, target = _joined(*data, target)
        return _of_frame(frame, checks.needed(target, split), name or "(X, y)"), target
    if hasattr(data, "to_pandas"):
        data = data.to_pandas()
    if not hasattr(data, "to_parquet"):
        raise DataError(
            f"a {type(data).__name__} is no table.",
            "data is a CSV or Parquet file, a DataFrame or (X, y):",
            'mlops.train(df, target="…")',
        )
    return _of_frame(data, checks.needed(target, split), name or "DataFrame"), target


def parquet(frame: Any) -> bytes:
    """The table without its index, as Parquet; what Parquet cannot hold as text, with a warning."""
    import pyarrow as pa  # noqa: PLC0415 - 0.2 s that files need not pay
    from pyarrow import parquet as writer  # noqa: PLC0415

    columns, changed = {}, []
    for position, name in enumerate(map(str, frame.columns)):
        values = frame.iloc[:, position]
        if hasattr(values, "sparse"):
            values = values.sparse.to_dense()
        try:
            array = pa.array(values, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeError):
            array = None
        if array is None or pa.types.is_nested(array.type) or isinstance(array.type, pa.BaseExtensionType):
            changed.append(name)
            text = values.astype(object).map(_text, na_action="ignore")
            array = pa.array(text, pa.string(), from_pandas=True)
        columns[name] = array
    if changed:
        listed = ", ".join(f'"{name}"' for name in changed[:3])
        more = f", +{len(changed) - 3}" if len(changed) > 3 else ""
        warn(MixedColumns(f"{listed}{more}: mixed types, sent as text."))
    buffer = io.BytesIO()
    writer.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def _text(value: object) -> str:
    """As UTF-8 can say it: half a surrogate pair becomes a question mark."""
    return str(value).encode("utf-8", "replace").decode()


def _named(source: Source, wanted: list[str]) -> Table:
    name = str(source.name)
    if source.path is None:
        return Table(name, None, stored=source)
    path = Path(source.path)
    return Table(name, files.glance(path, wanted, name), path=path)


def _of_frame(frame: Any, wanted: list[str], name: str) -> Table:
    if others := [column for column in frame.columns if not isinstance(column, str)]:
        message = f'the column {others[0]!r} is called "{others[0]}" by the model'
        warn(RenamedColumns(f"{message}: predict with df.rename(columns=str)."))
    seen = files.look(frame, wanted)
    # Lists and the like travel as text, with a warning, and are learned from as that.
    told = {column: what for column, what in seen.unlearnable.items() if what == "bytes" or column in wanted}
    return Table(name, seen._replace(unlearnable=told), frame=frame)


def _joined(X: Any, y: Any, target: str | None) -> tuple[Any, str]:
    """One table of features and target, row by row: the indices of X and y may differ."""
    import pandas as pd  # noqa: PLC0415 - whoever has arrays has not always imported it

    frame = (X if isinstance(X, pd.DataFrame) else _of_array(X)).reset_index(drop=True)
    # One column, whether it comes as a Series, a list, or an array or frame of shape (n, 1).
    try:
        values = pd.Series(y.squeeze() if hasattr(y, "squeeze") else y).reset_index(drop=True)
    except ValueError as error:
        raise DataError(
            f"y has the shape {getattr(y, 'shape', '?')}, and a target is one column.",
            "Train one job a target.",
        ) from error
    if len(frame) != len(values):
        raise DataError(f"X has {len(frame)} rows and y has {len(values)}.", "They must be of the same rows.")
    name = target or (TARGET if values.name is None else str(values.name))
    if name in map(str, frame.columns):
        raise DataError(
            f'X has a column "{name}" already, which is to be the name of y.',
            "Name the target otherwise:",
            'mlops.train((X, y), target="…")',
        )
    return frame.assign(**{name: values}), name


def _of_array(X: Any) -> Any:
    """Columns are called as skrub's preprocessing calls those of arrays: the model predicts arrays, too."""
    import pandas as pd  # noqa: PLC0415 - see above

    if hasattr(X, "toarray"):
        X = _dense(X)
    try:
        frame = X.to_pandas() if hasattr(X, "to_pandas") else pd.DataFrame(X)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"X is a {type(X).__name__}, not rows and columns.", "It is a 2-D array or a DataFrame."
        ) from error
    if isinstance(frame.columns, pd.RangeIndex):
        frame.columns = [str(number) for number in range(frame.shape[1])]
    return frame


def _dense(X: Any) -> Any:
    """A sparse matrix as an array, where that is no larger than what a kernel can hold."""
    size = X.shape[0] * X.shape[1] * X.dtype.itemsize
    if size > DENSE:
        rows, columns = X.shape
        raise DataError(
            f"X is sparse, and as a table of {rows} × {columns} cells it takes {size / 2**30:.1f} GiB.",
            "Tables are trained dense. Fewer columns:",
            "sklearn.decomposition.TruncatedSVD(100).fit_transform(X)",
        )
    return X.toarray()
