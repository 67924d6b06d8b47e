"""What another attempt at a job is asked to do, and in what it differs.

Not here: submitting it (``submissions``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from mlops_jupyter.core.errors import OptionError, did_you_mean
from mlops_jupyter.core.jobs import Change, JobSpec, Source

#: Where the job comes from is no option of it.
_FIXED = frozenset({"data", "target", "test", "interpreter", "cwd", "version"})
CHANGEABLE = tuple(name for name in JobSpec.__struct_fields__ if name not in _FIXED)


def again(spec: JobSpec, changes: Mapping[str, Any]) -> JobSpec:
    """``spec`` with ``changes``. Parameters are added to those given before, unless the model is another;
    ``OptionError`` names what cannot be changed or is of the wrong kind."""
    for name in changes:
        if name not in CHANGEABLE:
            raise OptionError(f'"{name}" cannot be changed in a rerun.', did_you_mean(name, CHANGEABLE))
    asked = dict(changes)
    if "model" in asked or "estimator_input" in asked:
        asked = {"model": None, "estimator_input": None, "params": {}, **asked}
    elif isinstance(asked.get("params"), Mapping):
        asked["params"] = {**spec.params, **asked["params"]}
    try:
        checked = msgspec.convert({"data": {"path": "-"}, "target": "-", **asked}, JobSpec)
    except msgspec.ValidationError as error:
        raise OptionError(f"The changes are not understood: {error}") from error
    spec = replace(spec, **{name: getattr(checked, name) for name in asked})
    return replace(spec, data=_sent(spec.data), test=None if spec.test is None else _sent(spec.test))


def difference(before: JobSpec, after: JobSpec) -> tuple[Change, ...]:
    """Options by their names, parameters by theirs; an estimator that was sent is just another one."""
    old, new = asdict(before), asdict(after)
    options = [name for name in CHANGEABLE if name not in ("params", "estimator_input")]
    found = [Change(name=n, before=old[n], after=new[n]) for n in options if old[n] != new[n]]
    if before.estimator_input != after.estimator_input:
        named = ("object" if spec.estimator_input else spec.model for spec in (before, after))
        found = [change for change in found if change.name != "model"]
        found.insert(0, Change(name="model", before=next(named), after=next(named)))
    for name in sorted({*before.params, *after.params}):
        was, is_ = before.params.get(name), after.params.get(name)
        if was != is_:
            found.append(Change(name=name, before=was, after=is_))
    return tuple(found)


def _sent(source: Source) -> Source:
    """A table that was sent is named by its input alone, as when it came."""
    return source if source.input_id is None else replace(source, path=None)
