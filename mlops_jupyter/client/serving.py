"""Deployed models for Python: rows go out, tables come back, a deployment is waited for.

Not here: REST itself (``rest``), and what is asked of one model (``model``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from mlops_jupyter.core import glyphs, limits, wire
from mlops_jupyter.core.endpoints import Endpoint
from mlops_jupyter.core.errors import InputError, ServingFailed

if TYPE_CHECKING:
    import pandas as pd

    from mlops_jupyter.client.rest import Rest

#: Rows of one request, and seconds the server is asked to hold an answer back until something happens.
ROWS, HOLD = 5000, 10.0


class Predicted(msgspec.Struct, frozen=True, kw_only=True):
    """What ``POST …/predict`` answers."""

    model_id: str
    name: str
    version: int
    predictions: list[Any]
    probabilities: list[list[float | None]] | None
    classes: list[Any] | None
    ms: float


class EndpointsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``GET endpoints`` answers."""

    epoch: str
    head: int
    endpoints: tuple[Endpoint, ...]


def rows(data: Any) -> list[dict[str, Any]]:
    """A DataFrame, a row or rows as JSON can say them."""
    if isinstance(data, dict):
        return [data]
    if hasattr(data, "to_dict") and hasattr(data, "columns"):
        plain = data.set_axis([str(name) for name in data.columns], axis=1).astype(object)
        plain = plain.where(data.notna().to_numpy(), None)
        return [{name: _plain(value) for name, value in row.items()} for row in plain.to_dict("records")]
    if isinstance(data, list | tuple) and all(isinstance(row, dict) for row in data):
        return list(data)
    raise InputError(
        f"rows to predict are a DataFrame, a dict or a list of dicts, not {type(data).__name__}.",
        None,
        'model.predict({"age": 41}), model.predict(df)',
    )


def bodies(asked: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    """Requests that are no longer than may be."""
    for start in range(0, len(asked), ROWS):
        yield from _parts(asked[start : start + ROWS])


def table(answers: Sequence[Predicted], data: Any) -> pd.DataFrame:
    """A row each, under the index of a DataFrame that was asked for: ``prediction``, and where the model
    has them the probability of each class."""
    import pandas as pd  # noqa: PLC0415 - half a second, and who only deploys needs none

    index = getattr(data, "index", None) if hasattr(data, "columns") else None
    found = pd.DataFrame({"prediction": [each for a in answers for each in a.predictions]}, index=index)
    classes = answers[0].classes
    if classes is not None and all(answer.probabilities is not None for answer in answers):
        every = [row for answer in answers for row in answer.probabilities or ()]
        for position, label in enumerate(classes):
            found[f"p({label})"] = [row[position] for row in every]
    return found


def awaited(rest: Rest, endpoint: Endpoint, model_id: str, timeout: float | None) -> Endpoint:
    """The endpoint once ``model_id`` answers there. Raises ``ServingFailed`` when it cannot, and
    ``TimeoutError``."""
    patience = None if timeout is None else time.monotonic() + timeout
    while True:
        answer = rest.endpoints()
        now = next(each for each in answer.endpoints if each.endpoint_id == endpoint.endpoint_id)
        if now.status != "deploying":
            if now.model_id == model_id and now.error is None:
                return now
            raise ServingFailed(now.error or f"{now.name}: somebody wished for something else meanwhile.")
        if patience is not None and time.monotonic() >= patience:
            raise TimeoutError(f"{now.name} is still being deployed after {timeout:g} s")
        rest.events(answer.head, answer.epoch, HOLD)


def told(found: dict[str, Any]) -> str:
    """What ``monitoring`` answered, for a terminal."""
    asked = f"{found['errors']:,} of {_many(found['requests'], 'request')} without one"
    lines = [
        f"{_many(found['total'], 'prediction')}, {asked}",
        f"rate {_number(found['rate'])}/min · p50 {_ms(found['p50'])} · p95 {_ms(found['p95'])}",
    ]
    drift = found["drift"]
    if drift is None:
        return "\n".join([*lines, f"drift —: {found['drift_reason']}"])
    for name, each in drift.items():
        if each["level"] != "none":
            lines.append(
                f"{each['level']}: {glyphs.on_a_line(name)}, PSI {each['psi']:.2f} over {each['rows']:,} rows"
            )
    if len(lines) == 2:
        lines.append("no drift seen")
    if found["unwatched"]:
        lines.append(f"not watched: {glyphs.on_a_line(_few(found['unwatched']))}")
    return "\n".join(lines)


def _few(names: Sequence[str]) -> str:
    more = f", +{len(names) - 5}" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _parts(asked: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    body = wire.encode({"rows": asked})
    if len(body) <= limits.PREDICT_BODY or len(asked) == 1:
        yield body
    else:
        half = len(asked) // 2
        yield from _parts(asked[:half])
        yield from _parts(asked[half:])


def _plain(value: Any) -> Any:
    """Dates and durations as the text a model's columns are read from."""
    if hasattr(value, "isoformat"):
        return value.isoformat() if not hasattr(value, "total_seconds") else str(value)
    return value


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:g}"


def _ms(seconds: float | None) -> str:
    return "—" if seconds is None else f"{seconds * 1e3:.3g} ms"
