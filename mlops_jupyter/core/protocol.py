"""``labextension/src/protocol.ts``, generated from the structs that are sent.

``python -m mlops_jupyter.core.protocol > labextension/src/protocol.ts``; a test says it is fresh.
"""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
from msgspec import inspect as types

from mlops_jupyter.core import limits, stream
from mlops_jupyter.core.jobs import TERMINAL
from mlops_jupyter.core.stages import STAGES

_HEAD = """\
// Generated from the events in mlops_jupyter/core; do not edit.
// python -m mlops_jupyter.core.protocol > labextension/src/protocol.ts
"""
_NAMES: list[tuple[type[types.Type], str]] = [
    (types.StrType, "string"),
    (types.BoolType, "boolean"),
    (types.IntType, "number"),
    (types.FloatType, "number"),
    (types.DateTimeType, "string"),
    (types.NoneType, "null"),
    (types.AnyType, "unknown"),
]


def typescript() -> str:
    """The whole module as text."""
    structs: dict[str, type[msgspec.Struct]] = {}
    sent = (*stream.SEVENTEEN, *stream.EXTENSIONS, *stream.STREAM)
    bodies = {kind.__name__: _interface(kind, structs) for kind in sent}
    parts: dict[str, str] = {}
    while structs:
        name, kind = structs.popitem()
        if name not in parts:
            parts[name] = _interface(kind, structs)
    lines = [_HEAD]
    lines += [f"export const STAGES = {_literals(STAGES)} as const;"]
    lines += [f"export const TERMINAL = {_literals(sorted(TERMINAL))} as const;"]
    lines += ["/** Bytes, of `core/limits.py`. */"]
    lines += [f"export const LEAST_CHUNK = {limits.LEAST_CHUNK};\n"]
    lines += [parts[name] for name in sorted(parts)]
    lines += bodies.values()
    lines += ["export type Event =\n  | " + "\n  | ".join(bodies) + ";\n"]
    return "\n".join(lines)


def _interface(kind: type[msgspec.Struct], structs: dict[str, type[msgspec.Struct]]) -> str:
    info = types.type_info(kind)
    assert isinstance(info, types.StructType)
    doc = " ".join(inspect.cleandoc(kind.__doc__ or "").split())
    lines = [f"/** {doc} */"] if doc else []
    lines += [f"export interface {kind.__name__} {{"]
    if info.tag_field:
        lines += [f'  {info.tag_field}: "{info.tag}";']
    optional = kind.__struct_config__.omit_defaults
    for field in info.fields:
        mark = "?" if optional and not field.required else ""
        lines += [f"  {field.encode_name}{mark}: {_name(field.type, structs)};"]
    return "\n".join([*lines, "}\n"])


def _name(kind: types.Type, structs: dict[str, type[msgspec.Struct]]) -> str:
    if isinstance(kind, types.StructType):
        structs[kind.cls.__name__] = kind.cls
        return kind.cls.__name__
    if isinstance(kind, types.UnionType):
        return " | ".join(_name(part, structs) for part in kind.types)
    if isinstance(kind, types.LiteralType):
        return " | ".join(f'"{value}"' for value in kind.values)
    if isinstance(kind, types.DictType):
        return f"Record<string, {_name(kind.value_type, structs)}>"
    if isinstance(kind, types.VarTupleType | types.ListType):
        return f"Array<{_name(kind.item_type, structs)}>"
    if isinstance(kind, types.TupleType):
        return "[" + ", ".join(_name(item, structs) for item in kind.item_types) + "]"
    for known, name in _NAMES:
        if isinstance(kind, known):
            return name
    raise TypeError(f"no TypeScript for {kind}")


def _literals(values: Any) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


if __name__ == "__main__":
    print(typescript(), end="")
