"""Records as they must be, kind by kind: names of fields in order, and their types.

A record has one form, so the form can be compared as a whole: reading ten thousand a
second more is worth this file. Knows no entry and no row.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final, TypeAlias

import orjson

from node.audit.record import NodeRecord
from node.audit.records import RECORD_KINDS
from protocol.limits import INTEGER_MAX

Record: TypeAlias = dict[str, Any]

_FRAME: Final = {"v": "int", "network": "str", "kind": "str", "at": "int"}
_DECISION: Final = {"identity": "str", "envelope": "str", "from": "str", "to": "str"}
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "str": (str,),
    "int | None": (int, type(None)),
    "str | None": (str, type(None)),
}


class RecordFault(Exception):
    """A record is not in its one form; the text says what is wrong."""


class _Shape:
    """The one form of a kind of record."""

    __slots__ = ("integers", "names", "types")

    def __init__(self, typed: dict[str, str]) -> None:
        self.names = tuple(sorted(typed))
        self.types: set[tuple[type, ...]] = {()}
        for name in self.names:
            self.types = {(*one, kind) for one in self.types for kind in _TYPES[typed[name]]}
        self.integers = tuple(name for name in self.names if "int" in typed[name])


def _shapes() -> dict[str, _Shape]:
    shapes = {
        cls.kind: _Shape(_FRAME | {one.name: str(one.type) for one in fields(cls)})
        for cls in NodeRecord.__subclasses__()
    }
    shapes["message.accepted"] = _Shape(_FRAME | _DECISION | {"order": "int | None"})
    shapes["message.refused"] = _Shape(_FRAME | _DECISION | {"code": "str"})
    return {kind: shapes[kind] for kind in RECORD_KINDS}


_SHAPES: Final = _shapes()


def read_record(raw: bytes, network: str) -> Record:
    """Read a record strictly, or raise `RecordFault`."""
    try:
        record = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise RecordFault("It is not JSON.") from None
    kind = record.get("kind") if type(record) is dict else None
    shape = _SHAPES.get(kind) if type(kind) is str else None
    if shape is None:
        raise RecordFault("It is of no kind that is known.")
    if tuple(record) != shape.names or tuple(map(type, record.values())) not in shape.types:
        raise RecordFault(f"It does not have the fields of {kind}.")
    for name in shape.integers:
        if record[name] is not None and not 0 <= record[name] <= INTEGER_MAX:
            raise RecordFault(f"Its {name} is out of range.")
    if record["v"] != 1 or record["network"] != network:
        raise RecordFault("It is of another network or version.")
    if orjson.dumps(record) != raw:
        raise RecordFault("It is not in canonical form.")
    return record  # type: ignore[no-any-return]  # orjson gives Any; its shape was compared
